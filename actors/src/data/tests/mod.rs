#![allow(clippy::unwrap_used, clippy::panic)]

mod asked;
mod bad_input;
mod irises;
mod known_files;
#[cfg(feature = "parquet")]
mod parquet;
mod tables;

use std::{
    fs,
    path::{Path, PathBuf},
};

use entente_protocol::job::{Job, JobSpec, SampleShape};
use tempfile::TempDir;

use super::*;

/// A job on the irises, the network 4-5-3, changed as a test wants it.
pub(crate) fn iris_job(edit: impl FnOnce(&mut JobSpec)) -> Job {
    let job = Job::from_toml(
        r#"
        name = "irises"
        parties = { active = "bank-a", passive = "bank-b" }
        data = { dataset = "iris" }
        network = { inputs = 4, bottom = [{ kind = "dense", units = 5 }, { kind = "tanh" }], classes = 3 }

        [training]
        epochs = 1
        batch_size = 16
        learning_rate = 0.1
        bottom = { optimizer = "sgd", learning_rate = 0.1 }
        seed = 1
        "#,
    )
    .unwrap();
    let mut spec = job.spec().clone();
    edit(&mut spec);
    spec.try_into().unwrap()
}

pub(crate) fn iris(columns: Columns) -> DatasetConfig {
    DatasetConfig::Iris {
        columns,
        standardise: None,
    }
}

/// A job on `dataset` with so many inputs and classes.
fn job(inputs: usize, classes: usize, edit: impl FnOnce(&mut JobSpec)) -> Job {
    iris_job(|spec| {
        spec.data.dataset = "table".into();
        spec.network.input = SampleShape::Row(inputs);
        spec.network.classes = classes;
        edit(spec);
    })
}

/// A folder for the files of one test.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

/// What a configuration says of a dataset at `path`, beside its path.
fn config(path: &Path, rest: &str) -> DatasetConfig {
    let text = format!("[table]\npath = {path:?}\n{rest}");
    let datasets: Datasets = toml_like(&text);
    datasets.check().unwrap();
    datasets.named("table").unwrap().clone()
}

fn toml_like(text: &str) -> Datasets {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn features_of(config: &DatasetConfig, job: &Job) -> Result<Vec<Vec<f32>>, DataError> {
    let features = open_features(config, job)?;
    let rows: Vec<usize> = (0..features.rows()).collect();
    let batch = features.batch(&rows).unwrap();
    Ok(batch.rows().into_iter().map(|row| row.to_vec()).collect())
}

fn classes_of(config: &DatasetConfig, job: &Job) -> Result<Vec<usize>, DataError> {
    let labels = open_labels(config, job)?;
    let rows: Vec<usize> = (0..labels.rows()).collect();
    Ok(labels.batch(&rows).unwrap())
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}
