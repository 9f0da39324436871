//! Whether an epoch was the best so far: said by the side that holds the
//! labels, from the validation rows, and heard by the other.

use entente_wire::{Decode, DecodeError, Encode, Reader};
use serde::{Deserialize, Serialize};

use crate::{
    Report,
    checkpoint::{float, option, put_float, put_option},
    job::{Metric, Selection},
    score::Score,
};

/// What is said of an epoch. One bit, and all that the other side learns of
/// the validation rows: how good the epoch was is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is better than all before it. The first always is.
    Best,
    /// One before it was as good, or nearly.
    NotBest,
}

impl Encode for Verdict {
    fn encode(&self, out: &mut Vec<u8>) {
        let byte: u8 = match self {
            Self::Best => 1,
            Self::NotBest => 0,
        };
        byte.encode(out);
    }
}

impl Decode for Verdict {
    fn decode((): &(), input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match input.u8("verdict")? {
            1 => Ok(Self::Best),
            0 => Ok(Self::NotBest),
            _ => Err(DecodeError::Invalid {
                what: "verdict",
                why: "neither 0 nor 1",
            }),
        }
    }
}

/// Compares epochs, at the side that holds the labels.
#[derive(Debug, Clone)]
pub struct Judge {
    metric: Metric,
    min_delta: f64,
    /// Of the validation rows seen since the last verdict.
    seen: Score,
    /// How good the best epoch was; more is better.
    best: Option<f64>,
}

impl Judge {
    /// Before the first epoch.
    pub fn new(selection: Selection) -> Self {
        Self {
            metric: selection.metric,
            min_delta: selection.min_delta,
            seen: Score::default(),
            best: None,
        }
    }

    /// Takes in what was told of a batch of validation rows.
    pub fn add(&mut self, report: &Report) {
        self.seen.add(report);
    }

    /// The verdict on the epoch whose validation rows have all been taken in.
    pub fn verdict(&mut self) -> Verdict {
        let seen = std::mem::take(&mut self.seen);
        let goodness = match self.metric {
            Metric::Loss => seen.loss().map(|loss| -loss),
            Metric::Accuracy => seen.accuracy(),
        };
        // What is no number is no better than anything.
        let goodness = goodness.filter(|goodness| !goodness.is_nan());
        let goodness = goodness.unwrap_or(f64::NEG_INFINITY);
        match self.best {
            Some(best) if goodness <= best + self.min_delta => Verdict::NotBest,
            _ => {
                self.best = Some(goodness);
                Verdict::Best
            }
        }
    }
}

/// What it has seen. What it goes by is the job's.
impl Encode for Judge {
    fn encode(&self, out: &mut Vec<u8>) {
        self.seen.encode(out);
        put_option(self.best.as_ref(), out, |best, out| put_float(*best, out));
    }
}

impl Decode<Selection> for Judge {
    fn decode(selection: &Selection, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let seen = Score::decode(&(), input)?;
        let best = option("best epoch", input, |input| float("best epoch", input))?;
        Ok(Self {
            seen,
            best,
            ..Self::new(*selection)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use entente_wire::decode_exactly;

    use super::*;
    use crate::job::Keep;

    /// The verdicts on epochs of which four rows say this: loss, and how many
    /// are right.
    fn verdicts(metric: Metric, min_delta: f64, said: &[(f64, u64)]) -> Vec<bool> {
        let mut judge = Judge::new(Selection {
            metric,
            min_delta,
            patience: None,
            keep: Keep::Last,
        });
        let verdict = |(loss, correct): &(f64, u64)| {
            // In two batches of unequal size.
            for (samples, correct) in [(3, *correct), (1, 0)] {
                judge.add(&Report {
                    samples,
                    loss: Some(*loss),
                    correct: Some(correct),
                    ..Report::default()
                });
            }
            judge.verdict() == Verdict::Best
        };
        said.iter().map(verdict).collect()
    }

    #[test]
    fn less_loss_is_better_and_the_same_is_not() {
        let said = [(2.0, 0), (2.0, 3), (1.5, 0), (1.75, 3), (1.25, 0)];
        let expected = [true, false, true, false, true];
        assert_eq!(verdicts(Metric::Loss, 0.0, &said), expected);
    }

    #[test]
    fn more_accuracy_is_better_and_the_same_is_not() {
        let said = [(1.0, 1), (0.5, 1), (9.0, 2), (0.1, 0), (9.0, 3)];
        let expected = [true, false, true, false, true];
        assert_eq!(verdicts(Metric::Accuracy, 0.0, &said), expected);
    }

    /// By no more than the difference is not enough; and many small steps from
    /// the best, each too small, count together.
    #[test]
    fn a_difference_is_counted_from_the_best() {
        let said = [(4.0, 0), (3.5, 0), (3.0, 0), (2.5, 0), (2.0, 0), (1.25, 0)];
        let expected = [true, false, false, true, false, true];
        assert_eq!(verdicts(Metric::Loss, 1.0, &said), expected);
        let said = [(0.0, 1), (0.0, 2), (0.0, 3)];
        assert_eq!(verdicts(Metric::Accuracy, 0.25, &said), [true, false, true]);
    }

    #[test]
    fn the_first_epoch_is_the_best_whatever_it_says() {
        for loss in [f64::INFINITY, f64::NAN, 0.0] {
            assert_eq!(verdicts(Metric::Loss, 1e9, &[(loss, 0)]), [true]);
        }
        let said = [(f64::NAN, 0), (2.0, 0), (f64::NAN, 0)];
        assert_eq!(verdicts(Metric::Loss, 0.0, &said), [true, true, false]);
    }

    #[test]
    fn a_verdict_is_a_bit() {
        for verdict in [Verdict::Best, Verdict::NotBest] {
            let bytes = verdict.encoded();
            assert_eq!(bytes.len(), 1);
            assert_eq!(decode_exactly::<(), Verdict>(&(), &bytes), Ok(verdict));
        }
        for byte in 2..=u8::MAX {
            let error = decode_exactly::<(), Verdict>(&(), &[byte]).unwrap_err();
            assert_eq!(error.label(), "invalid");
        }
    }
}
