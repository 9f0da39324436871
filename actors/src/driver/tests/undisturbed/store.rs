//! Journals that outlive the process that writes them.

use std::{fs, sync::Arc};

use entente_wire::{Digest, Session};
use tempfile::TempDir;

use super::super::session;
use crate::{
    delivery::{Journal, JournalError, Kept, MemoryJournal, Record},
    journals::{FileJournal, Journals},
    sealing::testing::keys,
};

/// Where a side keeps its records.
pub(super) trait Store: Journal + Sized {
    fn empty() -> Self;
    /// What another process finds, after this one was killed.
    fn reborn(self) -> (Self, Kept);
}

impl Store for MemoryJournal {
    fn empty() -> Self {
        Self::new()
    }

    fn reborn(self) -> (Self, Kept) {
        let kept = self.kept().clone();
        (self, kept)
    }
}

/// A file, and another one for each life.
pub(super) struct OnDisk {
    journal: FileJournal,
    journals: Journals,
    lives: u32,
    folder: Arc<TempDir>,
}

impl OnDisk {
    fn path(&self) -> std::path::PathBuf {
        let folder = self.folder.path().join("jobs").join(JOB);
        folder.join(format!("{}.journal", self.lives))
    }
}

const JOB: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

impl Store for OnDisk {
    fn empty() -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let journals = Journals::below(folder.path(), keys(b"a"));
        let journal = journals.create(JOB.parse().unwrap(), 0, session());
        Self {
            journal: journal.unwrap(),
            journals,
            lives: 0,
            folder,
        }
    }

    /// Whoever is killed closes nothing: what is found is a copy of the file
    /// as it is while it is open.
    fn reborn(mut self) -> (Self, Kept) {
        let file = fs::read(self.path()).unwrap();
        self.lives += 1;
        fs::write(self.path(), file).unwrap();
        let found = self
            .journals
            .find(JOB.parse().unwrap(), self.lives, session());
        let found = found.unwrap().unwrap();
        assert!(!found.fell_back);
        self.journal = found.journal;
        (self, found.kept)
    }
}

impl Journal for OnDisk {
    fn commit(&mut self, records: &[Record]) -> Result<(), JournalError> {
        self.journal.commit(records)
    }
}

/// So that the digest of a session is not taken for a constant.
#[test]
fn a_journal_of_another_session_is_not_taken_for_this_ones() {
    let store = OnDisk::empty();
    let other = Session::new(Digest::of("another", &[]), session().version());
    drop(store.journal);
    let found = store.journals.find(JOB.parse().unwrap(), 0, other);
    assert!(matches!(found, Err(JournalError::Damaged(_))));
}
