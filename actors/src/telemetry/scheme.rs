//! What is measured of the encryption scheme.

use std::time::Duration;

use entente_he::{Extent, Primitive};
use entente_metrics::{
    CIPHERTEXT_OPERATION_NAMES, HE_BYTES, HE_CIPHERTEXTS, HE_ENDS, HE_ITEMS, HE_OPERATION_NAMES,
    HE_OPERATIONS, HE_PACKING_FILL, HE_POOL_CAPACITY, HE_POOL_VALUES, HE_PRIMITIVE_SECONDS,
    HE_PRIMITIVES, HE_SECONDS,
};

use super::Meters;

impl Meters {
    /// A ratio has no value before there is something that it is of: the fill is not
    /// seeded.
    pub(super) fn seed_scheme(&self) {
        let registry = self.registry();
        for operation in HE_OPERATION_NAMES {
            registry.family(&HE_OPERATIONS).seed([[*operation]]);
            registry.family(&HE_ITEMS).seed([[*operation]]);
            registry.family(&HE_SECONDS).seed([[*operation]]);
        }
        for operation in CIPHERTEXT_OPERATION_NAMES {
            registry.family(&HE_CIPHERTEXTS).seed([[*operation]]);
            registry.family(&HE_BYTES).seed([[*operation]]);
        }
        for primitive in Primitive::ALL {
            registry.family(&HE_PRIMITIVES).seed([[primitive.label()]]);
            registry
                .family(&HE_PRIMITIVE_SECONDS)
                .seed([[primitive.label()]]);
        }
        for ends in [&HE_POOL_VALUES, &HE_POOL_CAPACITY] {
            registry.family(ends).seed(HE_ENDS.map(|end| [end]));
        }
    }

    /// An operation of the encryption scheme produced `items` entries.
    pub(super) fn operation(&self, operation: &str, items: usize, took: Duration) {
        let registry = self.registry();
        registry
            .family(&HE_OPERATIONS)
            .with([operation])
            .increment();
        registry
            .family(&HE_ITEMS)
            .with([operation])
            .add(items as u64);
        registry.family(&HE_SECONDS).with([operation]).add(took);
    }

    /// It produced these ciphertexts, or took them in.
    pub(super) fn ciphertexts(&self, operation: &str, extent: Extent) {
        let registry = self.registry();
        registry
            .family(&HE_CIPHERTEXTS)
            .with([operation])
            .add(extent.ciphertexts as u64);
        registry
            .family(&HE_BYTES)
            .with([operation])
            .add(extent.bytes as u64);
        if let Some(fill) = extent.fill() {
            registry
                .family(&HE_PACKING_FILL)
                .with([operation])
                .set(fill);
        }
    }
}
