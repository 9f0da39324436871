//! Files that party and worker hand over to each other.
//!
//! A worker finds the half of a model that it asks in its own directory, and leaves
//! there what comes of its job, as a job does that runs in the party. In between the
//! files go over the connection. So the party alone writes where models and results
//! lie, `entente model` finds them at one place, and no disk has to be shared
//! between machines.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use entente_protocol::job::{JobId, Task};
use serde::{Deserialize, Serialize};

use super::message::{Label, MAX_PART_BYTES};
use crate::{models::Models, private_file, results};

/// A file that is handed over: which, and of which job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Parcel {
    /// The half of a model.
    Half(JobId),
    /// What it is a half of. After it: without one a half counts for nothing.
    Manifest(JobId),
    /// What an evaluation has found.
    Evaluation(JobId),
    /// What was predicted.
    Predictions(JobId),
}

impl Parcel {
    /// What a job needs that is there already.
    pub(super) fn needed(task: &Task) -> Vec<Self> {
        match task {
            Task::Train(_) => Vec::new(),
            Task::Infer(inference) => {
                let version = inference.spec().model.version;
                version.map_or_else(Vec::new, |version| {
                    vec![Self::Half(version), Self::Manifest(version)]
                })
            }
        }
    }

    /// What may come of a job.
    pub(super) fn made_by(task: &Task, job: JobId) -> [Self; 2] {
        match task {
            Task::Train(_) => [Self::Half(job), Self::Manifest(job)],
            Task::Infer(_) => [Self::Evaluation(job), Self::Predictions(job)],
        }
    }

    /// Where it lies.
    pub(super) fn path(self, state_dir: &Path) -> PathBuf {
        match self {
            Self::Half(version) => Models::below(state_dir).half_path(version),
            Self::Manifest(version) => Models::below(state_dir).manifest_path(version),
            Self::Evaluation(job) => results::evaluation_path(state_dir, job),
            Self::Predictions(job) => results::predictions_path(state_dir, job),
        }
    }
}

/// A file on its way out, part by part.
pub(super) struct Outgoing {
    parcel: Parcel,
    file: File,
    left: u64,
    first: bool,
}

impl Outgoing {
    /// Of a file below `state_dir`; nothing if it is not there.
    ///
    /// # Errors
    /// As the file system says.
    pub(super) fn open(state_dir: &Path, parcel: Parcel) -> io::Result<Option<Self>> {
        let file = match File::open(parcel.path(state_dir)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        Ok(Some(Self {
            parcel,
            left: file.metadata()?.len(),
            file,
            first: true,
        }))
    }

    /// The next part; nothing after the last.
    ///
    /// # Errors
    /// As the file system says; a file that has become shorter meanwhile.
    pub(super) fn next(&mut self) -> io::Result<Option<(Label, Vec<u8>)>> {
        if self.left == 0 && !self.first {
            return Ok(None);
        }
        let length = self.left.min(MAX_PART_BYTES as u64);
        let mut bytes = vec![0; length as usize];
        self.file.read_exact(&mut bytes)?;
        self.left -= length;
        let label = Label {
            parcel: self.parcel,
            first: std::mem::take(&mut self.first),
            last: self.left == 0,
        };
        Ok(Some((label, bytes)))
    }
}

/// Files on their way in: one after the other, as one connection brings them.
pub(super) struct Incoming {
    state_dir: PathBuf,
    /// No other connection's.
    number: u64,
    begun: Option<Begun>,
}

struct Begun {
    parcel: Parcel,
    file: File,
    unfinished: PathBuf,
}

impl Incoming {
    /// Below `state_dir`, over the connection of this number.
    pub(super) fn below(state_dir: &Path, number: u64) -> Self {
        Self {
            state_dir: state_dir.to_owned(),
            number,
            begun: None,
        }
    }

    /// Takes a part; whether a file is whole with it, and kept.
    ///
    /// # Errors
    /// As the file system says; a part of a file that has not begun.
    pub(super) fn take(&mut self, label: Label, bytes: &[u8]) -> io::Result<bool> {
        if label.first {
            self.begin(label.parcel)?;
        }
        let begun = self.begun.as_mut();
        let Some(begun) = begun.filter(|begun| begun.parcel == label.parcel) else {
            return Err(io::Error::other("a part of a file that has not begun"));
        };
        begun.file.write_all(bytes)?;
        if label.last {
            self.end()?;
        }
        Ok(label.last)
    }

    fn begin(&mut self, parcel: Parcel) -> io::Result<()> {
        self.drop_unfinished();
        let path = parcel.path(&self.state_dir);
        let unfinished = path.with_extension(format!("arriving-{}", self.number));
        private_file::make_directory(folder(&path)?)?;
        absent(&unfinished)?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unfinished)?;
        self.begun = Some(Begun {
            parcel,
            file,
            unfinished,
        });
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        let Some(begun) = &self.begun else {
            return Ok(());
        };
        begun.file.sync_all()?;
        if let Parcel::Half(version) = begun.parcel {
            // A manifest never stands beside a half that is not its own.
            absent(&Parcel::Manifest(version).path(&self.state_dir))?;
        }
        let path = begun.parcel.path(&self.state_dir);
        fs::rename(&begun.unfinished, &path)?;
        private_file::sync_directory(folder(&path)?)?;
        self.begun = None;
        Ok(())
    }

    fn drop_unfinished(&mut self) {
        if let Some(begun) = self.begun.take() {
            // What is left of it is written over by nobody, and read by nobody.
            let _ = fs::remove_file(begun.unfinished);
        }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.drop_unfinished();
    }
}

fn folder(path: &Path) -> io::Result<&Path> {
    path.parent()
        .ok_or_else(|| io::Error::other("a file without a folder"))
}

fn absent(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn job() -> JobId {
        "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap()
    }

    fn put(state_dir: &Path, parcel: Parcel, content: &[u8]) {
        let path = parcel.path(state_dir);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    #[test]
    fn files_of_every_length_arrive_whole() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut incoming = Incoming::below(there.path(), 1);
        for length in [0, 1, MAX_PART_BYTES, 2 * MAX_PART_BYTES + 1] {
            let content: Vec<u8> = (0..length).map(|at| (at / 7) as u8).collect();
            let parcel = Parcel::Predictions(job());
            put(here.path(), parcel, &content);
            let mut outgoing = Outgoing::open(here.path(), parcel).unwrap().unwrap();
            let mut whole = false;
            while let Some((label, bytes)) = outgoing.next().unwrap() {
                assert!(!whole);
                whole = incoming.take(label, &bytes).unwrap();
            }
            assert!(whole);
            let path = parcel.path(there.path());
            assert_eq!(fs::read(&path).unwrap(), content);
            assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        }
        let absent = Outgoing::open(here.path(), Parcel::Half(job())).unwrap();
        assert!(absent.is_none());
    }

    #[test]
    fn what_breaks_off_leaves_nothing_and_a_half_has_its_own_manifest_or_none() {
        let there = tempfile::tempdir().unwrap();
        let (half, manifest) = (Parcel::Half(job()), Parcel::Manifest(job()));
        put(there.path(), half, b"old");
        put(there.path(), manifest, b"of the old one");
        let label = |first, last| Label {
            parcel: half,
            first,
            last,
        };
        let mut incoming = Incoming::below(there.path(), 1);
        assert!(incoming.take(label(false, true), b"x").is_err());
        incoming.take(label(true, false), b"ne").unwrap();
        drop(incoming);
        assert_eq!(fs::read(half.path(there.path())).unwrap(), b"old");
        assert!(manifest.path(there.path()).exists());

        let mut incoming = Incoming::below(there.path(), 2);
        incoming.take(label(true, false), b"ne").unwrap();
        assert!(incoming.take(label(false, true), b"w").unwrap());
        assert_eq!(fs::read(half.path(there.path())).unwrap(), b"new");
        assert!(!manifest.path(there.path()).exists());
        let folder = half.path(there.path());
        assert_eq!(fs::read_dir(folder.parent().unwrap()).unwrap().count(), 1);
    }
}
