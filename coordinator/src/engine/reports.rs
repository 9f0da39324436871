//! What a party says of its jobs, taken in.

use core::mem::discriminant;

use entente_protocol::{
    control::{JobReport, Phase, Sync},
    job::{PartyName, Side},
};

use entente_tls::Identity;

use super::{Command, Engine, EngineError, Late, Party};
use crate::{
    clock::Millis,
    job::{FailureRecord, JobRecord, JobState},
};

impl Engine {
    pub(super) fn take_in(
        &mut self,
        name: &PartyName,
        sync: Sync,
        now: Millis,
        commands: &mut Vec<Command>,
    ) -> Result<(), EngineError> {
        let offer = |engine: &Self| {
            let party = engine.connected(name, now)?;
            let (datasets, wire) = (party.datasets.clone(), party.wire.clone());
            Some((party.room, party.draining, datasets, wire))
        };
        let before = offer(self);
        let had = self.rooms(now).jobs_at(name);
        match self.parties.get_mut(name) {
            Some(party) => party.hear(&sync, now),
            None => {
                self.parties.insert(name.clone(), Party::new(&sync, now));
            }
        }
        if offer(self) != before {
            self.queue.shake(name);
        } else if self.rooms(now).jobs_at(name) != had {
            self.queue.stir(name);
        }
        let away_at = self.away_at(now);
        self.attention.heard(name, away_at);
        for report in sync.jobs {
            self.attention.jobs.insert(report.job);
            self.take_in_report(name, report, now, commands)?;
        }
        Ok(())
    }

    /// A report of a job that is unknown, of others, or of another attempt is
    /// passed over: the wish does not list it, so the party forgets it.
    ///
    /// A failure counts in the states in which the job is at work; while it
    /// rests it is only noted. Nothing is lost by that: a party says it again as
    /// long as the job is wished.
    ///
    /// An end stands. What a party reports afterwards is one of three things:
    /// the same again, which is passed over, since a party repeats itself until
    /// it has taken in the wish; the second reason of a failure, which is kept
    /// beside the first; or another end, which is refused and counted.
    fn take_in_report(
        &mut self,
        name: &PartyName,
        report: JobReport,
        now: Millis,
        commands: &mut Vec<Command>,
    ) -> Result<(), EngineError> {
        let Some(record) = self.jobs.get_mut(&report.job) else {
            return Ok(());
        };
        let Some(side) = record.task.side_of(name) else {
            return Ok(());
        };
        if report.attempt != record.attempt {
            return Ok(());
        }
        let told = record.failure_of(side);
        let told_before = told.is_some_and(|told| !told.is_wordless());
        match (record.state, &report.phase) {
            (JobState::Reserved | JobState::Running | JobState::Parked, Phase::Failed { .. }) => {
                let who = identity(name);
                self.change_by(who.as_ref(), report.job, now, commands, |record| {
                    fail(record, side, report, now);
                    record.state = JobState::Failing;
                })
            }
            // The other side's reason, which came later.
            (JobState::Failing | JobState::Failed, Phase::Failed { .. }) if !told_before => self
                .change(report.job, now, commands, |record| {
                    fail(record, side, report, now);
                }),
            (JobState::AwaitingApproval, _) => Ok(()),
            (JobState::Queued, _) if !record.has_begun() => Ok(()),
            (
                JobState::Queued
                | JobState::Reserved
                | JobState::Running
                | JobState::Parked
                | JobState::Paused
                | JobState::Failing,
                _,
            ) => self.take_in_progress(side, report, now, commands),
            (JobState::Cancelling, _) => {
                record.sides.of_mut(side).phase = Some(report.phase);
                record.sides.of_mut(side).progress = report.progress;
                Ok(())
            }
            (
                state @ (JobState::Succeeded
                | JobState::Failed
                | JobState::Cancelled
                | JobState::Rejected),
                phase,
            ) => {
                let said = record.sides.of(side).phase.as_ref();
                let again = said.is_some_and(|said| discriminant(said) == discriminant(phase));
                if let Some(says) = end(phase).filter(|_| !again) {
                    commands.push(Command::Refuse(Late {
                        job: record.id,
                        party: name.clone(),
                        state,
                        says,
                        attempt: record.attempt,
                        correlation: record.correlation(),
                    }));
                }
                Ok(())
            }
        }
    }

    /// Counts are written with the next grant; a change of phase is worth a
    /// write of its own.
    fn take_in_progress(
        &mut self,
        side: Side,
        report: JobReport,
        now: Millis,
        commands: &mut Vec<Command>,
    ) -> Result<(), EngineError> {
        self.note_waiting(side, &report, now);
        let Some(record) = self.jobs.get_mut(&report.job) else {
            return Ok(());
        };
        if let Some(pace) = self.live.get_mut(&report.job) {
            pace.see(side, report.progress.exchanges_done, now);
        }
        let status = record.sides.of_mut(side);
        if status.is_finished() {
            return Ok(());
        }
        let same_phase = status
            .phase
            .as_ref()
            .is_some_and(|phase| discriminant(phase) == discriminant(&report.phase));
        if same_phase {
            status.phase = Some(report.phase);
            status.progress = report.progress;
            return Ok(());
        }
        let who = identity(record.task.party(side));
        self.change_by(who.as_ref(), report.job, now, commands, |record| {
            let status = record.sides.of_mut(side);
            status.phase = Some(report.phase);
            status.progress = report.progress;
            if record.is_finished() && record.state.may_become(JobState::Succeeded) {
                record.state = JobState::Succeeded;
            }
        })
    }
}

/// Both kinds of name have the same grammar.
pub(super) fn identity(party: &PartyName) -> Option<Identity> {
    party.as_str().parse().map(Identity::party).ok()
}

/// The end that a phase is, if it is one.
fn end(phase: &Phase) -> Option<&'static str> {
    match phase {
        Phase::Finished => Some("finished"),
        Phase::Failed { .. } => Some("failed"),
        Phase::Preparing | Phase::Running | Phase::Waiting { .. } | Phase::Held => None,
    }
}

fn fail(record: &mut JobRecord, side: Side, report: JobReport, now: Millis) {
    if let Phase::Failed { failure } = &report.phase {
        let failure = FailureRecord::reported(side, failure, now);
        // In the place of a note that it gave none.
        record.failures.retain(|other| other.side != Some(side));
        record.failures.push(failure);
    }
    let status = record.sides.of_mut(side);
    status.phase = Some(report.phase);
    status.progress = report.progress;
}
