//! The active party: features, bottom network, secret key, share `E`.
//!
//! Mirrors [`super::passive`].

mod checkpoint;
mod exchange;

use std::{marker::PhantomData, sync::Arc};

use entente_he::{Backend, Rng, Scheme};
use entente_wire::{Encode, RingMatrix, Secret, Shape, Share};

use self::exchange::{ComparingRows, ExpectMaskedProduct};
use super::{
    ActiveHalf, NAME,
    algebra::{Algebra, Corrected},
    half::{Pairing, cut_shape},
    keys::{NextKeys, OwnKeys, Witness},
    masks::{Drawn, Heard, Masks},
    messages::{ActivationsForInference, EncryptedActivations, KeyAndShare, NextKey, name_of},
    weights::initial_half,
};
use crate::{
    Half, Next, Outbox, Product, ProtocolError, Report, Rest, Role,
    course::Course,
    fixed::Scales,
    job::{Job, Pace},
    network::{BottomNetwork, Features, Step},
    rows::Asking,
    schedule::{Exchange, Schedule},
    verdict::Verdict,
};

pub(super) use self::exchange::ActiveExchange;

/// What the active party brings to a job.
pub struct ActiveSetUp<S: Scheme> {
    /// The job.
    pub job: Job,
    /// Its features.
    pub features: Box<dyn Features>,
    /// The network below the cut.
    pub bottom: Box<dyn BottomNetwork>,
    /// Makes the first key.
    pub backend: Arc<dyn Backend<S>>,
    /// Makes those that follow.
    pub next_keys: Box<dyn NextKeys<S>>,
    /// The session, and who vouches for keys in it.
    pub witness: Witness,
    /// Where this party's initial weights come from; its own secret.
    pub weight_seed: Secret<[u8; 32]>,
    /// Randomness for the key, E0, the seed of masks, and encryption; from the
    /// operating system, at every start anew.
    pub rng: Box<Rng>,
}

/// The active party at rest: what lasts from exchange to exchange.
pub struct ActiveRole<S: Scheme, A: Algebra = Corrected> {
    job: Job,
    scales: Scales,
    course: Course,
    pace: Pace,
    features: Box<dyn Features>,
    bottom: Box<dyn BottomNetwork>,
    /// Of keys and ciphertexts; masks come from elsewhere.
    rng: Box<Rng>,
    masks: Masks,
    keys: OwnKeys<S>,
    /// The exchange that runs, or ran last.
    index: u64,
    /// `E`, `c x h`.
    share: Secret<RingMatrix>,
    /// `w_A + E0`, until it is sent.
    given: Option<Share>,
    /// Of the best epoch, where the job keeps it.
    best: Option<Kept>,
    algebra: PhantomData<A>,
}

/// What a role has that neither its job nor its data says: made for a role that
/// begins, and read for one that goes on.
struct Private {
    course: Course,
    masks: Masks,
    share: Secret<RingMatrix>,
    given: Option<Share>,
    best: Option<Kept>,
}

/// A copy of what this party has learnt, as it stood after an epoch. `E` is good
/// with the `W~` of that epoch alone: both are copied and put back at the same
/// exchange.
struct Kept {
    share: Secret<RingMatrix>,
    bottom: Secret<Vec<u8>>,
}

impl<S: Scheme> ActiveRole<S> {
    /// Makes the key and this party's half of the initial weights.
    ///
    /// # Errors
    /// [`ProtocolError`] when the job does not fit the key.
    pub fn new(set_up: ActiveSetUp<S>) -> Result<Self, ProtocolError> {
        Self::with_algebra(set_up)
    }

    /// Goes on from a checkpoint of this role ([`Role::checkpoint`]). The set-up
    /// is as it was for [`ActiveRole::new`], with fresh randomness; its weight
    /// seed and the weights of its bottom network play no part.
    ///
    /// # Errors
    /// [`ProtocolError::Checkpoint`] for what is no checkpoint of this role and
    /// job; [`ProtocolError::He`] and [`ProtocolError::Network`] for a key or a
    /// state that does not fit.
    pub fn resume(
        set_up: ActiveSetUp<S>,
        checkpoint: &Secret<Vec<u8>>,
    ) -> Result<Self, ProtocolError> {
        checkpoint::resumed(set_up, checkpoint)
    }
}

impl<S: Scheme, A: Algebra> ActiveRole<S, A> {
    pub(super) fn with_algebra(mut set_up: ActiveSetUp<S>) -> Result<Self, ProtocolError> {
        let (job, rng) = (&set_up.job, &mut *set_up.rng);
        let course = Course::new(job, set_up.features.ids())?;
        let owner = set_up.backend.generate(job.key_bits(), job.bounds(), rng)?;
        let half = initial_half(&set_up.weight_seed, job, job.spec().fixed_point)?;
        // E0 is uniform. E0 = 0 would hand the passive party c equations on
        // every activation of the first batch.
        let (share, given) = Share::split(half.expose(), rng);
        let private = Private {
            course,
            masks: Masks::new(rng),
            share,
            given: Some(given),
            best: None,
        };
        let keys =
            |job: &Job, next_keys, witness| Ok(OwnKeys::first(owner, job, next_keys, witness));
        Self::at_rest(set_up, private, keys)
    }

    fn at_rest(
        set_up: ActiveSetUp<S>,
        private: Private,
        keys: impl FnOnce(&Job, Box<dyn NextKeys<S>>, Witness) -> Result<OwnKeys<S>, ProtocolError>,
    ) -> Result<Self, ProtocolError> {
        let ActiveSetUp {
            job,
            features,
            bottom,
            rng,
            next_keys,
            witness,
            ..
        } = set_up;
        let Private {
            course,
            masks,
            share,
            given,
            best,
        } = private;
        Ok(Self {
            keys: keys(&job, next_keys, witness)?,
            index: 0,
            scales: job.spec().fixed_point,
            pace: job.pace(course.schedule()),
            course,
            job,
            features,
            bottom,
            rng,
            masks,
            share,
            given,
            best,
            algebra: PhantomData,
        })
    }

    fn cut(&self) -> Shape {
        cut_shape(&self.job)
    }

    fn rest(mut self, mut report: Report) -> Result<Next<ActiveExchange<S, A>>, ProtocolError> {
        self.masks.advance();
        self.keys.rest(self.index + 1, self.course.schedule())?;
        report.key = Some(self.keys.state());
        Ok(Next::Done(Rest { role: self, report }))
    }

    /// Goes on as the verdict on an epoch says.
    fn hear(&mut self, epoch: u32, verdict: Verdict) -> Result<(), ProtocolError> {
        let copying = self.course.hear(epoch, verdict);
        let (share, bottom) = (&self.share, &self.bottom);
        let best = copying.on(&mut self.best, || Kept {
            share: Secret::new(share.expose().clone()),
            bottom: bottom.state(),
        });
        if let Some(Kept { share, bottom }) = best {
            self.bottom.restore(&bottom)?;
            self.share = share;
        }
        Ok(())
    }

    /// This party's half of the model as it stands.
    pub fn half(&self) -> Half {
        ActiveHalf::seal(
            Pairing::of(&self.job, &self.keys.now().end.public_key().encoded()),
            self.share.expose(),
            &self.bottom.parameters(),
            &self.features.preparation(),
        )
    }

    /// F0 and F1.
    fn send_activations(
        mut self,
        rows: Vec<usize>,
        purpose: Purpose,
        heard: Heard,
        out: &mut Outbox,
    ) -> Result<Next<ActiveExchange<S, A>>, ProtocolError> {
        let x = self.features.batch(&rows)?;
        let a = match purpose {
            Purpose::Train { round } => {
                let pace = self.pace.at(round);
                self.bottom.forward(x, Step { round, pace })?
            }
            Purpose::Validate { .. } | Purpose::Evaluate => self.bottom.infer(x)?,
        };
        let a = self.scales.activations(&a)?;
        if let Some(next) = self.keys.announce(self.index)? {
            out.send(&NextKey(next));
        }
        let (key, rng) = (self.keys.now(), &mut *self.rng);
        match purpose {
            Purpose::Train { .. } => {
                let encrypted = key.end.encrypt_activations(&a, rng)?;
                out.send(&EncryptedActivations::<S>(key.epoch, encrypted));
            }
            Purpose::Validate { .. } | Purpose::Evaluate => {
                let encrypted = key.end.encrypt_for_inference(&a, rng)?;
                out.send(&ActivationsForInference::<S>(key.epoch, encrypted));
            }
        }
        Ok(Next::Continue(ActiveExchange::Product(
            ExpectMaskedProduct {
                role: self,
                a: Secret::new(a),
                purpose,
                heard,
            },
        )))
    }
}

impl<S: Scheme, A: Algebra> Role for ActiveRole<S, A> {
    type Machine = ActiveExchange<S, A>;
    const PROTOCOL: &'static str = NAME;
    const ROLE: &'static str = "active";

    fn schedule(&self) -> &Schedule {
        self.course.schedule()
    }

    fn begin(mut self, index: u64, out: &mut Outbox) -> Result<Next<Self::Machine>, ProtocolError> {
        let heard = Heard::nothing_in(index);
        self.index = index;
        match self.course.exchange(index) {
            Some(Exchange::SetUp) => {
                let given = self
                    .given
                    .take()
                    .ok_or(ProtocolError::OutOfOrder { index })?;
                out.send(&KeyAndShare::<S> {
                    key: self.keys.introduce()?,
                    share: given,
                });
                let (job, ids) = (self.job.digest(), self.features.ids());
                let mut scalars = self.masks.generator(Drawn::RowScalars, heard);
                let comparison = Asking::new(job, ids, &mut scalars, out);
                Ok(Next::Continue(ActiveExchange::Rows(ComparingRows {
                    role: self,
                    comparison,
                })))
            }
            _ if self.given.is_some() => Err(ProtocolError::OutOfOrder { index }),
            Some(Exchange::Train { rows, round, .. }) => {
                self.send_activations(rows, Purpose::Train { round }, heard, out)
            }
            Some(Exchange::Validate { rows, epoch, last }) => {
                self.send_activations(rows, Purpose::Validate { epoch, last }, heard, out)
            }
            Some(Exchange::Evaluate { rows }) => {
                self.send_activations(rows, Purpose::Evaluate, heard, out)
            }
            None => Err(ProtocolError::OutOfOrder { index }),
        }
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
enum Purpose {
    Train {
        round: u64,
    },
    /// `last` of the epoch's validation rows, or not.
    Validate {
        epoch: u32,
        last: bool,
    },
    Evaluate,
}
