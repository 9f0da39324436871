//! Frames of a link, of every version: what is read is written back the same, and
//! what is handed on unopened is about what it says when it is opened.
#![no_main]

use entente_wire::{Encode, Frame, decode_exactly};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let address = Frame::address(bytes);
    let Ok(frame) = decode_exactly::<_, Frame>(&(), bytes) else {
        return;
    };
    assert_eq!(frame.encoded(), bytes);
    let about = match &frame {
        Frame::Data(envelope) => Some((envelope.session().id(), envelope.position(), true)),
        Frame::Ack {
            session, position, ..
        }
        | Frame::Refused {
            session, position, ..
        } => Some((*session, *position, false)),
        Frame::Hello(_) | Frame::Ping(_) | Frame::Pong(_) => None,
    };
    let address = address.ok();
    let unopened = address.map(|about| (about.session, about.position, about.is_message));
    assert_eq!(unopened, about);
});
