//! What is written beside a half.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use entente_protocol::{
    control::Progress,
    job::{Job, JobId, JobSpec, ModelName, PartyName, Side},
};
use entente_wire::Digest;
use serde::{Deserialize, Serialize};

use super::{MAX_MANIFEST_BYTES, ModelError};

/// The format of this version of the software.
const FORMAT: u32 = 1;

/// What a half is a half of. Without weights, but not for others: it names the
/// party's classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Of this file.
    pub format: u32,
    /// What the model is called.
    pub name: ModelName,
    /// Which one of that name: the job that trained it.
    pub version: JobId,
    /// When it was saved, in milliseconds since 1970.
    pub trained_at_ms: u64,
    /// Whose half it is.
    pub side: Side,
    /// The specification that trained it.
    pub specification: JobSpec,
    /// The digest of that, in hexadecimal.
    pub specification_digest: String,
    /// How it went, as far as this side knows.
    pub progress: Progress,
    /// What the classes are called at this side, in their order; nothing where
    /// it does not know.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub classes: Option<Vec<String>>,
    /// How long the half is.
    pub half_bytes: u64,
    /// A digest of the half, in hexadecimal.
    pub half_digest: String,
}

/// What tells a half from an altered one.
pub(super) fn digest_of_half(half: &[u8]) -> Digest {
    Digest::of("entente half of a model", &[half])
}

impl Manifest {
    /// Of a half that `job` has trained.
    pub(crate) fn new(
        version: JobId,
        job: &Job,
        side: Side,
        progress: Progress,
        classes: Option<Vec<String>>,
        half: &[u8],
    ) -> Self {
        let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        Self {
            format: FORMAT,
            name: job.model().clone(),
            version,
            trained_at_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            side,
            specification: job.spec().clone(),
            specification_digest: job.digest().to_string(),
            progress,
            classes,
            half_bytes: half.len() as u64,
            half_digest: digest_of_half(half).to_string(),
        }
    }

    /// Reads and checks one: what it says of its specification must hold.
    pub(super) fn read(path: &Path, version: JobId) -> Result<Self, ModelError> {
        let wrong = |problem: String| ModelError::Manifest { version, problem };
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ModelError::Unfinished(version),
            _ => error.into(),
        })?;
        let mut text = String::new();
        file.take(MAX_MANIFEST_BYTES)
            .read_to_string(&mut text)
            .map_err(|error| wrong(error.to_string()))?;
        let manifest: Self =
            serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if manifest.format != FORMAT {
            let format = manifest.format;
            let problem = format!("it is of format {format}, and this software knows {FORMAT}");
            return Err(wrong(problem));
        }
        if manifest.version != version {
            return Err(wrong(format!("it is of version {}", manifest.version)));
        }
        let job = manifest.job()?;
        if job.digest().to_string() != manifest.specification_digest {
            return Err(wrong("its specification was altered".to_owned()));
        }
        Ok(manifest)
    }

    /// Whether it is of a model of this name.
    ///
    /// # Errors
    /// [`ModelError::OtherName`]
    pub(super) fn check_name(&self, name: &ModelName) -> Result<(), ModelError> {
        let same = self.name == *name;
        same.then_some(()).ok_or_else(|| ModelError::OtherName {
            version: self.version,
            is: self.name.clone(),
            wanted: name.clone(),
        })
    }

    /// The job that trained it.
    ///
    /// # Errors
    /// [`ModelError::Manifest`] when its specification is not legal (any more).
    pub fn job(&self) -> Result<Job, ModelError> {
        Job::try_from(self.specification.clone()).map_err(|error| ModelError::Manifest {
            version: self.version,
            problem: error.to_string(),
        })
    }

    /// Who has the other half.
    pub fn peer(&self) -> &PartyName {
        self.specification.parties.party(self.side.other())
    }
}
