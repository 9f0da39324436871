//! An evaluation as it is kept.

use entente_protocol::{
    control::Evaluated,
    job::{Inference, JobId, ModelName},
    product::Evaluation,
};
use serde::{Deserialize, Serialize};

/// How good a model was found to be, with what stays at the labels' side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationFile {
    /// The model.
    pub model: ModelName,
    /// Its version.
    pub version: JobId,
    /// The dataset that it was held against.
    pub dataset: String,
    /// What others are told too.
    pub found: Evaluated,
    /// What the classes are called, in their order.
    pub classes: Vec<String>,
    /// How many rows of each class (down) were taken for each (across).
    pub confusion: Vec<Vec<u64>>,
}

/// The names of so many classes: those that are known, or their numbers.
pub(super) fn class_names(names: Option<&[String]>, count: usize) -> Vec<String> {
    match names {
        Some(names) if names.len() == count => names.to_vec(),
        _ => (0..count).map(|class| class.to_string()).collect(),
    }
}

/// What is kept of an evaluation.
pub(crate) fn evaluation_file(
    inference: &Inference,
    version: JobId,
    evaluation: &Evaluation,
    names: Option<&[String]>,
) -> EvaluationFile {
    let confusion = &evaluation.confusion;
    EvaluationFile {
        model: inference.spec().model.name.clone(),
        version,
        dataset: inference.spec().data.dataset.clone(),
        found: evaluation.told,
        classes: class_names(names, confusion.nrows()),
        confusion: confusion
            .rows()
            .into_iter()
            .map(|row| row.to_vec())
            .collect(),
    }
}
