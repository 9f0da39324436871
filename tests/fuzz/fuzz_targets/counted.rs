//! What a worker tells its party that it has counted.
#![no_main]

use entente_actors::workers::fuzzing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    fuzzing::counted(bytes);
});
