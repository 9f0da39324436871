//! A party that is simulated: it says where it stands as a real one does, and
//! computes nothing.

use std::{collections::BTreeMap, mem};

use entente_protocol::{
    control::{JobReport, Phase, Progress, Sync, Wish},
    job::{JobId, PartyName},
};

/// What each party runs at once.
const PLACES: u32 = 2;

/// A simulated party.
pub(super) struct Peer {
    name: PartyName,
    seen_revision: u64,
    /// What it was given, and whether it has said that it is prepared.
    jobs: BTreeMap<JobId, (u32, Step)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Prepared,
    Granted,
}

impl Peer {
    pub(super) fn new(name: PartyName) -> Self {
        Self {
            name,
            seen_revision: 0,
            jobs: BTreeMap::new(),
        }
    }

    pub(super) fn name(&self) -> &PartyName {
        &self.name
    }

    /// Whether it was given nothing, or has let go of all that it was given.
    pub(super) fn is_idle(&self) -> bool {
        self.jobs.is_empty()
    }

    pub(super) fn sync(&self) -> Sync {
        let report = |(job, (attempt, step)): (&JobId, &(u32, Step))| JobReport {
            job: *job,
            attempt: *attempt,
            phase: match step {
                Step::Prepared => Phase::Running,
                Step::Granted => Phase::Finished,
            },
            progress: Progress::default(),
        };
        Sync {
            software: "bench".into(),
            datasets: vec!["bench".into()],
            capacity: PLACES,
            threads: None,
            memory_bytes: None,
            draining: false,
            wire: vec![2, 1],
            jobs: self.jobs.iter().map(report).collect(),
            answers: Vec::new(),
            seen_revision: self.seen_revision,
            wait_ms: 0,
        }
    }

    /// Takes in its wish; how many jobs it leaves behind thereby.
    pub(super) fn follow(&mut self, wish: Wish) -> usize {
        self.seen_revision = wish.revision;
        let jobs = wish.jobs.into_iter().map(|assignment| {
            let step = match assignment.granted {
                0 => Step::Prepared,
                _ => Step::Granted,
            };
            (assignment.job, (assignment.attempt, step))
        });
        let before = mem::replace(&mut self.jobs, jobs.collect());
        let left = before.keys().filter(|job| !self.jobs.contains_key(job));
        left.count()
    }
}
