//! The jobs that wait, and for whom places are kept.
//!
//! # Backfill, and its bound
//! A job that cannot start stands in nobody's way: its parties are busy or away,
//! theirs may not be. But a job that needs much, or two parties that are never
//! free at the same moment, would so wait for as long as small ones come. So
//! when its patience has ended, places are kept for it:
//!
//! > At each party, the *first* is the first in order of those pressing jobs
//! > that lack nothing but room. A job that is the first at both its parties
//! > *claims* them: any other starts there only if it leaves what the claim needs.
//!
//! A claim keeps no more than one job's room at a party, and nothing while a
//! party of it is away or lacks its data, or if it needs more than there is in all:
//! nobody waits for what cannot run.
//!
//! Why every job starts: take the first in order of all pressing jobs that lack
//! room alone. It is the first at both its parties, so it claims both. Nothing
//! starts there that does not leave what it needs; so once the jobs have ended
//! that are there now, it starts, and the next in order takes its place. With
//! `n` before it in order ([`Standing`] says that nobody who comes later adds to
//! them for ever) and jobs that take `T` at most, it starts `n T + T` after its
//! patience has ended, if its parties are there.
//!
//! Refused: to keep places at one party at a time, in a fixed order, which keeps
//! less idle and waits for as long as the wrong one is chosen first; and to guess
//! when running jobs will have ended, as batch systems do with limits that
//! their users state: a wrong guess is what users complain of there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use entente_protocol::job::{JobId, PartyName};

use super::{Class, Entry, Floor, Line, Standing};
use crate::clock::Millis;

/// The jobs that wait, and for whom places are kept.
#[derive(Debug, Clone, Default)]
pub(in crate::engine) struct Queue {
    entries: BTreeMap<JobId, Entry>,
    lines: BTreeMap<Arc<Class>, Line>,
    lines_at: BTreeMap<PartyName, BTreeSet<Arc<Class>>>,
    /// When patience ends, of those whose has not.
    patient: BTreeSet<(Millis, JobId)>,
    /// At each party, the first of the pressing jobs that lack room alone.
    firsts: BTreeMap<PartyName, Standing>,
    /// Where that must be looked at anew.
    unsure: BTreeSet<PartyName>,
    /// Lines of which the first may be able to start since the last pass.
    pub(super) stirred: BTreeSet<Arc<Class>>,
}

impl Queue {
    /// A job waits.
    pub(in crate::engine) fn insert(&mut self, entry: Entry) {
        let class = entry.class.clone();
        self.remove(entry.id);
        self.lines.entry(class.clone()).or_default().insert(&entry);
        for party in class.parties.iter() {
            let lines = self.lines_at.entry(party.clone()).or_default();
            lines.insert(class.clone());
            self.unsure.insert(party.clone());
        }
        if !entry.begun {
            self.patient.insert((entry.overdue_at, entry.id));
        }
        self.stirred.insert(class);
        self.entries.insert(entry.id, entry);
    }

    /// A job waits no more: it starts, or has ended.
    pub(in crate::engine) fn remove(&mut self, id: JobId) -> Option<Entry> {
        let entry = self.entries.remove(&id)?;
        self.patient.remove(&(entry.overdue_at, id));
        self.unsure.extend(entry.class.parties.iter().cloned());
        let Some(line) = self.lines.get_mut(&entry.class) else {
            return Some(entry);
        };
        line.remove(&entry);
        // The next of the line may need no more than this one.
        self.stirred.insert(entry.class.clone());
        if line.is_empty() {
            self.lines.remove(&entry.class);
            self.stirred.remove(&entry.class);
            for party in entry.class.parties.iter() {
                if let Some(lines) = self.lines_at.get_mut(party) {
                    lines.remove(&entry.class);
                    if lines.is_empty() {
                        self.lines_at.remove(party);
                    }
                }
            }
        }
        Some(entry)
    }

    /// A party may have room that it had not.
    pub(in crate::engine) fn stir(&mut self, party: &PartyName) {
        let lines = self.lines_at.get(party).into_iter().flatten();
        self.stirred.extend(lines.cloned());
    }

    /// A party came, went, or has other data or more or less room in all.
    pub(in crate::engine) fn shake(&mut self, party: &PartyName) {
        self.stir(party);
        let lines = self.lines_at.get(party).into_iter().flatten();
        let others = lines.map(|class| class.other_than(party));
        self.unsure.extend(others.cloned());
        self.unsure.insert(party.clone());
    }

    /// A job that waits.
    pub(in crate::engine) fn entry(&self, id: JobId) -> Option<&Entry> {
        self.entries.get(&id)
    }

    /// All of them.
    pub(in crate::engine) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    pub(super) fn line(&self, class: &Class) -> Option<&Line> {
        self.lines.get(class)
    }

    /// The job for which places are kept at a party.
    pub(in crate::engine) fn claim(&self, party: &PartyName) -> Option<&Entry> {
        let first = self.firsts.get(party)?;
        let entry = self.entries.get(&first.id())?;
        let there = self.firsts.get(entry.class.other_than(party))?;
        (there.id() == entry.id).then_some(entry)
    }

    /// Brings up to date for whom places are kept, and stirs up the lines for
    /// which they are kept no more.
    pub(super) fn keep(&mut self, floor: &impl Floor, now: Millis) {
        while let Some((at, id)) = self.patient.first().copied()
            && at <= now
        {
            self.patient.remove(&(at, id));
            if let Some(entry) = self.entries.get(&id) {
                self.unsure.extend(entry.class.parties.iter().cloned());
            }
        }
        for party in core::mem::take(&mut self.unsure) {
            let first = self.look_for_first(&party, floor, now);
            let before = match first {
                Some(first) => self.firsts.insert(party.clone(), first),
                None => self.firsts.remove(&party),
            };
            if before == first {
                continue;
            }
            self.stir(&party);
            // What it kept there it keeps no more; one that has left the queue
            // has had its own parties looked at.
            let left = before.and_then(|before| self.entries.get(&before.id()));
            if let Some(left) = left {
                let other = left.class.other_than(&party).clone();
                self.stir(&other);
            }
        }
    }

    fn look_for_first(
        &self,
        party: &PartyName,
        floor: &impl Floor,
        now: Millis,
    ) -> Option<Standing> {
        let lines = self.lines_at.get(party)?.iter();
        let pressing = lines.filter_map(|class| {
            let pressing = self.lines.get(class)?.pressing(now)?;
            let begun = matches!(pressing, Standing::Begun { .. });
            floor.is_open(class, begun).then_some(pressing)
        });
        pressing.min()
    }
}
