//! What the log is told of jobs. Every line about an attempt has its
//! correlation, the same that both parties' logs have.

use tracing::{info, warn};

use crate::{
    audit::Deed,
    engine::{Engine, Event, Late},
    job::{Change, FailureRecord, JobRecord, JobState},
};

/// That somebody wants something done with a job; whether it is, the next line says.
pub(super) fn asked(engine: &Engine, event: &Event) {
    let Event::Order { id, order, by } = event else {
        return;
    };
    if let Some(record) = engine.record(*id) {
        let (job, attempt, correlation) = (record.id, record.attempt, record.correlation());
        info!(%job, attempt, %correlation, %by, %order, "asked");
    }
}

pub(super) fn submitted(record: &JobRecord) {
    let (job, attempt, correlation) = (record.id, record.attempt, record.correlation());
    match record.retry_of {
        Some(of) => info!(%job, attempt, %correlation, by = %record.submitted_by, %of, "retries"),
        None => info!(%job, attempt, %correlation, by = %record.submitted_by, "submitted"),
    }
}

pub(super) fn changed(change: &Change) {
    let Some(state) = change.entered() else {
        return;
    };
    let (record, from) = (change.record(), change.expected_state());
    let (job, attempt) = (record.id, record.attempt);
    match (from, state, record.attempts.last()) {
        (JobState::Failing, JobState::Queued, Some(last)) => {
            let correlation = last.correlation;
            let why = causes(&last.failures);
            let next = record.correlation();
            warn!(%job, attempt = last.number, %correlation, why, %next, "another attempt follows");
        }
        (_, JobState::Failing | JobState::Failed, _) => {
            let correlation = record.correlation();
            let why = causes(&record.failures);
            warn!(%job, attempt, %correlation, %from, %state, why, "a job goes on");
        }
        _ => {
            let correlation = record.correlation();
            info!(%job, attempt, %correlation, %from, %state, "a job goes on");
        }
    }
}

pub(super) fn drained(deed: &Deed) {
    if let Some(by) = &deed.who {
        warn!(%by, what = %deed.what, "whether anything new begins");
    }
}

pub(super) fn late(late: &Late) {
    let Late {
        job,
        party,
        state,
        says,
        attempt,
        correlation,
    } = late;
    warn!(%job, attempt, %correlation, %party, %state, says, "said too late: the end stands");
}

/// Labels alone: what parties write for people stays in the record.
fn causes(failures: &[FailureRecord]) -> String {
    let cause = |failure: &FailureRecord| {
        let side = failure.side.map_or("coordinator", |side| side.label());
        format!("{side}: {}", failure.label)
    };
    let causes: Vec<String> = failures.iter().map(cause).collect();
    causes.join(", ")
}
