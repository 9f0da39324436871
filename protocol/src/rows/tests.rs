//! Both sides in one place, over every kind of difference.
#![allow(clippy::unwrap_used, clippy::panic)]

use entente_wire::{DecodeError, Digest, read_kind};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

mod vectors;

use super::*;
use crate::{Machine, Next, Outbox, ProtocolError};

/// How both sides end, and what was sent.
struct Ended {
    asking: Result<(), RowsDiffer>,
    answering: Result<(), RowsDiffer>,
    sent: Vec<(&'static str, Vec<u8>)>,
}

/// What comes of a message in place of the `target`-th.
type Corrupt<'a> = (usize, &'a dyn Fn(&[u8]) -> Vec<u8>);

fn named(ids: &[&str]) -> RowIds {
    RowIds::as_stored(ids.iter().map(|id| RowId::of(id)).collect()).unwrap()
}

fn job() -> Digest {
    Digest::of("job", &[])
}

fn start(asking: &RowIds, answering: &RowIds, seed: u64, out: &mut Outbox) -> (Asking, Answering) {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    (
        Asking::new(job(), asking.clone(), &mut rng, out),
        Answering::new(job(), answering.clone(), &mut rng),
    )
}

/// Runs to the end of both sides, as the driver does: when one side ends with
/// an error, the other ends with what it knows by then.
fn compare(
    asking: &RowIds,
    answering: &RowIds,
    seed: u64,
    corrupt: Option<Corrupt<'_>>,
) -> Result<Ended, ProtocolError> {
    let (mut forth, mut back) = (Outbox::new(), Outbox::new());
    let (left, right) = start(asking, answering, seed, &mut forth);
    let (mut left, mut right) = (Next::Continue(left), Next::Continue(right));
    let mut sent = Vec::new();
    let differ = |error: ProtocolError| match error {
        ProtocolError::Rows(differ) => Ok(differ),
        other => Err(other),
    };
    loop {
        let (to_right, to_left) = (forth.drain(), back.drain());
        if to_right.is_empty() && to_left.is_empty() {
            break;
        }
        let mut carried = |message: crate::Sent| {
            let number = sent.len();
            sent.push((message.name, message.payload.clone()));
            match corrupt {
                Some((target, corrupt)) if target == number => corrupt(&message.payload),
                _ => message.payload,
            }
        };
        for message in to_right {
            let payload = carried(message);
            let Next::Continue(machine) = right else {
                panic!("a message after the end")
            };
            right = machine.handle(&payload, &mut back)?;
        }
        for message in to_left {
            let payload = carried(message);
            let Next::Continue(machine) = left else {
                panic!("a message after the end")
            };
            match machine.handle(&payload, &mut forth) {
                Ok(next) => left = next,
                Err(error) => {
                    let Next::Continue(right) = right else {
                        panic!("one side ends, the other does not")
                    };
                    return Ok(Ended {
                        asking: Err(differ(error)?),
                        answering: Err(differ(right.certain_end().unwrap())?),
                        sent,
                    });
                }
            }
        }
    }
    assert!(matches!((left, right), (Next::Done(()), Next::Done(()))));
    Ok(Ended {
        asking: Ok(()),
        answering: Ok(()),
        sent,
    })
}

fn differ(here: u64, there: u64, common: Common) -> Result<(), RowsDiffer> {
    Err(RowsDiffer {
        here,
        there,
        common,
    })
}

#[test]
fn equal_lists_match_in_three_messages() {
    for ids in [named(&["a", "b", "c"]), named(&[]), RowIds::numbered(150)] {
        let ended = compare(&ids, &ids, 1, None).unwrap();
        assert_eq!((ended.asking, ended.answering), (Ok(()), Ok(())));
        let names: Vec<_> = ended.sent.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["row_list", "row_list_answer", "row_list_proof"]);
    }
}

#[test]
fn both_sides_learn_how_many_are_missing_and_say_what_to_do() {
    let (a, b) = (named(&["a", "b", "c", "d"]), named(&["c", "x", "a"]));
    let ended = compare(&a, &b, 1, None).unwrap();
    assert_eq!(ended.asking, differ(4, 3, Common::Counted(2)));
    assert_eq!(ended.answering, differ(3, 4, Common::Counted(2)));
    let text = ended.asking.unwrap_err().to_string();
    assert!(text.contains("4 ids here, 3 there"), "{text}");
    assert!(
        text.contains("1 of the other side's are missing on this side"),
        "{text}"
    );
    assert!(text.contains("2 of this side's on the other"), "{text}");
}

#[test]
fn the_same_ids_in_another_order_are_said_to_be_that() {
    let ended = compare(&named(&["a", "b", "c"]), &named(&["b", "a", "c"]), 1, None).unwrap();
    for end in [ended.asking, ended.answering] {
        assert_eq!(end, differ(3, 3, Common::Counted(3)));
        let text = end.unwrap_err().to_string();
        assert!(text.contains("in another order"), "{text}");
        assert!(text.contains("data.order = \"by_id\""), "{text}");
    }
}

#[test]
fn rows_without_ids_differ_by_their_number_and_no_id_is_asked_for() {
    let ended = compare(&RowIds::numbered(5), &RowIds::numbered(7), 1, None).unwrap();
    assert_eq!(ended.asking, differ(5, 7, Common::ByPosition));
    assert_eq!(ended.answering, differ(7, 5, Common::ByPosition));
    assert!(ended.sent.iter().all(|(name, _)| !name.contains("ids")));
}

#[test]
fn too_many_ids_are_not_counted() {
    let own = own::Own::new(
        job(),
        named(&["a"]),
        &mut ChaCha20Rng::seed_from_u64(1) as &mut entente_he::Rng,
    );
    assert_eq!(own.difference_uncounted(MAX_COUNTED_IDS), None);
    let differ = own.difference_uncounted(MAX_COUNTED_IDS + 1).unwrap();
    assert_eq!(differ.common, Common::NotCounted);
    assert!(differ.to_string().contains("not counted above 1000000"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn the_count_is_that_of_the_intersection(
        one: std::collections::BTreeSet<u8>, other: std::collections::BTreeSet<u8>, seed: u64,
    ) {
        let ids = |set: &std::collections::BTreeSet<u8>| {
            let ids = set.iter().rev().map(|id| RowId::of(&id.to_string()));
            RowIds::as_stored(ids.collect()).unwrap()
        };
        let ended = compare(&ids(&one), &ids(&other), seed, None).unwrap();
        let expected = if one == other {
            Ok(())
        } else {
            let common = one.intersection(&other).count() as u64;
            differ(one.len() as u64, other.len() as u64, Common::Counted(common))
        };
        prop_assert_eq!(ended.asking, expected);
    }
}

/// A guess at an id cannot be held against what is sent: no point of one run
/// stands in another, and the digests of ids in none.
#[test]
fn nothing_that_is_sent_can_be_computed_from_the_ids_alone() {
    let (a, b) = (named(&["a", "b", "c"]), named(&["a", "b", "x"]));
    let points = |seed| {
        let ended = compare(&a, &b, seed, None).unwrap();
        let payloads = ended.sent.into_iter();
        let bytes: Vec<Vec<u8>> = payloads.map(|(_, payload)| payload).collect();
        bytes.concat()
    };
    let (one, other) = (points(1), points(2));
    assert_eq!(one.len(), other.len());
    let windows: std::collections::HashSet<&[u8]> = one.windows(32).collect();
    assert!(other.windows(32).all(|window| !windows.contains(window)));
    for id in ["a", "b", "c", "x"] {
        assert!(!windows.contains(&RowId::of(id).as_bytes()[..]));
    }
}

fn refusal(target: usize, corrupt: &dyn Fn(&[u8]) -> Vec<u8>) -> DecodeError {
    let (a, b) = (named(&["a", "b", "c"]), named(&["c", "x"]));
    match compare(&a, &b, 1, Some((target, corrupt))) {
        Err(ProtocolError::PeerMessage { source, .. }) => source,
        Err(other) => panic!("message {target}: {other}"),
        Ok(_) => panic!("message {target} is taken"),
    }
}

const MESSAGES: usize = 7;

#[test]
fn every_message_is_held_against_its_state() {
    let (a, b) = (named(&["a", "b", "c"]), named(&["c", "x"]));
    let sent = compare(&a, &b, 1, None).unwrap().sent;
    assert_eq!(sent.len(), MESSAGES);
    for (target, (name, payload)) in sent.iter().enumerate() {
        assert_eq!(name_of(read_kind(payload).unwrap()), Some(*name));
        for cut in 0..payload.len() {
            let error = refusal(target, &|payload| payload[..cut].to_vec());
            assert!(
                matches!(error, DecodeError::Truncated { .. }),
                "{name} cut at {cut}: {error}"
            );
        }
        let error = refusal(target, &|payload| [payload, &[0]].concat());
        assert_eq!(error, DecodeError::Trailing { count: 1 }, "{name}");
        let error = refusal(target, &|payload| [&[0, 1], &payload[2..]].concat());
        assert_eq!(error.label(), "wrong_kind", "{name}");
    }
}

#[test]
fn what_is_no_point_is_refused_wherever_it_stands() {
    // The last 32 bytes of every message but the last are a point.
    for target in 0..MESSAGES - 1 {
        for fill in [0x00, 0xff] {
            let error = refusal(target, &|payload| {
                let mut payload = payload.to_vec();
                let start = payload.len() - 32;
                payload[start..].fill(fill);
                payload
            });
            assert_eq!(error.label(), "invalid", "message {target}, {fill:02x}");
        }
    }
}

#[test]
fn a_set_of_another_size_or_order_is_refused() {
    let sets = 3..MESSAGES - 1;
    for target in sets {
        // Fewer than announced, although well formed.
        let fewer = refusal(target, &|payload| {
            let count = u32::from_be_bytes(payload[2..6].try_into().unwrap()) - 1;
            let rest = &payload[6..payload.len() - 32];
            [&payload[..2], &count.to_be_bytes(), rest].concat()
        });
        assert_eq!(fewer.label(), "invalid", "message {target}");
        let twice = refusal(target, &|payload| {
            let mut payload = payload.to_vec();
            let first: [u8; 32] = payload[6..38].try_into().unwrap();
            payload[38..70].copy_from_slice(&first);
            payload
        });
        assert!(twice.to_string().contains("ascending"), "{twice}");
    }
    // A number of rows that no table has, before anything is allocated for it.
    let error = refusal(0, &|payload| {
        [&payload[..2], &[0xff; 8], &payload[10..]].concat()
    });
    assert_eq!(error.label(), "over_limit");
}
