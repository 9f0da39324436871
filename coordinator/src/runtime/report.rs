//! What the log is told of jobs. Every line about an attempt has its
//! correlation, the same that both parties' logs have.

use tracing::{info, warn};

use crate::{
    audit::Deed,
    engine::Late,
    job::{Change, FailureRecord, JobRecord, JobState},
};

pub(super) fn submitted(record: &JobRecord) {
    let (job, correlation) = (record.id, record.correlation());
    match record.retry_of {
        Some(of) => info!(%job, %correlation, by = %record.submitted_by, %of, "retries"),
        None => info!(%job, %correlation, by = %record.submitted_by, "submitted"),
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
        correlation,
    } = late;
    warn!(%job, %correlation, %party, %state, says, "said too late: the end stands");
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
