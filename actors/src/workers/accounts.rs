//! What each worker has counted, as far as it has told.
//!
//! The first telling over a connection says what was told before it, over another one:
//! nothing, by a process that has not told anything yet. To a party that knows the
//! process it is news of nothing. To one that does not, since it was started after the
//! worker, it says what another party has served already: this one begins with what has
//! come since, as every process begins to count at nothing, and no rate over its restart
//! has what lies before it a second time.

use std::collections::BTreeMap;

use entente_metrics::{Registry, Teller};
use entente_wire::decode_exactly;

use super::{WorkerId, Workers, counted::Counted};

/// What workers have told: of each that there is, or that may come again.
pub(super) struct Accounts {
    registry: Registry,
    open: BTreeMap<WorkerId, Entry>,
}

struct Entry {
    /// A worker that is made again counts from nothing.
    process: u64,
    /// Over which it was told last.
    connection: u64,
    is_there: bool,
    teller: Teller,
}

/// What a worker tells over one connection.
pub(super) struct Account {
    workers: Workers,
    pub(super) id: WorkerId,
    process: u64,
    connection: u64,
}

impl Account {
    pub(super) fn new(workers: &Workers, id: WorkerId, process: u64, connection: u64) -> Self {
        Self {
            workers: workers.clone(),
            id,
            process,
            connection,
        }
    }

    /// Takes a telling. One that cannot be read is left out: no job ends for that.
    pub(super) fn hears(&self, bytes: &[u8]) {
        match decode_exactly(&(), bytes) {
            Ok(counted) => self.workers.told(self, &counted),
            Err(error) => {
                tracing::warn!(worker = %self.id, %error, "what it has counted cannot be read");
            }
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.workers.tells_no_more(self);
    }
}

impl Accounts {
    /// None so far; they add to what `registry` has.
    pub(super) fn new(registry: Registry) -> Self {
        Self {
            registry,
            open: BTreeMap::new(),
        }
    }

    pub(super) fn tell(&mut self, account: &Account, counted: &Counted) {
        let Counted(counts) = counted;
        match self.open.get_mut(&account.id) {
            // An older connection has nothing to say that a newer one does not.
            Some(entry) if entry.connection > account.connection => {}
            Some(entry) if entry.process == account.process => {
                entry.connection = account.connection;
                entry.is_there = true;
                entry.teller.tells(counts);
            }
            _ => {
                let entry = Entry {
                    process: account.process,
                    connection: account.connection,
                    is_there: true,
                    teller: self.registry.teller(counts.clone()),
                };
                self.open.insert(account.id, entry);
            }
        }
    }

    /// A connection has ended. The worker may come again if it is wanted.
    pub(super) fn leave(&mut self, account: &Account, is_wanted: bool) {
        let Some(entry) = self.open.get_mut(&account.id) else {
            return;
        };
        if entry.connection != account.connection {
            return;
        }
        entry.is_there = false;
        entry.teller.is_away();
        if !is_wanted {
            self.open.remove(&account.id);
        }
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.open.len()
    }

    /// It does not come again, once it has gone.
    pub(super) fn close(&mut self, id: WorkerId) {
        if self.open.get(&id).is_some_and(|entry| !entry.is_there) {
            self.open.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests;
