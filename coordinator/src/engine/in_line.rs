//! Where a job that waits for its places stands among the others.

use entente_protocol::job::{JobId, PartyName};

use super::{
    Engine,
    scheduling::{Entry, Standing, not_due},
    why::Sight,
};
use crate::{
    clock::Millis,
    job::{InLine, JobRecord, JobState},
};

impl Engine {
    /// Where a job stands among those that wait for places at its parties;
    /// nothing if it does not wait for any. Goes through the whole queue: it is
    /// for a person that asks.
    pub(super) fn in_line(
        &self,
        record: &JobRecord,
        sight: Sight<'_>,
        now: Millis,
    ) -> Option<InLine> {
        let waits = match record.state {
            JobState::Queued => not_due(record, now).is_none(),
            JobState::Parked => self.is_ready(record, now),
            _ => false,
        };
        if !waits {
            return None;
        }
        let entry = self.entry(record);
        let meets = |other: &Entry| {
            let mut parties = other.class.parties.iter();
            parties.any(|party| record.task.side_of(party).is_some())
        };
        let mut others = self.queue.entries().filter(|other| meets(other));
        let all = others.by_ref().count();
        let before = self.before(&entry, now, meets);
        let parties = record.task.parties();
        let kept_at = [&parties.active, &parties.passive].into_iter();
        let kept_at = kept_at.filter(|party| {
            let claim = self.queue.claim(party);
            claim.is_some_and(|claim| claim.id == record.id)
        });
        let usage = |other: &Entry| self.share.usage(&other.by, now);
        let had_ms = usage(&entry);
        Some(InLine {
            position: before.len() + 1,
            of: all,
            before: self.behind(before, sight),
            priority: record.priority,
            had_ms,
            goes_first_at: (!entry.begun).then(|| entry.overdue_at.into()),
            kept_at: kept_at.cloned().collect(),
        })
    }

    /// The jobs that wait for room at a party and come before this one.
    pub(super) fn before_at(
        &self,
        record: &JobRecord,
        party: &PartyName,
        now: Millis,
    ) -> Vec<JobId> {
        self.before(&self.entry(record), now, |other| {
            other.class.parties.iter().any(|there| there == party)
        })
    }

    /// Those that come before a job, the first first.
    fn before(&self, entry: &Entry, now: Millis, meets: impl Fn(&Entry) -> bool) -> Vec<JobId> {
        let standing = |entry: &Entry| entry.standing(self.share.usage(&entry.by, now), now);
        let this = standing(entry);
        let others = self.queue.entries().filter(|other| meets(other));
        let mut before: Vec<Standing> = others
            .map(standing)
            .filter(|standing| *standing < this)
            .collect();
        before.sort_unstable();
        before.iter().map(Standing::id).collect()
    }
}
