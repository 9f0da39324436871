//! A party of the small world.

use std::collections::BTreeMap;

use entente_protocol::control;

use super::super::*;

/// A party, and where each attempt that it knows of stands there.
#[derive(Debug, Clone, Default)]
pub(super) struct Peer {
    pub(super) seen_revision: u64,
    pub(super) jobs: BTreeMap<JobId, (u32, Phase)>,
}

impl Peer {
    pub(super) fn truth(&self, capacity: u32) -> control::Sync {
        let reports = self.jobs.iter().map(|(id, (attempt, phase))| JobReport {
            attempt: *attempt,
            ..report(number(*id), phase.clone(), 0)
        });
        control::Sync {
            jobs: reports.collect(),
            seen_revision: self.seen_revision,
            capacity,
            ..truth()
        }
    }

    /// Does what it is wished.
    pub(super) fn follow(&mut self, wish: control::Wish) {
        self.seen_revision = wish.revision;
        let before = core::mem::take(&mut self.jobs);
        for assignment in wish.jobs {
            let kept = before.get(&assignment.job);
            let kept = kept.filter(|(attempt, _)| *attempt == assignment.attempt);
            let phase = match (kept, assignment.hold) {
                (Some((_, phase @ (Phase::Finished | Phase::Failed { .. }))), _) => phase.clone(),
                (_, true) => Phase::Held,
                (_, false) => Phase::Running,
            };
            self.jobs
                .insert(assignment.job, (assignment.attempt, phase));
        }
    }
}
