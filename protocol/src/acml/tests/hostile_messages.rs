//! Every state is shown every way in which its message can be wrong.

use std::sync::Arc;

use entente_he::{Backend, Paillier, PaillierBackend, Scheme, Transparent, TransparentBackend};
use entente_wire::{DecodeError, Message, Public};

use super::Case;
use crate::{
    Machine, Next, Outbox, ProtocolError, Role,
    acml::{
        ActiveRole, PassiveRole,
        algebra::Corrected,
        messages::{EpochVerdict, name_of},
    },
    job::Keep,
    loopback::exchange,
    verdict::Verdict,
};

/// Replays a session of known masks up to its `target`-th message, and hands
/// the receiving machine `corrupt(payload)` in its place.
fn receive<L: Role, R: Role>(
    (active, passive): (L, R),
    target: usize,
    corrupt: &dyn Fn(&[u8]) -> Vec<u8>,
) -> Option<Result<&'static str, ProtocolError>> {
    let (mut active, mut passive) = (Some(active), Some(passive));
    let exchanges = active.as_ref().map(|role| role.schedule().exchanges())?;
    let mut seen = 0;
    for index in 0..exchanges {
        let (mut to_passive, mut to_active) = (Outbox::new(), Outbox::new());
        let mut left = active.take()?.begin(index, &mut to_passive).unwrap();
        let mut right = passive.take()?.begin(index, &mut to_active).unwrap();
        loop {
            let (forth, back) = (to_passive.drain(), to_active.drain());
            if forth.is_empty() && back.is_empty() {
                break;
            }
            for sent in forth {
                if seen == target {
                    return Some(hand(right, &corrupt(&sent.payload)));
                }
                seen += 1;
                right = step(right, &sent.payload, &mut to_active).unwrap();
            }
            for sent in back {
                if seen == target {
                    return Some(hand(left, &corrupt(&sent.payload)));
                }
                seen += 1;
                left = step(left, &sent.payload, &mut to_passive).unwrap();
            }
        }
        match (left, right) {
            (Next::Done(l), Next::Done(r)) => (active, passive) = (Some(l.role), Some(r.role)),
            _ => panic!("the exchange stopped half way"),
        }
    }
    None
}

/// Both sides of a training, always the same.
fn training<S: Scheme>(
    backend: &Arc<dyn Backend<S>>,
    key_bits: u32,
) -> (ActiveRole<S>, PassiveRole<S>) {
    let case = Case {
        rows: 4,
        width: 2,
        classes: 2,
        batch: 3,
        epochs: 1,
        validation: 0.25,
        keep: Keep::Best,
        ..Case::small()
    };
    let job = case.job().with_insecure_key(key_bits);
    (
        case.active::<S, Corrected>(&job, backend.clone(), case.bottom(), 5),
        case.passive::<S, Corrected>(&job, backend.clone(), 5),
    )
}

fn step<M: Machine>(
    next: Next<M>,
    payload: &[u8],
    out: &mut Outbox,
) -> Result<Next<M>, ProtocolError> {
    match next {
        Next::Continue(machine) => machine.handle(payload, out),
        Next::Done(_) => panic!("a message after the end"),
    }
}

fn hand<M: Machine>(next: Next<M>, payload: &[u8]) -> Result<&'static str, ProtocolError> {
    let Next::Continue(machine) = next else {
        panic!("a message after the end")
    };
    let state = machine.state();
    machine.handle(payload, &mut Outbox::new()).map(|_| state)
}

fn refused(result: Result<&'static str, ProtocolError>) -> DecodeError {
    match result {
        Err(ProtocolError::PeerMessage { source, .. }) => source,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// The first messages of a session between two sides that are made the same
/// every time.
pub(super) fn every_message_is_held_against_its_state<L: Role, R: Role>(
    messages: usize,
    sides: &dyn Fn() -> (L, R),
) {
    for target in 0..messages {
        let receive = |corrupt: &dyn Fn(&[u8]) -> Vec<u8>| {
            receive(sides(), target, corrupt).expect("there are so many messages")
        };
        let length = std::cell::Cell::new(0);
        let intact = receive(&|payload| {
            length.set(payload.len());
            payload.to_vec()
        });
        assert!(intact.is_ok(), "message {target}: {intact:?}");

        for cut in 0..length.get() {
            let error = refused(receive(&|payload| payload[..cut].to_vec()));
            assert!(
                matches!(error, DecodeError::Truncated { .. }),
                "message {target} cut at {cut}: {error:?}"
            );
        }
        let error = refused(receive(&|payload| [payload, &[0]].concat()));
        assert_eq!(
            error,
            DecodeError::Trailing { count: 1 },
            "message {target}"
        );

        for kind in (0..16_u16).chain([u16::MAX]) {
            let result = receive(&|payload| [&kind.to_be_bytes()[..], &payload[2..]].concat());
            match result {
                Ok(_) => assert!(name_of(entente_wire::Kind(kind)).is_some()),
                // May come where activations may, and is none.
                Err(error) if kind == NEXT_KEY => assert!(
                    ["wrong_kind", "truncated", "over_limit"].contains(&error.label()),
                    "message {target}: {error}"
                ),
                Err(error) => assert_eq!(error.label(), "wrong_kind", "message {target}"),
            }
        }
        // Behind the kind stands a number of rows, a point, a shape, a verdict, or
        // the number of the key that a message is under: none of them takes this
        // value. Or which training a half is of, which is another one then.
        let result = receive(&|payload| {
            let mut payload = payload.to_vec();
            payload
                .iter_mut()
                .skip(2)
                .take(4)
                .for_each(|byte| *byte = u8::MAX);
            payload
        });
        let label = result.expect_err("a wrong start").label();
        let expected = [
            "wrong_shape",
            "over_limit",
            "invalid",
            "models_differ",
            "other_key_epoch",
        ];
        assert!(expected.contains(&label), "message {target}: {label}");
    }
}

/// The kind of an announcement.
const NEXT_KEY: u16 = 13;

/// Of the whole session: four of the set-up, six of a round, four of a look at
/// the validation rows (the last is the verdict), three of one at the test rows.
const MESSAGES: usize = 4 + 6 + 4 + 3;

#[test]
fn over_the_transparent_scheme() {
    let backend: Arc<dyn Backend<Transparent>> = Arc::new(TransparentBackend);
    every_message_is_held_against_its_state(MESSAGES, &|| training(&backend, 512));
}

/// The same over real ciphertexts, at places chosen by hand: a cut at every
/// byte is the conformance suite's.
#[test]
fn ciphertexts_outside_their_group_are_refused() {
    let backend: Arc<dyn Backend<Paillier>> = Arc::new(PaillierBackend::default());
    for target in [4, 5, 7, 9, 10] {
        for fill in [0x00, 0xff] {
            let error = refused(
                receive(training(&backend, 512), target, &|payload| {
                    let mut payload = payload.to_vec();
                    let last = payload.len() - 128;
                    payload[last..].fill(fill);
                    payload
                })
                .unwrap(),
            );
            assert_eq!(
                error.label(),
                "invalid",
                "message {target} filled with {fill:02x}"
            );
        }
    }
}

#[test]
fn the_first_epoch_is_the_best_or_the_verdict_is_refused() {
    let backend: Arc<dyn Backend<Transparent>> = Arc::new(TransparentBackend);
    let receive = |byte: u8| {
        let corrupt = |payload: &[u8]| [&payload[..2], &[byte]].concat();
        receive(training(&backend, 512), 13, &corrupt).unwrap()
    };
    assert_eq!(receive(1).unwrap(), "expect_verdict");
    for byte in [0, 2, 255] {
        let error = refused(receive(byte));
        assert_eq!(error.label(), "invalid", "{byte}: {error}");
    }
}

/// A verdict that is not due comes where another message is.
#[test]
fn a_verdict_that_is_not_due_is_refused() {
    let backend: Arc<dyn Backend<Transparent>> = Arc::new(TransparentBackend);
    let verdict = |_: &[u8]| {
        let verdict = Public::declassify(Verdict::Best, "a verdict of a test");
        EpochVerdict(verdict).to_payload()
    };
    // All messages to the active party but the verdict.
    for target in [5, 7, 9, 11, 15] {
        let error = refused(receive(training(&backend, 512), target, &verdict).unwrap());
        assert_eq!(error.label(), "wrong_kind", "message {target}: {error}");
    }
}

#[test]
fn parties_with_different_tables_say_so_before_the_first_round() {
    let backend: Arc<dyn Backend<Transparent>> = Arc::new(TransparentBackend);
    let (here, there) = (
        Case::small(),
        Case {
            rows: 12,
            ..Case::small()
        },
    );
    let active = here.active::<_, Corrected>(&here.job(), backend.clone(), here.bottom(), 1);
    let passive = there.passive::<_, Corrected>(&here.job(), backend, 1);
    let error = exchange(0, active, passive, &mut |_, _, _| {})
        .err()
        .expect("11 rows against 12");
    assert_eq!(error.label(), "rows_differ");
    let counts = "11 rows here, 12 there";
    assert!(error.to_string().contains(counts), "{error}");
}
