//! The active party: features, bottom network, secret key, share `E`.
//!
//! Mirrors [`super::passive`]: a state per message that is waited for.

use std::{marker::PhantomData, sync::Arc};

use entente_he::{Backend, KeyOwner, Rng, Scheme};
use entente_wire::{Encode, Message, RingMatrix, Secret, Shape, Share};

use super::{
    ActiveHalf, NAME,
    algebra::{Algebra, Corrected},
    half::{Pairing, cut_shape},
    messages::{
        ActivationsForInference, EncryptedActivations, EncryptedInputGradient,
        EncryptedWeightGradient, KeyAndShare, MaskedLogits, MaskedProduct, UpdateAndShare,
        ciphertexts, name_of,
    },
    weights::initial_half,
};
use crate::{
    Half, Machine, Next, Outbox, Product, ProtocolError, Report, Rest, Role,
    error::unreadable,
    fixed::Scales,
    job::{Job, Pace},
    network::{BottomNetwork, Features, Step},
    rows::Asking,
    schedule::{Exchange, Schedule},
};

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
    schedule: Schedule,
    pace: Pace,
    features: Box<dyn Features>,
    bottom: Box<dyn BottomNetwork>,
    rng: Box<Rng>,
    owner: Arc<dyn KeyOwner<S>>,
    /// `E`, `c x h`.
    share: Secret<RingMatrix>,
    /// `w_A + E0`, until it is sent.
    given: Option<Share>,
    algebra: PhantomData<A>,
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
        let owner = backend.generate(job.key_bits(), job.bounds(), &mut *rng)?;
        let half = initial_half(&weight_seed, &job, scales)?;
        // E0 is uniform. E0 = 0 would hand the passive party c equations on
        // every activation of the first batch.
        let (share, given) = Share::split(half.expose(), &mut *rng);
        let schedule = job.schedule(features.ids());
        Ok(Self {
            scales,
            pace: job.pace(&schedule),
            schedule,
            job,
            features,
            bottom,
            rng,
            owner,
            share,
            given: Some(given),
            algebra: PhantomData,
        })
    }

    fn cut(&self) -> Shape {
        cut_shape(&self.job)
    }

    fn rest(self, report: Report) -> Next<ActiveExchange<S, A>> {
        Next::Done(Rest { role: self, report })
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
            Purpose::Infer => self.bottom.infer(x)?,
        };
        let a = self.scales.activations(&a)?;
        let (owner, rng) = (&self.owner, &mut *self.rng);
        match purpose {
            Purpose::Train { .. } => {
                let encrypted = owner.encrypt_activations(&a, rng)?;
                out.send(&EncryptedActivations::<S>(encrypted));
            }
            Purpose::Infer => {
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

#[derive(Clone, Copy)]
enum Purpose {
    Train { round: u64 },
    Infer,
}

impl<S: Scheme, A: Algebra> Role for ActiveRole<S, A> {
    type Machine = ActiveExchange<S, A>;
    const PROTOCOL: &'static str = NAME;
    const ROLE: &'static str = "active";

    fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    fn begin(mut self, index: u64, out: &mut Outbox) -> Result<Next<Self::Machine>, ProtocolError> {
        match self.schedule.exchange(index) {
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
            Some(Exchange::Validate { rows, .. } | Exchange::Evaluate { rows }) => {
                self.send_activations(rows, Purpose::Infer, out)
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

/// An exchange as the active party goes through it.
pub enum ActiveExchange<S: Scheme, A: Algebra = Corrected> {
    /// Before the first round.
    Rows(ComparingRows<S, A>),
    /// F1 is sent.
    Product(ExpectMaskedProduct<S, A>),
    /// F3 is sent.
    WeightGradient(ExpectWeightGradient<S, A>),
    /// B2 is sent.
    InputGradient(ExpectInputGradient<S, A>),
}

impl<S: Scheme, A: Algebra> Machine for ActiveExchange<S, A> {
    type Output = Rest<ActiveRole<S, A>>;

    fn state(&self) -> &'static str {
        match self {
            Self::Rows(state) => state.comparison.state(),
            Self::Product(_) => ExpectMaskedProduct::<S, A>::NAME,
            Self::WeightGradient(_) => ExpectWeightGradient::<S, A>::NAME,
            Self::InputGradient(_) => ExpectInputGradient::<S, A>::NAME,
        }
    }

    fn handle(self, input: &[u8], out: &mut Outbox) -> Result<Next<Self>, ProtocolError> {
        match self {
            Self::Rows(state) => state.handle(input, out),
            Self::Product(state) => state.handle(input, out),
            Self::WeightGradient(state) => state.handle(input, out),
            Self::InputGradient(state) => state.handle(input),
        }
    }

    fn certain_end(&self) -> Option<ProtocolError> {
        match self {
            Self::Rows(state) => state.comparison.certain_end(),
            _ => None,
        }
    }
}

type Outcome<S, A> = Result<Next<ActiveExchange<S, A>>, ProtocolError>;

/// After key and share: while the rows are compared.
pub struct ComparingRows<S: Scheme, A: Algebra> {
    role: ActiveRole<S, A>,
    comparison: Asking,
}

impl<S: Scheme, A: Algebra> ComparingRows<S, A> {
    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome<S, A> {
        let Self { role, comparison } = self;
        Ok(match comparison.handle(input, out)? {
            Next::Continue(comparison) => {
                Next::Continue(ActiveExchange::Rows(Self { role, comparison }))
            }
            Next::Done(()) => role.rest(Report::default()),
        })
    }
}

/// After F1.
pub struct ExpectMaskedProduct<S: Scheme, A: Algebra> {
    role: ActiveRole<S, A>,
    /// `B x h`.
    a: Secret<RingMatrix>,
    purpose: Purpose,
}

impl<S: Scheme, A: Algebra> ExpectMaskedProduct<S, A> {
    const NAME: &'static str = "expect_masked_product";

    /// F3.
    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome<S, A> {
        let Self { role, a, purpose } = self;
        let batch = a.expose().shape().rows;
        let context = ciphertexts::<S>(
            role.owner.public_key(),
            role.owner.bounds(),
            Shape::new(batch, role.cut().rows),
        );
        let product = MaskedProduct::<S>::read(&context, input).map_err(unreadable(Self::NAME))?;
        let decrypted = role.owner.decrypt_forward(&product.0)?;
        let own_part = a.expose().dot(&role.share.expose().transposed());
        out.send(&MaskedLogits(decrypted.minus(&own_part)));
        let report = Report {
            samples: batch as u64,
            ..Report::default()
        };
        Ok(match purpose {
            Purpose::Infer => role.rest(report),
            Purpose::Train { .. } => {
                Next::Continue(ActiveExchange::WeightGradient(ExpectWeightGradient {
                    role,
                    report,
                }))
            }
        })
    }
}

/// After F3.
pub struct ExpectWeightGradient<S: Scheme, A: Algebra> {
    role: ActiveRole<S, A>,
    report: Report,
}

impl<S: Scheme, A: Algebra> ExpectWeightGradient<S, A> {
    const NAME: &'static str = "expect_weight_gradient";

    /// B2.
    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome<S, A> {
        let Self { mut role, report } = self;
        let cut = role.cut();
        let context = ciphertexts::<S>(role.owner.public_key(), role.owner.bounds(), cut);
        let gradient =
            EncryptedWeightGradient::<S>::read(&context, input).map_err(unreadable(Self::NAME))?;
        let decrypted = role.owner.decrypt_weight_gradient(&gradient.0)?;
        let e_w = A::mask(cut, &mut *role.rng);
        let (encrypt, next) = A::shares(role.share.expose(), &e_w);
        let batch = report.samples as usize;
        let share = role.owner.encrypt_share(&encrypt, batch, &mut *role.rng)?;
        role.share = Secret::new(next);
        out.send(&UpdateAndShare::<S> {
            update: A::blinded_update(&decrypted, &e_w),
            share,
        });
        Ok(Next::Continue(ActiveExchange::InputGradient(
            ExpectInputGradient { role, report },
        )))
    }
}

/// After B2.
pub struct ExpectInputGradient<S: Scheme, A: Algebra> {
    role: ActiveRole<S, A>,
    report: Report,
}

impl<S: Scheme, A: Algebra> ExpectInputGradient<S, A> {
    const NAME: &'static str = "expect_input_gradient";

    /// B4.
    fn handle(self, input: &[u8]) -> Outcome<S, A> {
        let Self { mut role, report } = self;
        let context = ciphertexts::<S>(
            role.owner.public_key(),
            role.owner.bounds(),
            Shape::new(report.samples as usize, role.cut().cols),
        );
        let gradient =
            EncryptedInputGradient::<S>::read(&context, input).map_err(unreadable(Self::NAME))?;
        let d_a = role.owner.decrypt_input_gradient(&gradient.0)?;
        let d_a = role.scales.input_gradients(d_a.expose())?;
        role.bottom.backward(d_a)?;
        Ok(role.rest(report))
    }
}
