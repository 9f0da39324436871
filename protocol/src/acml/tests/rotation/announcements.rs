//! What an announcement of a key may say, and where.

use entente_he::{Paillier, PaillierBackend};
use entente_wire::{DecodeError, Message};

use super::*;
use crate::{
    Machine, Next, Outbox,
    acml::{KeyFault, messages::NextKey},
};

/// Hands these out in turn.
struct These<S: Scheme>(Vec<Arc<dyn KeyOwner<S>>>, usize);

impl<S: Scheme> NextKeys<S> for These<S> {
    fn next(&mut self, wanted: Wanted) -> Result<Option<Arc<dyn KeyOwner<S>>>, HeError> {
        if wanted.turn == Turn::Early {
            return Ok(None);
        }
        self.1 += 1;
        Ok(Some(self.0[(self.1 - 1) % self.0.len()].clone()))
    }
}

fn owners(count: u64) -> Vec<Arc<dyn KeyOwner<Paillier>>> {
    let job = rotating(2).job().with_insecure_key(512);
    let backend = PaillierBackend::default();
    let owner = |seed| {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        backend
            .generate(job.key_bits(), job.bounds(), &mut rng)
            .unwrap()
    };
    (0..count).map(owner).collect()
}

fn paillier() -> Arc<dyn Backend<Paillier>> {
    Arc::new(PaillierBackend::default())
}

#[test]
fn a_modulus_that_had_its_time_does_not_come_back() {
    let case = Case {
        rows: 8,
        ..rotating(2)
    };
    for (owners, expected) in [
        (owners(1), KeyFault::Modulus("it is the last one")),
        (owners(2), KeyFault::Reused),
    ] {
        let these = Box::new(These(owners, 0));
        let (told, ended) = through(sides_with(&case, &paillier(), these), &mut nothing_else);
        match ended {
            Err(ProtocolError::KeyRefused { fault, .. }) => assert_eq!(fault, expected),
            other => panic!("{other:?}"),
        }
        assert!(told.len() > 3);
    }
}

/// What the passive party says to the first announcement, once it is changed so.
fn refusal(corrupt: &dyn Fn(&mut Vec<u8>)) -> ProtocolError {
    let case = Case {
        rows: 8,
        ..rotating(2)
    };
    let (told, ended) = through(sides(&case, &paillier()), &mut |_, _, name, payload| {
        if name == "next_key" {
            corrupt(payload);
        }
    });
    assert_eq!(told.len(), 3, "{ended:?}");
    let error = ended.unwrap_err();
    assert_eq!(error.class(), Class::Abort, "{error}");
    error
}

/// Where the modulus stands, behind its layout: at the end are eight roots.
fn modulus(payload: &mut [u8]) -> &mut [u8] {
    let (bytes, end) = (64, payload.len() - 8 * 64);
    &mut payload[end - bytes..end]
}

#[test]
fn a_number_that_is_no_modulus_is_refused_by_name() {
    let of =
        |problem: &dyn Fn(&mut [u8])| refusal(&|payload| problem(modulus(payload))).to_string();
    // A prime of 512 bits, 2^511 + 111: the first.
    let prime = |n: &mut [u8]| {
        n.fill(0);
        (n[0], n[63]) = (0x80, 111);
    };
    // (2^256 - 189)^2, of the largest prime of 256 bits.
    let square = |n: &mut [u8]| {
        n.fill(0);
        n[..31].fill(0xff);
        (n[30], n[31]) = (0xfe, 0x86);
        let low = 189_u32 * 189;
        n[60..].copy_from_slice(&low.to_be_bytes());
    };
    for (name, problem) in [
        (
            "it is even",
            &(|n: &mut [u8]| n[63] &= 0xfe) as &dyn Fn(&mut [u8]),
        ),
        ("it is not of the agreed size", &|n| n[0] = 0),
        ("it has a small factor", &|n| n.fill(0xff)),
        ("it is a prime", &prime),
        ("it is a power of another number", &square),
    ] {
        let text = of(problem);
        assert!(text.contains(name), "{text}");
        assert!(text.starts_with("key 2 of the peer is refused: "), "{text}");
    }
}

#[test]
fn an_announcement_is_of_one_key_from_one_exchange_and_signed() {
    let label = |at: usize| refusal(&|payload| payload[at] ^= 1).label();
    // Behind the kind: number, first exchange, moment, signature, key, proof.
    assert_eq!([5, 13].map(label), ["key_out_of_turn"; 2]);
    assert_eq!([21, 26, 80].map(label), ["key_signature"; 3]);
    let last = |payload: &mut Vec<u8>| *payload.last_mut().unwrap() ^= 1;
    let error = refusal(&last);
    assert!(
        matches!(&error, ProtocolError::KeyRefused { fault: KeyFault::Modulus(why), .. }
            if why.starts_with("there is no proof")),
        "{error}"
    );
    let far = refusal(&|payload| payload[14] = 1);
    assert!(far.to_string().contains("has not come"), "{far}");
    let cut = refusal(&|payload| payload.truncate(100));
    assert_eq!(cut.label(), "truncated");
}

#[test]
fn a_second_announcement_in_an_exchange_is_refused() {
    let (mut active, mut passive) = sides(&rotating(2), &transparent());
    for index in 0..3 {
        let (left, right) = exchange(index, active, passive, &mut |_, _, _| {}).unwrap();
        (active, passive) = (left.role, right.role);
    }
    let (mut to_passive, mut to_active) = (Outbox::new(), Outbox::new());
    active.begin(3, &mut to_passive).unwrap();
    let payload = to_passive.drain().remove(0).payload;
    assert_eq!(
        entente_wire::read_kind(&payload),
        Ok(NextKey::<Transparent>::KIND)
    );
    let Next::Continue(machine) = passive.begin(3, &mut to_active).unwrap() else {
        panic!("an exchange of one message")
    };
    let Next::Continue(machine) = machine.handle(&payload, &mut to_active).unwrap() else {
        panic!("an exchange of one message")
    };
    assert_eq!(machine.state(), "expect_activations");
    let error = machine.handle(&payload, &mut to_active).err().unwrap();
    assert_eq!(error.label(), "key_out_of_turn");
}

/// It has its place before activations, and nowhere else.
#[test]
fn an_announcement_has_one_place() {
    let case = rotating(2);
    let mut next_key = Vec::new();
    through(sides(&case, &transparent()), &mut |_, _, name, payload| {
        if name == "next_key" && next_key.is_empty() {
            next_key.clone_from(payload);
        }
    })
    .1
    .unwrap();
    let instead = |of: &'static str| {
        let mut corrupt = |index, _: Speaker, name: &'static str, payload: &mut Vec<u8>| {
            if index == 2 && name == of {
                payload.clone_from(&next_key);
            }
        };
        through(sides(&case, &transparent()), &mut corrupt).1
    };
    for of in ["masked_logits", "update_and_share", "masked_product"] {
        match instead(of) {
            Err(ProtocolError::PeerMessage {
                source: DecodeError::WrongKind { .. },
                ..
            }) => {}
            other => panic!("{of}: {other:?}"),
        }
    }
}

#[test]
fn the_first_key_is_held_to_the_same() {
    for (corrupt, label) in [
        (
            &(|payload: &mut Vec<u8>| modulus(payload)[63] &= 0xfe) as &dyn Fn(&mut Vec<u8>),
            "key_modulus",
        ),
        (&|payload| *payload.last_mut().unwrap() ^= 1, "key_modulus"),
        (&|payload| modulus(payload)[20] ^= 1, "key_signature"),
    ] {
        let case = rotating(2);
        let (told, ended) = through(sides(&case, &paillier()), &mut |_, _, name, payload| {
            if name == "key_and_share" {
                corrupt(payload);
            }
        });
        assert!(told.is_empty());
        let error = ended.unwrap_err();
        // A number that was changed has a small factor, or a signature over another.
        assert!(
            error.label() == label || error.label() == "key_modulus",
            "{error}"
        );
    }
}
