//! What models have said, at the party that was to hear it.
//!
//! ```text
//!   STATE_DIR/results/JOB/predictions.csv    a row for each row asked about
//!                        /evaluation.json    loss, accuracy, AUC, and which
//!                                            classes are taken for which
//! ```
//!
//! For their owner alone, whole or not at all. Of an evaluation the coordinator
//! is told loss, accuracy and AUC. The confusion matrix stays here: its rows sum
//! to how many rows each class has, which is the labels' side's own matter.

mod evaluation;
mod predictions;

use std::{
    io,
    path::{Path, PathBuf},
};

use entente_protocol::job::JobId;

pub use self::evaluation::EvaluationFile;
pub(crate) use self::{evaluation::evaluation_file, predictions::predictions_file};
use crate::private_file;

const PREDICTIONS: &str = "predictions.csv";
const EVALUATION: &str = "evaluation.json";

/// Where the results of a job are.
fn directory(state_dir: &Path, job: JobId) -> PathBuf {
    state_dir.join("results").join(job.to_string())
}

/// Where the predictions of a job are.
pub(crate) fn predictions_path(state_dir: &Path, job: JobId) -> PathBuf {
    directory(state_dir, job).join(PREDICTIONS)
}

/// Where the evaluation of a job is.
pub(crate) fn evaluation_path(state_dir: &Path, job: JobId) -> PathBuf {
    directory(state_dir, job).join(EVALUATION)
}

/// Saves the predictions of a job; where.
pub(crate) fn save_predictions(state_dir: &Path, job: JobId, file: &[u8]) -> io::Result<PathBuf> {
    save(state_dir, job, PREDICTIONS, file)
}

/// Saves the evaluation of a job; where.
pub(crate) fn save_evaluation(
    state_dir: &Path,
    job: JobId,
    file: &EvaluationFile,
) -> io::Result<PathBuf> {
    let text = serde_json::to_vec_pretty(file)?;
    save(state_dir, job, EVALUATION, &text)
}

fn save(state_dir: &Path, job: JobId, name: &str, content: &[u8]) -> io::Result<PathBuf> {
    let directory = directory(state_dir, job);
    private_file::make_directory(&directory)?;
    private_file::write(&directory, name, content)?;
    Ok(directory.join(name))
}

/// The evaluations of a version of a model that lie here, oldest first. What
/// cannot be read among them is passed over.
///
/// # Errors
/// As the file system says.
pub fn evaluations_of(
    state_dir: &Path,
    version: JobId,
) -> io::Result<Vec<(JobId, EvaluationFile)>> {
    let listed = match std::fs::read_dir(state_dir.join("results")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed?,
    };
    let mut found = Vec::new();
    for entry in listed {
        let entry = entry?;
        let job = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let text = std::fs::read(entry.path().join(EVALUATION)).ok();
        let file = text.and_then(|text| serde_json::from_slice::<EvaluationFile>(&text).ok());
        let file = file.filter(|file| file.version == version);
        found.extend(job.zip(file));
    }
    found.sort_unstable_by_key(|(job, _)| *job);
    Ok(found)
}
