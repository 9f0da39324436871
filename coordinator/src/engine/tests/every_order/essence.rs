//! What tells two moments apart.

use std::fmt::Write;

use entente_protocol::{control, job::Side};

use super::{
    super::*,
    moment::{Moment, STEP, name},
};

const SIDES: [Side; 2] = [Side::Active, Side::Passive];

impl Moment {
    /// What the engine, the store and the parties can tell of it.
    pub(super) fn essence(&self) -> String {
        let mut essence = String::new();
        for kept in self.kept.values() {
            let thought = &self.engine.jobs[&kept.id];
            for record in [kept, thought] {
                essence += &self.essence_of(record);
            }
            let stalls = matches!(
                thought.state,
                JobState::Reserved | JobState::Running | JobState::Parked
            );
            if let Some(pace) = self.engine.live.get(&kept.id).filter(|_| stalls) {
                let still = pace.still_for(self.now).0 / STEP.0;
                write!(essence, " {}", still.min(2)).unwrap();
            }
        }
        for side in SIDES {
            self.write_side(side, &mut essence);
        }
        essence
    }

    /// Of its clocks and reasons only what its state asks for.
    fn essence_of(&self, record: &JobRecord) -> String {
        let sides = record.sides.iter().map(|side| letter(side.phase.as_ref()));
        let sides: String = sides.collect();
        let mut essence = format!("/{} {} {sides}", record.state, record.attempt);
        match record.state {
            JobState::AwaitingApproval => {
                let signed = record.approvals.signatures();
                let of = |side| signed.of(side).is_some();
                write!(essence, " {:?}", SIDES.map(of)).unwrap();
            }
            JobState::Queued | JobState::Paused => {
                let due = record.not_before.is_none_or(|at| at <= self.now);
                write!(essence, "{} {due}", record.has_begun()).unwrap();
            }
            JobState::Failing | JobState::Failed => {
                let lately = self.now.since(record.since) < STEP;
                for failure in &record.failures {
                    let side = failure.side.map_or("-", Side::label);
                    write!(essence, " {side}{}", failure.is_wordless()).unwrap();
                }
                if record.state == JobState::Failing {
                    write!(essence, " {lately}").unwrap();
                }
            }
            _ => {}
        }
        essence
    }

    fn write_side(&self, side: Side, essence: &mut String) {
        let known = self.engine.parties.get(&party(name(side)));
        let write_truth = |essence: &mut String, truth: &control::Sync| {
            for report in &truth.jobs {
                let (job, phase) = (number(report.job), letter(Some(&report.phase)));
                write!(essence, " {job}{}{phase}", report.attempt).unwrap();
            }
            for withdrawn in known.into_iter().flat_map(|known| known.withdrawn.values()) {
                let seen = withdrawn.revision <= truth.seen_revision;
                write!(essence, " {seen}").unwrap();
            }
        };
        *essence += "|";
        write_truth(essence, &self.peers[side as usize].truth(self.capacity));
        if let Some(held) = self.held.as_ref().filter(|_| side == Side::Active) {
            *essence += "<";
            write_truth(essence, held);
        }
        let heard_at = known.map_or(self.engine.begun_at, |known| known.heard_at);
        write!(essence, ">{}", self.now.since(heard_at) < STEP).unwrap();
        if let Some(known) = known {
            let Party {
                knows,
                wished,
                withdrawn,
                ..
            } = known;
            let wished: Vec<_> = wished
                .iter()
                .map(|ticket| (number(ticket.job), ticket.attempt, ticket.hold))
                .collect();
            let withdrawn: Vec<_> = withdrawn.keys().map(|id| number(*id)).collect();
            let knows: Vec<_> = knows.values().collect();
            write!(essence, "{knows:?} {wished:?} {withdrawn:?}").unwrap();
        }
    }
}

fn letter(phase: Option<&Phase>) -> char {
    match phase {
        None => '-',
        Some(Phase::Finished) => 'f',
        Some(Phase::Failed { .. }) => 'x',
        Some(Phase::Held) => 'h',
        Some(Phase::Preparing | Phase::Running | Phase::Waiting { .. }) => 'r',
    }
}
