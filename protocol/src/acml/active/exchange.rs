//! One exchange of the active party: a state per message that is waited for.

use entente_he::Scheme;
use entente_wire::{Message, RingMatrix, Secret, Shape};

use super::{ActiveRole, Purpose};
use crate::{
    Machine, Next, Outbox, ProtocolError, Report, Rest,
    acml::{
        algebra::{Algebra, Corrected},
        masks::{Drawn, Heard},
        messages::{
            EncryptedInputGradient, EncryptedWeightGradient, EpochVerdict, MaskedLogits,
            MaskedProduct, UpdateAndShare, VerdictContext,
        },
    },
    error::unreadable,
    rows::Asking,
};

/// An exchange as the active party goes through it.
pub enum ActiveExchange<S: Scheme, A: Algebra = Corrected> {
    /// Before the first round.
    Rows(ComparingRows<S, A>),
    /// F1 is sent.
    Product(ExpectMaskedProduct<S, A>),
    /// F3 is sent, for the last of an epoch's validation rows.
    Verdict(ExpectVerdict<S, A>),
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
            Self::Verdict(_) => ExpectVerdict::<S, A>::NAME,
            Self::WeightGradient(_) => ExpectWeightGradient::<S, A>::NAME,
            Self::InputGradient(_) => ExpectInputGradient::<S, A>::NAME,
        }
    }

    fn handle(self, input: &[u8], out: &mut Outbox) -> Result<Next<Self>, ProtocolError> {
        match self {
            Self::Rows(state) => state.handle(input, out),
            Self::Product(state) => state.handle(input, out),
            Self::Verdict(state) => state.handle(input),
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
    pub(super) role: ActiveRole<S, A>,
    pub(super) comparison: Asking,
}

impl<S: Scheme, A: Algebra> ComparingRows<S, A> {
    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome<S, A> {
        let Self { role, comparison } = self;
        Ok(match comparison.handle(input, out)? {
            Next::Continue(comparison) => {
                Next::Continue(ActiveExchange::Rows(Self { role, comparison }))
            }
            Next::Done(()) => return role.rest(Report::default()),
        })
    }
}

/// After F1.
pub struct ExpectMaskedProduct<S: Scheme, A: Algebra> {
    pub(super) role: ActiveRole<S, A>,
    /// `B x h`.
    pub(super) a: Secret<RingMatrix>,
    pub(super) purpose: Purpose,
    pub(super) heard: Heard,
}

impl<S: Scheme, A: Algebra> ExpectMaskedProduct<S, A> {
    const NAME: &'static str = "expect_masked_product";

    /// F3.
    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome<S, A> {
        let Self {
            role,
            a,
            purpose,
            heard,
        } = self;
        let batch = a.expose().shape().rows;
        let key = role.keys.now();
        let context = key.expect(Shape::new(batch, role.cut().rows));
        let product = MaskedProduct::<S>::read(&context, input).map_err(unreadable(Self::NAME))?;
        let decrypted = key.end.decrypt_forward(&product.1)?;
        let own_part = a.expose().dot(&role.share.expose().transposed());
        out.send(&MaskedLogits(key.epoch, decrypted.minus(&own_part)));
        let report = Report {
            samples: batch as u64,
            ..Report::default()
        };
        Ok(match purpose {
            Purpose::Validate { epoch, last: true } if role.course.hears_verdicts() => {
                Next::Continue(ActiveExchange::Verdict(ExpectVerdict {
                    role,
                    report,
                    epoch,
                }))
            }
            Purpose::Validate { .. } | Purpose::Evaluate => return role.rest(report),
            Purpose::Train { .. } => {
                Next::Continue(ActiveExchange::WeightGradient(ExpectWeightGradient {
                    role,
                    report,
                    heard: heard.and(input),
                }))
            }
        })
    }
}

/// After F3, when all validation rows have been seen.
pub struct ExpectVerdict<S: Scheme, A: Algebra> {
    role: ActiveRole<S, A>,
    report: Report,
    epoch: u32,
}

impl<S: Scheme, A: Algebra> ExpectVerdict<S, A> {
    const NAME: &'static str = "expect_verdict";

    /// To the next epoch, or to the test rows.
    fn handle(self, input: &[u8]) -> Outcome<S, A> {
        let Self {
            mut role,
            mut report,
            epoch,
        } = self;
        let context = VerdictContext {
            first: role.course.best().is_none(),
        };
        let EpochVerdict(verdict) =
            EpochVerdict::read(&context, input).map_err(unreadable(Self::NAME))?;
        let verdict = verdict.into_inner();
        report.verdict = Some(verdict);
        role.hear(epoch, verdict)?;
        role.rest(report)
    }
}

/// After F3.
pub struct ExpectWeightGradient<S: Scheme, A: Algebra> {
    role: ActiveRole<S, A>,
    report: Report,
    heard: Heard,
}

impl<S: Scheme, A: Algebra> ExpectWeightGradient<S, A> {
    const NAME: &'static str = "expect_weight_gradient";

    /// B2.
    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome<S, A> {
        let Self {
            mut role,
            report,
            heard,
        } = self;
        let cut = role.cut();
        let key = role.keys.now();
        let context = key.expect(cut);
        let gradient =
            EncryptedWeightGradient::<S>::read(&context, input).map_err(unreadable(Self::NAME))?;
        let decrypted = key.end.decrypt_weight_gradient(&gradient.1)?;
        let mut rng = role.masks.generator(Drawn::Ew, heard.and(input));
        let e_w = A::mask(cut, &mut rng);
        let (encrypt, next) = A::shares(role.share.expose(), &e_w);
        let batch = report.samples as usize;
        let share = key.end.encrypt_share(&encrypt, batch, &mut *role.rng)?;
        role.share = Secret::new(next);
        out.send(&UpdateAndShare::<S> {
            epoch: key.epoch,
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
        let key = role.keys.now();
        let context = key.expect(Shape::new(report.samples as usize, role.cut().cols));
        let gradient =
            EncryptedInputGradient::<S>::read(&context, input).map_err(unreadable(Self::NAME))?;
        let d_a = key.end.decrypt_input_gradient(&gradient.1)?;
        let d_a = role.scales.input_gradients(d_a.expose())?;
        role.bottom.backward(d_a)?;
        role.rest(report)
    }
}
