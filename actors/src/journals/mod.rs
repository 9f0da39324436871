//! The journals of this party's jobs, on its disk.
//!
//! ```text
//!   STATE_DIR/lock                  held by the one party that runs here
//!   STATE_DIR/jobs/JOB/ATTEMPT.journal
//!                  │
//!   Accepted ──┐   ▼ one transaction             ┌─▶ Ack, Send, Save, Tell
//!   Sent ──────┼─▶ tables ── synced to the disk ─┘
//!   Rest ──────┘     └─ what is older than the last two checkpoints, deleted
//! ```
//!
//! A journal holds everything that an attempt at a job needs to go on after its
//! process has died: see [`Kept`](crate::delivery::Kept) for what and how long.
//! It is there from before the first message leaves until the coordinator's
//! wish does not name the attempt any more, and nothing but that wish deletes
//! it.
//!
//! # What is lost, and when
//! | | lost |
//! |---|---|
//! | kill -9, panic, out of memory | what was not committed, which nobody was told of |
//! | power cut | the same: what others rely on is synced before they hear of it |
//! | a disk that lies about syncing | as much as it lies |
//! | a checkpoint that cannot be read | nothing: the one before it and the messages since are there |
//!
//! Two kinds of records are not synced by themselves, since nobody relies on
//! them: that the peer has a message (it is sent again, and known there) and
//! that an exchange is at rest (it is come to again). They are on the disk with
//! the next record that is, and a power cut and kill -9 lose the same of them.
//! While the disk is busy with one commit, the records that follow gather and
//! are one commit too.
//!
//! # Why an embedded store
//! An own format would need its own proof of what a torn write does; `redb`
//! (pure Rust, one file, checksummed copy-on-write pages, no thread and no
//! server) has one. SQLite would bring a C library and SQL into a crate that
//! needs six small maps. A journal for each attempt and not one for all: an
//! attempt is deleted by removing its file, a damaged file is one job's, and no
//! job waits for another's commit.
//!
//! The files hold weights, shares and keys, as the process does: each value is
//! sealed before the store sees it (`seal.rs`, and [`crate::sealing`]). Pages
//! that it has given up, and copies that it makes of them, are ciphertext like
//! the rest. In the clear stand the job, the attempt, and how far it is.

mod encoding;
mod file;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod seal;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
};

use entente_protocol::job::JobId;
use entente_wire::Session;
use tokio_util::task::TaskTracker;

pub(crate) use self::file::{FileJournal, Found};
use crate::{delivery::JournalError, private_file, sealing::WrapKeys};

/// The journals below one state directory.
pub(crate) struct Journals {
    directory: PathBuf,
    keys: Arc<dyn WrapKeys>,
    open: TaskTracker,
}

impl Journals {
    /// Below a state directory, sealed by whoever wraps `keys`.
    pub(crate) fn below(state_dir: &Path, keys: Arc<dyn WrapKeys>) -> Self {
        Self {
            directory: state_dir.join("jobs"),
            keys,
            open: TaskTracker::new(),
        }
    }

    /// The journal of an attempt, with what it holds; nothing if there is none.
    ///
    /// # Errors
    /// [`JournalError`]: there is one, and it cannot be read.
    pub(crate) fn find(
        &self,
        job: JobId,
        attempt: u32,
        session: Session,
    ) -> Result<Option<Found>, JournalError> {
        let path = self.path(job, attempt);
        match fs::symlink_metadata(&path) {
            Ok(_) => FileJournal::open(path, session, &self.keys, self.open.token()).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(JournalError::Unwritable(error.to_string())),
        }
    }

    /// Whether there is one of an attempt.
    pub(crate) fn has(&self, job: JobId, attempt: u32) -> bool {
        fs::symlink_metadata(self.path(job, attempt)).is_ok()
    }

    /// A new journal for an attempt that has none.
    ///
    /// The store makes its file in several steps, and a process may die between
    /// any two. The journal gets its name after the last of them: a file by
    /// that name is whole, and what was left half made is made anew.
    ///
    /// # Errors
    /// [`JournalError`]: there is no room, or it cannot be written.
    pub(crate) fn create(
        &self,
        job: JobId,
        attempt: u32,
        session: Session,
    ) -> Result<FileJournal, JournalError> {
        let path = self.path(job, attempt);
        let unfinished = unfinished(&path);
        self.make_room(job, &unfinished)
            .map_err(|error| fault(&error))?;
        FileJournal::create(&unfinished, path, session, &*self.keys, self.open.token())
    }

    /// An empty file for its owner alone, in a folder of the job's own.
    fn make_room(&self, job: JobId, unfinished: &Path) -> io::Result<()> {
        let folder = self.directory.join(job.to_string());
        private_file::make_directory(&folder)?;
        match fs::remove_file(unfinished) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        private_file::write_new(unfinished, &[])?;
        // The folder's name too must outlast a power cut.
        private_file::sync_directory(&self.directory)
    }

    fn path(&self, job: JobId, attempt: u32) -> PathBuf {
        let folder = self.directory.join(job.to_string());
        folder.join(format!("{attempt}.journal"))
    }

    /// Deletes the journals of all attempts but these.
    ///
    /// # Errors
    /// As the file system says; what could not be deleted is tried again with
    /// the next wish.
    pub(crate) fn keep_only(&self, wished: &BTreeMap<JobId, u32>) -> io::Result<()> {
        for folder in listed(&self.directory)? {
            let job = named(&folder).and_then(|name| name.parse::<JobId>().ok());
            let Some(job) = job else { continue };
            let attempt = wished.get(&job).map(|attempt| self.path(job, *attempt));
            let kept = attempt
                .as_deref()
                .map(|path| [path.into(), unfinished(path)]);
            for file in listed(&folder)? {
                if kept.as_ref().is_none_or(|kept| !kept.contains(&file)) {
                    tracing::debug!(%job, file = %file.display(), "is not needed any more");
                    fs::remove_file(file)?;
                }
            }
            if attempt.is_none() {
                fs::remove_dir(folder)?;
            }
        }
        Ok(())
    }

    /// Resolves when every journal is closed that was opened.
    pub(crate) async fn closed(&self) {
        self.open.close();
        self.open.wait().await;
    }
}

/// What a journal is called until it is whole.
fn unfinished(path: &Path) -> PathBuf {
    path.with_extension("journal.unfinished")
}

fn named(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

fn listed(directory: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries?.map(|entry| Ok(entry?.path())).collect(),
    }
}

/// What an error of the file system is to a job.
fn fault(error: &io::Error) -> JournalError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => JournalError::NoSpace,
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
            JournalError::Damaged(error.to_string())
        }
        _ => JournalError::Unwritable(error.to_string()),
    }
}
