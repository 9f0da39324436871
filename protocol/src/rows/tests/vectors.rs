//! A message of every kind, as it was committed with its version: each decodes for
//! ever and is written the same today.

use entente_wire::{Message, Shape};

use super::{super::messages::*, *};
use crate::vectors::{self, Vector};

/// How many ids the asking side has, and the answering side.
const ASKING: u64 = 4;
const ANSWERING: u64 = 3;

fn written_again(name: &str, payload: &[u8]) -> Result<Vec<u8>, DecodeError> {
    Ok(match name {
        "row_list" => RowList::read(&(), payload)?.to_payload(),
        "row_list_answer" => RowListAnswer::read(&(), payload)?.to_payload(),
        "row_list_proof" => RowListProof::read(&(), payload)?.to_payload(),
        "blinded_ids" => BlindedIds::read(&ASKING, payload)?.to_payload(),
        "blinded_both" => BlindedBoth::read(&(ASKING, ANSWERING), payload)?.to_payload(),
        "blinded_back" => BlindedBack::read(&ANSWERING, payload)?.to_payload(),
        "rows_compared" => RowsCompared::read(&(), payload)?.to_payload(),
        other => panic!("{other} is no message of the table"),
    })
}

#[test]
fn every_kind_of_message_is_read_for_ever_and_written_the_same() {
    for (_, name) in KINDS {
        let payload = vectors::read(name).payload;
        assert_eq!(written_again(name, &payload), Ok(payload), "{name}");
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
