//! The demonstration's datasets, as the samples in `deploy/` declare them.
//!
//! A declaration is used twice: each party finds it in its configuration, and
//! the comparison at the end opens both halves by it. So it is kept as it is
//! written, and understood where it is needed.

use std::path::Path;

use entente_actors::data::DatasetConfig;

use super::report::Sides;
use crate::{
    cli::{DemoArgs, DemoDataset},
    exit::Failure,
};

/// The folder that the samples take all files from.
const SAMPLE_FOLDER: &str = "data";

/// `[datasets.NAME]` of a party.
#[derive(Debug, Clone)]
pub(super) struct Half(toml::Table);

impl Half {
    /// As it is written.
    pub(super) fn table(&self) -> &toml::Table {
        &self.0
    }

    /// As it is understood.
    pub(super) fn config(&self) -> Result<DatasetConfig, Failure> {
        self.0.clone().try_into().map_err(Failure::runtime)
    }
}

impl DemoDataset {
    /// For people.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Iris => "Iris",
            Self::Mnist => "MNIST",
        }
    }

    /// The job that is submitted if the command line says nothing else.
    pub(super) fn job(self) -> &'static str {
        match self {
            Self::Iris => include_str!("../../deploy/iris.toml"),
            Self::Mnist => include_str!("../../deploy/mnist.toml"),
        }
    }

    /// Where each party's half is declared.
    fn declarations(self) -> Sides<&'static str> {
        match self {
            Self::Iris => Sides {
                active: include_str!("../../deploy/bank-a.toml"),
                passive: include_str!("../../deploy/bank-b.toml"),
            },
            Self::Mnist => Sides {
                active: include_str!("../../deploy/datasets-features.toml"),
                passive: include_str!("../../deploy/datasets-labels.toml"),
            },
        }
    }

    /// How many rows are taken of files that have more: so few that a person
    /// waits for the end. What comes with the software is small, and taken as a
    /// whole.
    fn usual_rows(self) -> Option<u64> {
        match self {
            Self::Iris => None,
            Self::Mnist => Some(600),
        }
    }
}

/// Both halves of the dataset `name`, with files that are there.
pub(super) fn halves(args: &DemoArgs, name: &str) -> Result<Sides<Half>, Failure> {
    let usual = args.dataset.usual_rows();
    if usual.is_none() && args.rows.is_some() {
        return Err(Failure::Configuration(format!(
            "--rows: {name} has no files to take fewer rows of; leave it out"
        )));
    }
    let rows = args.rows.or(usual);
    let Sides { active, passive } = args.dataset.declarations();
    Ok(Sides {
        active: half(active, name, rows, &args.data)?,
        passive: half(passive, name, rows, &args.data)?,
    })
}

fn half(sample: &str, name: &str, rows: Option<u64>, data: &Path) -> Result<Half, Failure> {
    let sample: toml::Table = toml::from_str(sample).map_err(Failure::runtime)?;
    let declared = sample.get("datasets").and_then(|sets| sets.get(name));
    let declared = declared.and_then(toml::Value::as_table);
    let mut table = declared
        .cloned()
        .ok_or_else(|| Failure::Runtime(format!("the samples declare no dataset {name}")))?;
    if let Some(path) = table.get("path").and_then(toml::Value::as_str) {
        let file = Path::new(path);
        let file = data.join(file.strip_prefix(SAMPLE_FOLDER).unwrap_or(file));
        // Here, where a sentence can say what to do, and not in a party's log.
        if !file.is_file() {
            return Err(Failure::Configuration(format!(
                "{name}: {} is not there. Say with --data (or ENTENTE_DATA_DIR) which folder has \
                 {name}/ with the published files; `entente data check DIR` says what is in one",
                file.display()
            )));
        }
        // A party reads it from wherever it runs.
        let file = std::path::absolute(file).map_err(Failure::runtime)?;
        table.insert("path".into(), file.display().to_string().into());
    }
    if let Some(rows) = rows {
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        table.insert("rows".into(), rows.into());
    }
    Ok(Half(table))
}
