//! The models that this party has a half of.
//!
//! ```text
//!   STATE_DIR/models/JOB/half.bin        the half, for its owner alone
//!                       /manifest.json   what it is a half of; written last
//! ```
//!
//! A version is the job that trained it, so both parties call it the same
//! without a word between them. The manifest stands beside the half and says
//! what a network needs beyond its weights: the specification that trained it,
//! which side this is, and how it went. It is written last, and an entry without
//! one is an entry whose saving was interrupted.
//!
//! **Each half is useless alone.** The active party's has the network below the
//! cut and uniform noise; the passive party's the same noise with the weights of
//! the cut in it. Whoever has both has the model.

mod error;
mod manifest;
mod open;
mod versions;

#[cfg(test)]
pub(crate) mod tests;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use entente_protocol::job::{JobId, ModelName};
use entente_wire::Secret;

pub use self::{
    error::ModelError,
    manifest::Manifest,
    open::OpenModel,
    versions::{Entry, short},
};
use crate::private_file;

const HALF: &str = "half.bin";
const MANIFEST: &str = "manifest.json";
/// More than any manifest has: a job of a thousand layers, with room to spare.
const MAX_MANIFEST_BYTES: u64 = 4 << 20;

/// Where a party keeps its halves.
#[derive(Debug, Clone)]
pub struct Models {
    directory: PathBuf,
}

impl Models {
    /// Below a party's state directory.
    pub fn below(state_dir: &Path) -> Self {
        Self {
            directory: state_dir.join("models"),
        }
    }

    fn entry(&self, version: JobId) -> PathBuf {
        self.directory.join(version.to_string())
    }

    /// Where the half of a version is.
    pub fn half_path(&self, version: JobId) -> PathBuf {
        self.entry(version).join(HALF)
    }

    /// Where the manifest of a version is.
    pub(crate) fn manifest_path(&self, version: JobId) -> PathBuf {
        self.entry(version).join(MANIFEST)
    }

    /// Keeps a version from being deleted, for as long as the file is open.
    ///
    /// # Errors
    /// [`ModelError`]: it is not there, or of another name.
    pub(crate) fn hold(&self, name: &ModelName, version: JobId) -> Result<File, ModelError> {
        let manifest = self.manifest(version)?;
        manifest.check_name(name)?;
        let half = File::open(self.half_path(version))?;
        half.lock_shared()?;
        Ok(half)
    }

    /// Saves a half with its manifest; one of an earlier attempt is replaced.
    pub(crate) fn save(&self, manifest: &Manifest, half: &Secret<Vec<u8>>) -> io::Result<()> {
        let entry = self.entry(manifest.version);
        private_file::make_directory(&entry)?;
        // A manifest never stands beside a half that is not its own.
        match fs::remove_file(entry.join(MANIFEST)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        private_file::write(&entry, HALF, half.expose())?;
        private_file::write(&entry, MANIFEST, &serde_json::to_vec_pretty(manifest)?)
    }

    /// All versions, newest first; what cannot be read among them.
    ///
    /// # Errors
    /// [`ModelError::File`] when the directory cannot be read.
    pub fn list(&self) -> Result<Vec<Entry>, ModelError> {
        let mut entries = Vec::new();
        let listed = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(entries),
            listed => listed?,
        };
        for entry in listed {
            // What is no version was put there by somebody else.
            let name = entry?.file_name();
            let version = name.to_str().and_then(|name| name.parse().ok());
            if let Some(version) = version {
                let manifest = self.manifest(version);
                entries.push(Entry { version, manifest });
            }
        }
        entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.version));
        Ok(entries)
    }

    /// What is written of a version, and that its half is there in full.
    ///
    /// # Errors
    /// [`ModelError`]: it is not there, or cannot be read.
    pub fn manifest(&self, version: JobId) -> Result<Manifest, ModelError> {
        let entry = self.entry(version);
        if !entry.is_dir() {
            return Err(ModelError::NoVersion(version));
        }
        let manifest = Manifest::read(&entry.join(MANIFEST), version)?;
        let half = fs::metadata(entry.join(HALF)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ModelError::half(version, "is missing"),
            _ => error.into(),
        })?;
        if half.len() != manifest.half_bytes {
            let (is, was) = (half.len(), manifest.half_bytes);
            let problem = format!("has {is} bytes, and {was} were saved: it is cut short");
            return Err(ModelError::half(version, problem));
        }
        Ok(manifest)
    }

    /// The version that a person means: `NAME` (its newest), `NAME@VERSION`, or
    /// `VERSION`, where the beginning or the end of a version does if it is
    /// nobody else's.
    ///
    /// # Errors
    /// [`ModelError::Unknown`], [`ModelError::Ambiguous`].
    pub fn find(&self, wanted: &str) -> Result<JobId, ModelError> {
        versions::find(&self.list()?, wanted)
    }

    /// Opens a version of a model to ask it. While it is open nobody deletes
    /// it.
    ///
    /// # Errors
    /// [`ModelError`]: it is not there, is of another name, or was altered.
    pub fn open(&self, name: &ModelName, version: JobId) -> Result<OpenModel, ModelError> {
        let manifest = self.manifest(version)?;
        manifest.check_name(name)?;
        OpenModel::read(&self.half_path(version), manifest)
    }

    /// Deletes a version, whatever state it is in. There is no way back: the
    /// other party's half is useless from then on.
    ///
    /// # Errors
    /// [`ModelError::InUse`] while a job asks it.
    pub fn delete(&self, version: JobId) -> Result<(), ModelError> {
        let entry = self.entry(version);
        if !entry.is_dir() {
            return Err(ModelError::NoVersion(version));
        }
        let held = match File::open(entry.join(HALF)) {
            Ok(half) => Some(half),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        if held.as_ref().is_some_and(|half| half.try_lock().is_err()) {
            return Err(ModelError::InUse(version));
        }
        // Without its manifest it counts as none from here on, whatever
        // happens.
        for file in [MANIFEST, HALF] {
            match fs::remove_file(entry.join(file)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(fs::remove_dir_all(&entry)?)
    }
}
