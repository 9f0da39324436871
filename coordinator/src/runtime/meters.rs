//! What is counted of jobs and parties.

use entente_metrics::{
    Counter, DRAINING, Family, Gauge, JOB_ATTEMPTS, JOB_RETRIES, JOB_TRANSITIONS,
    JOB_TRANSITIONS_REFUSED, JOBS, LEADER, LEASE_FAILED, LEASE_LOST, LEASE_RENEWALS, LEASE_RENEWED,
    LEASE_TAKINGS, PARTIES_CONNECTED, Registry, STALE_WRITES,
};
use entente_protocol::control::FailureClass;

use crate::{
    clock::Millis,
    engine::{Engine, blame},
    job::{Change, JobState},
    store::StoreError,
};

/// Why a change of a job's state was refused: not in the table (a defect), asked
/// of a job that has ended or in a state that does not allow it, said of one too
/// late, or by the store.
const REASONS: [&str; 9] = [
    "illegal",
    "ended",
    "not_now",
    "late",
    "conflict",
    "exists",
    "deposed",
    "corrupt",
    "unavailable",
];

/// How an attempt ends.
const OUTCOMES: [&str; 3] = [
    JobState::Succeeded.label(),
    JobState::Failed.label(),
    JobState::Cancelled.label(),
];

/// What attempts fail of, if others follow.
const CLASSES: [FailureClass; 2] = [FailureClass::Retry, FailureClass::Bug];

/// What is counted of jobs and parties, and of who leads.
#[derive(Clone)]
pub(super) struct Meters {
    jobs: Family<Gauge, 1>,
    connected: Gauge,
    transitions: Family<Counter, 1>,
    attempts: Family<Counter, 1>,
    retries: Family<Counter, 1>,
    pub(super) refused: Family<Counter, 1>,
    pub(super) stale_writes: Counter,
    leader: Gauge,
    draining: Gauge,
    takings: Counter,
    renewals: Family<Counter, 1>,
}

impl Meters {
    pub(super) fn new(registry: &Registry) -> Self {
        let meters = Self {
            jobs: registry.family(&JOBS),
            connected: registry.family(&PARTIES_CONNECTED).with([]),
            transitions: registry.family(&JOB_TRANSITIONS),
            attempts: registry.family(&JOB_ATTEMPTS),
            retries: registry.family(&JOB_RETRIES),
            refused: registry.family(&JOB_TRANSITIONS_REFUSED),
            stale_writes: registry.family(&STALE_WRITES).with([]),
            leader: registry.family(&LEADER).with([]),
            draining: registry.family(&DRAINING).with([]),
            takings: registry.family(&LEASE_TAKINGS).with([]),
            renewals: registry.family(&LEASE_RENEWALS),
        };
        let outcomes = [LEASE_RENEWED, LEASE_FAILED, LEASE_LOST];
        meters.renewals.seed(outcomes.map(|outcome| [outcome]));
        meters.jobs.seed(JobState::ALL.map(|state| [state.label()]));
        meters
            .transitions
            .seed(JobState::ALL.map(|state| [state.label()]));
        meters.attempts.seed(OUTCOMES.map(|outcome| [outcome]));
        meters.retries.seed(CLASSES.map(|class| [class.label()]));
        meters.refused.seed(REASONS.map(|why| [why]));
        meters
    }

    pub(super) fn leads(&self) {
        self.takings.increment();
        self.leader.set(1);
    }

    /// Who does not lead knows of no job and no party.
    pub(super) fn stands_by(&self) {
        self.leader.set(0);
        self.connected.set(0);
        self.draining.set(0);
        for state in JobState::ALL {
            self.jobs.with([state.label()]).set(0);
        }
    }

    /// What came of an attempt to renew the lease.
    pub(super) fn renewed(&self, outcome: &Result<(), StoreError>) {
        let outcome = match outcome {
            Ok(()) => LEASE_RENEWED,
            Err(StoreError::Deposed(_)) => LEASE_LOST,
            Err(_) => LEASE_FAILED,
        };
        self.renewals.with([outcome]).increment();
    }

    pub(super) fn entered(&self, state: JobState) {
        self.transitions.with([state.label()]).increment();
    }

    /// A change was written.
    pub(super) fn changed(&self, change: &Change) {
        let Some(state) = change.entered() else {
            return;
        };
        self.entered(state);
        let record = change.record();
        match (change.expected_state(), state) {
            (JobState::Failing, JobState::Queued) => {
                let failures = record.attempts.last().map(|last| &last.failures);
                let class = blame(failures.map_or(&[][..], |failures| failures));
                self.attempts.with([JobState::Failed.label()]).increment();
                self.retries.with([class.label()]).increment();
            }
            // One that never had its places was no attempt.
            (_, state) if state.is_ended() && record.has_begun() => {
                self.attempts.with([state.label()]).increment();
            }
            _ => {}
        }
    }

    /// Brings the gauges up to date.
    pub(super) fn jobs(&self, engine: &Engine, now: Millis) {
        for (state, count) in engine.count_jobs() {
            self.jobs.with([state.label()]).set(gauge(count));
        }
        self.connected.set(gauge(engine.count_connected(now)));
        self.draining.set(engine.drained().draining.into());
    }
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
