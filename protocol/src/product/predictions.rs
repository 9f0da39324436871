//! Which classes a model takes rows for.

use core::fmt;

use entente_wire::{Decode, DecodeError, Encode, Reader, Secret};
use ndarray::{Array2, ArrayView1};

use super::saved;

/// What logits say of the samples of a batch, whatever their labels.
#[derive(Clone, PartialEq)]
pub struct Judged {
    /// The likeliest class of each sample, B of them; the first of several
    /// that are as likely.
    pub likeliest: Vec<usize>,
    /// The probability of each class, `B x classes`: of two classes two, also
    /// where one logit stands for both.
    pub probabilities: Array2<f64>,
}

/// The answers of a model, row for row. Wiped when dropped.
pub struct Predictions {
    classes: usize,
    rows: Vec<usize>,
    likeliest: Secret<Vec<usize>>,
    /// Row by row.
    probabilities: Secret<Vec<f64>>,
}

/// The answer for one row.
#[derive(Clone, Copy)]
pub struct Prediction<'a> {
    /// The row, as the parties count them, from 0.
    pub row: usize,
    /// Its likeliest class, from 0.
    pub class: usize,
    /// The probability of each class.
    pub probabilities: ArrayView1<'a, f64>,
}

impl Predictions {
    /// None yet, of so many classes.
    pub fn new(classes: usize) -> Self {
        Self {
            classes,
            rows: Vec::new(),
            likeliest: Secret::new(Vec::new()),
            probabilities: Secret::new(Vec::new()),
        }
    }

    /// Takes in what was said of these rows.
    pub fn add(&mut self, rows: &[usize], judged: &Judged) {
        self.rows.extend_from_slice(rows);
        let likeliest = self.likeliest.expose_mut();
        likeliest.extend_from_slice(&judged.likeliest);
        let probabilities = self.probabilities.expose_mut();
        probabilities.extend(judged.probabilities.iter());
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many rows were asked about.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Bytes that they take when they are encoded.
    pub(crate) fn encoded_bytes(&self) -> usize {
        8 * (2 * self.len() + self.probabilities.expose().len()) + 12
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Row for row, in the order in which they were asked about.
    pub fn iter(&self) -> impl Iterator<Item = Prediction<'_>> {
        let answers = self.probabilities.expose().chunks(self.classes.max(1));
        let rows = self.rows.iter().zip(self.likeliest.expose());
        rows.zip(answers).map(|((row, class), answer)| Prediction {
            row: *row,
            class: *class,
            probabilities: ArrayView1::from(answer),
        })
    }
}

impl Encode for Predictions {
    fn encode(&self, out: &mut Vec<u8>) {
        saved::put_numbers(&self.rows, out);
        saved::put_numbers(self.likeliest.expose(), out);
        saved::put_floats(self.probabilities.expose(), out);
    }
}

/// Of so many classes.
impl Decode<usize> for Predictions {
    fn decode(classes: &usize, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let rows = saved::numbers("predicted rows", input)?;
        let likeliest = Secret::new(saved::classes(*classes, input)?);
        let probabilities = Secret::new(saved::floats("probabilities", input)?);
        let answers = rows.len().checked_mul(*classes);
        if likeliest.expose().len() != rows.len() || answers != Some(probabilities.expose().len()) {
            return Err(DecodeError::Invalid {
                what: "predictions",
                why: "not an answer for each row",
            });
        }
        Ok(Self {
            classes: *classes,
            rows,
            likeliest,
            probabilities,
        })
    }
}

impl fmt::Debug for Predictions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Predictions({} rows, ..)", self.len())
    }
}
