//! What must be looked at after an event.
//!
//! Settling is level-triggered: whatever follows from what is known. But what
//! follows of a job hangs on its record, on its two parties, and on what time
//! it is. So of ten thousand jobs only those are looked at that can have
//! something new follow of them:
//!
//! - whose record has changed,
//! - which a party has to do with that has spoken, or has just gone away,
//! - whose hour has come: each that is looked at says when it must be looked
//!   at again though nothing happens ([`Engine::due`]).
//!
//! To look at more is harmless, so whatever is in doubt is looked at. That
//! nothing is left out is shown beside an engine that looks at everything after
//! every event: in all tests of the engine both say the same.

use std::collections::{BTreeMap, BTreeSet};

use entente_protocol::job::{JobId, PartyName};

use super::{Board, Engine, Queue, Share, attempts::LAST_WORD, parking::GRACE, why::stall_budget};
use crate::{
    clock::{Millis, Span},
    job::{JobRecord, JobState},
};

/// What must be looked at.
#[derive(Debug, Clone, Default)]
pub(super) struct Attention {
    /// Jobs of which something may follow.
    pub(super) jobs: BTreeSet<JobId>,
    /// Parties that may have to be wished something else.
    pub(super) parties: BTreeSet<PartyName>,
    due: Due<JobId>,
    /// When parties will be away if they are not heard of before.
    away: Due<PartyName>,
    /// Everything is looked at, the next time.
    everything: bool,
    /// Whether that has been done since parties that never spoke are away.
    silence_noticed: bool,
}

impl Attention {
    /// A job's record has changed.
    pub(super) fn changed(&mut self, record: &JobRecord) {
        self.jobs.insert(record.id);
        let parties = record.task.parties();
        self.parties.insert(parties.active.clone());
        self.parties.insert(parties.passive.clone());
    }

    /// A party has spoken.
    pub(super) fn heard(&mut self, party: &PartyName, away_at: Millis) {
        self.parties.insert(party.clone());
        // When that moment comes it is seen whether it has spoken since.
        self.away.set_if_none(party, away_at);
    }
}

/// When what is due.
#[derive(Debug, Clone)]
struct Due<T> {
    at: BTreeSet<(Millis, T)>,
    of: BTreeMap<T, Millis>,
}

impl<T> Default for Due<T> {
    fn default() -> Self {
        Self {
            at: BTreeSet::new(),
            of: BTreeMap::new(),
        }
    }
}

impl<T: Ord + Clone> Due<T> {
    fn set(&mut self, what: &T, at: Option<Millis>) {
        if self.of.get(what).copied() == at {
            return;
        }
        if let Some((what, at)) = self.of.remove_entry(what) {
            self.at.remove(&(at, what));
        }
        if let Some(at) = at {
            self.at.insert((at, what.clone()));
            self.of.insert(what.clone(), at);
        }
    }

    fn set_if_none(&mut self, what: &T, at: Millis) {
        if !self.of.contains_key(what) {
            self.set(what, Some(at));
        }
    }

    fn next(&mut self, now: Millis) -> Option<T> {
        let (at, what) = self.at.first()?;
        if *at > now {
            return None;
        }
        let what = what.clone();
        self.set(&what, None);
        Some(what)
    }
}

impl Engine {
    /// Forgets what is known from before, and looks at everything the next
    /// time.
    pub(super) fn look_at_everything(&mut self) {
        self.board = Board::of(self.jobs.values());
        self.share = Share::of(self.jobs.values());
        self.queue = Queue::default();
        self.attention.everything = true;
    }

    /// What must be looked at now, beside what an event was about.
    pub(super) fn pay_attention(&mut self, now: Millis) {
        let silence = after(self.begun_at, self.settings.party_timeout);
        if !self.attention.silence_noticed && now >= silence {
            self.attention.silence_noticed = true;
            self.attention.everything = true;
        }
        if core::mem::take(&mut self.attention.everything) {
            self.attention.jobs.extend(self.live.keys().copied());
            let parties = self.parties.keys().cloned();
            self.attention.parties.extend(parties);
        }
        while let Some(id) = self.attention.due.next(now) {
            self.attention.jobs.insert(id);
        }
        while let Some(name) = self.attention.away.next(now) {
            let Some(party) = self.parties.get(&name) else {
                continue;
            };
            let away_at = after(party.heard_at, self.settings.party_timeout);
            if away_at > now {
                self.attention.away.set_if_none(&name, away_at);
                continue;
            }
            self.queue.shake(&name);
            self.attention.jobs.extend(self.board.at(&name));
        }
        for name in &self.attention.parties {
            self.attention.jobs.extend(self.board.at(name));
        }
        let live = &self.live;
        self.attention.jobs.retain(|id| live.contains_key(id));
    }

    /// All has been looked at. Parties that were wished something else stay, for
    /// the next time.
    pub(super) fn rest(&mut self) {
        for id in core::mem::take(&mut self.attention.jobs) {
            let due = self.jobs.get(&id).and_then(|record| self.due(record));
            self.attention.due.set(&id, due);
        }
    }

    /// When a job must be looked at again though nothing happens.
    fn due(&self, record: &JobRecord) -> Option<Millis> {
        let pace = self.live.get(&record.id)?;
        let stalls = || pace.stalls_at(stall_budget(record));
        match record.state {
            JobState::Queued => record.not_before,
            JobState::Reserved | JobState::Parked => stalls(),
            JobState::Running => {
                let waits = pace.waits.iter().flatten();
                let parks = waits.map(|since| after(*since, GRACE));
                parks.chain(stalls()).min()
            }
            JobState::Failing => Some(Millis(record.since.0.saturating_add(LAST_WORD.0))),
            // People need the time that they need.
            JobState::AwaitingApproval
            | JobState::Paused
            | JobState::Cancelling
            | JobState::Succeeded
            | JobState::Failed
            | JobState::Cancelled
            | JobState::Rejected => None,
        }
    }

    /// The moment at which a party that is heard of now will be away.
    pub(super) fn away_at(&self, heard_at: Millis) -> Millis {
        after(heard_at, self.settings.party_timeout)
    }

    /// The jobs that are looked at and are in `state`, in order of submission.
    pub(super) fn looked_at(&self, state: JobState) -> impl Iterator<Item = &JobRecord> {
        let jobs = self.attention.jobs.iter();
        jobs.filter_map(|id| self.jobs.get(id))
            .filter(move |record| record.state == state)
    }
}

/// The first moment at which more than `span` has passed.
pub(super) fn after(moment: Millis, span: Span) -> Millis {
    Millis(moment.0.saturating_add(span.0).saturating_add(1))
}
