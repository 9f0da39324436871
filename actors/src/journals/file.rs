//! One journal in one file.

use std::{
    collections::BTreeMap,
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
};

use entente_wire::{Position, Session, WireVersion};
use redb::{
    Builder, Database, Durability, ReadableDatabase, ReadableTable, TableDefinition,
    WriteTransaction,
};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::{
    encoding, fault,
    seal::{Opener, Row, Sealer},
};
use crate::{
    compute::Panicked,
    delivery::{Ended, Journal, JournalError, Kept, Record, digests_from, whole_from},
    private_file,
    sealing::WrapKeys,
};

const ABOUT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("about");
const CHECKPOINTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("checkpoints");
const ACCEPTED: TableDefinition<'_, (u64, u8), &[u8]> = TableDefinition::new("accepted");
const HEARD: TableDefinition<'_, (u64, u8), &[u8]> = TableDefinition::new("heard");
const SENT: TableDefinition<'_, (u64, u8), &[u8]> = TableDefinition::new("sent");
const WRITTEN: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("written");
const KEYS: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("keys");

/// Keys of [`ABOUT`].
const SESSION: &str = "session";
const FORMAT: &str = "format";
/// The version that the session's messages are written in; the first if it is not
/// there, as in the journals of releases that knew no other.
const WIRE: &str = "wire";
const ENDED: &str = "ended";

/// The arrangement of the tables. In the first one nothing was sealed.
const THIS_FORMAT: &[u8] = &[2];

/// Records are written once and read at a restart: a cache would only be
/// another copy of them.
const CACHE_BYTES: usize = 1 << 20;

/// The journal of one attempt at a job.
///
/// It answers an error of its disk by closing the file: the next commit opens
/// it again, and finds the last state that was whole.
pub(crate) struct FileJournal {
    path: PathBuf,
    sealer: Sealer,
    /// Openings whose keys are not needed any more.
    unused: Vec<u32>,
    /// The key of this opening is in the file.
    key_is_kept: bool,
    database: Option<Database>,
    _open: TaskTrackerToken,
}

/// A journal that was there, and what it holds.
pub(crate) struct Found {
    pub(crate) journal: FileJournal,
    pub(crate) kept: Kept,
    /// The newest checkpoint cannot be read; the one before it stands for it.
    pub(crate) fell_back: bool,
}

impl FileJournal {
    /// In a new and empty file, which is given its name when it is whole.
    pub(super) fn create(
        unfinished: &Path,
        path: PathBuf,
        session: Session,
        keys: &dyn WrapKeys,
        open: TaskTrackerToken,
    ) -> Result<Self, JournalError> {
        let sealer = Sealer::new(session.id(), 0, keys).inspect_err(|error| said(&path, error))?;
        let database = careful(|| {
            let database = builder().create(unfinished).map_err(broken)?;
            let write = database.begin_write().map_err(broken)?;
            let mut about = write.open_table(ABOUT).map_err(broken)?;
            let id = session.id();
            for (key, value) in [(FORMAT, THIS_FORMAT), (SESSION, id.0.as_bytes())] {
                about.insert(key, value).map_err(broken)?;
            }
            if session.version() != WireVersion::FIRST {
                let number = session.version().number().to_be_bytes();
                about.insert(WIRE, number.as_slice()).map_err(broken)?;
            }
            drop(about);
            // So that a reader finds all tables, though they be empty.
            write.open_table(CHECKPOINTS).map_err(broken)?;
            write.open_table(ACCEPTED).map_err(broken)?;
            write.open_table(HEARD).map_err(broken)?;
            write.open_table(SENT).map_err(broken)?;
            write.open_table(WRITTEN).map_err(broken)?;
            enter_key(&write, &sealer)?;
            write.commit().map_err(broken)?;
            named(unfinished, &path).map_err(|error| fault(&error))?;
            Ok(database)
        })?;
        Ok(Self {
            path,
            sealer,
            unused: Vec::new(),
            key_is_kept: true,
            database: Some(database),
            _open: open,
        })
    }

    /// In a file that is there.
    pub(super) fn open(
        path: PathBuf,
        session: Session,
        keys: &Arc<dyn WrapKeys>,
        open: TaskTrackerToken,
    ) -> Result<Found, JournalError> {
        let (database, kept, fell_back, (sealer, unused)) = careful(|| {
            let database = builder().open(&path).map_err(broken)?;
            let mut opener = wrapped_keys(&database, session)
                .map(|wrapped| Opener::new(session.id(), keys, wrapped))?;
            let (kept, fell_back) = read(&database, session, &mut opener)?;
            Ok((database, kept, fell_back, opener.next()?))
        })
        .inspect_err(|error| said(&path, error))?;
        let journal = Self {
            path,
            sealer,
            unused,
            key_is_kept: false,
            database: Some(database),
            _open: open,
        };
        Ok(Found {
            journal,
            kept,
            fell_back,
        })
    }

    fn write(&mut self, records: &[Record]) -> Result<(), JournalError> {
        let (path, sealer, unused) = (&self.path, &mut self.sealer, &self.unused);
        let (key_is_kept, last) = (self.key_is_kept, self.database.take());
        let database = careful(|| {
            let database = last.map_or_else(|| builder().open(path).map_err(broken), Ok)?;
            let mut write = database.begin_write().map_err(broken)?;
            if !records.iter().any(Record::is_relied_upon) {
                let lazily = write.set_durability(Durability::None);
                lazily.map_err(|error| JournalError::Unwritable(error.to_string()))?;
            }
            // With the first rows that are under it, or not at all.
            if !key_is_kept {
                enter_key(&write, sealer)?;
                let mut keys = write.open_table(KEYS).map_err(broken)?;
                for opening in unused {
                    keys.remove(opening).map_err(broken)?;
                }
            }
            for record in records {
                enter(&write, sealer, record)?;
            }
            write.commit().map_err(broken)?;
            Ok(database)
        });
        self.database = Some(database.inspect_err(|error| said(path, error))?);
        self.key_is_kept = true;
        Ok(())
    }
}

impl Journal for FileJournal {
    fn commit(&mut self, records: &[Record]) -> Result<(), JournalError> {
        self.write(records)
    }
}

impl Drop for FileJournal {
    fn drop(&mut self) {
        // To close it is to write to it, by what its pages say.
        let database = self.database.take();
        if let Err(error) = careful(|| {
            drop(database);
            Ok(())
        }) {
            said(&self.path, &error);
        }
    }
}

/// The name must outlast a power cut, as what is behind it does.
fn named(unfinished: &Path, path: &Path) -> io::Result<()> {
    fs::rename(unfinished, path)?;
    path.parent().map_or(Ok(()), private_file::sync_directory)
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

fn enter_key(write: &WriteTransaction, sealer: &Sealer) -> Result<(), JournalError> {
    let mut keys = write.open_table(KEYS).map_err(broken)?;
    let (opening, wrapped) = sealer.key();
    keys.insert(opening, wrapped).map_err(broken)?;
    Ok(())
}

/// As [`Kept::apply`](crate::delivery::Kept::apply) does it in memory.
fn enter(
    write: &WriteTransaction,
    sealer: &mut Sealer,
    record: &Record,
) -> Result<(), JournalError> {
    match record {
        Record::Accepted(received) => {
            let at = received.envelope.position();
            let mut accepted = write.open_table(ACCEPTED).map_err(broken)?;
            let payload = sealer.seal(Row::Accepted(at), received.envelope.payload())?;
            accepted
                .insert(key(at), payload.as_slice())
                .map_err(broken)?;
            let mut heard = write.open_table(HEARD).map_err(broken)?;
            let digest = sealer.seal(Row::Heard(at), received.digest.as_bytes())?;
            heard.insert(key(at), digest.as_slice()).map_err(broken)?;
        }
        Record::Sent(packet) => {
            let at = packet.position;
            let mut sent = write.open_table(SENT).map_err(broken)?;
            let frame = sealer.seal(Row::Sent(at), &packet.frame)?;
            sent.insert(key(at), frame.as_slice()).map_err(broken)?;
            let mut written = write.open_table(WRITTEN).map_err(broken)?;
            let count = sealer.seal(Row::Written(at.exchange), &[at.step.saturating_add(1)])?;
            written
                .insert(at.exchange, count.as_slice())
                .map_err(broken)?;
        }
        Record::Acknowledged(position) => {
            let mut sent = write.open_table(SENT).map_err(broken)?;
            sent.remove(key(*position)).map_err(broken)?;
        }
        Record::Rest(checkpoint) => {
            let done = checkpoint.exchanges_done;
            let (whole, digests) = (whole_from(done), digests_from(done));
            let mut checkpoints = write.open_table(CHECKPOINTS).map_err(broken)?;
            let value = encoding::checkpoint(checkpoint)?;
            let value = sealer.seal(Row::Checkpoint(done), value.expose())?;
            checkpoints.insert(done, value.as_slice()).map_err(broken)?;
            let old = checkpoints.retain_in(..whole, |_, _| false);
            old.map_err(broken)?;
            let mut accepted = write.open_table(ACCEPTED).map_err(broken)?;
            let old = accepted.retain_in(..(whole, 0), |_, _| false);
            old.map_err(broken)?;
            let mut written = write.open_table(WRITTEN).map_err(broken)?;
            let old = written.retain_in(..whole, |_, _| false);
            old.map_err(broken)?;
            let mut heard = write.open_table(HEARD).map_err(broken)?;
            let old = heard.retain_in(..(digests, 0), |_, _| false);
            old.map_err(broken)?;
        }
        Record::Ended(ended) => {
            let value = serde_json::to_vec(ended)
                .map_err(|error| JournalError::Unwritable(error.to_string()))?;
            let value = sealer.seal(Row::Ended, &value)?;
            let mut about = write.open_table(ABOUT).map_err(broken)?;
            about.insert(ENDED, value.as_slice()).map_err(broken)?;
        }
    }
    Ok(())
}

/// The keys of all openings, wrapped, of a journal of this session.
fn wrapped_keys(
    database: &Database,
    session: Session,
) -> Result<BTreeMap<u32, Vec<u8>>, JournalError> {
    let read = database.begin_read().map_err(broken)?;
    let about = read.open_table(ABOUT).map_err(broken)?;
    let is = |key: &str, value: &[u8]| {
        let there = about.get(key).map_err(broken)?;
        Ok(there.is_some_and(|there| there.value() == value))
    };
    if !is(FORMAT, THIS_FORMAT)? {
        return Err(damaged("they are not of this version"));
    }
    let wire = about.get(WIRE).map_err(broken)?;
    let wire = wire.map_or(WireVersion::FIRST.number(), |wire| {
        let bytes = wire.value().try_into();
        bytes.map_or(0, u16::from_be_bytes)
    });
    if wire != session.version().number() {
        return Err(JournalError::OtherVersion {
            kept: wire,
            wanted: session.version(),
        });
    }
    if !is(SESSION, session.id().0.as_bytes())? {
        return Err(damaged("they are of another job"));
    }
    let keys = read.open_table(KEYS).map_err(broken)?;
    keys.iter()
        .map_err(broken)?
        .map(|row| {
            let (opening, wrapped) = row.map_err(broken)?;
            Ok((opening.value(), wrapped.value().to_vec()))
        })
        .collect()
}

/// All that is kept, and whether the newest checkpoint could not be read.
fn read(
    database: &Database,
    session: Session,
    opener: &mut Opener<'_>,
) -> Result<(Kept, bool), JournalError> {
    let read = database.begin_read().map_err(broken)?;
    let about = read.open_table(ABOUT).map_err(broken)?;
    let mut kept = Kept::default();
    if let Some(ended) = about.get(ENDED).map_err(broken)? {
        let ended = opener.open(Row::Ended, ended.value())?;
        let ended = ended.and_then(|ended| serde_json::from_slice::<Ended>(ended.expose()).ok());
        let ended = ended.ok_or_else(|| damaged("the end cannot be read"))?;
        kept.ended = Some(Box::new(ended));
    }
    let messages = &mut kept.messages;
    for row in read
        .open_table(HEARD)
        .map_err(broken)?
        .iter()
        .map_err(broken)?
    {
        let (at, digest) = row.map_err(broken)?;
        let at = position(at.value());
        let digest = opener.open(Row::Heard(at), digest.value())?;
        let digest = digest.and_then(|digest| encoding::read_digest(digest.expose()));
        let digest = digest.ok_or_else(|| damaged("a digest cannot be read"))?;
        messages.heard.insert(at, digest);
    }
    for row in read
        .open_table(ACCEPTED)
        .map_err(broken)?
        .iter()
        .map_err(broken)?
    {
        let (at, payload) = row.map_err(broken)?;
        let at = position(at.value());
        let heard = messages.heard.get(&at).copied();
        let payload = opener.open(Row::Accepted(at), payload.value())?;
        let received = heard.zip(payload).and_then(|(heard, payload)| {
            encoding::read_accepted(session, at, payload.expose(), heard)
        });
        let received = received.ok_or_else(|| damaged("a message of the peer cannot be read"))?;
        messages.accepted.insert(at, received);
    }
    for row in read
        .open_table(SENT)
        .map_err(broken)?
        .iter()
        .map_err(broken)?
    {
        let (at, frame) = row.map_err(broken)?;
        let at = position(at.value());
        let frame = opener.open(Row::Sent(at), frame.value())?;
        let packet = frame.and_then(|frame| encoding::read_sent(at, frame.expose()));
        let packet = packet.ok_or_else(|| damaged("a message to the peer cannot be read"))?;
        messages.sent.insert(at, packet);
    }
    for row in read
        .open_table(WRITTEN)
        .map_err(broken)?
        .iter()
        .map_err(broken)?
    {
        let (exchange, count) = row.map_err(broken)?;
        let exchange = exchange.value();
        let count = opener.open(Row::Written(exchange), count.value())?;
        let count = count.and_then(|count| match count.expose()[..] {
            [count] => Some(count),
            _ => None,
        });
        let count = count.ok_or_else(|| damaged("a count of messages cannot be read"))?;
        messages.written.insert(exchange, count);
    }
    let mut newest = None;
    for row in read
        .open_table(CHECKPOINTS)
        .map_err(broken)?
        .iter()
        .map_err(broken)?
    {
        let (done, value) = row.map_err(broken)?;
        let done = done.value();
        newest = Some(done);
        let value = opener.open(Row::Checkpoint(done), value.value())?;
        let checkpoint = value.and_then(|value| encoding::read_checkpoint(done, &value));
        kept.checkpoints.extend(checkpoint.map(|one| (done, one)));
    }
    let readable = kept.checkpoints.keys().next_back().copied();
    if kept.ended.is_none() && newest.is_some() && readable.is_none() {
        return Err(damaged("no checkpoint can be read"));
    }
    Ok((kept, newest != readable))
}

fn key(position: Position) -> (u64, u8) {
    (position.exchange, position.step)
}

fn position((exchange, step): (u64, u8)) -> Position {
    Position { exchange, step }
}

fn damaged(what: &str) -> JournalError {
    JournalError::Damaged(what.to_owned())
}

/// What an error of the store is to a job.
fn broken(error: impl Into<redb::Error>) -> JournalError {
    match error.into() {
        redb::Error::Io(error) => fault(&error),
        error @ (redb::Error::PreviousIo
        | redb::Error::DatabaseAlreadyOpen
        | redb::Error::DatabaseClosed
        | redb::Error::LockPoisoned(_)) => JournalError::Unwritable(error.to_string()),
        error => JournalError::Damaged(error.to_string()),
    }
}

/// The store trusts the pages of a file that was closed in order, and panics
/// where what they say cannot be. A file is not what this process should end
/// with.
fn careful<T>(work: impl FnOnce() -> Result<T, JournalError>) -> Result<T, JournalError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(outcome) => outcome,
        Err(panic) => Err(JournalError::Damaged(Panicked::new(&*panic).message)),
    }
}

/// The path is for this party's log alone.
fn said(path: &Path, error: &JournalError) {
    tracing::error!(path = %path.display(), label = error.label(), "{error}");
}
