//! What can be wrong with a party's data.
//!
//! An error has two texts. `Display` is for the operator of this party, who
//! must find the cell: it names file, line, column and value, and goes to this
//! party's log alone. [`DataError::for_record`] is what the coordinator and
//! the peer read in the job's record: which dataset, which row, what kind of
//! fault, and never a path, a column's name, an id or a value.

mod fault;

use core::fmt;
use std::path::{Path, PathBuf};

use entente_protocol::Class;
use thiserror::Error;

pub(super) use self::fault::unreadable;
pub use self::fault::{Fault, Names};

/// Why a dataset cannot serve a job.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("dataset '{dataset}'{place}: {fault}")]
pub struct DataError {
    /// The dataset, as jobs name it.
    pub dataset: String,
    /// Where in it.
    pub place: Box<Place>,
    /// What is wrong, and what to do.
    pub fault: Fault,
}

/// Where in a dataset, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The file.
    pub path: Option<PathBuf>,
    /// The row, from 1, without headings.
    pub row: Option<u64>,
    /// The line of a text file, from 1.
    pub line: Option<u64>,
    /// The column.
    pub column: Option<String>,
}

impl Place {
    /// A file, and nothing nearer.
    pub(super) fn file(path: &Path) -> Self {
        Self {
            path: Some(path.to_owned()),
            ..Self::default()
        }
    }

    /// A row of it.
    #[must_use]
    pub(super) fn row(self, row: u64) -> Self {
        Self {
            row: Some(row),
            ..self
        }
    }

    /// The line that the row stands in.
    #[must_use]
    pub(super) fn line(self, line: u64) -> Self {
        Self {
            line: Some(line),
            ..self
        }
    }

    /// A column of it.
    #[must_use]
    pub(super) fn column(self, column: &str) -> Self {
        Self {
            column: Some(column.to_owned()),
            ..self
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, ", {}", path.display())?;
        }
        match (self.line, self.row) {
            (Some(line), _) => write!(f, ", line {line}")?,
            (None, Some(row)) => write!(f, ", row {row}")?,
            (None, None) => {}
        }
        match &self.column {
            Some(column) => write!(f, ", column '{column}'"),
            None => Ok(()),
        }
    }
}

impl DataError {
    /// At a place of `dataset`.
    pub(super) fn new(dataset: &str, place: Place, fault: Fault) -> Self {
        Self {
            dataset: dataset.to_owned(),
            place: Box::new(place),
            fault,
        }
    }

    /// A closed set of names, for metrics and logs.
    pub fn label(&self) -> &'static str {
        self.fault.label()
    }

    /// What is to be done: a person must change the data or the job.
    pub fn class(&self) -> Class {
        Class::Operator
    }

    /// For the job's record, which others read.
    pub fn for_record(&self) -> String {
        let row = match self.place.row {
            Some(row) => format!(", row {row}"),
            None => String::new(),
        };
        format!(
            "dataset '{}'{row}: {}; this party's log says where, and what to do",
            self.dataset,
            self.fault.kind()
        )
    }
}
