//! What stands in the file: nothing in the clear, and nothing for whoever has another
//! key.

use redb::ReadableTableMetadata;

use super::*;
use crate::sealing::{
    SealingKeys,
    testing::{Unreachable, key},
};

/// The part of a role that must be nowhere in a file.
const SECRET: &[u8] = b"role after";

fn holds(file: &[u8], secret: &[u8]) -> bool {
    file.windows(secret.len()).any(|window| window == secret)
}

#[test]
fn nothing_that_was_kept_stands_in_the_file_in_the_clear() {
    let disk = Disk::new();
    let mut journal = disk.create();
    for exchange in 0..20 {
        let records = [
            rest(exchange),
            accepted(at(exchange, 0), b"what the peer said"),
            sent(at(exchange, 0), b"what was said to it"),
        ];
        assert!(matches!(&records[0], Record::Rest(kept) if holds(kept.role.expose(), SECRET)));
        journal.commit(&records).unwrap();
        // While it is open, with pages that are not used any more.
        let file = fs::read(disk.file()).unwrap();
        for secret in [
            SECRET,
            b"what the peer said",
            b"what was said",
            b"exchanges_done",
        ] {
            assert!(!holds(&file, secret), "after {exchange}");
        }
    }
}

#[test]
fn a_journal_is_locked_to_whoever_has_another_key_and_waits_for_it() {
    let disk = Disk::new().used();
    let before = fs::read(disk.file()).unwrap();
    let others: [(Arc<dyn WrapKeys>, &str); 2] = [
        (keys(b"b"), "this party has"),
        (Arc::new(Unreachable), "reached"),
    ];
    for (others, said) in others {
        let other = Journals::below(disk.folder.path(), others);
        let error = other.find(job(), 1, session()).err().unwrap();
        assert_eq!(error.label(), "journal_locked");
        assert!(error.to_string().contains(said), "{error}");
        assert!(
            error.to_string().contains("nothing of them was deleted"),
            "{error}"
        );
        assert!(
            error.waits_for().is_some(),
            "it goes on when the key is back"
        );
    }
    assert_eq!(fs::read(disk.file()).unwrap().len(), before.len());
    assert!(!disk.found().fell_back);
}

#[test]
fn a_journal_is_not_begun_without_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let journals = Journals::below(folder.path(), Arc::new(Unreachable));
    let error = journals.create(job(), 1, session()).err().unwrap();
    assert_eq!(error.label(), "journal_locked");
    let none = Journals::below(folder.path(), keys(b"a")).find(job(), 1, session());
    assert!(none.unwrap().is_none());
}

#[test]
fn a_sealing_key_is_followed_by_another_while_jobs_run() {
    let disk = Disk::new().used();
    let both = SealingKeys::new(key(b"b"), vec![key(b"a")]);
    let rotating = Journals::below(disk.folder.path(), Arc::new(both));
    let whole = content(&disk.found().kept);
    let found = rotating.find(job(), 1, session()).unwrap().unwrap();
    assert_eq!(content(&found.kept), whole);
    let mut journal = found.journal;
    // Until nothing is left that was written under the first.
    for exchange in 4..9 {
        journal
            .commit(&[rest(exchange), accepted(at(exchange, 0), b"heard")])
            .unwrap();
    }
    for exchange in 0..4 {
        journal
            .commit(&[Record::Acknowledged(at(exchange, 0))])
            .unwrap();
    }
    drop(journal);
    drop(rotating.find(job(), 1, session()).unwrap());
    let after = Journals::below(disk.folder.path(), keys(b"b"));
    let found = after.find(job(), 1, session()).unwrap().unwrap();
    assert_eq!(found.kept.checkpoints.len(), 2);
    drop(found);
    assert_eq!(disk.find().err().unwrap().label(), "journal_locked");
}

#[test]
fn a_journal_that_is_opened_often_keeps_few_keys() {
    let disk = Disk::new().used();
    for exchange in 4..40 {
        disk.found().journal.commit(&[rest(exchange)]).unwrap();
    }
    let database = Database::open(disk.file()).unwrap();
    let read = database.begin_read().unwrap();
    let keys: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("keys");
    assert!(read.open_table(keys).unwrap().len().unwrap() < 10);
}
