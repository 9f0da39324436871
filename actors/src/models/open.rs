//! A half that is worked with.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use entente_protocol::{
    acml::{ActiveHalf, PassiveHalf},
    job::{Job, PartyName, Side},
};
use entente_wire::Secret;

use super::{Manifest, ModelError, manifest::digest_of_half};
use crate::{network::weights, private_file};

/// A half, read and found to be what was saved. While this lives the entry
/// cannot be deleted.
#[derive(Debug)]
pub struct OpenModel {
    /// What it is.
    pub manifest: Manifest,
    job: Job,
    half: Secret<Vec<u8>>,
    /// Locked as long as it is open.
    file: File,
}

impl OpenModel {
    pub(super) fn read(path: &PathBuf, manifest: Manifest) -> Result<Self, ModelError> {
        let job = manifest.job()?;
        let mut file = File::open(path)?;
        file.lock_shared()?;
        let mut half = Secret::new(Vec::new());
        file.read_to_end(half.expose_mut())?;
        if digest_of_half(half.expose()).to_string() != manifest.half_digest {
            let problem = "is not what was saved: it was altered";
            return Err(ModelError::half(manifest.version, problem));
        }
        Ok(Self {
            manifest,
            job,
            half,
            file,
        })
    }

    /// The job that trained it.
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// Whether `own` on `side` may ask it together with `peer`: those two
    /// trained it, on those sides.
    ///
    /// # Errors
    /// [`ModelError::OtherParties`]
    pub(crate) fn check_parties(
        &self,
        side: Side,
        own: &PartyName,
        peer: &PartyName,
    ) -> Result<(), ModelError> {
        let job = &self.job;
        let same =
            self.manifest.side == side && job.party(side) == own && job.party(side.other()) == peer;
        same.then_some(()).ok_or_else(|| ModelError::OtherParties {
            active: job.party(Side::Active).clone(),
            passive: job.party(Side::Passive).clone(),
        })
    }

    /// The half of the features' side.
    ///
    /// # Errors
    /// [`ModelError::Half`] when it is none.
    pub fn active(&self) -> Result<ActiveHalf, ModelError> {
        ActiveHalf::open(&self.job, self.half.expose())
            .map_err(|error| self.damaged(format!("is none: {error}")))
    }

    /// The half of the labels' side.
    ///
    /// # Errors
    /// [`ModelError::Half`] when it is none.
    pub fn passive(&self) -> Result<PassiveHalf, ModelError> {
        PassiveHalf::open(&self.job, self.half.expose())
            .map_err(|error| self.damaged(format!("is none: {error}")))
    }

    /// What is wrong with the half.
    pub(crate) fn damaged(&self, problem: String) -> ModelError {
        ModelError::half(self.manifest.version, problem)
    }

    /// Writes the network below the cut to a new file, in safetensors, by
    /// PyTorch's names.
    ///
    /// # Errors
    /// [`ModelError::NoNetworkHere`] at the labels' side;
    /// [`ModelError::FileExists`].
    pub fn export_network(&self, to: &Path) -> Result<(), ModelError> {
        if self.manifest.side == Side::Passive {
            return Err(ModelError::NoNetworkHere);
        }
        write_new(to, &weights::safetensors(&self.active()?.bottom)?)
    }

    /// Writes the half as it is to a new file.
    ///
    /// # Errors
    /// [`ModelError::FileExists`], or as the file system says.
    pub fn export_half(&self, to: &Path) -> Result<(), ModelError> {
        write_new(to, self.half.expose())
    }

    /// Keeps the entry from being deleted, for as long as this lives.
    pub(crate) fn into_hold(self) -> File {
        self.file
    }
}

fn write_new(to: &Path, content: &[u8]) -> Result<(), ModelError> {
    private_file::write_new(to, content).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => ModelError::FileExists,
        _ => error.into(),
    })
}
