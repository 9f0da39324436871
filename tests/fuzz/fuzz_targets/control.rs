//! Job specifications and what parties and coordinator tell each other.
#![no_main]

use entente_protocol::{
    control::{Sync, Wish},
    job::{Job, JobSpec},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = serde_json::from_slice::<Sync>(bytes);
    let _ = serde_json::from_slice::<Wish>(bytes);
    if let Ok(spec) = serde_json::from_slice::<JobSpec>(bytes) {
        let _ = Job::try_from(spec);
    }
    if let Ok(text) = core::str::from_utf8(bytes) {
        let _ = Job::from_toml(text);
    }
});
