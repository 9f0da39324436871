//! What stands in the rows of a journal, behind their seals: a disk is not trusted
//! to give back what it was given.
#![no_main]

use entente_actors::fuzzing::journal_rows;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    journal_rows(bytes);
});
