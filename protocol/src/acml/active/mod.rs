//! The active party: features, bottom network, secret key, share `E`.
//!
//! Mirrors [`super::passive`].

mod exchange;

use std::{marker::PhantomData, sync::Arc};

use entente_he::{Backend, KeyOwner, Rng, Scheme};
use entente_wire::{Encode, RingMatrix, Secret, Shape, Share};

use self::exchange::{ComparingRows, ExpectMaskedProduct};
use super::{
    ActiveHalf, NAME,
    algebra::{Algebra, Corrected},
    half::{Pairing, cut_shape},
    messages::{ActivationsForInference, EncryptedActivations, KeyAndShare, name_of},
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
    /// Makes the key.
    pub backend: Arc<dyn Backend<S>>,
    /// Where this party's initial weights come from; its own secret.
    pub weight_seed: Secret<[u8; 32]>,
    /// Randomness for keys, masks and encryption.
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
    rng: Box<Rng>,
    owner: Arc<dyn KeyOwner<S>>,
    /// `E`, `c x h`.
    share: Secret<RingMatrix>,
    /// `w_A + E0`, until it is sent.
    given: Option<Share>,
    /// Of the best epoch, where the job keeps it.
    best: Option<Kept>,
    algebra: PhantomData<A>,
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
}

impl<S: Scheme, A: Algebra> ActiveRole<S, A> {
    pub(super) fn with_algebra(set_up: ActiveSetUp<S>) -> Result<Self, ProtocolError> {
        let ActiveSetUp {
            job,
            features,
            bottom,
            backend,
            weight_seed,
            mut rng,
        } = set_up;
        let scales = job.spec().fixed_point;
        let course = Course::new(&job, features.ids())?;
        let owner = backend.generate(job.key_bits(), job.bounds(), &mut *rng)?;
        let half = initial_half(&weight_seed, &job, scales)?;
        // E0 is uniform. E0 = 0 would hand the passive party c equations on
        // every activation of the first batch.
        let (share, given) = Share::split(half.expose(), &mut *rng);
        Ok(Self {
            scales,
            pace: job.pace(course.schedule()),
            course,
            job,
            features,
            bottom,
            rng,
            owner,
            share,
            given: Some(given),
            best: None,
            algebra: PhantomData,
        })
    }

    fn cut(&self) -> Shape {
        cut_shape(&self.job)
    }

    fn rest(self, report: Report) -> Next<ActiveExchange<S, A>> {
        Next::Done(Rest { role: self, report })
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
            Pairing::of(&self.job, &self.owner.public_key().encoded()),
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
        let (owner, rng) = (&self.owner, &mut *self.rng);
        match purpose {
            Purpose::Train { .. } => {
                let encrypted = owner.encrypt_activations(&a, rng)?;
                out.send(&EncryptedActivations::<S>(encrypted));
            }
            Purpose::Validate { .. } | Purpose::Evaluate => {
                let encrypted = owner.encrypt_for_inference(&a, rng)?;
                out.send(&ActivationsForInference::<S>(encrypted));
            }
        }
        Ok(Next::Continue(ActiveExchange::Product(
            ExpectMaskedProduct {
                role: self,
                a: Secret::new(a),
                purpose,
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
        match self.course.exchange(index) {
            Some(Exchange::SetUp) => {
                let given = self
                    .given
                    .take()
                    .ok_or(ProtocolError::OutOfOrder { index })?;
                out.send(&KeyAndShare::<S> {
                    key: self.owner.public_key().clone(),
                    share: given,
                });
                let (job, ids) = (self.job.digest(), self.features.ids());
                let comparison = Asking::new(job, ids, &mut *self.rng, out);
                Ok(Next::Continue(ActiveExchange::Rows(ComparingRows {
                    role: self,
                    comparison,
                })))
            }
            _ if self.given.is_some() => Err(ProtocolError::OutOfOrder { index }),
            Some(Exchange::Train { rows, round, .. }) => {
                self.send_activations(rows, Purpose::Train { round }, out)
            }
            Some(Exchange::Validate { rows, epoch, last }) => {
                self.send_activations(rows, Purpose::Validate { epoch, last }, out)
            }
            Some(Exchange::Evaluate { rows }) => {
                self.send_activations(rows, Purpose::Evaluate, out)
            }
            None => Err(ProtocolError::OutOfOrder { index }),
        }
    }

    fn message_name(kind: entente_wire::Kind) -> Option<&'static str> {
        name_of(kind)
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
