//! One exchange of the passive party: a state per message that is waited for.

use entente_he::Scheme;
use entente_wire::{Mask, Message, Public, RingMatrix, Secret, Shape, read_kind};
use ndarray::Array2;

use super::{Batch, PassiveRole, Turn, Use};
use crate::{
    Machine, Next, Outbox, ProtocolError, Report, Rest,
    acml::{
        algebra::{Algebra, Corrected},
        keys::KeyEpoch,
        loss::Loss,
        masks::{Drawn, Heard},
        messages::{
            ActivationsForInference, EncryptedActivations, EncryptedInputGradient,
            EncryptedWeightGradient, EpochVerdict, KeyAndShare, MaskedLogits, MaskedProduct,
            NextKey, Plain, SetUpContext, UpdateAndShare,
        },
    },
    error::{unacceptable, unreadable},
    rows::Answering,
};

/// An exchange as the passive party goes through it.
pub enum PassiveExchange<S: Scheme, A: Algebra = Corrected> {
    /// Nothing has come yet.
    SetUp(ExpectKeyAndShare<S, A>),
    /// Key and share are here.
    Rows(ComparingRows<S, A>),
    /// Nothing has come yet.
    Activations(ExpectActivations<S, A>),
    /// F2 is sent.
    Logits(ExpectMaskedLogits<S, A>),
    /// B1 is sent.
    Update(ExpectUpdateAndShare<S, A>),
}

impl<S: Scheme, A: Algebra> Machine for PassiveExchange<S, A> {
    type Output = Rest<PassiveRole<S, A>>;

    fn state(&self) -> &'static str {
        match self {
            Self::SetUp(_) => ExpectKeyAndShare::<S, A>::NAME,
            Self::Rows(state) => state.comparison.state(),
            Self::Activations(_) => ExpectActivations::<S, A>::NAME,
            Self::Logits(_) => ExpectMaskedLogits::<S, A>::NAME,
            Self::Update(_) => ExpectUpdateAndShare::<S, A>::NAME,
        }
    }

    fn handle(self, input: &[u8], out: &mut Outbox) -> Result<Next<Self>, ProtocolError> {
        match self {
            Self::SetUp(state) => state.handle(input),
            Self::Rows(state) => state.handle(input, out),
            Self::Activations(state) => state.handle(input, out),
            Self::Logits(state) => state.handle(input, out),
            Self::Update(state) => state.handle(input, out),
        }
    }

    fn certain_end(&self) -> Option<ProtocolError> {
        match self {
            Self::Rows(state) => state.comparison.certain_end(),
            _ => None,
        }
    }
}

type Outcome<S, A> = Result<Next<PassiveExchange<S, A>>, ProtocolError>;

/// Before the first round.
pub struct ExpectKeyAndShare<S: Scheme, A: Algebra> {
    pub(super) role: PassiveRole<S, A>,
    pub(super) heard: Heard,
}

impl<S: Scheme, A: Algebra> ExpectKeyAndShare<S, A> {
    const NAME: &'static str = "expect_key_and_share";

    /// `W~ = w_P + (w_A + E0)`.
    fn handle(self, input: &[u8]) -> Outcome<S, A> {
        let Self { mut role, heard } = self;
        let context = SetUpContext {
            key_bits: role.job.key_bits(),
            cut: role.cut(),
        };
        let epoch = KeyEpoch::FIRST.number();
        let message =
            KeyAndShare::<S>::read(&context, input).map_err(unacceptable(Self::NAME, epoch))?;
        role.keys.meet(message.key, &role.job)?;
        let share = message.share.into_matrix();
        role.weights = Secret::new(role.weights.expose().add(&share));
        let (job, ids) = (role.job.digest(), role.labels.ids());
        let heard = heard.and(input);
        let mut scalars = role.masks.generator(Drawn::RowScalars, heard);
        let comparison = Answering::new(job, ids, &mut scalars);
        Ok(Next::Continue(PassiveExchange::Rows(ComparingRows {
            role,
            comparison,
        })))
    }
}

/// After key and share: while the rows are compared.
pub struct ComparingRows<S: Scheme, A: Algebra> {
    role: PassiveRole<S, A>,
    comparison: Answering,
}

impl<S: Scheme, A: Algebra> ComparingRows<S, A> {
    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome<S, A> {
        let Self { role, comparison } = self;
        Ok(match comparison.handle(input, out)? {
            Next::Continue(comparison) => {
                Next::Continue(PassiveExchange::Rows(Self { role, comparison }))
            }
            Next::Done(()) => role.rest(Report::default()),
        })
    }
}

/// At the start of a round.
pub struct ExpectActivations<S: Scheme, A: Algebra> {
    pub(super) role: PassiveRole<S, A>,
    pub(super) batch: Batch<S>,
}

impl<S: Scheme, A: Algebra> ExpectActivations<S, A> {
    const NAME: &'static str = "expect_activations";

    /// F2, if the key that goes before it in some exchanges is not what has come.
    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome<S, A> {
        if read_kind(input).is_ok_and(|kind| kind == NextKey::<S>::KIND) {
            return self.hear_of_a_key(input);
        }
        let Self {
            mut role,
            mut batch,
        } = self;
        if let Use::Train(turn) = batch.purpose {
            role.keys.serve(turn.round)?;
        }
        let cut = role.cut();
        batch.heard = batch.heard.and(input);
        let evaluator = &batch.key.end;
        let context = batch.key.expect(Shape::new(batch.len(), cut.cols));
        let mut masks = role.masks.generator(Drawn::S1, batch.heard);
        let s1 = A::mask(Shape::new(batch.len(), cut.rows), &mut masks);
        let (w, rng) = (role.weights.expose(), &mut *role.rng);
        let (product, to_learn_from) = match batch.purpose {
            Use::Train(_) => {
                let EncryptedActivations(_, a) = EncryptedActivations::<S>::read(&context, input)
                    .map_err(unreadable(Self::NAME))?;
                (evaluator.forward(a.as_ref(), w, &s1, rng)?, Some(a))
            }
            Use::Validate(_) | Use::Evaluate => {
                let ActivationsForInference(_, a) =
                    ActivationsForInference::<S>::read(&context, input)
                        .map_err(unreadable(Self::NAME))?;
                (evaluator.forward(&a, w, &s1, rng)?, None)
            }
        };
        out.send(&MaskedProduct::<S>(batch.key.epoch, product));
        Ok(Next::Continue(PassiveExchange::Logits(
            ExpectMaskedLogits {
                role,
                batch,
                to_learn_from,
                s1,
            },
        )))
    }

    /// Another key is in use from the next exchange on.
    fn hear_of_a_key(self, input: &[u8]) -> Outcome<S, A> {
        let Self {
            mut role,
            mut batch,
        } = self;
        let epoch = batch.key.epoch.next().number();
        let NextKey(next) = NextKey::<S>::read(&role.job.key_bits(), input)
            .map_err(unacceptable(Self::NAME, epoch))?;
        role.keys.hear(next, role.index, &role.job)?;
        batch.heard = batch.heard.and(input);
        let state = Self { role, batch };
        Ok(Next::Continue(PassiveExchange::Activations(state)))
    }
}

/// After F2.
pub struct ExpectMaskedLogits<S: Scheme, A: Algebra> {
    role: PassiveRole<S, A>,
    batch: Batch<S>,
    /// `None` for inference, which ends with the logits.
    to_learn_from: Option<S::Activations>,
    s1: Mask,
}

impl<S: Scheme, A: Algebra> ExpectMaskedLogits<S, A> {
    const NAME: &'static str = "expect_masked_logits";

    /// F4 and B1.
    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome<S, A> {
        let Self {
            mut role,
            mut batch,
            to_learn_from,
            s1,
        } = self;
        let cut = role.cut();
        batch.heard = batch.heard.and(input);
        let context = Plain {
            epoch: batch.key.epoch,
            shape: Shape::new(batch.len(), cut.rows),
        };
        let masked = MaskedLogits::read(&context, input).map_err(unreadable(Self::NAME))?;
        let z = A::logits(masked.1, s1, role.bias.expose());
        let z = role.scales.logits(&z)?;
        let spec = role.job.spec();
        let loss = Loss::of(spec.network.loss, &z, batch.classes.expose());
        let mut report = Report {
            samples: batch.len() as u64,
            loss: Some(loss.mean),
            correct: Some(loss.correct),
            ..Report::default()
        };
        let (turn, activations) = match (batch.purpose, to_learn_from) {
            (Use::Train(turn), Some(activations)) => (turn, activations),
            (Use::Validate(look), _) => {
                report.verdict = role.judge(look, &report);
                if let Some(verdict) = report.verdict {
                    let why = "one bit an epoch: both sides must stop, and keep, at the same one";
                    out.send(&EpochVerdict(Public::declassify(verdict, why)));
                }
                return Ok(role.rest(report));
            }
            (Use::Train(_) | Use::Evaluate, _) => return Ok(role.rest(report)),
        };
        let delta = A::delta(&loss);
        let eta = A::learning_rate(spec.training.learning_rate * role.pace.at(turn.round));
        let step = Secret::new(role.scales.steps(&delta, eta)?);
        let mut masks = role.masks.generator(Drawn::S2, batch.heard);
        let s2 = A::mask(cut, &mut masks);
        let gradient =
            batch
                .key
                .end
                .weight_gradient(&activations, step.expose(), &s2, &mut *role.rng)?;
        out.send(&EncryptedWeightGradient::<S>(batch.key.epoch, gradient));
        Ok(Next::Continue(PassiveExchange::Update(
            ExpectUpdateAndShare {
                role,
                batch,
                turn,
                report,
                delta,
                step,
                s2,
            },
        )))
    }
}

/// After B1.
pub struct ExpectUpdateAndShare<S: Scheme, A: Algebra> {
    role: PassiveRole<S, A>,
    batch: Batch<S>,
    turn: Turn,
    report: Report,
    /// Delta, `B x c`.
    delta: Array2<f64>,
    /// `eta Delta` on its grid, `B x c`.
    step: Secret<RingMatrix>,
    s2: Mask,
}

impl<S: Scheme, A: Algebra> ExpectUpdateAndShare<S, A> {
    const NAME: &'static str = "expect_update_and_share";

    /// B3.
    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome<S, A> {
        let Self {
            mut role,
            batch,
            turn,
            mut report,
            delta,
            step,
            s2,
        } = self;
        let context = batch.key.expect(role.cut());
        let message = UpdateAndShare::<S>::read(&context, input).map_err(unreadable(Self::NAME))?;
        let h = A::update(message.update, s2);
        let (now, next) = A::weights(role.weights.expose(), &h);
        let labels = batch.classes.expose();
        let released = role.release.blur(delta, labels, role.index);
        role.release.watch(&released, labels);
        if role.course.schedule().ends_epoch(turn.round) {
            report.leak = role.release.end_epoch(turn.epoch)?;
        }
        let (now, delta) = (
            Secret::new(now),
            Secret::new(role.scales.deltas(&released)?),
        );
        let gradient = batch.key.end.input_gradient(
            &message.share,
            delta.expose(),
            now.expose(),
            &mut *role.rng,
        )?;
        role.weights = Secret::new(next);
        // eta sum Delta stands at f_e bits; b2 on the logits' grid, 2 f_a more.
        let bias_step = step.expose().column_sums();
        let bias_step = bias_step.shifted_left(2 * role.scales.activation_bits);
        role.bias = Secret::new(role.bias.expose().sub(&bias_step));
        out.send(&EncryptedInputGradient::<S>(batch.key.epoch, gradient));
        Ok(role.rest(report))
    }
}
