//! The data of this party.
//!
//! A party's configuration names datasets and says of each where it comes
//! from, which of the two halves is held here, and what its columns mean; a
//! job names a dataset by that name. What the job needs of it follows from the
//! party's side: the active party owns the features, the passive party the
//! labels.
//!
//! ```text
//!   [datasets.loans]                        a job: data.dataset = "loans"
//!   source = "csv"                                      │
//!   columns = "features"   ─── this side's? ────────────┤
//!        │                                              ▼
//!        └── source ──▶ plan ──▶ store ──▶ ids ──▶ preparation ──▶ Features
//!            one pass   a cell   raw rows, in     fitted over the
//!            each file  becomes  memory   order,  rows that are
//!                       a number or not   split   learnt from
//!            source ──▶ classes ─────────▶ ids ─────────────────▶ Labels
//! ```
//!
//! Everything about the data that could end a job is found here, before the
//! first round: each cell is looked at once, and each row goes through its
//! preparation once. What a cell means is declared and never guessed: a column
//! is numeric unless categories are declared, a gap is an error unless a rule
//! is declared, classes are what the configuration lists, in its order.
//!
//! A model that is asked later sees its rows through the preparation that was
//! saved with it ([`Asked`]); nothing is fitted then.
//!
//! A further source is a further variant of [`DatasetConfig`] and a file that
//! shows its rows; everything above is the same for all.

mod asked;
mod classes;
mod config;
mod dataset;
mod error;
mod features;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod opening;
mod plan;
mod preparation;
mod reading;
mod source;
mod store;
#[cfg(test)]
pub(crate) mod tests;

use entente_protocol::{
    job::Job,
    network::{Features, Labels},
};

pub use self::{
    asked::{Asked, RowNames},
    config::{
        ArrayConfig, Categories, ColumnRef, Columns, DatasetConfig, Datasets, Encoding, Missing,
        MissingRule, Paths, Scaling, Selection, SelectionTable, TableConfig,
    },
    error::{DataError, Fault, Names, Place},
    opening::Opening,
    preparation::{Preparation, PreparedColumn, PreparedKind, Scale},
};

/// Opens the features of `job` as [`Opening::features`] does, with the system's
/// directory for temporary files: where there is no party's state directory.
///
/// # Errors
/// As there.
pub fn open_features(config: &DatasetConfig, job: &Job) -> Result<Box<dyn Features>, DataError> {
    let spool = &std::env::temp_dir();
    Opening { config, job, spool }.features()
}

/// Opens the labels of `job`.
///
/// # Errors
/// As [`Opening::labels`].
pub fn open_labels(config: &DatasetConfig, job: &Job) -> Result<Box<dyn Labels>, DataError> {
    let spool = &std::env::temp_dir();
    Opening { config, job, spool }.labels()
}
