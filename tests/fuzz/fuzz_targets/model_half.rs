//! Saved halves of models.
#![no_main]

use entente_fuzz::JOB;
use entente_protocol::acml::{ActiveHalf, PassiveHalf};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = ActiveHalf::open(&JOB, bytes);
    let _ = PassiveHalf::open(&JOB, bytes);
});
