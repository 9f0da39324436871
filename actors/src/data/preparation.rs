//! What stands between the data and the network: gaps filled, categories made
//! numbers, every column with mean 0 and deviation 1.
//!
//! Fitted over the rows that are learnt from, and no others: over all rows the
//! test rows would have a say in what the network sees, and the test accuracy
//! would be a little better than the truth. A network is of no use without what
//! it was fitted with, so this is saved with the active party's half of the
//! model, in the encoding below.

mod categories;
mod codec;
mod fit;
mod reuse;
#[cfg(test)]
mod tests;

pub(super) use fit::{Fitting, Recode, Unfit, fit, read};
pub(super) use reuse::reuse;

/// What every row goes through before the network sees it.
#[derive(Debug, Clone, PartialEq)]
pub enum Preparation {
    /// Named columns, each in its own way.
    Table(Vec<PreparedColumn>),
    /// Numbers without names.
    Array {
        /// Numbers of a row.
        width: usize,
        /// As many equal parts of a row as there are scales; each number goes
        /// by its part's.
        scales: Vec<Scale>,
    },
}

/// A column of a table, and how it becomes numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct PreparedColumn {
    /// Its name, or its number from 1.
    pub name: String,
    /// How.
    pub kind: PreparedKind,
}

/// How a column becomes numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum PreparedKind {
    /// A number.
    Number {
        /// What is put in where it is missing, if it may be.
        fill: Option<f64>,
        /// Then.
        scale: Scale,
    },
    /// A column of 0 and 1 for each category.
    OneHot {
        /// In this order.
        categories: Vec<String>,
    },
    /// The category's number in the list, from 0.
    Index {
        /// The list.
        categories: Vec<String>,
        /// Then.
        scale: Scale,
    },
}

/// `x -> (x - mean) / deviation`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Subtracted first.
    pub mean: f64,
    /// Not 0: a column that never changes over the rows that are learnt from
    /// has nothing to teach, and is only centred.
    pub deviation: f64,
}

impl Scale {
    /// Leaves everything as it is.
    const IDENTITY: Self = Self {
        mean: 0.0,
        deviation: 1.0,
    };

    fn apply(self, x: f64) -> f32 {
        ((x - self.mean) / self.deviation) as f32
    }
}

impl Preparation {
    /// Numbers that come out for a row.
    pub fn width(&self) -> usize {
        match self {
            Self::Array { width, .. } => *width,
            Self::Table(columns) => columns.iter().map(PreparedColumn::width).sum(),
        }
    }

    /// Prepares a raw row: a number for each column, NaN where one is missing,
    /// a category's number in its list. Appends to `out`.
    pub(super) fn apply(&self, raw: &[f64], out: &mut Vec<f32>) {
        match self {
            Self::Array { scales, .. } => {
                let part = (raw.len() / scales.len().max(1)).max(1);
                for (numbers, scale) in raw.chunks(part).zip(scales) {
                    out.extend(numbers.iter().map(|x| scale.apply(*x)));
                }
            }
            Self::Table(columns) => {
                for (column, x) in columns.iter().zip(raw) {
                    column.apply(*x, out);
                }
            }
        }
    }

    /// The raw column that number `at` of a prepared row comes from.
    pub(super) fn source_of(&self, at: usize) -> usize {
        let Self::Table(columns) = self else {
            return at;
        };
        let mut left = at;
        columns
            .iter()
            .position(|column| match left.checked_sub(column.width()) {
                Some(rest) => {
                    left = rest;
                    false
                }
                None => true,
            })
            .unwrap_or_default()
    }
}

impl PreparedColumn {
    fn width(&self) -> usize {
        match &self.kind {
            PreparedKind::OneHot { categories } => categories.len(),
            PreparedKind::Number { .. } | PreparedKind::Index { .. } => 1,
        }
    }

    fn apply(&self, x: f64, out: &mut Vec<f32>) {
        match &self.kind {
            PreparedKind::Number { fill, scale } => {
                let x = if x.is_nan() { fill.unwrap_or(x) } else { x };
                out.push(scale.apply(x));
            }
            PreparedKind::Index { scale, .. } => out.push(scale.apply(x)),
            PreparedKind::OneHot { categories } => {
                out.extend((0..categories.len()).map(|n| f32::from(n as f64 == x)));
            }
        }
    }
}
