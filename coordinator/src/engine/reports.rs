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
        match self.parties.get_mut(name) {
            Some(party) => party.hear(&sync, now),
            None => {
                self.parties.insert(name.clone(), Party::new(&sync, now));
            }
        }
        for report in sync.jobs {
            self.take_in_report(name, report, now, commands)?;
        }
        Ok(())
    }

    /// A report of a job that is unknown, of others, or of another attempt is
    /// passed over: the wish does not list it, so the party forgets it.
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
        let failed_here_before = record
            .failures
            .iter()
            .any(|failure| failure.side == Some(side));
        match (record.state, &report.phase) {
            (JobState::Running, Phase::Failed { .. }) => {
                let who = identity(name);
                self.change_by(who.as_ref(), report.job, now, commands, |record| {
                    fail(record, side, report, now);
                    record.state = JobState::Failed;
                })
            }
            // The other side's reason, which came later.
            (JobState::Failed, Phase::Failed { .. }) if !failed_here_before => {
                self.change(report.job, now, commands, |record| {
                    fail(record, side, report, now);
                })
            }
            (JobState::Running, _) => self.take_in_progress(side, report, now, commands),
            (JobState::Cancelling, _) => {
                record.sides.of_mut(side).phase = Some(report.phase);
                record.sides.of_mut(side).progress = report.progress;
                Ok(())
            }
            (state, phase) if state.is_ended() => {
                let said = record.sides.of(side).phase.as_ref();
                let again = said.is_some_and(|said| discriminant(said) == discriminant(phase));
                if let Some(says) = end(phase).filter(|_| !again) {
                    commands.push(Command::Refuse(Late {
                        job: record.id,
                        party: name.clone(),
                        state,
                        says,
                    }));
                }
                Ok(())
            }
            _ => Ok(()),
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
            if record.sides.iter().all(|side| side.is_finished()) {
                record.state = JobState::Succeeded;
            }
        })
    }
}

/// Both kinds of name have the same grammar.
fn identity(party: &PartyName) -> Option<Identity> {
    party.as_str().parse().map(Identity::party).ok()
}

/// The end that a phase is, if it is one.
fn end(phase: &Phase) -> Option<&'static str> {
    match phase {
        Phase::Finished => Some("finished"),
        Phase::Failed { .. } => Some("failed"),
        Phase::Preparing | Phase::Running | Phase::Waiting { .. } => None,
    }
}

fn fail(record: &mut JobRecord, side: Side, report: JobReport, now: Millis) {
    if let Phase::Failed { failure } = &report.phase {
        let failure = FailureRecord::reported(side, failure, now);
        record.failures.push(failure);
    }
    let status = record.sides.of_mut(side);
    status.phase = Some(report.phase);
    status.progress = report.progress;
}
