//! What a party's configuration says of its datasets.

mod columns;
mod table;

use core::fmt;
use std::{collections::BTreeMap, path::PathBuf};

use entente_protocol::job::Side;
use serde::Deserialize;

pub use self::columns::{
    Categories, ColumnRef, Encoding, Missing, MissingRule, Selection, SelectionTable,
};
pub use self::table::TableConfig;
use self::table::comma;
use super::{
    DataError,
    error::{Fault, Names, Place},
};

/// The half of a dataset that a party holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Columns {
    /// What is known of each sample.
    Features,
    /// The class of each sample.
    Labels,
    /// Neither: which rows there are, for the labels' side of predictions that
    /// are matched by id.
    Ids,
}

impl Columns {
    /// The half that a side needs.
    fn needed_by(side: Side) -> Self {
        match side {
            Side::Active => Self::Features,
            Side::Passive => Self::Labels,
        }
    }

    /// Whether this half is the one that `side` needs of `dataset`.
    pub(super) fn serve(self, side: Side, dataset: &str) -> Result<(), DataError> {
        let needed = Self::needed_by(side);
        if self == needed {
            return Ok(());
        }
        let fault = Fault::WrongHalf {
            held: self,
            needed,
            side: side.label(),
        };
        Err(DataError::new(dataset, Place::default(), fault))
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Features => "features",
            Self::Labels => "labels",
            Self::Ids => "ids",
        })
    }
}

/// One dataset of a party: where it comes from, and which half is held here.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case", deny_unknown_fields)]
pub enum DatasetConfig {
    /// Fisher's irises, which come with this software: 150 rows, 4 features, 3
    /// classes. For trying things out, where one source plays both halves.
    Iris {
        /// The half that this party plays the owner of. The other is dropped
        /// as soon as it has been read.
        columns: Columns,
        /// `standardise`: "each" (the default), "together" or "none".
        standardise: Option<Scaling>,
    },
    /// Comma-separated values, plain or gzip.
    Csv(TableConfig),
    /// Parquet; needs the cargo feature `parquet`.
    Parquet(TableConfig),
    /// Arrays as MNIST has them, plain or gzip: the first dimension counts
    /// rows. As labels, one dimension of classes.
    Idx(ArrayConfig),
    /// The binary version of CIFAR-10, plain or gzip: both halves in one file,
    /// of which the other is skipped.
    Cifar10(ArrayConfig),
    /// NumPy's arrays, plain or gzip: the first dimension counts rows. As
    /// labels, one dimension of classes.
    Npy(ArrayConfig),
}

/// Arrays: rows of numbers without names.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArrayConfig {
    /// `path`: a file, or a list of files that are read one after the other.
    pub path: Paths,
    /// `columns`: the half that is held here, "features" or "labels".
    pub columns: Columns,
    /// `standardise`: "each", "together" (the default for images: IDX and
    /// CIFAR-10) or "none".
    pub standardise: Option<Scaling>,
    /// `rows`: only so many, the first; all if left out.
    pub rows: Option<u64>,
    /// `memory_mb`: what is larger is kept in the state directory while a job
    /// runs, and not in memory; 1024 if left out.
    #[serde(default = "default_memory_mb")]
    pub memory_mb: u64,
}

fn default_memory_mb() -> u64 {
    1024
}

/// How numbers are brought to mean 0 and deviation 1 over the rows that are
/// learnt from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// Every column by itself.
    Each,
    /// All columns by one mean and deviation; of images, each channel. The edge
    /// of an image hardly ever changes, and by itself would be blown up to
    /// something that outshines the rest.
    Together,
    /// Not at all.
    None,
}

/// One file, or several that are read one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "expected a path, or a list of paths")]
pub enum Paths {
    /// One.
    One(PathBuf),
    /// Several.
    Several(Vec<PathBuf>),
}

impl Paths {
    pub(super) fn each(&self) -> &[PathBuf] {
        match self {
            Self::One(path) => std::slice::from_ref(path),
            Self::Several(paths) => paths,
        }
    }
}

impl DatasetConfig {
    /// The half that is held here.
    pub fn columns(&self) -> Columns {
        match self {
            Self::Iris { columns, .. } => *columns,
            Self::Csv(table) | Self::Parquet(table) => table.columns,
            Self::Idx(array) | Self::Cifar10(array) | Self::Npy(array) => array.columns,
        }
    }

    /// What the classes are called, in their order; nothing where they are
    /// numbers from 0.
    pub fn classes(&self) -> &[String] {
        match self {
            Self::Csv(table) | Self::Parquet(table) => &table.classes,
            _ => &[],
        }
    }

    /// Its files.
    pub fn paths(&self) -> &[PathBuf] {
        match self {
            Self::Iris { .. } => &[],
            Self::Csv(table) | Self::Parquet(table) => table.path.each(),
            Self::Idx(array) | Self::Cifar10(array) | Self::Npy(array) => array.path.each(),
        }
    }

    /// How the numbers of an array are standardised.
    pub(super) fn array_scaling(&self) -> Scaling {
        match self {
            Self::Idx(array) | Self::Cifar10(array) => {
                array.standardise.unwrap_or(Scaling::Together)
            }
            Self::Npy(array) => array.standardise.unwrap_or(Scaling::Each),
            Self::Iris { standardise, .. } => standardise.unwrap_or(Scaling::Each),
            Self::Csv(_) | Self::Parquet(_) => Scaling::Each,
        }
    }

    /// What the types cannot hold: the fault, or nothing.
    fn check(&self) -> Result<(), String> {
        if !matches!(self, Self::Iris { .. }) && self.paths().is_empty() {
            return Err("path names no file".to_owned());
        }
        let is_table = matches!(self, Self::Csv(_) | Self::Parquet(_));
        if self.columns() == Columns::Ids && !is_table {
            return Err("columns = \"ids\" is for tables: csv or parquet".to_owned());
        }
        match self {
            Self::Csv(table) => {
                if !table.delimiter.is_ascii() || "\"\r\n".contains(table.delimiter) {
                    return Err("delimiter must be one ASCII character, and no quote".to_owned());
                }
                table.check()
            }
            Self::Parquet(table) => {
                if !table.header || table.delimiter != comma() {
                    return Err("header and delimiter are for source = \"csv\"".to_owned());
                }
                table.check()
            }
            _ => Ok(()),
        }
    }
}

/// The datasets of a party, by the name that jobs use.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Datasets(BTreeMap<String, DatasetConfig>);

impl Datasets {
    /// The names of all of them, ascending.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The dataset of this name.
    ///
    /// # Errors
    /// [`Fault::Unknown`] when the configuration has none.
    pub fn named(&self, dataset: &str) -> Result<&DatasetConfig, DataError> {
        self.0.get(dataset).ok_or_else(|| {
            let fault = Fault::Unknown {
                known: Names(self.0.keys().cloned().collect()),
            };
            DataError::new(dataset, Place::default(), fault)
        })
    }

    /// Checks what can be checked without opening a file.
    ///
    /// # Errors
    /// [`Fault::Configuration`] naming the dataset and what would be right.
    pub fn check(&self) -> Result<(), DataError> {
        for (dataset, config) in &self.0 {
            config.check().map_err(|problem| {
                let fault = Fault::Configuration { problem };
                DataError::new(dataset, Place::default(), fault)
            })?;
        }
        Ok(())
    }
}
