//! Every state is shown every way in which its message can be wrong.

use std::sync::Arc;

use entente_he::{Backend, Paillier, PaillierBackend, Scheme, Transparent, TransparentBackend};
use entente_wire::DecodeError;

use super::Case;
use crate::{
    Machine, Next, Outbox, ProtocolError, Role,
    acml::{algebra::Corrected, messages::name_of},
    loopback::exchange,
};

/// Replays a session of known masks up to its `target`-th message, and hands
/// the receiving machine `corrupt(payload)` in its place.
fn receive<S: Scheme>(
    backend: &Arc<dyn Backend<S>>,
    key_bits: u32,
    target: usize,
    corrupt: &dyn Fn(&[u8]) -> Vec<u8>,
) -> Option<Result<&'static str, ProtocolError>> {
    let case = Case {
        rows: 4,
        width: 2,
        classes: 2,
        batch: 3,
        epochs: 1,
        ..Case::small()
    };
    let job = case.job().with_insecure_key(key_bits);
    let mut active = Some(case.active::<S, Corrected>(&job, backend.clone(), case.bottom(), 5));
    let mut passive = Some(case.passive::<S, Corrected>(&job, backend.clone(), 5));
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

fn every_message_is_held_against_its_state<S: Scheme>(backend: Arc<dyn Backend<S>>, key_bits: u32) {
    // Set-up, one round, and the first message of the next.
    for target in 0..11 {
        let receive = |corrupt: &dyn Fn(&[u8]) -> Vec<u8>| {
            receive(&backend, key_bits, target, corrupt).expect("there are eleven messages")
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

        for kind in (0..12_u16).chain([u16::MAX]) {
            let result = receive(&|payload| [&kind.to_be_bytes()[..], &payload[2..]].concat());
            match result {
                Ok(_) => assert!(name_of(entente_wire::Kind(kind)).is_some()),
                Err(error) => assert_eq!(error.label(), "wrong_kind", "message {target}"),
            }
        }
        // Behind the kind stands a number of rows, a point, a shape, or the mark
        // of the key that a ciphertext belongs to: none of them takes this value.
        let result = receive(&|payload| {
            let mut payload = payload.to_vec();
            payload[2..6].copy_from_slice(&u32::MAX.to_be_bytes());
            payload
        });
        let label = result.expect_err("a wrong start").label();
        let expected = ["wrong_shape", "over_limit", "invalid"];
        assert!(expected.contains(&label), "message {target}: {label}");
    }
}

#[test]
fn over_the_transparent_scheme() {
    every_message_is_held_against_its_state::<Transparent>(Arc::new(TransparentBackend), 512);
}

/// The same over real ciphertexts, at places chosen by hand: a cut at every
/// byte is the conformance suite's.
#[test]
fn ciphertexts_outside_their_group_are_refused() {
    let backend: Arc<dyn Backend<Paillier>> = Arc::new(PaillierBackend::default());
    for target in [4, 5, 7, 9, 10] {
        for fill in [0x00, 0xff] {
            let error = refused(
                receive(&backend, 512, target, &|payload| {
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
