//! Which version of a model a job asks.
//!
//! "The newest" is a moment's word: fixed here, once, when the job is submitted,
//! from the record of trainings that succeeded. Both parties so run the same
//! version, and the job's digest says which; what is trained meanwhile changes
//! nothing. Whether the parties still have their halves only they can say.

use entente_protocol::job::{JobId, ModelName, ModelRef, Parties, Task};
use thiserror::Error;

use super::Engine;
use crate::job::JobState;

/// Why there is no model to ask.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoModel {
    /// Nothing of that name was trained by these two.
    #[error(
        "{active} and {passive} have trained no model '{name}' that succeeded: train it first, \
         or see entente job list for what there is"
    )]
    Never {
        /// The name.
        name: ModelName,
        /// Who owns the features.
        active: String,
        /// Who owns the labels.
        passive: String,
    },
    /// The version is a job that made no such model.
    #[error("job {version} is no version of '{name}' of these parties: it {why}")]
    NotIt {
        /// The version.
        version: JobId,
        /// The name.
        name: ModelName,
        /// What it is instead.
        why: String,
    },
}

impl Engine {
    /// The same task, with the version of the model that it asks.
    pub(super) fn with_version(&self, task: Task) -> Result<Task, NoModel> {
        let Task::Infer(inference) = task else {
            return Ok(task);
        };
        let (model, parties) = (&inference.spec().model, &inference.spec().parties);
        let version = match model.version {
            Some(version) => {
                self.check_version(version, model, parties)?;
                version
            }
            None => self.newest(model, parties)?,
        };
        Ok(inference.of_version(version).into())
    }

    fn newest(&self, model: &ModelRef, parties: &Parties) -> Result<JobId, NoModel> {
        let newest = self.jobs.values().rev().find(|record| {
            let Task::Train(job) = &*record.task else {
                return false;
            };
            record.state == JobState::Succeeded
                && *job.model() == model.name
                && job.spec().parties == *parties
        });
        newest
            .map(|record| record.id)
            .ok_or_else(|| NoModel::Never {
                name: model.name.clone(),
                active: parties.active.to_string(),
                passive: parties.passive.to_string(),
            })
    }

    /// A version that this coordinator knows nothing of is the parties' to
    /// judge: their models outlive its record.
    fn check_version(
        &self,
        version: JobId,
        model: &ModelRef,
        parties: &Parties,
    ) -> Result<(), NoModel> {
        let Some(record) = self.jobs.get(&version) else {
            return Ok(());
        };
        let why = match &*record.task {
            Task::Train(job) if *job.model() != model.name => {
                format!("trained '{}'", job.model())
            }
            Task::Train(job) if job.spec().parties != *parties => {
                let of = &job.spec().parties;
                format!(
                    "was between {} (active) and {} (passive)",
                    of.active, of.passive
                )
            }
            Task::Train(_) if record.state == JobState::Succeeded => return Ok(()),
            Task::Train(_) => format!("is {}, not succeeded", record.state),
            Task::Infer(_) => "asked a model and trained none".to_owned(),
        };
        Err(NoModel::NotIt {
            version,
            name: model.name.clone(),
            why,
        })
    }
}
