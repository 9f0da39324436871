//! A door for the fuzz target in tests/fuzz: what stands in rows, over bytes in
//! memory. Whatever the bytes are, there is an answer and no panic.

use entente_wire::{Frame, Secret, decode_exactly};

use super::encoding;
use crate::delivery::Ended;

/// Every kind of row in turn; how many of them take the bytes. What was read is
/// written so that it is read again.
pub fn rows(bytes: &[u8]) -> usize {
    let checkpoint = encoding::read_checkpoint(3, &Secret::new(bytes.to_vec()));
    if let Some(checkpoint) = &checkpoint {
        let written = encoding::checkpoint(checkpoint).ok();
        let again = written.and_then(|written| encoding::read_checkpoint(3, &written));
        let role = again.map(|again| again.role.expose().clone());
        assert_eq!(role.as_ref(), Some(checkpoint.role.expose()));
    }
    let frame = decode_exactly::<(), Frame>(&(), bytes);
    let sent = frame.is_ok_and(|frame| match frame {
        Frame::Data(envelope) => {
            let (session, position) = (envelope.session(), envelope.position());
            let (payload, heard) = (envelope.payload(), envelope.digest());
            let accepted = encoding::read_accepted(session, position, payload, heard);
            assert_eq!(accepted.map(|accepted| accepted.digest), Some(heard));
            encoding::read_sent(position, bytes).is_some()
        }
        _ => false,
    });
    let ended = serde_json::from_slice::<Ended>(bytes).is_ok();
    let digest = encoding::read_digest(bytes).is_some();
    [checkpoint.is_some(), sent, ended, digest]
        .iter()
        .filter(|taken| **taken)
        .count()
}
