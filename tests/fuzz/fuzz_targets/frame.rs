//! Frames of a link, and that what is read is written back the same.
#![no_main]

use entente_wire::{Encode, Frame, decode_exactly};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(frame) = decode_exactly::<_, Frame>(&(), bytes) {
        assert_eq!(frame.encoded(), bytes);
    }
});
