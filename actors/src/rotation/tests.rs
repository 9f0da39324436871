//! When there is another key, and that it is vouched for.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use entente_he::{
    Backend, CutBounds, Evaluate, HeError, KeyBits, KeyOwner, Rng, Transparent, TransparentBackend,
    transparent::{KeyProof, PublicKey},
};
use entente_protocol::{
    acml::{NextKeys, Notary, NotaryError, Turn, Wanted},
    job::Job,
};
use entente_wire::{Digest, Secret};

use super::{Certified, KeyWish, Locksmith};
use crate::testbed::Consortium;

/// Until it is so; a thread may take its time.
fn soon<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        if let Some(value) = ready() {
            return value;
        }
        thread::yield_now();
    }
    panic!("{what} does not happen")
}

/// A backend that makes a key while its gate is open, and counts them.
#[derive(Default)]
struct Gated {
    gate: Mutex<()>,
    made: AtomicUsize,
}

impl Backend<Transparent> for Gated {
    fn generate(
        &self,
        bits: KeyBits,
        bounds: CutBounds,
        rng: &mut Rng,
    ) -> Result<Arc<dyn KeyOwner<Transparent>>, HeError> {
        let _open = self.gate.lock().unwrap();
        self.made.fetch_add(1, Ordering::SeqCst);
        TransparentBackend.generate(bits, bounds, rng)
    }

    fn restore(
        &self,
        bits: KeyBits,
        secret_key: &Secret<Vec<u8>>,
        bounds: CutBounds,
    ) -> Result<Arc<dyn KeyOwner<Transparent>>, HeError> {
        TransparentBackend.restore(bits, secret_key, bounds)
    }

    fn certify(
        &self,
        key: &PublicKey,
        proof: &KeyProof,
        context: Digest,
        last: Option<&PublicKey>,
    ) -> Result<(), HeError> {
        TransparentBackend.certify(key, proof, context, last)
    }

    fn evaluator(
        &self,
        key: PublicKey,
        bounds: CutBounds,
    ) -> Result<Arc<dyn Evaluate<Transparent>>, HeError> {
        TransparentBackend.evaluator(key, bounds)
    }
}

/// A clock that is set.
#[derive(Default)]
struct Clock(AtomicU64);

impl Notary for Clock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn sign(&self, _: &str) -> Result<String, NotaryError> {
        Ok(String::new())
    }

    fn verify(&self, _: &str, _: &str, _: &str, _: u64) -> Result<(), NotaryError> {
        Ok(())
    }
}

struct Bench {
    backend: Arc<Gated>,
    clock: Arc<Clock>,
    wish: KeyWish,
    smith: Locksmith<Transparent>,
}

impl Bench {
    fn new(keys: &str) -> Self {
        let text = include_str!("../../../deploy/iris.toml");
        let job = Job::from_toml(&format!("{text}\n[keys]\n{keys}\n")).unwrap();
        let (backend, clock) = (Arc::new(Gated::default()), Arc::new(Clock::default()));
        let wish = KeyWish::default();
        let smith = Locksmith::new(backend.clone(), &job, clock.clone(), wish.clone());
        Self {
            backend,
            clock,
            wish,
            smith,
        }
    }

    fn ask(&mut self, turn: Turn) -> Option<u32> {
        let wanted = Wanted {
            epoch: 3,
            since_ms: 1000,
            turn,
        };
        let owner = self.smith.next(wanted).unwrap();
        owner.map(|_| 4)
    }

    fn made(&self) -> usize {
        self.backend.made.load(Ordering::SeqCst)
    }
}

#[test]
fn no_key_is_made_that_nobody_wants() {
    let mut bench = Bench::new("");
    for _ in 0..3 {
        assert_eq!(bench.ask(Turn::Early), None);
    }
    assert_eq!(bench.made(), 0);
}

#[test]
fn a_key_for_counted_rounds_is_made_before_it_is_due_and_kept_until_then() {
    let mut bench = Bench::new("rotate_every_rounds = 10");
    assert_eq!(bench.ask(Turn::Early), None);
    soon("it is made", || (bench.made() == 1).then_some(()));
    for _ in 0..3 {
        assert_eq!(bench.ask(Turn::Early), None);
    }
    soon("it is there", || bench.ask(Turn::Due));
    assert_eq!(bench.made(), 1);
}

#[test]
fn a_key_that_is_not_ready_is_not_waited_for_until_it_is_overdue() {
    let mut bench = Bench::new("rotate_every_rounds = 10");
    let backend = bench.backend.clone();
    let closed = backend.gate.lock().unwrap();
    for _ in 0..100 {
        assert_eq!(bench.ask(Turn::Due), None);
    }
    assert_eq!(bench.made(), 0);
    drop(closed);
    assert_eq!(bench.ask(Turn::Overdue), Some(4));
    assert_eq!(bench.made(), 1, "one is under way at a time");
}

#[test]
fn hours_count_from_the_moment_of_the_key() {
    let mut bench = Bench::new("rotate_every_hours = 2");
    let hour_ms = 3_600_000;
    bench
        .clock
        .0
        .store(1000 + 2 * hour_ms - 1, Ordering::SeqCst);
    assert_eq!(bench.ask(Turn::Early), None);
    assert_eq!(bench.made(), 0);
    bench.clock.0.store(1000 + 2 * hour_ms, Ordering::SeqCst);
    soon("it is made", || bench.ask(Turn::Early));
}

#[test]
fn what_is_wished_is_a_number_and_is_reached_once() {
    let mut bench = Bench::new("");
    bench.wish.at_least(3);
    assert_eq!(bench.ask(Turn::Early), None, "it is at key 3");
    assert_eq!(bench.made(), 0);
    bench.wish.at_least(4);
    bench.wish.at_least(2);
    soon("it is made", || bench.ask(Turn::Early));
    assert!(!bench.wish.is_beyond(4));
}

#[test]
fn the_certificate_vouches_for_a_text_of_its_own_party() {
    let consortium = Consortium::new();
    let notaries = ["bank-a", "bank-b"].map(|name| Certified(consortium.party(name)));
    let [a, b] = &notaries;
    let now_s = a.now_ms() / 1000;
    let signature = a.sign("a text").unwrap();
    assert_eq!(
        b.verify("party/bank-a", "a text", &signature, now_s),
        Ok(())
    );
    for (signer, text, at_s) in [
        ("party/bank-b", "a text", now_s),
        ("party/bank-a", "another text", now_s),
        ("party/bank-a", "a text", 1),
        ("nobody", "a text", now_s),
    ] {
        assert!(
            b.verify(signer, text, &signature, at_s).is_err(),
            "{signer}"
        );
    }
    assert!(b.verify("party/bank-a", "a text", "", now_s).is_err());
}
