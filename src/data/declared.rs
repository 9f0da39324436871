//! Public datasets as the samples in `deploy/` declare them.
//!
//! A declaration is used twice: each party finds it in its configuration, and
//! a comparison opens both halves by it. So it is kept as it is written, and
//! understood where it is needed.

use std::path::Path;

use entente_actors::data::DatasetConfig;

use crate::{exit::Failure, sides::Sides};

/// The folder that the samples take all files from.
const SAMPLE_FOLDER: &str = "data";

/// `[datasets.NAME]` of a party.
#[derive(Debug, Clone)]
pub(crate) struct Half(toml::Table);

impl Half {
    /// As it is written.
    pub(crate) fn table(&self) -> &toml::Table {
        &self.0
    }

    /// As it is understood.
    pub(crate) fn config(&self) -> Result<DatasetConfig, Failure> {
        self.0.clone().try_into().map_err(Failure::runtime)
    }
}

/// Where the dataset `name` is declared: Iris by the parties' own samples, all
/// others by the lists of datasets.
fn samples(name: &str) -> Sides<&'static str> {
    match name {
        "iris" => Sides {
            active: include_str!("../../deploy/bank-a.toml"),
            passive: include_str!("../../deploy/bank-b.toml"),
        },
        _ => Sides {
            active: include_str!("../../deploy/datasets-features.toml"),
            passive: include_str!("../../deploy/datasets-labels.toml"),
        },
    }
}

/// Both halves of the dataset `name`, of whose files, all of them below
/// `folder`, the first `rows` rows are taken.
///
/// # Errors
/// The file that is not there.
pub(crate) fn halves(name: &str, rows: Option<u64>, folder: &Path) -> Result<Sides<Half>, Failure> {
    let Sides { active, passive } = samples(name);
    Ok(Sides {
        active: half(active, name, rows, folder)?,
        passive: half(passive, name, rows, folder)?,
    })
}

fn half(sample: &str, name: &str, rows: Option<u64>, folder: &Path) -> Result<Half, Failure> {
    let sample: toml::Table = toml::from_str(sample).map_err(Failure::runtime)?;
    let declared = sample.get("datasets").and_then(|sets| sets.get(name));
    let declared = declared.and_then(toml::Value::as_table);
    let mut table = declared
        .cloned()
        .ok_or_else(|| Failure::Runtime(format!("the samples declare no dataset {name}")))?;
    if let Some(path) = table.remove("path") {
        table.insert("path".to_owned(), below(folder, &path, name)?);
    }
    if let Some(rows) = rows {
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        table.insert("rows".into(), rows.into());
    }
    Ok(Half(table))
}

/// A path of a sample, or a list of them, below `folder`: a file that is there.
fn below(folder: &Path, path: &toml::Value, name: &str) -> Result<toml::Value, Failure> {
    let path = match path {
        toml::Value::Array(paths) => {
            let paths = paths.iter().map(|path| below(folder, path, name));
            return paths.collect::<Result<Vec<_>, _>>().map(toml::Value::Array);
        }
        path => Path::new(path.as_str().unwrap_or_default()),
    };
    let file = folder.join(path.strip_prefix(SAMPLE_FOLDER).unwrap_or(path));
    // Here, where a sentence can say what to do, and not in a party's log.
    if !file.is_file() {
        return Err(Failure::Configuration(format!(
            "{name}: {} is not there. Say with --data (or ENTENTE_DATA_DIR) which folder has the \
             published files, a folder for each dataset; `entente data check DIR` says what is \
             in one",
            file.display()
        )));
    }
    // A party reads it from wherever it runs.
    let file = std::path::absolute(file).map_err(Failure::runtime)?;
    Ok(file.display().to_string().into())
}
