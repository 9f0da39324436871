//! What a job leaves at this party, brought to its place on the disk.

use std::{fs::File, io, path::PathBuf};

use entente_protocol::{
    Product,
    control::Progress,
    job::{Inference, Job, JobId, Side},
};

use crate::{
    data::RowNames,
    models::{Manifest, Models},
    results,
};

/// Knows where the product of one job belongs.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) state_dir: PathBuf,
    pub(crate) job: JobId,
    pub(crate) of: Keeps,
}

/// What is kept, with what must be known to keep it.
#[derive(Debug)]
pub(crate) enum Keeps {
    /// A half of a model.
    Model {
        job: Box<Job>,
        side: Side,
        /// What its classes are called here, if this side knows.
        classes: Option<Vec<String>>,
    },
    /// Nothing: it has been brought there before.
    Nothing,
    /// What a model says.
    Results {
        inference: Box<Inference>,
        version: JobId,
        rows: RowNames,
        /// What its classes are called here, if this side knows.
        classes: Option<Vec<String>>,
        /// Keeps the model from being deleted meanwhile.
        _model: File,
    },
}

impl Keeper {
    /// Saves a product. What is here of an earlier attempt is replaced.
    ///
    /// # Errors
    /// As the file system says.
    pub(crate) fn keep(&self, product: &Product, progress: &Progress) -> io::Result<()> {
        match (product, &self.of) {
            (Product::Half(half), Keeps::Model { job, side, classes }) => {
                let manifest = Manifest::new(
                    self.job,
                    job,
                    *side,
                    *progress,
                    classes.clone(),
                    half.expose(),
                );
                Models::below(&self.state_dir).save(&manifest, half)?;
                let (model, version) = (&manifest.name, self.job);
                tracing::info!(%model, %version, "this party's half is saved");
            }
            (
                Product::Evaluation(evaluation),
                Keeps::Results {
                    inference,
                    version,
                    classes,
                    ..
                },
            ) => {
                let classes = classes.as_deref();
                let file = results::evaluation_file(inference, *version, evaluation, classes);
                let path = results::save_evaluation(&self.state_dir, self.job, &file)?;
                tracing::info!(path = %path.display(), "the evaluation is saved");
            }
            (Product::Predictions(predictions), Keeps::Results { rows, classes, .. }) => {
                let file = results::predictions_file(predictions, rows, classes.as_deref())?;
                let path = results::save_predictions(&self.state_dir, self.job, &file)?;
                tracing::info!(path = %path.display(), "predictions are saved");
            }
            (Product::Nothing, Keeps::Results { .. }) => {}
            (product, _) => {
                let problem = format!("{product:?} came of another kind of job");
                return Err(io::Error::other(problem));
            }
        }
        Ok(())
    }
}
