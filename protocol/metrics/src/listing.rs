//! What becomes of a line of the list.

/// From a line of the list: the constant, its place in [`ALL`](crate::ALL), and the
/// field of every registry. Three uses of one line cannot drift apart.
macro_rules! list {
    ($($service:ident {
        $(
            $(#[$doc:meta])*
            $name:ident: $kind:ident = $text:literal, $help:literal,
                [$($label:literal),*] $(, $buckets:expr)? $(=> $of_workers:ident)?;
        )*
    })*) => {
        $($(
            $(#[$doc])*
            #[doc = ""]
            #[doc = concat!("`", $text, "`: ", $help)]
            pub const $name: Definition<$kind, { <[&str]>::len(&[$($label),*]) }> = Definition::new(
                $text,
                $help,
                &[$($label),*],
                first!($($buckets,)? &[]),
                Service::$service,
                first!($(OfWorkers::$of_workers,)? OfWorkers::Unheard),
                |families| &families.$name,
            );
        )*)*

        /// The whole list.
        pub const ALL: &[&Metric] = &[$($($name.metric(),)*)*];

        /// One family for each name.
        #[allow(non_snake_case)]
        pub(crate) struct Families {
            $($($name: <$kind as Kind>::Family,)*)*
        }

        impl Families {
            /// All of them, registered. What has no labels appears at once.
            pub(crate) fn register(
                registry: &prometheus::Registry,
            ) -> Result<Self, prometheus::Error> {
                Ok(Self {
                    $($($name: {
                        let metric = $name.metric();
                        let family = <$kind>::create(metric)?;
                        if metric.labels.is_empty() {
                            <$kind>::series(&family, &[])?;
                        }
                        registry.register(Box::new(family.clone()))?;
                        family
                    },)*)*
                })
            }
        }
    };
}

macro_rules! first {
    ($first:expr, $($rest:expr),*) => {
        $first
    };
    ($first:expr) => {
        $first
    };
}
