//! What is counted of jobs and parties.

use entente_metrics::{
    Counter, Family, Gauge, JOB_TRANSITIONS, JOB_TRANSITIONS_REFUSED, JOBS, PARTIES_CONNECTED,
    Registry,
};

use crate::{clock::Millis, engine::Engine, job::JobState};

/// Why a change of a job's state was refused: not in the table (a defect), asked
/// of a job that has ended, said of one too late, or by the store.
const REASONS: [&str; 7] = [
    "illegal",
    "ended",
    "late",
    "conflict",
    "exists",
    "corrupt",
    "unavailable",
];

/// What is counted of jobs and parties.
pub(super) struct Meters {
    jobs: Family<Gauge, 1>,
    connected: Gauge,
    transitions: Family<Counter, 1>,
    pub(super) refused: Family<Counter, 1>,
}

impl Meters {
    pub(super) fn new(registry: &Registry) -> Self {
        let meters = Self {
            jobs: registry.family(&JOBS),
            connected: registry.family(&PARTIES_CONNECTED).with([]),
            transitions: registry.family(&JOB_TRANSITIONS),
            refused: registry.family(&JOB_TRANSITIONS_REFUSED),
        };
        meters.jobs.seed(JobState::ALL.map(|state| [state.label()]));
        meters
            .transitions
            .seed(JobState::ALL.map(|state| [state.label()]));
        meters.refused.seed(REASONS.map(|why| [why]));
        meters
    }

    pub(super) fn entered(&self, state: JobState) {
        self.transitions.with([state.label()]).increment();
    }

    /// Brings the gauges up to date.
    pub(super) fn jobs(&self, engine: &Engine, now: Millis) {
        for (state, count) in engine.count_jobs() {
            self.jobs.with([state.label()]).set(gauge(count));
        }
        self.connected.set(gauge(engine.count_connected(now)));
    }
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
