//! A registry that holds the list and nothing else.

use core::marker::PhantomData;
use std::sync::Arc;

use thiserror::Error;

use crate::{
    BUILD_INFO, Counts, Definition, Kind, Metric, Teller,
    counts::heard,
    exposition::series_of,
    list::{ALL, Families, OF_A_WORKER},
    tellers::Tellers,
};

/// What went wrong in the metrics library: a defect of the list or of a label,
/// never of what was measured.
#[derive(Debug, Error)]
#[error("metrics: {0}; this is a defect, please report it")]
pub struct MetricsError(#[from] prometheus::Error);

/// What somebody may see of the metrics. A party may look at its own jobs and no
/// others, and series cannot be told apart by whose they are: so it sees none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// All of them.
    Everything,
    /// Those that name no job, and no party at the coordinator.
    Totals,
}

/// Every metric of the list, for one process and those that tell it theirs. Clones share
/// their values.
#[derive(Clone)]
pub struct Registry {
    exported: prometheus::Registry,
    families: Arc<Families>,
    tellers: Arc<Tellers>,
}

impl Registry {
    /// All metrics, none measured; on Linux also those of the process.
    ///
    /// # Errors
    /// [`MetricsError`] when the list contradicts itself; its tests would have
    /// failed before.
    pub fn new() -> Result<Self, MetricsError> {
        let exported = prometheus::Registry::new();
        let families = Arc::new(Families::register(&exported)?);
        #[cfg(target_os = "linux")]
        exported.register(Box::new(
            prometheus::process_collector::ProcessCollector::for_self(),
        ))?;
        Ok(Self {
            exported,
            families,
            tellers: Arc::default(),
        })
    }

    /// All series of one name.
    pub fn family<K: Kind, const N: usize>(&self, definition: &Definition<K, N>) -> Family<K, N> {
        Family {
            family: (definition.family)(&self.families).clone(),
            kind: PhantomData,
        }
    }

    /// Says what runs: its version, and the newest version of the wire format that it
    /// speaks.
    pub fn runs(&self, version: &str, newest_wire: u16) {
        let build = [version, &newest_wire.to_string()];
        self.family(&BUILD_INFO).with(build).set(1);
    }

    /// What this process has counted, for whoever serves it: with what it uses itself, by
    /// the names that this has of a worker.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for family in self.exported.gather() {
            let name = family.name();
            let told = |metric: &&Metric| match OF_A_WORKER.iter().find(|(_, of)| of == metric) {
                Some((of_the_process, _)) => *of_the_process == name,
                None => metric.name == name,
            };
            let Some(metric) = heard().find(told) else {
                continue;
            };
            for (labels, value) in series_of(metric, &family) {
                counts.insert(metric.name, labels, value);
            }
        }
        counts
    }

    /// From now on another process tells what it counts, and it is rendered with what
    /// this one does. What it had told `before`, elsewhere, is not.
    pub fn teller(&self, before: Counts) -> Teller {
        self.tellers.teller(before)
    }

    /// What `sight` may see, in Prometheus's text format (version 0.0.4).
    ///
    /// # Errors
    /// [`MetricsError`] when the metrics cannot be written down.
    pub fn render(&self, sight: Sight) -> Result<String, MetricsError> {
        let mut families = self.exported.gather();
        self.tellers.join(&mut families);
        if sight == Sight::Totals {
            families.retain(|family| {
                let listed = ALL.iter().find(|metric| metric.name == family.name());
                !listed.is_some_and(|metric| metric.names_others())
            });
        }
        Ok(prometheus::TextEncoder::new().encode_to_string(&families)?)
    }
}

impl core::fmt::Debug for Registry {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

/// All series of one name: `N` label values lead to one of them.
#[derive(Debug, Clone)]
pub struct Family<K: Kind, const N: usize> {
    family: K::Family,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind, const N: usize> Family<K, N> {
    /// The series with these values, in the order of the labels in the list.
    /// It appears when it is first asked for.
    ///
    /// Takes a lock for a moment: in a hot loop, ask once and keep it.
    #[allow(clippy::expect_used)]
    pub fn with(&self, values: [&str; N]) -> K {
        // The library refuses a wrong number of values and nothing else, and
        // the number is a matter of types here.
        K::series(&self.family, &values).expect("N labels, N values")
    }

    /// Makes series appear with value 0. A counter that appears with its first
    /// event has no rate for that event, so what is known at start is seeded.
    pub fn seed<'a>(&self, series: impl IntoIterator<Item = [&'a str; N]>) {
        for values in series {
            self.with(values);
        }
    }

    /// Makes a series disappear, when what it spoke of is gone. One that is
    /// not there is no error.
    pub fn remove(&self, values: [&str; N]) {
        // The only error is that there is nothing to remove.
        let _ = K::remove(&self.family, &values);
    }
}
