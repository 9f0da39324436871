//! Keys that change: without effect on the weights, and only to what a key may be.

mod announcements;

use std::sync::Arc;

use entente_he::{Backend, HeError, KeyOwner, Scheme, Transparent, TransparentBackend};
use rand::{Rng as _, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::{Case, Changes};
use crate::{
    Class, KeyState, ProtocolError, Report, Role,
    acml::{ActiveRole, NextKeys, PassiveRole, Turn, Wanted, algebra::Corrected},
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

/// What the sides report of every exchange.
type Told = Vec<[Report; 2]>;
/// Hears, and may change, what is said in an exchange.
type Seen<'a> = &'a mut dyn FnMut(u64, Speaker, &'static str, &mut Vec<u8>);

/// Goes through a job; `seen` may change what is said. What is reported, and how it
/// ended.
fn through<L: Role, R: Role>(
    (mut active, mut passive): (L, R),
    seen: Seen<'_>,
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
