//! The passive party: labels, bias `b2`, share `W~ = W2 + E`.
//!
//! Mirrors [`super::active`]. Generic over an evaluator that has no decrypt.

mod checkpoint;
mod exchange;

use std::{marker::PhantomData, sync::Arc};

use entente_he::{Backend, Evaluate, Rng, Scheme};
use entente_wire::{Encode, RingMatrix, Secret, Shape};

use self::exchange::{ExpectActivations, ExpectKeyAndShare};
use super::{
    NAME, PassiveHalf,
    algebra::{Algebra, Corrected},
    half::{Pairing, cut_shape},
    keys::{Keyed, PeerKeys, Witness},
    masks::{Heard, Masks},
    messages::name_of,
    release::Release,
    weights::initial_half,
};
use crate::{
    Half, Next, Outbox, Product, ProtocolError, Report, Rest, Role,
    course::Course,
    fixed::Scales,
    job::{Job, Pace},
    network::Labels,
    schedule::{Exchange, Schedule},
    verdict::{Judge, Verdict},
};

pub(super) use self::exchange::PassiveExchange;

/// What the passive party brings to a job.
pub struct PassiveSetUp<S: Scheme> {
    /// The job.
    pub job: Job,
    /// Its labels.
    pub labels: Box<dyn Labels>,
    /// Makes evaluators, for each key of the peer.
    pub backend: Arc<dyn Backend<S>>,
    /// The session, and who vouches for the peer's keys in it.
    pub witness: Witness,
    /// Where this party's initial weights come from; its own secret.
    pub weight_seed: Secret<[u8; 32]>,
    /// Randomness for the seed of masks and for re-randomisation; from the
    /// operating system, at every start anew.
    pub rng: Box<Rng>,
}

/// The passive party at rest: what lasts from exchange to exchange.
pub struct PassiveRole<S: Scheme, A: Algebra = Corrected> {
    job: Job,
    scales: Scales,
    course: Course,
    /// Where the job selects among its epochs' models.
    judge: Option<Judge>,
    pace: Pace,
    labels: Box<dyn Labels>,
    /// Of ciphertexts; masks come from elsewhere.
    rng: Box<Rng>,
    masks: Masks,
    keys: PeerKeys<S>,
    /// The exchange that runs, or ran last.
    index: u64,
    /// `w_P` until the set-up, then `W~`, `c x h`.
    weights: Secret<RingMatrix>,
    /// `b2`, `1 x c`, on the logits' grid.
    bias: Secret<RingMatrix>,
    release: Release,
    /// Of the best epoch, where the job keeps it.
    best: Option<Kept>,
    algebra: PhantomData<A>,
}

/// What a role has that neither its job nor its data says: made for a role that
/// begins, and read for one that goes on.
struct Private {
    course: Course,
    judge: Option<Judge>,
    masks: Masks,
    weights: Secret<RingMatrix>,
    bias: Secret<RingMatrix>,
    release: Release,
    best: Option<Kept>,
}

/// A copy of what this party has learnt, as it stood after an epoch. `W~` is good
/// with the `E` of that epoch alone: both are copied and put back at the same
/// exchange.
struct Kept {
    weights: Secret<RingMatrix>,
    bias: Secret<RingMatrix>,
}

impl<S: Scheme> PassiveRole<S> {
    /// Makes this party's half of the initial weights.
    ///
    /// # Errors
    /// [`ProtocolError`] when the scales leave no room for weights.
    pub fn new(set_up: PassiveSetUp<S>) -> Result<Self, ProtocolError> {
        Self::with_algebra(set_up)
    }

    /// Goes on from a checkpoint of this role ([`Role::checkpoint`]). The set-up
    /// is as it was for [`PassiveRole::new`], with fresh randomness; its weight
    /// seed plays no part.
    ///
    /// # Errors
    /// [`ProtocolError::Checkpoint`] for what is no checkpoint of this role and
    /// job; [`ProtocolError::He`] for a key that does not fit.
    pub fn resume(
        set_up: PassiveSetUp<S>,
        checkpoint: &Secret<Vec<u8>>,
    ) -> Result<Self, ProtocolError> {
        checkpoint::resumed(set_up, checkpoint)
    }
}

impl<S: Scheme, A: Algebra> PassiveRole<S, A> {
    pub(super) fn with_algebra(mut set_up: PassiveSetUp<S>) -> Result<Self, ProtocolError> {
        let (job, seed) = (&set_up.job, &set_up.weight_seed);
        let private = Private {
            course: Course::new(job, set_up.labels.ids())?,
            judge: job.selection().map(Judge::new),
            masks: Masks::new(&mut *set_up.rng),
            weights: initial_half(seed, job, job.spec().fixed_point)?,
            bias: Secret::new(RingMatrix::zeros(bias_shape(job))),
            release: Release::new(seed, job),
            best: None,
        };
        Self::at_rest(set_up, private, |job, backend, witness| {
            Ok(PeerKeys::none(job, backend, witness))
        })
    }

    fn at_rest(
        set_up: PassiveSetUp<S>,
        private: Private,
        keys: impl FnOnce(&Job, Arc<dyn Backend<S>>, Witness) -> Result<PeerKeys<S>, ProtocolError>,
    ) -> Result<Self, ProtocolError> {
        let PassiveSetUp {
            job,
            labels,
            backend,
            witness,
            rng,
            ..
        } = set_up;
        let Private {
            course,
            judge,
            masks,
            weights,
            bias,
            release,
            best,
        } = private;
        Ok(Self {
            keys: keys(&job, backend, witness)?,
            index: 0,
            scales: job.spec().fixed_point,
            pace: job.pace(course.schedule()),
            course,
            judge,
            labels,
            rng,
            masks,
            weights,
            bias,
            release,
            best,
            job,
            algebra: PhantomData,
        })
    }

    fn cut(&self) -> Shape {
        cut_shape(&self.job)
    }

    /// What is to be said of an epoch when its last validation rows have told
    /// this; goes on as it says.
    fn judge(&mut self, look: Look, report: &Report) -> Option<Verdict> {
        let judge = self.judge.as_mut()?;
        judge.add(report);
        if !look.last {
            return None;
        }
        let verdict = judge.verdict();
        let copying = self.course.hear(look.epoch, verdict);
        let copy = |matrix: &Secret<RingMatrix>| Secret::new(matrix.expose().clone());
        let (weights, bias) = (&self.weights, &self.bias);
        let best = copying.on(&mut self.best, || Kept {
            weights: copy(weights),
            bias: copy(bias),
        });
        if let Some(Kept { weights, bias }) = best {
            (self.weights, self.bias) = (weights, bias);
        }
        Some(verdict)
    }

    fn rest(mut self, mut report: Report) -> Next<PassiveExchange<S, A>> {
        self.masks.advance();
        self.keys.rest(self.index + 1, self.course.schedule());
        report.key = self.keys.state();
        Next::Done(Rest { role: self, report })
    }

    /// This party's half of the model as it stands. Before the set-up there is
    /// no key, and it belongs to no other.
    pub fn half(&self) -> Half {
        let key = self.keys.now().map(|now| now.end.public_key().encoded());
        PassiveHalf::seal(
            Pairing::of(&self.job, &key.unwrap_or_default()),
            self.weights.expose(),
            self.bias.expose(),
        )
    }
}

impl<S: Scheme, A: Algebra> Role for PassiveRole<S, A> {
    type Machine = PassiveExchange<S, A>;
    const PROTOCOL: &'static str = NAME;
    const ROLE: &'static str = "passive";

    fn schedule(&self) -> &Schedule {
        self.course.schedule()
    }

    fn begin(
        mut self,
        index: u64,
        _out: &mut Outbox,
    ) -> Result<Next<Self::Machine>, ProtocolError> {
        let heard = Heard::nothing_in(index);
        self.index = index;
        let (rows, purpose) = match (self.course.exchange(index), self.keys.now().cloned()) {
            (Some(Exchange::SetUp), None) => {
                return Ok(Next::Continue(PassiveExchange::SetUp(ExpectKeyAndShare {
                    role: self,
                    heard,
                })));
            }
            (Some(Exchange::Train { epoch, round, rows }), Some(key)) => {
                (rows, (Use::Train(Turn { epoch, round }), key))
            }
            (Some(Exchange::Validate { epoch, last, rows }), Some(key)) => {
                (rows, (Use::Validate(Look { epoch, last }), key))
            }
            (Some(Exchange::Evaluate { rows }), Some(key)) => (rows, (Use::Evaluate, key)),
            _ => return Err(ProtocolError::OutOfOrder { index }),
        };
        let classes = self.labels.batch(&rows)?;
        let (purpose, key) = purpose;
        Ok(Next::Continue(PassiveExchange::Activations(
            ExpectActivations {
                role: self,
                batch: Batch {
                    key,
                    classes: Secret::new(classes),
                    purpose,
                    heard,
                },
            },
        )))
    }

    fn message_name(kind: entente_wire::Kind) -> Option<&'static str> {
        name_of(kind)
    }

    fn checkpoint(&self) -> Secret<Vec<u8>> {
        checkpoint::of(self)
    }

    fn product(self) -> Product {
        Product::Half(self.half())
    }
}

#[derive(Clone, Copy)]
enum Use {
    Train(Turn),
    Validate(Look),
    Evaluate,
}

/// Which mini-batch it is.
#[derive(Clone, Copy)]
struct Turn {
    /// From 0.
    epoch: u32,
    /// From 0, counted over all epochs.
    round: u64,
}

/// Which look at validation rows it is.
#[derive(Clone, Copy)]
struct Look {
    /// From 0.
    epoch: u32,
    /// Whether all of them have been seen after it.
    last: bool,
}

/// The batch of an exchange.
struct Batch<S: Scheme> {
    key: Keyed<dyn Evaluate<S>>,
    /// The samples' classes, B of them.
    classes: Secret<Vec<usize>>,
    purpose: Use,
    /// What the other side has said of it.
    heard: Heard,
}

/// `1 x c`.
fn bias_shape(job: &Job) -> Shape {
    Shape::new(1, job.logits())
}

impl<S: Scheme> Batch<S> {
    fn len(&self) -> usize {
        self.classes.expose().len()
    }
}
