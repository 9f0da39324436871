//! Why a job stands where it does.

use entente_protocol::{
    control::Phase,
    job::{JobId, PartyName, Side},
};

use super::{Blocker, Engine, scheduling::not_due};
use crate::{
    clock::{Millis, Span},
    job::{Behind, JobRecord, JobState, Reason, Sides, Why, Word},
};

/// What somebody may see: all jobs, or those that a party takes part in.
pub(super) type Sight<'a> = Option<&'a PartyName>;

impl Engine {
    /// Why a job stands where it does, for somebody who may see all jobs, or
    /// only those that `sight` takes part in.
    pub fn why(&self, id: JobId, sight: Option<&PartyName>, now: Millis) -> Option<Why> {
        let record = self.jobs.get(&id)?;
        Some(Why {
            job: id,
            name: record.task.name().to_owned(),
            state: record.state,
            in_state_ms: now.since(record.since).0,
            reasons: self.reasons(record, sight, now),
            line: self.in_line(record, sight, now),
            fails_in_ms: self.fails_in(record, now).map(|span| span.0),
            key: record.sides.active.progress.key,
            sides: Sides::from_fn(|side| self.word(record, side, now)),
        })
    }

    /// What a job waits for, of each side or at all.
    pub(super) fn reasons(&self, record: &JobRecord, sight: Sight<'_>, now: Millis) -> Vec<Reason> {
        let of_sides = |reason: &dyn Fn(Side) -> Option<Reason>| {
            let sides = [Side::Active, Side::Passive].into_iter();
            sides.filter_map(reason).collect::<Vec<Reason>>()
        };
        match record.state {
            JobState::AwaitingApproval => {
                of_sides(&|side| self.why_not_approved(record, side, now))
            }
            JobState::Queued => {
                let mut reasons = Vec::from_iter(why_not_due(record, now));
                let blocked = |side| self.why_blocked(record, side, sight, now);
                reasons.extend(of_sides(&blocked));
                reasons
            }
            JobState::Reserved => of_sides(&|side| self.why_preparing(record, side, now)),
            JobState::Parked if self.is_ready(record, now) => {
                of_sides(&|side| self.why_blocked(record, side, sight, now))
            }
            JobState::Running | JobState::Parked => {
                of_sides(&|side| self.why_standing(record, side, now))
            }
            JobState::Paused => {
                let mut reasons = of_sides(&|side| self.why_not_at_rest(record, side, now));
                reasons.push(Reason::Paused);
                reasons
            }
            JobState::Failing => Vec::from_iter(self.awaited(record, now).map(|side| {
                let party = record.task.party(side).clone();
                Reason::NoWord { party }
            })),
            JobState::Cancelling => of_sides(&|side| self.why_cancelling(record, side, now)),
            JobState::Succeeded | JobState::Failed | JobState::Cancelled | JobState::Rejected => {
                Vec::new()
            }
        }
    }

    /// The same in one sentence, where no reason names other jobs.
    pub(super) fn in_words(&self, record: &JobRecord, now: Millis) -> Option<String> {
        in_words(self.reasons(record, None, now))
    }

    /// Why a job has lost its places, by what its parties are known to do. Who
    /// stands in the queue is no part of that: it is settled after the places were
    /// lost.
    pub(super) fn why_places_are_lost(&self, record: &JobRecord, now: Millis) -> Option<String> {
        let of_side = |side| match record.state {
            JobState::Parked => self.why_standing(record, side, now),
            _ => {
                let party = record.task.party(side);
                let away = self.away_for(party, now).is_some();
                away.then(|| self.not_connected(party, now))
            }
        };
        let sides = [Side::Active, Side::Passive].into_iter();
        in_words(sides.filter_map(of_side))
    }

    fn why_preparing(&self, record: &JobRecord, side: Side, now: Millis) -> Option<Reason> {
        if record.sides.of(side).is_prepared() {
            return None;
        }
        let party = record.task.party(side);
        match self.away_for(party, now) {
            Some(_) => Some(self.not_connected(party, now)),
            None => Some(Reason::NotPrepared {
                party: party.clone(),
            }),
        }
    }

    fn why_not_at_rest(&self, record: &JobRecord, side: Side, now: Millis) -> Option<Reason> {
        let party = record.task.party(side);
        let at_it = self.rooms(now).jobs_at(party).contains(&record.id);
        at_it.then(|| Reason::NotAtRest {
            party: party.clone(),
        })
    }

    fn why_blocked(
        &self,
        record: &JobRecord,
        side: Side,
        sight: Sight<'_>,
        now: Millis,
    ) -> Option<Reason> {
        let reason = match self.blocker_at(record, side, now)? {
            Blocker::Away(party) => self.not_connected(&party, now),
            Blocker::NoDataset(party, dataset) => Reason::NoDataset { party, dataset },
            Blocker::NotSpoken(party, begun_in, speaks) => Reason::NotSpoken {
                party,
                begun_in,
                speaks,
            },
            // Of the job, and of neither side.
            Blocker::NotDue(..) => return None,
            Blocker::NoWireVersion(_) if side == Side::Passive => return None,
            Blocker::NoWireVersion([(active, active_speaks), (passive, passive_speaks)]) => {
                Reason::NoWireVersion {
                    active,
                    active_speaks,
                    passive,
                    passive_speaks,
                }
            }
            Blocker::Draining(None) if side == Side::Passive => return None,
            Blocker::Draining(party) => Reason::Draining { party },
            Blocker::Full(party, lack) => Reason::NoRoom {
                running: self.behind(self.rooms(now).jobs_at(&party), sight),
                queued: self.behind(self.before_at(record, &party, now), sight),
                party,
                lack,
            },
            Blocker::Kept(party, job) => Reason::Kept {
                party,
                job: self.behind([job], sight),
            },
        };
        Some(reason)
    }

    /// Which of them may be told by name.
    pub(super) fn behind(&self, ids: impl IntoIterator<Item = JobId>, sight: Sight<'_>) -> Behind {
        let mut behind = Behind::default();
        for id in ids {
            let shown = match (sight, self.jobs.get(&id)) {
                (None, _) => true,
                (Some(party), Some(record)) => record.task.side_of(party).is_some(),
                (Some(_), None) => false,
            };
            match shown {
                true => behind.jobs.push(id),
                false => behind.others += 1,
            }
        }
        behind
    }

    /// What a side of a running job waits for.
    pub(super) fn why_standing(
        &self,
        record: &JobRecord,
        side: Side,
        now: Millis,
    ) -> Option<Reason> {
        let party = record.task.party(side);
        if self.away_for(party, now).is_some() {
            return Some(self.not_connected(party, now));
        }
        let party = party.clone();
        match record.sides.of(side).phase.clone() {
            Some(Phase::Waiting { what, for_ms }) => Some(Reason::PartyWaits {
                party,
                what,
                for_ms,
            }),
            None => Some(Reason::NotBegun { party }),
            Some(_) => None,
        }
    }

    fn why_cancelling(&self, record: &JobRecord, side: Side, now: Millis) -> Option<Reason> {
        let party = record.task.party(side);
        let left = self.has_left(record, side, now);
        (!left).then(|| Reason::StillAtIt {
            party: party.clone(),
        })
    }

    pub(super) fn not_connected(&self, party: &PartyName, now: Millis) -> Reason {
        Reason::NotConnected {
            party: party.clone(),
            silent_ms: self.away_for(party, now).map(|span| span.0),
        }
    }

    fn word(&self, record: &JobRecord, side: Side, now: Millis) -> Word {
        let name = record.task.party(side);
        let party = self.parties.get(name);
        Word {
            party: name.clone(),
            connected: self.connected(name, now).is_some(),
            heard_at: party.map(|party| party.heard_at.into()),
            jobs: self.count_at(name, now),
            capacity: party.map(|party| party.room.jobs),
            phase: record.sides.of(side).phase.clone(),
        }
    }

    /// Not of a parked job that waits for room alone: that fails nobody.
    pub(super) fn fails_in(&self, record: &JobRecord, now: Millis) -> Option<Span> {
        match record.state {
            JobState::Reserved | JobState::Running => {}
            JobState::Parked if !self.is_ready(record, now) => {}
            _ => return None,
        }
        let pace = self.live.get(&record.id)?;
        let budget = stall_budget(record);
        let passed = pace.still_for(now);
        Some(Span(budget.0.saturating_sub(passed.0)))
    }
}

fn why_not_due(record: &JobRecord, now: Millis) -> Option<Reason> {
    let Some(Blocker::NotDue(attempt, left)) = not_due(record, now) else {
        return None;
    };
    Some(Reason::NotDue {
        attempt,
        in_ms: left.0,
    })
}

/// Reasons as the object of "waits for"; nothing if there is none.
pub(super) fn in_words(reasons: impl IntoIterator<Item = Reason>) -> Option<String> {
    let words: Vec<String> = reasons
        .into_iter()
        .map(|reason| reason.to_string())
        .collect();
    (!words.is_empty()).then(|| words.join("; "))
}

/// How long nothing may go on.
pub(super) fn stall_budget(record: &JobRecord) -> Span {
    Span::seconds(record.task.stall_budget_s())
}
