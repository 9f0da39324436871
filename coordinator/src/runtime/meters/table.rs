//! What is shown of a running job, series by series.

use entente_metrics::{
    Definition, Gauge, JOB_EPOCH, JOB_ETA, JOB_KEY_EPOCH, JOB_KEY_SINCE, JOB_LEAK_BOUND, JOB_LOSS,
    JOB_PLANNED_ROUNDS, JOB_PROGRESS, JOB_ROUNDS, JOB_SAMPLES, JOB_STALL_BUDGET, JOB_STARTED,
    JOB_STILL, JOB_VALIDATION_ACCURACY, JOB_VALIDATION_LOSS, JOB_WAITING_SECONDS, Level,
};
use entente_protocol::{control::Progress, job::Task};

use crate::{clock::Span, engine::Vitals, job::JobRecord};

/// What is counted: nothing of what is not known.
pub(super) type Count = (
    &'static Definition<Gauge, 1>,
    fn(&Vitals<'_>) -> Option<u64>,
);
/// What is measured: nothing of what is not known.
pub(super) type Measure = (
    &'static Definition<Level, 1>,
    fn(&Vitals<'_>) -> Option<f64>,
);

pub(super) const COUNTS: [Count; 9] = [
    (&JOB_ROUNDS, |job| {
        Some(of_both(job.record, |progress| progress.rounds_done))
    }),
    (&JOB_PLANNED_ROUNDS, |job| {
        let sides = job.record.sides.iter();
        sides.map(|side| side.progress.rounds).max()
    }),
    (&JOB_SAMPLES, |job| {
        Some(of_both(job.record, |progress| progress.samples))
    }),
    (&JOB_EPOCH, |job| {
        Some(of_both(job.record, |progress| progress.epoch.into()))
    }),
    (&JOB_STARTED, |job| {
        job.record.started_at.map(|at| at.0 / 1000)
    }),
    (&JOB_PROGRESS, |job| Some(job.progressed_at.0 / 1000)),
    (&JOB_STALL_BUDGET, |job| Some(job.stall_budget.0 / 1000)),
    (&JOB_KEY_EPOCH, |job| {
        let key = job.record.told(|progress| progress.key);
        key.map(|key| key.epoch.into())
    }),
    (&JOB_KEY_SINCE, |job| {
        let key = job.record.told(|progress| progress.key);
        key.map(|key| key.since_ms / 1000)
    }),
];

pub(super) const MEASURES: [Measure; 7] = [
    (&JOB_LOSS, |job| job.record.told(|progress| progress.loss)),
    (&JOB_VALIDATION_LOSS, |job| {
        let last = job.record.told(|progress| progress.validation);
        last.map(|last| last.loss)
    }),
    (&JOB_VALIDATION_ACCURACY, |job| {
        let last = job.record.told(|progress| progress.validation);
        last.map(|last| last.accuracy)
    }),
    (&JOB_ETA, |job| job.left.map(seconds)),
    (&JOB_STILL, |job| Some(seconds(job.still))),
    (&JOB_WAITING_SECONDS, |job| Some(seconds(job.parked))),
    (&JOB_LEAK_BOUND, |job| match &*job.record.task {
        Task::Train(training) => training.spec().privacy.max_leak_auc,
        Task::Infer(_) => None,
    }),
];

/// What both sides have done.
fn of_both(record: &JobRecord, what: fn(&Progress) -> u64) -> u64 {
    let sides = record.sides.iter().map(|side| what(&side.progress));
    sides.min().unwrap_or_default()
}

fn seconds(span: Span) -> f64 {
    span.0 as f64 / 1000.0
}
