//! Every decoder of this crate, shown every way in which bytes can be wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use entente_wire::{
    Decode, DecodeError, Digest, Encode, Envelope, Frame, Hello, MAX_FRAME_BYTES, Mask, Masked,
    Position, Public, Refusal, RingMatrix, Session, SessionId, Shape, Share, Spoken, WireVersion,
    decode_exactly,
};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

/// Reads back what was written, and refuses it cut anywhere or followed by
/// anything.
fn holds_its_form<C: ?Sized, T: Encode + Decode<C> + PartialEq + std::fmt::Debug>(
    context: &C,
    value: &T,
) {
    let bytes = value.encoded();
    assert_eq!(&decode_exactly::<C, T>(context, &bytes).unwrap(), value);
    for cut in 0..bytes.len() {
        let error = decode_exactly::<C, T>(context, &bytes[..cut]).unwrap_err();
        assert!(
            matches!(error, DecodeError::Truncated { .. }),
            "cut at {cut}: {error:?}"
        );
    }
    let longer = [&bytes[..], &[0]].concat();
    let error = decode_exactly::<C, T>(context, &longer).unwrap_err();
    assert_eq!(error, DecodeError::Trailing { count: 1 });
}

#[test]
fn a_frame_says_what_it_is_about_unopened() {
    for version in WireVersion::ALL {
        let envelope = envelope_in(version);
        let (session, position) = (envelope.session().id(), envelope.position());
        let digest = envelope.digest();
        let refused = Frame::Refused {
            session,
            position,
            reason: Refusal::Busy,
        };
        let ack = Frame::Ack {
            session,
            position,
            digest,
        };
        assert_eq!(
            Frame::of_message(&envelope),
            Frame::Data(envelope.clone()).encoded()
        );
        for (frame, is_message) in [
            (Frame::Data(envelope), true),
            (refused, false),
            (ack, false),
        ] {
            let bytes = frame.encoded();
            let address = Frame::address(&bytes).unwrap();
            assert_eq!(
                (address.session, address.position, address.is_message),
                (session, position, is_message)
            );
            assert!(Frame::address(&bytes[..41]).is_err());
        }
    }
    assert!(Frame::address(&Frame::Ping(1).encoded()).is_err());
    assert!(Frame::address(&[]).is_err());
}

fn session(byte: u8) -> SessionId {
    SessionId(Digest::from_bytes([byte; 32]))
}

fn envelope() -> Envelope {
    envelope_in(WireVersion::NEWEST)
}

fn envelope_in(version: WireVersion) -> Envelope {
    let position = Position {
        exchange: 3,
        step: 1,
    };
    let session = Session::new(Digest::from_bytes([7; 32]), version);
    Envelope::new(session, position, vec![0, 5, 1, 2, 3])
}

#[test]
fn frames_of_every_type() {
    let position = Position {
        exchange: u64::MAX,
        step: 255,
    };
    let refused = |reason| Frame::Refused {
        session: session(1),
        position,
        reason,
    };
    for frame in [
        Frame::Hello(Hello::ours("0.1.0 (test)", Spoken::ALL)),
        Frame::Data(envelope_in(WireVersion::V1)),
        Frame::Data(envelope_in(WireVersion::V2)),
        Frame::Ack {
            session: session(1),
            position,
            digest: envelope().digest(),
        },
        refused(Refusal::UnknownSession),
        refused(Refusal::Busy),
        refused(Refusal::Ended),
        refused(Refusal::Equivocation),
        refused(Refusal::NotYours),
        Frame::Ping(9),
        Frame::Pong(u64::MAX),
    ] {
        holds_its_form(&(), &frame);
    }
}

#[test]
fn matrices_shares_and_public_values() {
    let rng = &mut ChaCha20Rng::seed_from_u64(1);
    let shape = Shape::new(2, 3);
    let matrix = RingMatrix::uniform(shape, rng);
    let mask = Mask::draw(shape, rng);
    holds_its_form(&shape, &matrix);
    holds_its_form(&shape, &Masked::cover(&matrix, &mask));
    holds_its_form(&shape, &Share::split(&matrix, rng).1);
    holds_its_form(&(), &Public::declassify(7_u64, "a test"));
}

#[test]
fn a_matrix_of_another_shape_is_refused_before_anything_is_allocated() {
    let mut huge = Vec::new();
    Shape::new(u32::MAX as usize, u32::MAX as usize).encode(&mut huge);
    let error = decode_exactly::<_, RingMatrix>(&Shape::new(2, 3), &huge).unwrap_err();
    assert_eq!(error.label(), "wrong_shape");
}

#[test]
fn lengths_over_their_limit_are_refused_before_anything_is_allocated() {
    for (version, length_at) in [
        (WireVersion::V1, 1 + 32 + 9),
        (WireVersion::V2, 1 + 32 + 9 + 32),
    ] {
        let mut bytes = Frame::Data(envelope_in(version)).encoded();
        let length = (MAX_FRAME_BYTES as u32 + 1).to_be_bytes();
        bytes[length_at..length_at + 4].copy_from_slice(&length);
        let error = decode_exactly::<_, Frame>(&(), &bytes).unwrap_err();
        assert_eq!(error.label(), "over_limit");
    }

    let many_versions = [1, 17];
    let error = decode_exactly::<_, Frame>(&(), &many_versions).unwrap_err();
    assert_eq!(error.label(), "over_limit");
}

#[test]
fn unknown_frame_types_and_refusals_are_refused() {
    for frame_type in (0..=255).filter(|number| !(1..=7).contains(number)) {
        let error = decode_exactly::<_, Frame>(&(), &[frame_type]).unwrap_err();
        assert_eq!(error.label(), "invalid");
    }
    let frame = Frame::Refused {
        session: session(1),
        position: Position {
            exchange: 0,
            step: 0,
        },
        reason: Refusal::Busy,
    };
    for code in [0, 7, 255] {
        let mut bytes = frame.encoded();
        *bytes.last_mut().unwrap() = code;
        assert_eq!(
            decode_exactly::<_, Frame>(&(), &bytes).unwrap_err().label(),
            "invalid"
        );
    }
}

#[test]
fn a_software_version_that_is_no_text_is_refused() {
    for bytes in [&[0xff_u8, 0xfe][..], b"a\nb", b"\x1b[31m"] {
        let mut frame = vec![1, 0];
        frame.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
        frame.extend_from_slice(bytes);
        assert_eq!(
            decode_exactly::<_, Frame>(&(), &frame).unwrap_err().label(),
            "invalid"
        );
    }
}

#[test]
fn the_newest_common_version_is_agreed_on_or_the_peer_is_refused() {
    let hello = |versions: &[u16]| Hello {
        versions: versions.to_vec(),
        software: "x".into(),
    };
    let first = Spoken::up_to(WireVersion::FIRST);
    for (ours, theirs, newest) in [
        (Spoken::ALL, &[9, 2, 1][..], WireVersion::V2),
        (Spoken::ALL, &[9, 1], WireVersion::V1),
        (first, &[2, 1], WireVersion::V1),
    ] {
        let common = hello(theirs).agree(ours).unwrap();
        assert_eq!(common.newest(), newest);
        assert_eq!(common.theirs(), theirs);
    }
    for versions in [&[9, 8][..], &[]] {
        let error = hello(versions).agree(Spoken::ALL).unwrap_err();
        let expected = DecodeError::UnsupportedVersion {
            got: versions.to_vec(),
            spoken: Spoken::ALL,
        };
        assert_eq!(error, expected);
    }
    let error = hello(&[9, 8]).agree(Spoken::ALL).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no wire version in common: 9, 8 there, 2, 1 here; upgrade the older side"
    );
}

/// The digest that comes with a message of version 2: nothing of it can change
/// without being noticed, session and place included. In version 1 all of these
/// are messages like any other.
#[test]
fn a_bit_that_fell_over_is_noticed_in_version_2() {
    let altered = |version, bit: usize| {
        let mut bytes = Frame::Data(envelope_in(version)).encoded();
        // Behind the frame's type.
        bytes[1 + bit / 8] ^= 1 << (bit % 8);
        decode_exactly::<(), Frame>(&(), &bytes)
    };
    let (before_length, length) = (32 + 9 + 32, 4);
    let payload = before_length + length..before_length + length + 5;
    for byte in (0..before_length).chain(payload) {
        for bit in 8 * byte..8 * byte + 8 {
            let error = altered(WireVersion::V2, bit).unwrap_err();
            assert_eq!(error.label(), "altered", "bit {bit}");
        }
    }
    assert!(altered(WireVersion::V1, 8 * (32 + 9 + 4)).is_ok());
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_exactly::<_, Frame>(&(), &bytes);
        let _ = decode_exactly::<_, RingMatrix>(&Shape::new(2, 2), &bytes);
    }

    #[test]
    fn flipping_any_bit_of_a_frame_changes_it_or_breaks_it(bit in 0_usize..384) {
        let frame = Frame::Data(envelope());
        let mut bytes = frame.encoded();
        let bit = bit % (8 * bytes.len());
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert_ne!(decode_exactly::<_, Frame>(&(), &bytes).ok(), Some(frame));
    }
}
