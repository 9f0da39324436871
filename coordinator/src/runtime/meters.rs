//! What is counted of jobs and parties.

mod named;
mod table;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use entente_metrics::{
    Counter, DRAINING, Family, Gauge, JOB_ATTEMPTS, JOB_FAILURES, JOB_RETRIES, JOB_TRANSITIONS,
    JOB_TRANSITIONS_REFUSED, JOBS, JOBS_BLOCKED, LEADER, LEASE_EXPIRY, LEASE_FAILED, LEASE_LOST,
    LEASE_RENEWALS, LEASE_RENEWED, LEASE_TAKINGS, PARKED_SECONDS, PARTIES_CONNECTED, QUEUE_OLDEST,
    QUEUE_STARTS, Registry, STALE_WRITES, SecondsCounter,
};
use entente_protocol::control::FailureClass;
use tokio::time::Instant;

use self::named::Named;
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

/// What attempts fail of.
const CLASSES: [FailureClass; 4] = [
    FailureClass::Retry,
    FailureClass::Bug,
    FailureClass::Operator,
    FailureClass::Abort,
];
/// What attempts fail of, if others follow.
const RETRIED: [FailureClass; 2] = [FailureClass::Retry, FailureClass::Bug];

/// What is counted of jobs and parties, and of who leads.
#[derive(Clone)]
pub(super) struct Meters {
    jobs: Family<Gauge, 1>,
    connected: Gauge,
    transitions: Family<Counter, 1>,
    attempts: Family<Counter, 1>,
    retries: Family<Counter, 1>,
    failures: Family<Counter, 1>,
    blocked: Family<Gauge, 1>,
    oldest: Gauge,
    starts: Counter,
    parked: SecondsCounter,
    lease_expiry: Gauge,
    /// What this coordinator knows of while it leads, and no longer.
    reign: Arc<Mutex<Reign>>,
    pub(super) refused: Family<Counter, 1>,
    pub(super) stale_writes: Counter,
    leader: Gauge,
    draining: Gauge,
    takings: Counter,
    renewals: Family<Counter, 1>,
}

/// What is shown of a reign. The engine of one that is over may be asked once more before
/// it ends: what it would show then is not this coordinator's to know any more.
struct Reign {
    leads: bool,
    named: Named,
    /// What was told of the time that jobs were parked.
    parked: Duration,
}

impl Meters {
    pub(super) fn new(registry: &Registry) -> Self {
        let meters = Self {
            jobs: registry.family(&JOBS),
            connected: registry.family(&PARTIES_CONNECTED).with([]),
            transitions: registry.family(&JOB_TRANSITIONS),
            attempts: registry.family(&JOB_ATTEMPTS),
            retries: registry.family(&JOB_RETRIES),
            failures: registry.family(&JOB_FAILURES),
            blocked: registry.family(&JOBS_BLOCKED),
            oldest: registry.family(&QUEUE_OLDEST).with([]),
            starts: registry.family(&QUEUE_STARTS).with([]),
            parked: registry.family(&PARKED_SECONDS).with([]),
            lease_expiry: registry.family(&LEASE_EXPIRY).with([]),
            reign: Arc::new(Mutex::new(Reign {
                leads: false,
                named: Named::new(registry),
                parked: Duration::ZERO,
            })),
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
        meters.retries.seed(RETRIED.map(|class| [class.label()]));
        meters.failures.seed(CLASSES.map(|class| [class.label()]));
        meters.blocked.seed(Engine::BLOCKED_BY.map(|by| [by]));
        meters.refused.seed(REASONS.map(|why| [why]));
        meters
    }

    /// It leads, until then unless it renews its lease.
    pub(super) fn leads(&self, until: Option<Instant>) {
        let mut reign = self.reign();
        reign.leads = true;
        reign.parked = Duration::ZERO;
        self.takings.increment();
        self.leader.set(1);
        self.leads_until(until);
    }

    /// The lease lasts until then; for ever if nothing.
    pub(super) fn leads_until(&self, until: Option<Instant>) {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let now = UNIX_EPOCH.elapsed().unwrap_or_default();
        let expiry = left.map_or(0, |left| (now + left).as_secs());
        self.lease_expiry.set(expiry.try_into().unwrap_or(i64::MAX));
    }

    /// Who does not lead knows of no job and no party.
    pub(super) fn stands_by(&self) {
        self.leader.set(0);
        self.connected.set(0);
        self.draining.set(0);
        self.lease_expiry.set(0);
        self.oldest.set(0);
        let mut reign = self.reign();
        reign.leads = false;
        reign.named.clear();
        for by in Engine::BLOCKED_BY {
            self.blocked.with([by]).set(0);
        }
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
        let before = change.expected_state();
        if matches!(
            (before, state),
            (_, JobState::Reserved) | (JobState::Parked, JobState::Running)
        ) {
            self.starts.increment();
        }
        if (before, state) == (JobState::Failing, JobState::Failed) {
            let class = blame(&record.failures);
            self.failures.with([class.label()]).increment();
        }
        match (before, state) {
            (JobState::Failing, JobState::Queued) => {
                let failures = record.attempts.last().map(|last| &last.failures);
                let class = blame(failures.map_or(&[][..], |failures| failures));
                self.attempts.with([JobState::Failed.label()]).increment();
                self.failures.with([class.label()]).increment();
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
    pub(super) fn look_at(&self, engine: &Engine, now: Millis) {
        let mut reign = self.reign();
        if !reign.leads {
            return;
        }
        reign.named.show(engine, now);
        let parked = Duration::from_millis(engine.parked(now).0);
        self.parked.add(parked.saturating_sub(reign.parked));
        reign.parked = reign.parked.max(parked);
        for (by, count) in engine.blocked(now) {
            self.blocked.with([by]).set(gauge(count));
        }
        self.oldest.set(engine.queued_since().map_or(0, seconds));
        for (state, count) in engine.count_jobs() {
            self.jobs.with([state.label()]).set(gauge(count));
        }
        self.connected.set(gauge(engine.count_connected(now)));
        self.draining.set(engine.drained().draining.into());
    }

    /// A panic elsewhere does not make it wrong: the next look shows all of it anew.
    fn reign(&self) -> MutexGuard<'_, Reign> {
        self.reign.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Since 1970.
fn seconds(moment: Millis) -> i64 {
    i64::try_from(moment.0 / 1000).unwrap_or(i64::MAX)
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
