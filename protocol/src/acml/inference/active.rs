//! The active party of an inference: features, bottom network, secret key, `E`.
//!
//! Mirrors [`super::passive`]: a state per message that is waited for.

use std::sync::Arc;

use entente_he::{Backend, KeyOwner, Rng, Scheme};
use entente_wire::{Kind, Message, Public, RingMatrix, Secret, Shape};

use super::{Terms, checkpoint};
use crate::{
    Machine, Next, Outbox, Product, ProtocolError, Report, Rest, Role,
    acml::{
        ActiveHalf, NAME,
        keys::{Announcement, KeyEpoch, Keyed, Witness},
        masks::{Drawn, Heard, Masks},
        messages::{
            ActivationsForInference, Ciphertexts, KeyAndModel, MaskedLogits, MaskedProduct,
            ModelAnswer, ProductAndMask, name_of,
        },
    },
    error::unreadable,
    job::{Inference, Job},
    network::{BottomNetwork, Features},
    product::Predictions,
    rows::Asking,
    schedule::{Exchange, Schedule},
};

/// What the active party brings to an inference.
pub struct ActiveInferenceSetUp<S: Scheme> {
    /// What is asked.
    pub inference: Inference,
    /// The job that trained the model.
    pub trained: Job,
    /// Its half of it.
    pub half: ActiveHalf,
    /// The network below the cut, with the weights of that half.
    pub bottom: Box<dyn BottomNetwork>,
    /// The rows that are asked about, prepared as those of the training were.
    pub features: Box<dyn Features>,
    /// Makes the key.
    pub backend: Arc<dyn Backend<S>>,
    /// The session, and who vouches for the key in it.
    pub witness: Witness,
    /// Randomness for the key, encryption, and the seed of what rows are compared
    /// under; from the operating system, at every start anew.
    pub rng: Box<Rng>,
}

/// The active party at rest.
pub struct ActiveInference<S: Scheme> {
    terms: Terms,
    schedule: Schedule,
    features: Box<dyn Features>,
    bottom: Box<dyn BottomNetwork>,
    /// Of keys and ciphertexts; what rows are compared under comes from elsewhere.
    rng: Box<Rng>,
    masks: Masks,
    /// The one key of an inference.
    key: Keyed<dyn KeyOwner<S>>,
    witness: Witness,
    /// `E`, `c x h`.
    share: Secret<RingMatrix>,
    /// Where this side is the one that is answered.
    answers: Option<Predictions>,
}

/// What a role has that neither its job, its half nor its data says: made for a
/// role that begins, and read for one that goes on.
struct Private<S: Scheme> {
    masks: Masks,
    owner: Arc<dyn KeyOwner<S>>,
    answers: Option<Predictions>,
}

impl<S: Scheme> ActiveInference<S> {
    /// Makes a key: that of the training is gone, and need not come back.
    ///
    /// # Errors
    /// [`ProtocolError`] when the cut does not fit the key.
    pub fn new(set_up: ActiveInferenceSetUp<S>) -> Result<Self, ProtocolError> {
        Self::at_rest(set_up, |terms, backend, rng| {
            let answered = terms.answers_active();
            Ok(Private {
                owner: backend.generate(terms.key_bits(), terms.bounds(), rng)?,
                masks: Masks::new(rng),
                answers: answered.then(|| Predictions::new(terms.classes())),
            })
        })
    }

    /// Goes on from a checkpoint of this role ([`Role::checkpoint`]), with the
    /// half that it began with, and with fresh randomness.
    ///
    /// # Errors
    /// [`ProtocolError::Checkpoint`] for what is no checkpoint of this role, job
    /// and half; [`ProtocolError::He`] for a key that does not fit.
    pub fn resume(
        set_up: ActiveInferenceSetUp<S>,
        checkpoint: &Secret<Vec<u8>>,
    ) -> Result<Self, ProtocolError> {
        Self::at_rest(set_up, |terms, backend, _| {
            let saved = checkpoint::Active::read(terms, checkpoint)?;
            Ok(Private {
                owner: backend.restore(terms.key_bits(), &saved.key, terms.bounds())?,
                masks: saved.masks,
                answers: saved.answers,
            })
        })
    }

    fn at_rest(
        set_up: ActiveInferenceSetUp<S>,
        private: impl FnOnce(&Terms, &dyn Backend<S>, &mut Rng) -> Result<Private<S>, ProtocolError>,
    ) -> Result<Self, ProtocolError> {
        let ActiveInferenceSetUp {
            inference,
            trained,
            half,
            bottom,
            features,
            backend,
            witness,
            mut rng,
        } = set_up;
        let terms = Terms {
            inference,
            trained,
            pairing: half.pairing,
        };
        let Private {
            masks,
            owner,
            answers,
        } = private(&terms, &*backend, &mut *rng)?;
        Ok(Self {
            schedule: terms.schedule(&features.ids()),
            terms,
            features,
            bottom,
            rng,
            masks,
            key: Keyed {
                epoch: KeyEpoch::FIRST,
                end: owner,
            },
            witness,
            share: Secret::new(half.share),
            answers,
        })
    }

    fn rest(mut self, samples: usize) -> Next<ActiveInferenceExchange<S>> {
        self.masks.advance();
        let report = Report {
            samples: samples as u64,
            ..Report::default()
        };
        Next::Done(Rest { role: self, report })
    }

    /// The product for a batch, `B x c`.
    fn product_context(&self, batch: usize) -> Ciphertexts<'_, S> {
        let shape = Shape::new(batch, self.terms.cut().rows);
        self.key.expect(shape)
    }

    /// `a E'`, `B x c`.
    fn own_part(&self, a: &Secret<RingMatrix>) -> RingMatrix {
        a.expose().dot(&self.share.expose().transposed())
    }

    /// F0 and F1.
    fn send_activations(
        mut self,
        rows: Vec<usize>,
        out: &mut Outbox,
    ) -> Result<Next<ActiveInferenceExchange<S>>, ProtocolError> {
        let a = self.bottom.infer(self.features.batch(&rows)?)?;
        let a = Secret::new(self.terms.scales().activations(&a)?);
        let encrypted = self
            .key
            .end
            .encrypt_for_inference(a.expose(), &mut *self.rng)?;
        out.send(&ActivationsForInference::<S>(self.key.epoch, encrypted));
        let batch = Batch { rows, a };
        Ok(Next::Continue(match self.answers.take() {
            None => ActiveInferenceExchange::Product(ExpectMaskedProduct { role: self, batch }),
            Some(answers) => ActiveInferenceExchange::Answer(ExpectProductAndMask {
                role: self,
                batch,
                answers,
            }),
        }))
    }
}

impl<S: Scheme> Role for ActiveInference<S> {
    type Machine = ActiveInferenceExchange<S>;
    const PROTOCOL: &'static str = NAME;
    const ROLE: &'static str = "active";

    fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    fn begin(self, index: u64, out: &mut Outbox) -> Result<Next<Self::Machine>, ProtocolError> {
        match self.schedule.exchange(index) {
            Some(Exchange::SetUp) => {
                let rows = self.features.rows() as u64;
                out.send(&KeyAndModel::<S> {
                    key: Announcement::introducing(
                        &self.witness,
                        &self.terms.signer(),
                        &*self.key.end,
                    )?,
                    pairing: self.terms.pairing.shown(),
                    rows: Public::declassify(rows, "the peer answers for so many rows"),
                });
                Ok(Next::Continue(ActiveInferenceExchange::Model(
                    ExpectModelAnswer {
                        role: self,
                        heard: Heard::nothing_in(index),
                    },
                )))
            }
            Some(Exchange::Evaluate { rows }) => self.send_activations(rows, out),
            _ => Err(ProtocolError::OutOfOrder { index }),
        }
    }

    fn message_name(kind: Kind) -> Option<&'static str> {
        name_of(kind)
    }

    fn checkpoint(&self) -> Secret<Vec<u8>> {
        checkpoint::active(
            &self.terms,
            &self.masks,
            &self.key.end.secret_key(),
            &self.answers,
        )
    }

    fn product(self) -> Product {
        self.answers.map_or(Product::Nothing, Product::Predictions)
    }
}

/// The batch of an exchange.
struct Batch {
    rows: Vec<usize>,
    /// `B x h`.
    a: Secret<RingMatrix>,
}

/// An exchange as the active party goes through it.
pub enum ActiveInferenceExchange<S: Scheme> {
    /// The key is sent.
    Model(ExpectModelAnswer<S>),
    /// The halves belong together.
    Rows(ComparingRows<S>),
    /// F1 is sent, for the other side's answer.
    Product(ExpectMaskedProduct<S>),
    /// F1 is sent, for this side's answer.
    Answer(ExpectProductAndMask<S>),
}

type Outcome<S> = Result<Next<ActiveInferenceExchange<S>>, ProtocolError>;

impl<S: Scheme> Machine for ActiveInferenceExchange<S> {
    type Output = Rest<ActiveInference<S>>;

    fn state(&self) -> &'static str {
        match self {
            Self::Model(_) => ExpectModelAnswer::<S>::NAME,
            Self::Rows(state) => state.comparison.state(),
            Self::Product(_) => ExpectMaskedProduct::<S>::NAME,
            Self::Answer(_) => ExpectProductAndMask::<S>::NAME,
        }
    }

    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome<S> {
        match self {
            Self::Model(state) => state.handle(input, out),
            Self::Rows(state) => state.handle(input, out),
            Self::Product(state) => state.handle(input, out),
            Self::Answer(state) => state.handle(input),
        }
    }

    fn certain_end(&self) -> Option<ProtocolError> {
        match self {
            Self::Rows(state) => state.comparison.certain_end(),
            _ => None,
        }
    }
}

/// After the key.
pub struct ExpectModelAnswer<S: Scheme> {
    role: ActiveInference<S>,
    heard: Heard,
}

impl<S: Scheme> ExpectModelAnswer<S> {
    const NAME: &'static str = "expect_model_answer";

    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome<S> {
        let Self { role, heard } = self;
        let answer = ModelAnswer::read(&(), input).map_err(unreadable(Self::NAME))?;
        role.terms.check_pairing(&answer.pairing)?;
        if !role.terms.compares_rows() {
            return Ok(role.rest(0));
        }
        let (job, ids) = (role.terms.digest(), role.features.ids());
        let heard = heard.and(input);
        let mut scalars = role.masks.generator(Drawn::RowScalars, heard);
        let comparison = Asking::new(job, ids, &mut scalars, out);
        Ok(Next::Continue(ActiveInferenceExchange::Rows(
            ComparingRows { role, comparison },
        )))
    }
}

/// While the rows are compared.
pub struct ComparingRows<S: Scheme> {
    role: ActiveInference<S>,
    comparison: Asking,
}

impl<S: Scheme> ComparingRows<S> {
    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome<S> {
        let Self { role, comparison } = self;
        Ok(match comparison.handle(input, out)? {
            Next::Continue(comparison) => {
                Next::Continue(ActiveInferenceExchange::Rows(Self { role, comparison }))
            }
            Next::Done(()) => role.rest(0),
        })
    }
}

/// After F1, when the labels' side is answered.
pub struct ExpectMaskedProduct<S: Scheme> {
    role: ActiveInference<S>,
    batch: Batch,
}

impl<S: Scheme> ExpectMaskedProduct<S> {
    const NAME: &'static str = "expect_masked_product";

    /// F3.
    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome<S> {
        let Self { role, batch } = self;
        let context = role.product_context(batch.rows.len());
        let product = MaskedProduct::<S>::read(&context, input).map_err(unreadable(Self::NAME))?;
        let decrypted = role.key.end.decrypt_forward(&product.1)?;
        let logits = decrypted.minus(&role.own_part(&batch.a));
        out.send(&MaskedLogits(role.key.epoch, logits));
        Ok(role.rest(batch.rows.len()))
    }
}

/// After F1, when this side is answered.
pub struct ExpectProductAndMask<S: Scheme> {
    role: ActiveInference<S>,
    batch: Batch,
    answers: Predictions,
}

impl<S: Scheme> ExpectProductAndMask<S> {
    const NAME: &'static str = "expect_product_and_mask";

    /// F3'.
    fn handle(self, input: &[u8]) -> Outcome<S> {
        let Self {
            mut role,
            batch,
            mut answers,
        } = self;
        let context = role.product_context(batch.rows.len());
        let answer = ProductAndMask::<S>::read(&context, input).map_err(unreadable(Self::NAME))?;
        let decrypted = role.key.end.decrypt_forward(&answer.product)?;
        let z = decrypted
            .minus(&role.own_part(&batch.a))
            .remove_given(answer.mask);
        let z = role.terms.scales().logits(&z)?;
        answers.add(&batch.rows, &role.terms.judged(&z));
        role.answers = Some(answers);
        Ok(role.rest(batch.rows.len()))
    }
}
