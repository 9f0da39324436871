//! How good a model is on rows whose classes are known.

use core::fmt;

use entente_wire::{Decode, DecodeError, Encode, Reader, Secret};
use ndarray::Array2;

use super::{Judged, saved};
use crate::{Report, control::Evaluated, privacy::gauge::area, score::Score};

/// How good a model is, as the side with the labels knows it.
#[derive(Clone, PartialEq)]
pub struct Evaluation {
    /// What others may be told.
    pub told: Evaluated,
    /// How many rows of each class (down) were taken for each (across):
    /// `classes x classes`. Its rows sum to how many rows each class has, and
    /// so it stays at the side with the labels.
    pub confusion: Array2<u64>,
}

impl fmt::Debug for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Evaluation({:?}, ..)", self.told)
    }
}

/// An evaluation while its rows come in.
pub struct Evaluating {
    score: Score,
    confusion: Array2<u64>,
    /// The classes of the rows so far.
    classes: Secret<Vec<usize>>,
    /// The probability of each class for each of them, row by row.
    probabilities: Secret<Vec<f64>>,
}

impl Evaluating {
    /// Of so many classes.
    pub fn new(classes: usize) -> Self {
        Self {
            score: Score::default(),
            confusion: Array2::zeros((classes, classes)),
            classes: Secret::new(Vec::new()),
            probabilities: Secret::new(Vec::new()),
        }
    }

    /// Takes in a batch: what was told of it, what the model said, and the
    /// true classes.
    pub fn add(&mut self, report: &Report, judged: &Judged, classes: &[usize]) {
        self.score.add(report);
        for (class, taken_for) in classes.iter().zip(&judged.likeliest) {
            if let Some(count) = self.confusion.get_mut((*class, *taken_for)) {
                *count += 1;
            }
        }
        self.classes.expose_mut().extend_from_slice(classes);
        let probabilities = self.probabilities.expose_mut();
        probabilities.extend(judged.probabilities.iter());
    }

    /// Bytes that it takes when it is encoded.
    pub(crate) fn encoded_bytes(&self) -> usize {
        let gathered = self.classes.expose().len() + self.probabilities.expose().len();
        8 * (3 + self.confusion.len() + gathered) + 8
    }

    /// What has been found; nothing while there was no row.
    pub fn finish(&self) -> Option<Evaluation> {
        Some(Evaluation {
            told: Evaluated {
                rows: self.score.samples(),
                loss: self.score.loss()?,
                accuracy: self.score.accuracy()?,
                auc: self.auc(),
            },
            confusion: self.confusion.clone(),
        })
    }

    /// For two classes how well the second is told from the first; for more,
    /// each from all others, and the plain mean over those that have rows.
    fn auc(&self) -> Option<f64> {
        let count = self.confusion.nrows();
        let of = |class: usize| {
            let answers = self.probabilities.expose().chunks(count.max(1));
            let scores: Vec<f64> = answers.filter_map(|row| row.get(class).copied()).collect();
            let classes = self.classes.expose().iter();
            let hits: Vec<bool> = classes.map(|known| *known == class).collect();
            area(&scores, &hits).map(|(area, _)| area)
        };
        if count == 2 {
            return of(1);
        }
        let areas: Vec<f64> = (0..count).filter_map(of).collect();
        (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64)
    }
}

impl Encode for Evaluating {
    fn encode(&self, out: &mut Vec<u8>) {
        self.score.encode(out);
        self.confusion.iter().for_each(|count| count.encode(out));
        saved::put_numbers(self.classes.expose(), out);
        saved::put_floats(self.probabilities.expose(), out);
    }
}

/// Of so many classes.
impl Decode<usize> for Evaluating {
    fn decode(classes: &usize, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut evaluating = Self {
            score: Score::decode(&(), input)?,
            ..Self::new(*classes)
        };
        for count in &mut evaluating.confusion {
            *count = input.u64("confusion")?;
        }
        evaluating.classes = Secret::new(saved::classes(*classes, input)?);
        evaluating.probabilities = Secret::new(saved::floats("probabilities", input)?);
        let answers = evaluating.classes.expose().len().checked_mul(*classes);
        if answers != Some(evaluating.probabilities.expose().len()) {
            return Err(DecodeError::Invalid {
                what: "evaluation",
                why: "not an answer for each row",
            });
        }
        Ok(evaluating)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ndarray::array;

    use super::*;

    fn evaluated(probabilities: Array2<f64>, classes: &[usize]) -> Evaluation {
        let likeliest = probabilities
            .rows()
            .into_iter()
            .map(|row| {
                let largest = row.fold(0.0_f64, |a, b| a.max(*b));
                row.iter().position(|p| *p == largest).unwrap()
            })
            .collect();
        let mut evaluating = Evaluating::new(probabilities.ncols());
        let judged = Judged {
            likeliest,
            probabilities,
        };
        let report = Report {
            samples: classes.len() as u64,
            loss: Some(0.5),
            correct: Some(1),
            ..Report::default()
        };
        evaluating.add(&report, &judged, classes);
        evaluating.finish().unwrap()
    }

    #[test]
    fn two_classes_are_told_apart_by_the_second() {
        // Of the four pairs of a row of each class, three stand in order.
        let p = array![[0.9, 0.1], [0.3, 0.7], [0.4, 0.6], [0.2, 0.8]];
        let found = evaluated(p, &[0, 0, 1, 1]);
        assert_eq!(found.told.auc, Some(0.75));
        assert_eq!(found.confusion, array![[1, 1], [0, 2]]);
        assert_eq!((found.told.rows, found.told.accuracy), (4, 0.25));
    }

    #[test]
    fn of_more_classes_each_stands_against_the_rest() {
        let p = array![[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.6, 0.3, 0.1]];
        let found = evaluated(p, &[0, 1, 1]);
        // Class 0: 0.8 above 0.2 and 0.6. Class 1: 0.5 and 0.3 above 0.1.
        // Class 2 has no row and no say.
        assert_eq!(found.told.auc, Some(1.0));
        assert_eq!(found.confusion, array![[1, 0, 0], [1, 1, 0], [0, 0, 0]]);
    }

    #[test]
    fn nothing_is_found_in_nothing_and_one_class_is_told_from_none() {
        assert!(Evaluating::new(2).finish().is_none());
        let found = evaluated(array![[0.4, 0.6]], &[1]);
        assert_eq!(found.told.auc, None);
    }
}
