//! The bytes of every version, as they were committed when it came out: each
//! decodes for ever, and is written the same today.
//!
//! `tests/vectors/v1/data.hex` is a frame of version 1, and so on. To make those
//! of a new version, add them to `committed` below and run once
//! `cargo test -p entente-wire --test vectors -- --ignored`: it writes what is
//! not there and never touches what is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{fs, path::PathBuf};

use entente_wire::{
    Decode, Digest, Encode, Envelope, Frame, Hello, Mask, Masked, Position, Public, Refusal,
    RingMatrix, Session, SessionId, Shape, Share, WireVersion, decode_exactly,
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

/// A value that was committed to, and how it is read back and written again.
struct Committed {
    version: WireVersion,
    name: String,
    written: Vec<u8>,
    written_again: fn(&[u8]) -> Vec<u8>,
}

fn again<T: Encode + for<'a> Decode<()>>(bytes: &[u8]) -> Vec<u8> {
    decode_exactly::<(), T>(&(), bytes).unwrap().encoded()
}

const SHAPE: Shape = Shape { rows: 2, cols: 3 };

fn again_of_shape<T: Encode + Decode<Shape>>(bytes: &[u8]) -> Vec<u8> {
    decode_exactly::<Shape, T>(&SHAPE, bytes).unwrap().encoded()
}

fn envelope(version: WireVersion, payload: &[u8]) -> Envelope {
    let position = Position {
        exchange: 0x0102_0304_0506_0708,
        step: 9,
    };
    let attempt = Digest::of("a committed session", &[]);
    Envelope::new(Session::new(attempt, version), position, payload.to_vec())
}

/// All of them. The refusals are listed anew rather than asked for: a number that
/// one had once must not become another's.
fn committed() -> Vec<Committed> {
    let frame = |version, name: &str, frame: Frame| Committed {
        version,
        name: name.to_owned(),
        written: frame.encoded(),
        written_again: again::<Frame>,
    };
    let hello = |versions: &[u16]| {
        Frame::Hello(Hello {
            versions: versions.to_vec(),
            software: "0.1.0".to_owned(),
        })
    };
    let (v1, v2) = (WireVersion::V1, WireVersion::V2);
    let message = envelope(v1, &[0, 5, 1, 2, 3]);
    let (session, position): (SessionId, _) = (message.session().id(), message.position());
    let mut all = vec![
        frame(v1, "hello", hello(&[1])),
        frame(v1, "hello_of_none", hello(&[])),
        frame(v1, "data", Frame::Data(message.clone())),
        frame(v1, "data_empty", Frame::Data(envelope(v1, &[]))),
        frame(
            v1,
            "ack",
            Frame::Ack {
                session,
                position,
                digest: message.digest(),
            },
        ),
        frame(v1, "ping", Frame::Ping(0x0102_0304_0506_0708)),
        frame(v1, "pong", Frame::Pong(u64::MAX)),
        frame(v2, "hello", hello(&[2, 1])),
        frame(v2, "data", Frame::Data(envelope(v2, &[0, 5, 1, 2, 3]))),
        frame(v2, "data_empty", Frame::Data(envelope(v2, &[]))),
    ];
    for reason in [
        Refusal::UnknownSession,
        Refusal::Busy,
        Refusal::Ended,
        Refusal::Equivocation,
        Refusal::NotYours,
        Refusal::OtherKeyEpoch,
    ] {
        let refused = Frame::Refused {
            session,
            position,
            reason,
        };
        let name = format!("refused_{}", reason.label());
        all.push(frame(v1, &name, refused));
    }
    let rng = &mut ChaCha20Rng::from_seed([1; 32]);
    let matrix = RingMatrix::uniform(SHAPE, rng);
    let mask = Mask::draw(SHAPE, rng);
    let field = |name: &str, written, written_again| Committed {
        version: v1,
        name: name.to_owned(),
        written,
        written_again,
    };
    let masked = Masked::cover(&matrix, &mask).encoded();
    let (_, share) = Share::split(&matrix, rng);
    let public = Public::declassify(7_u64, "a test").encoded();
    all.extend([
        field("matrix", matrix.encoded(), again_of_shape::<RingMatrix>),
        field("masked", masked, again_of_shape::<Masked>),
        field("share", share.encoded(), again_of_shape::<Share>),
        field("public", public, again::<Public<u64>>),
    ]);
    all
}

fn folder(version: WireVersion) -> PathBuf {
    let vectors = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    vectors.join(format!("v{version}"))
}

fn path(one: &Committed) -> PathBuf {
    folder(one.version).join(format!("{}.hex", one.name))
}

#[test]
fn what_was_written_once_is_read_for_ever_and_written_the_same() {
    let all = committed();
    for one in &all {
        let path = path(one);
        let text = fs::read_to_string(&path).unwrap();
        let bytes = hex::decode(text.split_whitespace().collect::<String>()).unwrap();
        assert_eq!(bytes, one.written, "{}", path.display());
        assert_eq!((one.written_again)(&bytes), bytes, "{}", path.display());
    }
    // And none was committed that is not looked at.
    let files = WireVersion::ALL.map(|version| fs::read_dir(folder(version)).unwrap().count());
    assert_eq!(files.iter().sum::<usize>(), all.len());
}

#[test]
#[ignore = "writes the vectors of a new version, once"]
fn write_what_is_not_there() {
    for one in committed() {
        let path = path(&one);
        if !path.exists() {
            fs::create_dir_all(folder(one.version)).unwrap();
            fs::write(path, hex::encode(&one.written) + "\n").unwrap();
        }
    }
}
