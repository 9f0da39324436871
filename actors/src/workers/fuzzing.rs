//! A door for the fuzz targets in tests/fuzz.

use entente_wire::{Encode, decode_exactly};

use super::counted::Counted;

/// Reads what a worker says that it has counted. Whatever the bytes are, there is an
/// answer and no panic, and what was read is read again the same; whether it is one.
pub fn counted(bytes: &[u8]) -> bool {
    let Ok(counted) = decode_exactly::<_, Counted>(&(), bytes) else {
        return false;
    };
    let encoded = counted.encoded();
    assert!(
        encoded.len() <= bytes.len(),
        "what is dropped takes no room"
    );
    assert_eq!(decode_exactly(&(), &encoded), Ok(counted));
    true
}
