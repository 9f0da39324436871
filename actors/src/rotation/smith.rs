//! Makes the next key while the rounds go on.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, TryRecvError, sync_channel},
    },
    time::Duration,
};

use entente_he::{Backend, CutBounds, Evaluate, HeError, KeyBits, KeyOwner, Rng, Scheme};
use entente_protocol::{
    acml::{NextKeys, Notary, Turn, Wanted},
    job::{Job, KeyPolicy},
};
use entente_wire::{Digest, Secret};
use rayon::ThreadPoolBuilder;

use super::KeyWish;
use crate::entropy;

type Made<S> = Result<Arc<dyn KeyOwner<S>>, HeError>;

/// The keys of one job that follow its first. At most one is under way, or lies
/// ready.
pub(crate) struct Locksmith<S: Scheme> {
    backend: Arc<dyn Backend<S>>,
    bits: KeyBits,
    bounds: CutBounds,
    policy: KeyPolicy,
    clock: Arc<dyn Notary>,
    wish: KeyWish,
    under_way: Option<Receiver<Made<S>>>,
}

impl<S: Scheme> Locksmith<S> {
    /// Of a job, that does as is wished.
    pub(crate) fn new(
        backend: Arc<dyn Backend<S>>,
        job: &Job,
        clock: Arc<dyn Notary>,
        wish: KeyWish,
    ) -> Self {
        Self {
            backend,
            bits: job.key_bits(),
            bounds: job.bounds(),
            policy: job.spec().keys,
            clock,
            wish,
            under_way: None,
        }
    }

    /// Whether it is time for another one.
    fn is_time(&self, wanted: Wanted) -> bool {
        wanted.turn != Turn::Early
            || self.wish.is_beyond(wanted.epoch)
            || self.policy.rotate_every_hours.is_some_and(|hours| {
                let lives = Duration::from_secs(3600 * u64::from(hours));
                let age_ms = self.clock.now_ms().saturating_sub(wanted.since_ms);
                Duration::from_millis(age_ms) >= lives
            })
    }

    /// The one that is under way, which is begun if there is none.
    fn under_way(&mut self) -> &Receiver<Made<S>> {
        let (backend, bits, bounds) = (self.backend.clone(), self.bits, self.bounds);
        self.under_way
            .get_or_insert_with(|| begin(backend, bits, bounds))
    }
}

/// On a thread of its own, with the priority of a round: a job may come to wait for
/// it. What nobody waits for any more is wiped there.
fn begin<S: Scheme>(
    backend: Arc<dyn Backend<S>>,
    bits: KeyBits,
    bounds: CutBounds,
) -> Receiver<Made<S>> {
    let (ready, made) = sync_channel(1);
    // A pool of one: what a scheme spreads over threads stays on this one.
    let thread = ThreadPoolBuilder::new()
        .num_threads(1)
        .thread_name(|_| "next-key".to_owned())
        .build();
    match thread {
        Ok(thread) => thread.spawn(move || {
            // Gone if the job is.
            let _ = ready.send(generate(&*backend, bits, bounds));
        }),
        Err(error) => tracing::error!(%error, "no thread for the next encryption key"),
    }
    made
}

fn generate<S: Scheme>(backend: &dyn Backend<S>, bits: KeyBits, bounds: CutBounds) -> Made<S> {
    let mut rng = entropy::generator().map_err(|error| {
        tracing::error!(%error, "no encryption key");
        HeError::NotMade
    })?;
    backend.generate(bits, bounds, &mut rng)
}

impl<S: Scheme> NextKeys<S> for Locksmith<S> {
    fn next(&mut self, wanted: Wanted) -> Result<Option<Arc<dyn KeyOwner<S>>>, HeError> {
        let is_time = self.is_time(wanted);
        // Where rounds are counted another one will be due: it has all of them to
        // be made in.
        if !is_time && self.policy.rotate_every_rounds.is_none() {
            return Ok(None);
        }
        let made = self.under_way();
        let made = match (is_time, wanted.turn) {
            (false, _) => return Ok(None),
            (true, Turn::Overdue) => made.recv().map_err(|_| TryRecvError::Disconnected),
            (true, _) => made.try_recv(),
        };
        if matches!(made, Err(TryRecvError::Empty)) {
            return Ok(None);
        }
        self.under_way = None;
        match made {
            Ok(Ok(owner)) => Ok(Some(owner)),
            Ok(Err(error)) if wanted.turn == Turn::Overdue => Err(error),
            Err(_) if wanted.turn == Turn::Overdue => Err(HeError::NotMade),
            // At the next rest another one is tried.
            Ok(Err(error)) => {
                tracing::warn!(%error, "the next encryption key is late");
                Ok(None)
            }
            Err(_) => {
                tracing::warn!("the next encryption key is late");
                Ok(None)
            }
        }
    }
}

/// A backend that makes each key from randomness of its own, whatever it is handed.
pub(crate) struct OwnEntropy<S: Scheme>(pub(crate) Arc<dyn Backend<S>>);

impl<S: Scheme> Backend<S> for OwnEntropy<S> {
    fn generate(
        &self,
        bits: KeyBits,
        bounds: CutBounds,
        _: &mut Rng,
    ) -> Result<Arc<dyn KeyOwner<S>>, HeError> {
        generate(&*self.0, bits, bounds)
    }

    fn restore(
        &self,
        bits: KeyBits,
        secret_key: &Secret<Vec<u8>>,
        bounds: CutBounds,
    ) -> Result<Arc<dyn KeyOwner<S>>, HeError> {
        self.0.restore(bits, secret_key, bounds)
    }

    fn certify(
        &self,
        key: &S::PublicKey,
        proof: &S::KeyProof,
        context: Digest,
        last: Option<&S::PublicKey>,
    ) -> Result<(), HeError> {
        self.0.certify(key, proof, context, last)
    }

    fn evaluator(
        &self,
        key: S::PublicKey,
        bounds: CutBounds,
    ) -> Result<Arc<dyn Evaluate<S>>, HeError> {
        self.0.evaluator(key, bounds)
    }
}
