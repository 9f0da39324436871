//! Files of datasets: IDX, NPY, CIFAR-10 and CSV, gzip or not; and what is
//! saved of their preparation.
#![no_main]

use entente_actors::{data::Preparation, fuzzing};
use entente_wire::Encode;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    fuzzing::dataset(bytes);
    if let Ok(preparation) = Preparation::decoded(bytes) {
        assert_eq!(preparation.encoded().len(), bytes.len());
    }
});
