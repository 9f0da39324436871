//! Keys that change: without effect on the weights, and only to what a key may be.

use std::sync::Arc;

use entente_he::{
    Backend, HeError, KeyOwner, Paillier, PaillierBackend, Scheme, Transparent, TransparentBackend,
};
use entente_wire::{DecodeError, Message};
use rand::{Rng as _, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::{Case, Changes};
use crate::{
    Class, KeyState, Machine, Next, Outbox, ProtocolError, Report, Role,
    acml::{
        ActiveRole, KeyFault, NextKeys, PassiveRole, Turn, Wanted, algebra::Corrected,
        messages::NextKey,
    },
    job::Job,
    loopback::{Speaker, exchange},
    schedule::Place,
};

/// Has keys when they are due; or, with whims, at any rest, and not always when
/// they are due.
pub(super) struct Erratic<S: Scheme> {
    backend: Arc<dyn Backend<S>>,
    job: Job,
    whims: Option<u32>,
    rng: ChaCha20Rng,
}

impl<S: Scheme> Erratic<S> {
    pub(super) fn new(
        backend: Arc<dyn Backend<S>>,
        job: &Job,
        whims: Option<u32>,
        seed: u64,
    ) -> Self {
        Self {
            backend,
            job: job.clone(),
            whims,
            rng: ChaCha20Rng::seed_from_u64(seed ^ 0x6b65_7973),
        }
    }
}

impl<S: Scheme> NextKeys<S> for Erratic<S> {
    fn next(&mut self, wanted: Wanted) -> Result<Option<Arc<dyn KeyOwner<S>>>, HeError> {
        let has_one = match (wanted.turn, self.whims) {
            (Turn::Overdue, _) => true,
            (turn, None) => turn == Turn::Due,
            (_, Some(whims)) => self.rng.next_u32().is_multiple_of(whims),
        };
        if !has_one {
            return Ok(None);
        }
        let (bits, bounds) = (self.job.key_bits(), self.job.bounds());
        self.backend.generate(bits, bounds, &mut self.rng).map(Some)
    }
}

fn transparent() -> Arc<dyn Backend<Transparent>> {
    Arc::new(TransparentBackend)
}

fn rotating(every_rounds: u32) -> Case {
    Case {
        epochs: 4,
        validation: 0.2,
        keys: Changes {
            every_rounds: Some(every_rounds),
            whims: None,
        },
        ..Case::small()
    }
}

fn sides<S: Scheme>(case: &Case, backend: &Arc<dyn Backend<S>>) -> (ActiveRole<S>, PassiveRole<S>) {
    let job = case.job().with_insecure_key(512);
    (
        case.active::<S, Corrected>(&job, backend.clone(), case.bottom(), 5),
        case.passive::<S, Corrected>(&job, backend.clone(), 5),
    )
}

/// With keys from elsewhere.
fn sides_with<S: Scheme>(
    case: &Case,
    backend: &Arc<dyn Backend<S>>,
    next_keys: Box<dyn NextKeys<S>>,
) -> (ActiveRole<S>, PassiveRole<S>) {
    let job = case.job().with_insecure_key(512);
    let mut set_up = case.active_set_up(&job, backend.clone(), case.bottom(), 5);
    set_up.next_keys = next_keys;
    let passive = case.passive::<S, Corrected>(&job, backend.clone(), 5);
    (ActiveRole::with_algebra(set_up).unwrap(), passive)
}

/// Goes through a job; `seen` may change what is said. What the sides report of
/// every exchange, and how it ended.
type Told = Vec<[Report; 2]>;
type Seen<'a> = dyn FnMut(u64, Speaker, &'static str, &mut Vec<u8>) + 'a;
fn through<L: Role, R: Role>(
    (mut active, mut passive): (L, R),
    seen: &mut Seen<'_>,
) -> (Told, Result<(), ProtocolError>) {
    let mut told = Vec::new();
    while (told.len() as u64) < active.schedule().exchanges() {
        let index = told.len() as u64;
        let mut seen = |speaker, name, payload: &mut Vec<u8>| seen(index, speaker, name, payload);
        match exchange(index, active, passive, &mut seen) {
            Ok((left, right)) => {
                told.push([left.report, right.report]);
                (active, passive) = (left.role, right.role);
            }
            Err(error) => return (told, Err(error)),
        }
    }
    (told, Ok(()))
}

/// The number of the key after each exchange.
fn epochs(told: &Told) -> Vec<u32> {
    let epoch = |report: &Report| report.key.map(|key| key.epoch).unwrap();
    told.iter()
        .map(|[active, passive]| {
            assert_eq!(epoch(active), epoch(passive));
            epoch(active)
        })
        .collect()
}

fn nothing_else(_: u64, _: Speaker, _: &'static str, _: &mut Vec<u8>) {}

#[test]
fn each_key_serves_the_rounds_that_it_is_given() {
    for every in [2, 3, 5] {
        let case = rotating(every);
        let (active, passive) = sides(&case, &transparent());
        let schedule = active.schedule().clone();
        let (told, ended) = through((active, passive), &mut nothing_else);
        ended.unwrap();
        // After exchange index - 1, so the key that the next one is under.
        for (index, epoch) in (1..).zip(epochs(&told)) {
            if let Some(Place::Train { .. }) = schedule.place(index) {
                let expected = 1 + schedule.rounds_before(index) / u64::from(every);
                assert_eq!(u64::from(epoch), expected, "{index} of {every}");
            }
        }
        // No key is announced for what comes after the rounds.
        let last = 1 + (schedule.rounds() - 1) / u64::from(every);
        assert_eq!(epochs(&told).last().copied().map(u64::from), Some(last));
        let rotating = |[active, _]: &&[Report; 2]| active.key.is_some_and(|key| key.rotating);
        assert!(told.iter().filter(rotating).count() > 0);
    }
}

/// As the table of the module says: taken, kept, announced, used.
#[test]
fn a_key_is_announced_one_exchange_before_its_first_and_after_a_rest() {
    let mut announced = Vec::new();
    let case = rotating(3);
    let (told, ended) = through(sides(&case, &transparent()), &mut |index, _, name, _| {
        if name == "next_key" {
            announced.push(index);
        }
    });
    ended.unwrap();
    for index in &announced {
        let key = |exchange: u64, side: usize| told[exchange as usize][side].key.unwrap();
        let KeyState { epoch, .. } = key(index - 1, 0);
        let before: Vec<bool> = [index - 2, index - 1].map(|at| key(at, 0).rotating).into();
        assert_eq!(before, [true, true]);
        assert_eq!(key(*index, 0).epoch, epoch + 1);
        assert_eq!(key(*index, 1).epoch, epoch + 1);
    }
    assert!(announced.len() > 1, "{announced:?}");
}

/// A key that is not ready when it is due: rounds go on, and the next is not late.
struct Late(Erratic<Transparent>, u64);

impl NextKeys<Transparent> for Late {
    fn next(&mut self, wanted: Wanted) -> Result<Option<Arc<dyn KeyOwner<Transparent>>>, HeError> {
        if wanted.turn == Turn::Due && self.1 > 0 {
            self.1 -= 1;
            return Ok(None);
        }
        self.0.next(wanted)
    }
}

#[test]
fn a_key_that_is_late_holds_up_no_round() {
    let case = Case {
        epochs: 8,
        ..rotating(4)
    };
    let job = case.job();
    for (late, expected) in [(0, 4), (1, 5), (3, 7), (4, 8), (50, 8)] {
        let erratic = Erratic::new(transparent(), &job, None, 3);
        let next_keys = Box::new(Late(erratic, late));
        let sides = sides_with(&case, &transparent(), next_keys);
        let schedule = sides.0.schedule().clone();
        let (told, ended) = through(sides, &mut nothing_else);
        ended.unwrap();
        let epochs = epochs(&told);
        let second = (1..).zip(&epochs).find(|(_, epoch)| **epoch == 2);
        let (index, _) = second.unwrap();
        assert_eq!(schedule.rounds_before(index), expected, "{late} late");
        if late < 4 {
            let third = (1..).zip(&epochs).find(|(_, epoch)| **epoch == 3);
            assert_eq!(schedule.rounds_before(third.unwrap().0), 8, "{late} late");
        }
    }
}

/// Has none, whatever was agreed.
struct Never;

impl<S: Scheme> NextKeys<S> for Never {
    fn next(&mut self, _: Wanted) -> Result<Option<Arc<dyn KeyOwner<S>>>, HeError> {
        Ok(None)
    }
}

#[test]
fn a_key_that_should_be_gone_is_refused() {
    let sides = sides_with(&rotating(3), &transparent(), Box::new(Never));
    let schedule = sides.0.schedule().clone();
    let (told, ended) = through(sides, &mut nothing_else);
    let error = ended.unwrap_err();
    assert_eq!(
        (error.label(), error.class()),
        ("key_overdue", Class::Abort)
    );
    assert_eq!(schedule.rounds_before(told.len() as u64), 6);
    let text = "it is still in use in round 6 (the first is 0)";
    assert!(error.to_string().contains(text), "{error}");
}

/// Everything of a round, as of another key: by its number, whether it is the last
/// one or the one that follows.
#[test]
fn what_is_under_another_key_is_refused_and_not_decrypted() {
    let case = rotating(2);
    let mut seen = Vec::new();
    through(sides(&case, &transparent()), &mut |index, _, name, _| {
        seen.push((index, name));
    })
    .1
    .unwrap();
    let under_a_key =
        |(index, name): &&(u64, &str)| *index > 0 && !["next_key", "epoch_verdict"].contains(name);
    let mut refused = 0;
    for (target, name) in seen.iter().filter(under_a_key).take(40) {
        for epoch in [0_u32, u32::MAX] {
            let mut corrupt = |index, _: Speaker, of: &'static str, payload: &mut Vec<u8>| {
                if index == *target && of == *name {
                    payload[2..6].copy_from_slice(&epoch.to_be_bytes());
                }
            };
            let (told, ended) = through(sides(&case, &transparent()), &mut corrupt);
            let error = ended.unwrap_err();
            assert_eq!(
                (error.label(), error.class()),
                ("other_key_epoch", Class::Abort)
            );
            assert_eq!(told.len() as u64, *target, "{name}");
            refused += 1;
        }
    }
    assert_eq!(refused, 80);
}

/// All that was said before a switch, said again after it.
#[test]
fn what_was_said_under_the_last_key_is_refused_under_the_next() {
    let case = rotating(2);
    let mut said: Vec<(&'static str, Vec<u8>)> = Vec::new();
    let mut switched = 0;
    through(
        sides(&case, &transparent()),
        &mut |index, _, name, payload| {
            if name == "next_key" {
                switched = index + 1;
            }
            if (index == 1) && name != "next_key" {
                said.push((name, payload.clone()));
            }
        },
    )
    .1
    .unwrap();
    assert_eq!(said.len(), 6);
    for (name, before) in said {
        let mut replay = |index, _: Speaker, of: &'static str, payload: &mut Vec<u8>| {
            if index >= 4 && of == name {
                payload.clone_from(&before);
            }
        };
        let (told, ended) = through(sides(&case, &transparent()), &mut replay);
        assert_eq!(ended.unwrap_err().label(), "other_key_epoch", "{name}");
        assert_eq!(told.len(), 4, "{name}");
    }
    assert!(switched > 3);
}

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

#[test]
fn what_a_party_reports_of_a_rest_has_the_key_after_it() {
    let (told, ended) = through(sides(&rotating(2), &transparent()), &mut nothing_else);
    ended.unwrap();
    let key = |exchange: usize| told[exchange].map(|report| report.key.unwrap());
    let state = |epoch, rotating| KeyState {
        epoch,
        since_ms: 0,
        rotating,
    };
    // Taken at the rest after exchange 1, announced in 3, used from 4 on.
    assert_eq!(key(0), [state(1, false); 2]);
    assert_eq!(key(1), [state(1, true), state(1, false)]);
    assert_eq!(key(2), [state(1, true), state(1, false)]);
    assert_eq!(key(3)[1], state(2, false));
    assert_eq!(key(3)[0].epoch, 2);
}
