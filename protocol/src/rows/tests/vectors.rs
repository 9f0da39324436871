//! A message of every kind, as it was committed with its version: each decodes for
//! ever and is written the same today.

use entente_wire::{Shape, read_kind};

use super::{
    super::{again::written_again, messages::*},
    *,
};
use crate::vectors::{self, Vector};

/// How many ids the asking side has, and the answering side.
const ASKING: u64 = 4;
const ANSWERING: u64 = 3;

#[test]
fn every_kind_of_message_is_read_for_ever_and_written_the_same() {
    for (_, name) in KINDS {
        let payload = vectors::read(name).payload;
        let kind = read_kind(&payload).unwrap();
        assert_eq!(name_of(kind), Some(name));
        let again = written_again(ASKING, ANSWERING, &payload);
        assert_eq!(again, Ok(payload), "{name}");
    }
}

#[test]
#[ignore = "writes the vectors of a new version, once"]
fn vectors_that_are_not_there_are_written() {
    let (a, b) = (named(&["a", "b", "c", "d"]), named(&["c", "x", "a"]));
    let sent = compare(&a, &b, 1, None).unwrap().sent;
    assert_eq!(sent.len(), KINDS.len());
    for (name, payload) in sent {
        // None of them is a matrix.
        let shape = Shape::new(0, 0);
        vectors::write(name, &Vector { shape, payload });
    }
}
