//! An audit log that somebody hands over, and the head that was kept of it: one that
//! verifies says the same when it is written again.
#![no_main]

use entente_coordinator::audit::{Entry, Head, verify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = core::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(head) = text.parse::<Head>() {
        assert_eq!(head.to_string().parse(), Ok(head));
    }
    let Ok(entries) = serde_json::from_str::<Vec<Entry>>(text) else {
        return;
    };
    let Ok(head) = verify(&entries, None) else {
        return;
    };
    assert_eq!(verify(&entries, Some(&head)), Ok(head.clone()));
    let again = serde_json::to_vec(&entries).expect("entries are JSON");
    let again: Vec<Entry> = serde_json::from_slice(&again).expect("what was written");
    assert_eq!(verify(&again, None), Ok(head));
});
