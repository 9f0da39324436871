//! Saved halves of models.
#![no_main]

use std::sync::LazyLock;

use entente_protocol::{
    acml::{ActiveHalf, PassiveHalf},
    job::Job,
};
use libfuzzer_sys::fuzz_target;

static JOB: LazyLock<Job> = LazyLock::new(|| {
    Job::from_toml(include_str!("../../../deploy/iris.toml")).expect("the sample is a job")
});

fuzz_target!(|bytes: &[u8]| {
    let _ = ActiveHalf::open(&JOB, bytes);
    let _ = PassiveHalf::open(&JOB, bytes);
});
