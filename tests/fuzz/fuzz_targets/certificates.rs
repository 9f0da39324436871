//! Files that other organisations hand over: certificates, lists of revoked ones,
//! requests for one.
#![no_main]

use std::fs;

use entente_tls::{Authorities, Naming, Request, facts};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

fuzz_target!(|bytes: &[u8]| {
    // Gone with everything in it, unless this ends the process.
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("file");
    fs::write(&path, bytes).expect("room");
    let _ = facts(&path, &Naming::default());
    let _ = Request::read(&path);
    let _ = Authorities::load(&path);
});
