//! The passive party of an inference: `W~`, `b2`, and labels if it has any.
//!
//! Mirrors [`super::active`]. Generic over an evaluator that has no decrypt.

use std::sync::Arc;

use entente_he::{Backend, Evaluate, Rng, Scheme};
use entente_wire::{Kind, Mask, Message, Public, RingMatrix, Secret, Shape};

use super::{Terms, checkpoint};
use crate::{
    Machine, Next, Outbox, Product, ProtocolError, Report, Rest, Role,
    acml::{
        NAME, PassiveHalf,
        keys::{Announcement, KeyEpoch, Keyed, Witness},
        loss::Loss,
        masks::{Drawn, Heard, Masks},
        messages::{
            ActivationsForInference, KeyAndModel, MaskedLogits, MaskedProduct, ModelAnswer, Plain,
            ProductAndMask, name_of,
        },
    },
    error::{unacceptable, unreadable},
    job::{Inference, Job},
    network::Labels,
    product::{Evaluating, Predictions},
    rows::{Answering, RowIds},
    schedule::{Exchange, Schedule},
};

/// What the passive party brings to an inference.
pub struct PassiveInferenceSetUp<S: Scheme> {
    /// What is asked.
    pub inference: Inference,
    /// The job that trained the model.
    pub trained: Job,
    /// Its half of it.
    pub half: PassiveHalf,
    /// What it is there for.
    pub aim: Aim,
    /// Makes the evaluator, once the peer's key is here.
    pub backend: Arc<dyn Backend<S>>,
    /// The session, and who vouches for the peer's key in it.
    pub witness: Witness,
    /// Randomness for re-randomisation, and the seed of masks and of what rows are
    /// compared under; from the operating system, at every start anew.
    pub rng: Box<Rng>,
}

/// What the passive party is there for, with all that it takes.
pub enum Aim {
    /// To hold the model against these labels.
    Evaluate(Box<dyn Labels>),
    /// To have rows predicted for itself: those of these ids, or as many as the
    /// other side has.
    PredictHere(Option<RowIds>),
    /// To answer the other side.
    PredictThere(Option<RowIds>),
}

impl Aim {
    /// The ids of the rows, if this side has them.
    fn ids(&self) -> Option<RowIds> {
        match self {
            Self::Evaluate(labels) => Some(labels.ids()),
            Self::PredictHere(ids) | Self::PredictThere(ids) => ids.clone(),
        }
    }
}

/// The passive party at rest.
pub struct PassiveInference<S: Scheme> {
    terms: Terms,
    schedule: Schedule,
    /// The ids of its rows, if it has rows.
    ids: Option<RowIds>,
    task: Task,
    backend: Arc<dyn Backend<S>>,
    witness: Witness,
    /// Of ciphertexts; masks come from elsewhere.
    rng: Box<Rng>,
    masks: Masks,
    /// From the set-up on.
    peer: Option<Peer<S>>,
    /// `W~`, `c x h`.
    weights: Secret<RingMatrix>,
    /// `b2`, `1 x c`, on the logits' grid.
    bias: Secret<RingMatrix>,
}

/// What the set-up has told of the other side.
struct Peer<S: Scheme> {
    key: Keyed<dyn Evaluate<S>>,
    /// How many rows it asks about.
    rows: Public<u64>,
}

/// An aim, and how far it has been reached.
pub(super) enum Task {
    Evaluate(Box<dyn Labels>, Evaluating),
    PredictHere(Predictions),
    PredictThere,
}

impl<S: Scheme> PassiveInference<S> {
    /// Waits for the other side's key.
    pub fn new(set_up: PassiveInferenceSetUp<S>) -> Self {
        let PassiveInferenceSetUp {
            inference,
            trained,
            half,
            aim,
            backend,
            witness,
            mut rng,
        } = set_up;
        let terms = Terms {
            inference,
            trained,
            pairing: half.pairing,
        };
        let ids = aim.ids();
        let none = RowIds::numbered(0);
        Self {
            // Without rows of its own it has no batches yet: they come with
            // the other side's number of rows.
            schedule: terms.schedule(ids.as_ref().unwrap_or(&none)),
            ids,
            task: match aim {
                Aim::Evaluate(labels) => Task::Evaluate(labels, Evaluating::new(terms.classes())),
                Aim::PredictHere(_) => Task::PredictHere(Predictions::new(terms.classes())),
                Aim::PredictThere(_) => Task::PredictThere,
            },
            terms,
            backend,
            witness,
            masks: Masks::new(&mut *rng),
            rng,
            peer: None,
            weights: Secret::new(half.weights),
            bias: Secret::new(half.bias),
        }
    }

    /// Goes on from a checkpoint of this role ([`Role::checkpoint`]), with the
    /// half that it began with, and with fresh randomness.
    ///
    /// # Errors
    /// [`ProtocolError::Checkpoint`] for what is no checkpoint of this role, job
    /// and half; [`ProtocolError::He`] for a key that does not fit.
    pub fn resume(
        set_up: PassiveInferenceSetUp<S>,
        checkpoint: &Secret<Vec<u8>>,
    ) -> Result<Self, ProtocolError> {
        let mut role = Self::new(set_up);
        let saved = checkpoint::Passive::<S>::read(&role.terms, &mut role.task, checkpoint)?;
        role.masks = saved.masks;
        if let Some((rows, key)) = saved.peer {
            role.meet(key, rows)?;
        }
        Ok(role)
    }

    /// The key of the set-up, if it can be one.
    fn certified(&self, key: Announcement<S>) -> Result<S::PublicKey, ProtocolError> {
        key.introduced(&self.witness, &self.terms.signer(), &*self.backend)
    }

    /// Takes in what the set-up tells of the other side.
    fn meet(&mut self, key: S::PublicKey, rows: Public<u64>) -> Result<(), ProtocolError> {
        let key = Keyed {
            epoch: KeyEpoch::FIRST,
            end: self.backend.evaluator(key, self.terms.bounds())?,
        };
        if self.ids.is_none() {
            // The limit on a decoded count is far below what a usize holds.
            let rows = usize::try_from(*rows.get()).unwrap_or_default();
            self.schedule = self.terms.schedule(&RowIds::numbered(rows));
        }
        self.peer = Some(Peer { key, rows });
        Ok(())
    }

    fn rest(mut self, report: Report) -> Next<PassiveInferenceExchange<S>> {
        self.masks.advance();
        Next::Done(Rest { role: self, report })
    }
}

impl<S: Scheme> Role for PassiveInference<S> {
    type Machine = PassiveInferenceExchange<S>;
    const PROTOCOL: &'static str = NAME;
    const ROLE: &'static str = "passive";

    fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    fn begin(self, index: u64, _out: &mut Outbox) -> Result<Next<Self::Machine>, ProtocolError> {
        let heard = Heard::nothing_in(index);
        let key = self.peer.as_ref().map(|peer| peer.key.clone());
        match (self.schedule.exchange(index), key) {
            (Some(Exchange::SetUp), None) => Ok(Next::Continue(PassiveInferenceExchange::SetUp(
                ExpectKeyAndModel { role: self, heard },
            ))),
            (Some(Exchange::Evaluate { rows }), Some(key)) => Ok(Next::Continue(
                PassiveInferenceExchange::Activations(ExpectActivations {
                    role: self,
                    key,
                    rows,
                    heard,
                }),
            )),
            _ => Err(ProtocolError::OutOfOrder { index }),
        }
    }

    fn message_name(kind: Kind) -> Option<&'static str> {
        name_of(kind)
    }

    fn checkpoint(&self) -> Secret<Vec<u8>> {
        let peer = self.peer.as_ref();
        let peer = peer.map(|peer| (peer.rows, peer.key.end.public_key()));
        checkpoint::passive::<S>(&self.terms, &self.masks, peer, &self.task)
    }

    fn product(self) -> Product {
        match self.task {
            Task::Evaluate(_, evaluating) => evaluating
                .finish()
                .map_or(Product::Nothing, Product::Evaluation),
            Task::PredictHere(predictions) => Product::Predictions(predictions),
            Task::PredictThere => Product::Nothing,
        }
    }
}

/// An exchange as the passive party goes through it.
pub enum PassiveInferenceExchange<S: Scheme> {
    /// Nothing has come yet.
    SetUp(ExpectKeyAndModel<S>),
    /// The halves do not belong together, and the other side is told.
    Differ(ExpectEnd<S>),
    /// The halves belong together.
    Rows(ComparingRows<S>),
    /// At the start of a batch.
    Activations(ExpectActivations<S>),
    /// F2 is sent.
    Logits(ExpectMaskedLogits<S>),
}

type Outcome<S> = Result<Next<PassiveInferenceExchange<S>>, ProtocolError>;

impl<S: Scheme> Machine for PassiveInferenceExchange<S> {
    type Output = Rest<PassiveInference<S>>;

    fn state(&self) -> &'static str {
        match self {
            Self::SetUp(_) => ExpectKeyAndModel::<S>::NAME,
            Self::Differ(_) => ExpectEnd::<S>::NAME,
            Self::Rows(state) => state.comparison.state(),
            Self::Activations(_) => ExpectActivations::<S>::NAME,
            Self::Logits(_) => ExpectMaskedLogits::<S>::NAME,
        }
    }

    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome<S> {
        match self {
            Self::SetUp(state) => state.handle(input, out),
            Self::Differ(_) => Err(ProtocolError::ModelsDiffer),
            Self::Rows(state) => state.handle(input, out),
            Self::Activations(state) => state.handle(input, out),
            Self::Logits(state) => state.handle(input),
        }
    }

    fn certain_end(&self) -> Option<ProtocolError> {
        match self {
            Self::Differ(_) => Some(ProtocolError::ModelsDiffer),
            Self::Rows(state) => state.comparison.certain_end(),
            _ => None,
        }
    }
}

/// Before anything.
pub struct ExpectKeyAndModel<S: Scheme> {
    role: PassiveInference<S>,
    heard: Heard,
}

impl<S: Scheme> ExpectKeyAndModel<S> {
    const NAME: &'static str = "expect_key_and_model";

    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome<S> {
        let Self { mut role, heard } = self;
        let epoch = KeyEpoch::FIRST.number();
        let message = KeyAndModel::<S>::read(&role.terms.key_bits(), input)
            .map_err(unacceptable(Self::NAME, epoch))?;
        out.send(&ModelAnswer {
            pairing: role.terms.pairing.shown(),
        });
        if role.terms.check_pairing(&message.pairing).is_err() {
            // The other side comes to the same verdict and ends first: one that
            // ended before it was told would take the reason from it.
            return Ok(Next::Continue(PassiveInferenceExchange::Differ(
                ExpectEnd { _role: role },
            )));
        }
        let key = role.certified(message.key)?;
        role.meet(key, message.rows)?;
        let Some(ids) = role.ids.clone() else {
            return Ok(role.rest(Report::default()));
        };
        let heard = heard.and(input);
        let mut scalars = role.masks.generator(Drawn::RowScalars, heard);
        let comparison = Answering::new(role.terms.digest(), ids, &mut scalars);
        Ok(Next::Continue(PassiveInferenceExchange::Rows(
            ComparingRows { role, comparison },
        )))
    }
}

/// Until the other side ends the job, as this one will.
pub struct ExpectEnd<S: Scheme> {
    _role: PassiveInference<S>,
}

impl<S: Scheme> ExpectEnd<S> {
    const NAME: &'static str = "expect_end";
}

/// While the rows are compared.
pub struct ComparingRows<S: Scheme> {
    role: PassiveInference<S>,
    comparison: Answering,
}

impl<S: Scheme> ComparingRows<S> {
    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome<S> {
        let Self { role, comparison } = self;
        Ok(match comparison.handle(input, out)? {
            Next::Continue(comparison) => {
                Next::Continue(PassiveInferenceExchange::Rows(Self { role, comparison }))
            }
            Next::Done(()) => role.rest(Report::default()),
        })
    }
}

/// At the start of a batch.
pub struct ExpectActivations<S: Scheme> {
    role: PassiveInference<S>,
    key: Keyed<dyn Evaluate<S>>,
    rows: Vec<usize>,
    heard: Heard,
}

impl<S: Scheme> ExpectActivations<S> {
    const NAME: &'static str = "expect_activations";

    /// F2, or F2'.
    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome<S> {
        let Self {
            mut role,
            key,
            rows,
            heard,
        } = self;
        let cut = role.terms.cut();
        let context = key.expect(Shape::new(rows.len(), cut.cols));
        let ActivationsForInference(epoch, a) =
            ActivationsForInference::<S>::read(&context, input).map_err(unreadable(Self::NAME))?;
        let mut masks = role.masks.generator(Drawn::S1, heard.and(input));
        let s1 = Mask::draw(Shape::new(rows.len(), cut.rows), &mut masks);
        let product = key
            .end
            .forward(&a, role.weights.expose(), &s1, &mut *role.rng)?;
        if let Task::PredictThere = role.task {
            let why = "the job has these logits told to the features' side";
            out.send(&ProductAndMask::<S> {
                epoch,
                product,
                mask: s1.give_away(role.bias.expose(), why),
            });
            let samples = rows.len() as u64;
            return Ok(role.rest(Report {
                samples,
                ..Report::default()
            }));
        }
        out.send(&MaskedProduct::<S>(epoch, product));
        Ok(Next::Continue(PassiveInferenceExchange::Logits(
            ExpectMaskedLogits {
                role,
                epoch,
                rows,
                s1,
            },
        )))
    }
}

/// After F2.
pub struct ExpectMaskedLogits<S: Scheme> {
    role: PassiveInference<S>,
    epoch: KeyEpoch,
    rows: Vec<usize>,
    s1: Mask,
}

impl<S: Scheme> ExpectMaskedLogits<S> {
    const NAME: &'static str = "expect_masked_logits";

    /// F4.
    fn handle(self, input: &[u8]) -> Outcome<S> {
        let Self {
            mut role,
            epoch,
            rows,
            s1,
        } = self;
        let shape = Shape::new(rows.len(), role.terms.cut().rows);
        let MaskedLogits(_, masked) =
            MaskedLogits::read(&Plain { epoch, shape }, input).map_err(unreadable(Self::NAME))?;
        let z = masked.remove(s1).add_row(role.bias.expose());
        let z = role.terms.scales().logits(&z)?;
        let judged = role.terms.judged(&z);
        let mut report = Report {
            samples: rows.len() as u64,
            ..Report::default()
        };
        match &mut role.task {
            Task::Evaluate(labels, evaluating) => {
                let classes = Secret::new(labels.batch(&rows)?);
                let objective = role.terms.trained.spec().network.loss;
                let loss = Loss::of(objective, &z, classes.expose());
                report.loss = Some(loss.mean);
                report.correct = Some(loss.correct);
                evaluating.add(&report, &judged, classes.expose());
            }
            Task::PredictHere(predictions) => predictions.add(&rows, &judged),
            // It has sent its mask away and waits for nothing.
            Task::PredictThere => {}
        }
        Ok(role.rest(report))
    }
}
