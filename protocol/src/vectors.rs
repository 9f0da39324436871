//! Messages as they were committed when their version came out.
//!
//! `tests/vectors/v1/NAME.hex` is the payload of a message of version 1, behind
//! the shape that its receiver expected, where it needs one. To make those of a
//! new version: `cargo test -p entente-protocol vectors -- --ignored`, once. It
//! writes what is not there and never touches what is.
#![allow(clippy::unwrap_used)]

use std::{fs, path::PathBuf};

use entente_wire::Shape;

/// A committed message.
pub(crate) struct Vector {
    pub(crate) shape: Shape,
    pub(crate) payload: Vec<u8>,
}

fn path(name: &str) -> PathBuf {
    let vectors = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/v1");
    vectors.join(format!("{name}.hex"))
}

/// The message of this name.
pub(crate) fn read(name: &str) -> Vector {
    let text = fs::read_to_string(path(name)).unwrap();
    let (shape, payload) = text.split_once('\n').unwrap();
    let (rows, cols) = shape.split_once(" x ").unwrap();
    Vector {
        shape: Shape::new(rows.parse().unwrap(), cols.parse().unwrap()),
        payload: hex::decode(payload.split_whitespace().collect::<String>()).unwrap(),
    }
}

/// Commits to a message, unless one of this name was.
pub(crate) fn write(name: &str, vector: &Vector) {
    let Shape { rows, cols } = vector.shape;
    if !path(name).exists() {
        let digits = hex::encode(&vector.payload);
        let lines = digits.as_bytes().chunks(96);
        let lines: Vec<&str> = lines.map(|line| str::from_utf8(line).unwrap()).collect();
        let text = format!("{rows} x {cols}\n{}\n", lines.join("\n"));
        fs::create_dir_all(path(name).parent().unwrap()).unwrap();
        fs::write(path(name), text).unwrap();
    }
}
