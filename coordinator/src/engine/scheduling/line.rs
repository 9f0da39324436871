//! The jobs that wait for the same.
//!
//! Jobs of the same two parties, which need the same datasets and as much room,
//! can start at the same moments, so of a line only the first is looked at:
//! ten thousand jobs of two parties are a line or a few. A job that may still be
//! at its parties, from before it rested or from an attempt that failed, is a
//! line of its own: what it has there it need not be given.

use core::cmp::Reverse;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use entente_protocol::job::{JobId, PartyName, Side, Task};
use entente_tls::Identity;

use super::{Need, Standing};
use crate::{
    clock::Millis,
    job::{Priority, Sides},
};

/// What jobs of a line have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) struct Class {
    pub(in crate::engine) parties: Sides<PartyName>,
    /// What each party must have.
    pub(in crate::engine) datasets: Sides<Option<String>>,
    pub(in crate::engine) need: Need,
    /// The version of the wire format that both parties must speak, if it has begun:
    /// it goes on in that one.
    pub(in crate::engine) wire: Option<u16>,
    /// The only job of this class, if it may have room already.
    pub(in crate::engine) alone: Option<JobId>,
}

impl Class {
    pub(in crate::engine) fn of(task: &Task, wire: Option<u16>, alone: Option<JobId>) -> Self {
        Self {
            parties: Sides::from_fn(|side| task.party(side).clone()),
            datasets: Sides::from_fn(|side| task.dataset(side).map(str::to_owned)),
            need: Need::of(task.resources()),
            wire,
            alone,
        }
    }

    /// The party that is not `party`.
    pub(super) fn other_than(&self, party: &PartyName) -> &PartyName {
        match self.parties.of(Side::Active) == party {
            true => self.parties.of(Side::Passive),
            false => self.parties.of(Side::Active),
        }
    }
}

/// A job that waits for places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) struct Entry {
    pub(in crate::engine) id: JobId,
    pub(in crate::engine) class: Arc<Class>,
    /// Whose it is.
    pub(in crate::engine) by: Identity,
    pub(in crate::engine) priority: Priority,
    /// Since when it waits.
    pub(in crate::engine) since: Millis,
    /// Whether it had places before.
    pub(in crate::engine) begun: bool,
    /// When its patience ends.
    pub(in crate::engine) overdue_at: Millis,
}

impl Entry {
    /// Where it stands if its submitter has had so much.
    pub(in crate::engine) fn standing(&self, usage: u64, now: Millis) -> Standing {
        let id = self.id;
        if self.begun {
            let since = self.since;
            Standing::Begun { since, id }
        } else if self.overdue_at <= now {
            let since = self.overdue_at;
            Standing::Overdue { since, id }
        } else {
            Standing::Usual {
                priority: Reverse(self.priority),
                usage,
                since: self.since,
                id,
            }
        }
    }
}

/// Jobs and since when they wait.
type ByAge = BTreeSet<(Millis, JobId)>;

/// The jobs of a class that wait.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    begun: ByAge,
    /// All others, by when their patience ends.
    by_patience: BTreeSet<(Millis, JobId)>,
    /// The same, by what counts until then.
    by_submitter: BTreeMap<Reverse<Priority>, BTreeMap<Identity, ByAge>>,
}

impl Line {
    pub(super) fn insert(&mut self, entry: &Entry) {
        if entry.begun {
            self.begun.insert((entry.since, entry.id));
            return;
        }
        self.by_patience.insert((entry.overdue_at, entry.id));
        let level = self.by_submitter.entry(Reverse(entry.priority));
        let theirs = level.or_default().entry(entry.by.clone());
        theirs.or_default().insert((entry.since, entry.id));
    }

    pub(super) fn remove(&mut self, entry: &Entry) {
        self.begun.remove(&(entry.since, entry.id));
        self.by_patience.remove(&(entry.overdue_at, entry.id));
        let Some(level) = self.by_submitter.get_mut(&Reverse(entry.priority)) else {
            return;
        };
        if let Some(theirs) = level.get_mut(&entry.by) {
            theirs.remove(&(entry.since, entry.id));
            if theirs.is_empty() {
                level.remove(&entry.by);
            }
        }
        if level.is_empty() {
            self.by_submitter.remove(&Reverse(entry.priority));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.begun.is_empty() && self.by_patience.is_empty()
    }

    /// The first of those for which places are kept.
    pub(super) fn pressing(&self, now: Millis) -> Option<Standing> {
        let begun = self.begun.first();
        let begun = begun.map(|(since, id)| Standing::Begun {
            since: *since,
            id: *id,
        });
        begun.or_else(|| {
            let (since, id) = *self.by_patience.first()?;
            (since <= now).then_some(Standing::Overdue { since, id })
        })
    }

    /// The first of all.
    pub(super) fn first(
        &self,
        now: Millis,
        mut usage: impl FnMut(&Identity) -> u64,
    ) -> Option<Standing> {
        self.pressing(now).or_else(|| {
            let (priority, level) = self.by_submitter.first_key_value()?;
            let firsts = level.iter().filter_map(|(who, theirs)| {
                let (since, id) = *theirs.first()?;
                Some(Standing::Usual {
                    priority: *priority,
                    usage: usage(who),
                    since,
                    id,
                })
            });
            firsts.min()
        })
    }
}
