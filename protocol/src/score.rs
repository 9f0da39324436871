//! What the reports of several exchanges say together: of an epoch, of the
//! validation rows, of the test rows.

use entente_wire::{Decode, DecodeError, Encode, Reader};

use crate::{
    Report,
    checkpoint::{float, put_float},
};

/// Loss and hits over samples. Nothing is in it at the party without labels,
/// whose reports tell neither.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Score {
    samples: u64,
    correct: u64,
    /// Sum of loss x samples: the last batch may be a smaller one.
    loss: f64,
}

impl Score {
    /// Takes in what was told of a batch.
    pub fn add(&mut self, report: &Report) {
        if let (Some(loss), Some(correct)) = (report.loss, report.correct) {
            self.samples += report.samples;
            self.correct += correct;
            self.loss += loss * report.samples as f64;
        }
    }

    /// Samples that something was told of.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Mean loss of a sample; `None` while there are none.
    pub fn loss(&self) -> Option<f64> {
        (self.samples > 0).then(|| self.loss / self.samples as f64)
    }

    /// The part of the samples that was classified rightly, 0 to 1; `None`
    /// while there are none.
    pub fn accuracy(&self) -> Option<f64> {
        (self.samples > 0).then(|| self.correct as f64 / self.samples as f64)
    }
}

impl Encode for Score {
    fn encode(&self, out: &mut Vec<u8>) {
        self.samples.encode(out);
        self.correct.encode(out);
        put_float(self.loss, out);
    }
}

impl Decode for Score {
    fn decode((): &(), input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            samples: input.u64("samples")?,
            correct: input.u64("hits")?,
            loss: float("sum of losses", input)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_counts_the_same_in_a_smaller_batch() {
        let told = |samples, loss, correct| Report {
            samples,
            loss: Some(loss),
            correct: Some(correct),
            ..Report::default()
        };
        let mut score = Score::default();
        assert_eq!((score.loss(), score.accuracy()), (None, None));
        score.add(&told(3, 1.0, 3));
        score.add(&told(1, 5.0, 0));
        assert_eq!((score.loss(), score.accuracy()), (Some(2.0), Some(0.75)));
    }

    #[test]
    fn nothing_is_told_without_labels() {
        let mut score = Score::default();
        score.add(&Report {
            samples: 4,
            ..Report::default()
        });
        assert_eq!(score, Score::default());
    }
}
