//! Journals on a disk: as in memory, and as little trusted as a disk.

#![allow(clippy::unwrap_used, clippy::panic)]

mod sealing;

use std::{fs, os::unix::fs::PermissionsExt, sync::Arc};

use entente_protocol::{Sent, control::Progress};
use entente_wire::{Digest, Envelope, Kind, Position, Secret, WireVersion};
use proptest::{prelude::*, test_runner::RngSeed};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use tempfile::TempDir;

use super::*;
use crate::delivery::{
    Checkpoint, Counts, Ended, Journal, Kept, Left, MemoryJournal, Packet, Received, Record,
};
use crate::sealing::testing::keys;

const CHECKPOINTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("checkpoints");

fn session() -> Session {
    Session::new(Digest::of("test", &[]), WireVersion::NEWEST)
}

fn job() -> JobId {
    "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap()
}

struct Disk {
    folder: TempDir,
    journals: Journals,
}

impl Disk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journals = Journals::below(folder.path(), keys(b"a"));
        Self { folder, journals }
    }

    fn create(&self) -> FileJournal {
        self.journals.create(job(), 1, session()).unwrap()
    }

    fn find(&self) -> Result<Option<Found>, JournalError> {
        self.journals.find(job(), 1, session())
    }

    fn found(&self) -> Found {
        self.find().unwrap().unwrap()
    }

    fn file(&self) -> PathBuf {
        let folder = self.folder.path().join("jobs").join(job().to_string());
        folder.join("1.journal")
    }

    /// Changes a byte in a checkpoint, as a disk might.
    fn rot(&self, exchanges_done: u64) {
        let database = Database::open(self.file()).unwrap();
        let write = database.begin_write().unwrap();
        let mut table = write.open_table(CHECKPOINTS).unwrap();
        let mut value = table.get(exchanges_done).unwrap().unwrap().value().to_vec();
        *value.last_mut().unwrap() ^= 1;
        table.insert(exchanges_done, value.as_slice()).unwrap();
        drop(table);
        write.commit().unwrap();
    }

    /// With three exchanges done.
    fn used(self) -> Self {
        let mut journal = self.create();
        for exchange in 0..4 {
            let records = [
                rest(exchange),
                accepted(at(exchange, 0), b"heard"),
                sent(at(exchange, 0), b"said"),
            ];
            journal.commit(&records).unwrap();
        }
        self
    }
}

fn at(exchange: u64, step: u8) -> Position {
    Position { exchange, step }
}

fn rest(exchanges_done: u64) -> Record {
    let progress = Progress {
        exchanges_done,
        loss: Some(0.1),
        ..Progress::default()
    };
    Record::Rest(Arc::new(Checkpoint {
        exchanges_done,
        counts: Counts {
            progress,
            ..Counts::default()
        },
        role: Secret::new(format!("role after {exchanges_done}").into_bytes()),
    }))
}

fn accepted(position: Position, payload: &[u8]) -> Record {
    let envelope = Envelope::new(session(), position, payload.to_vec());
    Record::Accepted(Arc::new(Received::from(envelope)))
}

fn sent(position: Position, content: &[u8]) -> Record {
    let kind = Kind(7);
    let sent = Sent {
        kind,
        name: "test",
        payload: [&kind.0.to_be_bytes(), content].concat(),
    };
    Record::Sent(Packet::new(session(), position, sent))
}

/// All that is kept, in a form that can be compared.
fn content(kept: &Kept) -> impl PartialEq + std::fmt::Debug + use<> {
    let checkpoints = kept.checkpoints.values();
    let checkpoints: Vec<_> = checkpoints
        .map(|one| (one.exchanges_done, one.counts, one.role.expose().clone()))
        .collect();
    (checkpoints, kept.messages.clone(), kept.ended.clone())
}

/// A history as a session could have it.
fn history() -> impl Strategy<Value = Vec<Vec<Record>>> {
    let step = (0_u8..6, 0_u8..3, prop::collection::vec(any::<u8>(), 0..200));
    let steps = prop::collection::vec(step, 0..40);
    (steps, 1_usize..5).prop_map(|(steps, at_once)| {
        let (mut done, mut records) = (0, vec![rest(0)]);
        for (what, step, bytes) in steps {
            records.push(match what {
                0 => accepted(at(done, step), &bytes),
                1 => accepted(at(done + 1, step), &bytes),
                2 => sent(at(done, step), &bytes),
                3 => Record::Acknowledged(at(done, step)),
                4 => Record::Acknowledged(at(done.saturating_sub(1), step)),
                _ => {
                    done += 1;
                    rest(done)
                }
            });
        }
        records.chunks(at_once).map(<[_]>::to_vec).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_journal_on_disk_holds_what_one_in_memory_holds(history in history()) {
        let disk = Disk::new();
        let (mut journal, mut memory) = (disk.create(), MemoryJournal::new());
        for records in &history {
            journal.commit(records).unwrap();
            memory.commit(records).unwrap();
        }
        drop(journal);
        let found = disk.found();
        prop_assert!(!found.fell_back);
        prop_assert_eq!(content(&found.kept), content(memory.kept()));
    }
}

proptest! {
    // The same damage in every run: what the store makes of any other is its
    // own affair, and this is no place to be surprised by it.
    #![proptest_config(ProptestConfig {
        cases: 24,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    /// Bits that have turned over are noticed: nothing is read that was not
    /// written so.
    #[test]
    fn a_damaged_file_is_an_error_and_no_panic(
        places in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 1..60),
    ) {
        let disk = Disk::new().used();
        let whole = disk.found().kept;
        let mut file = fs::read(disk.file()).unwrap();
        for (place, turned) in places {
            let place = place.index(file.len());
            file[place] ^= turned;
        }
        fs::write(disk.file(), file).unwrap();
        match disk.find() {
            Ok(Some(found)) => {
                let (read, whole) = (found.kept.messages, whole.messages);
                prop_assert!(read.heard.iter().all(|row| whole.heard.get(row.0) == Some(row.1)));
                prop_assert!(read.sent.iter().all(|row| whole.sent.get(row.0) == Some(row.1)));
                for (exchange, count) in read.written {
                    prop_assert_eq!(whole.written.get(&exchange), Some(&count));
                }
                for (done, checkpoint) in found.kept.checkpoints {
                    let role = format!("role after {done}").into_bytes();
                    prop_assert_eq!(checkpoint.role.expose(), &role);
                }
            }
            Ok(None) => prop_assert!(false, "it is there"),
            Err(error) => prop_assert!(!error.label().is_empty()),
        }
        prop_assert!(disk.file().exists());
    }
}

#[test]
fn a_file_that_was_never_closed_is_as_good() {
    let disk = Disk::new();
    let mut journal = disk.create();
    journal.commit(&[rest(0), sent(at(0, 0), b"said")]).unwrap();
    let alive = fs::read(disk.file()).unwrap();
    drop(journal);
    fs::write(disk.file(), alive).unwrap();
    let kept = disk.found().kept;
    assert_eq!(kept.messages.sent.len(), 1);
    assert_eq!(kept.messages.written[&0], 1);
}

#[test]
fn a_checkpoint_that_cannot_be_read_is_replaced_by_the_one_before() {
    let disk = Disk::new().used();
    disk.rot(3);
    let found = disk.found();
    assert!(found.fell_back);
    assert_eq!(
        found.kept.messages.accepted.len(),
        2,
        "of exchanges 2 and 3"
    );
    let Left::AtRest(restored) = found.kept.left() else {
        panic!("at rest")
    };
    assert_eq!(restored.checkpoint.exchanges_done, 2);
    // It is gone through again, and then all is as it was.
    let mut journal = found.journal;
    journal.commit(&[rest(3)]).unwrap();
    drop(journal);
    assert!(!disk.found().fell_back);
}

#[test]
fn without_any_checkpoint_there_is_an_error_and_nothing_is_deleted() {
    let disk = Disk::new().used();
    disk.rot(2);
    disk.rot(3);
    let error = disk.find().err().unwrap();
    assert_eq!(error.label(), "checkpoint_damaged");
    assert!(error.to_string().contains("nothing of them was deleted"));
    assert!(disk.file().exists());
}

#[test]
fn a_journal_that_ended_needs_no_checkpoint() {
    let disk = Disk::new().used();
    let ended = Record::Ended(Box::new(Ended {
        progress: Progress::default(),
        failure: None,
    }));
    disk.found().journal.commit(&[ended]).unwrap();
    disk.rot(2);
    disk.rot(3);
    assert!(matches!(disk.found().kept.left(), Left::Ended(..)));
}

#[test]
fn a_file_that_is_no_journal_is_damaged() {
    let disk = Disk::new().used();
    for content in [b"not a journal, and shorter".as_slice(), b""] {
        fs::write(disk.file(), content).unwrap();
        assert_eq!(disk.find().err().unwrap().label(), "checkpoint_damaged");
    }
}

/// Found by a party that was killed again and again: the store had made its
/// pages and none of the tables, and the job failed for damaged records.
#[test]
fn a_journal_half_made_was_never_begun() {
    let disk = Disk::new();
    let unfinished = unfinished(&disk.file());
    fs::create_dir_all(unfinished.parent().unwrap()).unwrap();
    let wished = BTreeMap::from([(job(), 1)]);
    for _ in 0..2 {
        drop(Database::create(&unfinished).unwrap());
        assert!(disk.find().unwrap().is_none());
        // It may be in the making while the coordinator wishes.
        disk.journals.keep_only(&wished).unwrap();
        assert!(unfinished.exists());
    }
    fs::write(&unfinished, b"the begin of a page").unwrap();
    drop(disk.create());
    assert!(!unfinished.exists());
    assert!(matches!(disk.found().kept.left(), Left::Nothing));
    fs::write(&unfinished, b"").unwrap();
    disk.journals.keep_only(&BTreeMap::new()).unwrap();
    assert!(!unfinished.exists());
}

#[test]
fn journals_are_their_owners_alone() {
    let disk = Disk::new().used();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&disk.file()), 0o600);
    assert_eq!(mode(disk.file().parent().unwrap()), 0o700);
    assert_eq!(mode(&disk.folder.path().join("jobs")), 0o700);
}

#[test]
fn attempts_that_are_not_wished_are_deleted_and_no_others() {
    let disk = Disk::new().used();
    drop(disk.journals.create(job(), 2, session()).unwrap());
    let other: JobId = "01890a5d-ac96-774b-bcce-b302099a8058".parse().unwrap();
    drop(disk.journals.create(other, 1, session()).unwrap());
    disk.journals
        .keep_only(&BTreeMap::from([(job(), 1)]))
        .unwrap();
    assert!(disk.find().unwrap().is_some());
    assert!(disk.journals.find(job(), 2, session()).unwrap().is_none());
    assert!(disk.journals.find(other, 1, session()).unwrap().is_none());
    disk.journals.keep_only(&BTreeMap::new()).unwrap();
    let left = fs::read_dir(disk.folder.path().join("jobs")).unwrap();
    assert_eq!(left.count(), 0);
}

/// The session remembers its version, and what an older release has written, which
/// has no word for it, is of the first.
#[test]
fn a_journal_is_of_its_sessions_version_and_of_no_other() {
    for (kept, wanted) in [
        (WireVersion::V1, WireVersion::V2),
        (WireVersion::V2, WireVersion::V1),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let journals = Journals::below(folder.path(), keys(b"a"));
        let of = |version| Session::new(Digest::of("an attempt", &[]), version);
        drop(journals.create(job(), 1, of(kept)).unwrap());
        let error = journals.find(job(), 1, of(wanted)).err().unwrap();
        let expected = JournalError::OtherVersion {
            kept: kept.number(),
            wanted,
        };
        assert_eq!(error, expected);
        assert_eq!(error.label(), "journal_version");
        assert!(journals.find(job(), 1, of(kept)).unwrap().is_some());

        let about: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("about");
        let database = Database::open(journals.path(job(), 1)).unwrap();
        let read = database.begin_read().unwrap();
        let about = read.open_table(about).unwrap();
        let said = about.get("wire").unwrap().is_some();
        assert_eq!(said, kept != WireVersion::FIRST);
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_said_without_its_path() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("jobs"), b"a file in the way").unwrap();
    let journals = Journals::below(folder.path(), keys(b"a"));
    let error = journals.create(job(), 1, session()).err().unwrap();
    assert_eq!(error.label(), "journal");
    let path = folder.path().display().to_string();
    assert!(!error.to_string().contains(&path), "{error}");
}
