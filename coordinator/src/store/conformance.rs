//! What every store must do. Run it in the tests of a store:
//! `conformance::check(async || MyStore::empty().await).await?`, and
//! [`check_leases`] of what it is led by.

mod draining;
mod leases;
mod log;
mod retries;
mod submissions;

pub use leases::check_leases;

use entente_protocol::{
    contract::Signed,
    control::{FailureClass, Phase, Progress},
    job::{
        Bottom, Data, Decay, EarlyStopping, Encryption, Job, JobId, JobSpec, Keep, KeyPolicy,
        Layer, Liveness, Metric, Network, Objective, Optimizer, Parties, Protocol, Resources,
        RowOrder, SampleShape, Side, Task, Training,
    },
};
use thiserror::Error;
use uuid::Uuid;

use super::{Store, StoreError};
use crate::{
    clock::Millis,
    job::{
        Approval, Attempt, Change, FailureRecord, JobRecord, JobState, Priority, Rejection,
        SideStatus, Sides, Tenure,
    },
};

/// What a store did wrong.
#[derive(Debug, Error)]
pub enum Violation {
    /// It failed where it must not.
    #[error("the store failed: {0}")]
    Failed(#[from] StoreError),
    /// It did something else than it must.
    #[error("the store does not conform: {0}")]
    Wrong(String),
    /// The suite could not make its material: a defect of the suite.
    #[error("the suite: {0}")]
    Suite(#[from] Box<dyn std::error::Error + Send + Sync>),
}

/// Checks a kind of store; `empty` makes a new one without jobs.
///
/// # Errors
/// The first [`Violation`].
pub async fn check<S: Store>(mut empty: impl AsyncFnMut() -> S) -> Result<(), Violation> {
    let store = empty().await;
    store.check().await?;
    expect(
        "an empty store loads nothing",
        &store.load().await?,
        &vec![],
    )?;
    store.close().await;

    let store = empty().await;
    everything_comes_back_in_order(&store).await?;
    store.close().await;

    let store = empty().await;
    an_identity_is_kept_once(&store).await?;
    store.close().await;

    let store = empty().await;
    submissions::a_submitters_key_is_kept_once(&store).await?;
    store.close().await;

    let store = empty().await;
    retries::a_job_is_retried_once(&store).await?;
    store.close().await;

    let store = empty().await;
    only_who_is_up_to_date_writes(&store).await?;
    store.close().await;

    let store = empty().await;
    of_writers_that_race_one_wins(&store).await?;
    store.close().await;

    let store = empty().await;
    log::the_log_tells_of_what_was_written_and_of_nothing_else(&store).await?;
    store.close().await;

    let store = empty().await;
    draining::whether_anything_begins_is_kept(&store).await?;
    store.close().await;

    let store = empty().await;
    log::a_jobs_log_tells_of_that_job_and_of_what_was_written(&store).await?;
    store.close().await;

    let store = empty().await;
    every_transition_of_the_table_is_written(&store).await?;
    store.close().await;
    Ok(())
}

async fn everything_comes_back_in_order(store: &impl Store) -> Result<(), Violation> {
    let records = [
        record(1, "first")?,
        full(record(2, "second")?),
        record(3, "third")?,
    ];
    for index in [2, 0, 1] {
        if let Some(record) = records.get(index) {
            store.insert(record).await?;
        }
    }
    expect(
        "what was kept, in order of submission",
        &store.load().await?,
        &records.to_vec(),
    )
}

async fn an_identity_is_kept_once(store: &impl Store) -> Result<(), Violation> {
    let first = record(1, "first")?;
    store.insert(&first).await?;
    let second = store.insert(&record(1, "second")?).await;
    if !matches!(second, Err(StoreError::Exists(id)) if id == first.id) {
        return Err(wrong("a second job of one identity", &second));
    }
    expect(
        "the first job, untouched",
        &store.load().await?,
        &vec![first],
    )
}

async fn only_who_is_up_to_date_writes(store: &impl Store) -> Result<(), Violation> {
    let (kept, bystander) = (record(1, "kept")?, record(2, "bystander")?);
    store.insert(&kept).await?;
    store.insert(&bystander).await?;
    let reserved = change(&kept, JobState::Reserved)?;
    store.write(&reserved).await?;

    let twice = store.write(&reserved).await;
    if !matches!(twice, Err(StoreError::Conflict(id)) if id == kept.id) {
        return Err(wrong("the same change twice", &twice));
    }
    let behind = store.write(&change(&kept, JobState::Cancelled)?).await;
    if !matches!(behind, Err(StoreError::Conflict(_))) {
        return Err(wrong(
            "a change from a state that the job has left",
            &behind,
        ));
    }
    let same_state_other_version = JobRecord {
        version: 7,
        ..reserved.record().clone()
    };
    let other = store
        .write(&change(&same_state_other_version, JobState::Running)?)
        .await;
    if !matches!(other, Err(StoreError::Conflict(_))) {
        return Err(wrong(
            "a change from a version that the record has not",
            &other,
        ));
    }
    let same_version_other_state = JobRecord {
        state: JobState::Cancelling,
        ..reserved.record().clone()
    };
    let other = store
        .write(&change(&same_version_other_state, JobState::Cancelled)?)
        .await;
    if !matches!(other, Err(StoreError::Conflict(_))) {
        return Err(wrong(
            "a change from a state that the job is not in, at its version",
            &other,
        ));
    }
    let nobody = store
        .write(&change(&record(3, "nobody")?, JobState::Reserved)?)
        .await;
    if !matches!(nobody, Err(StoreError::Conflict(_))) {
        return Err(wrong("a change of a job that is not there", &nobody));
    }
    let expected = vec![reserved.record().clone(), bystander];
    expect(
        "what the one good change left",
        &store.load().await?,
        &expected,
    )
}

async fn of_writers_that_race_one_wins(store: &impl Store) -> Result<(), Violation> {
    let kept = record(1, "raced for")?;
    store.insert(&kept).await?;
    let (start, cancel) = (
        change(&kept, JobState::Reserved)?,
        change(&kept, JobState::Cancelled)?,
    );
    let (started, cancelled) = tokio::join!(store.write(&start), store.write(&cancel));
    let won = match (&started, &cancelled) {
        (Ok(()), Err(StoreError::Conflict(_))) => &start,
        (Err(StoreError::Conflict(_)), Ok(())) => &cancel,
        _ => {
            let text = format!("of two one must win, got {started:?} and {cancelled:?}");
            return Err(Violation::Wrong(text));
        }
    };
    expect(
        "what the one that won left",
        &store.load().await?,
        &vec![won.record().clone()],
    )
}

async fn every_transition_of_the_table_is_written(store: &impl Store) -> Result<(), Violation> {
    let mut expected = Vec::new();
    for (number, (from, to)) in (1..).zip(JobState::TRANSITIONS) {
        let before = JobRecord {
            state: *from,
            version: number,
            ..record(u128::from(number), "one")?
        };
        store.insert(&before).await?;
        let full = full(before.clone());
        let after = JobRecord { state: *to, ..full };
        let change = Change::new(&before, after).map_err(suite)?;
        store.write(&change).await?;
        expected.push(change.record().clone());
    }
    expect("every transition", &store.load().await?, &expected)
}

fn change(before: &JobRecord, to: JobState) -> Result<Change, Violation> {
    let after = JobRecord {
        state: to,
        ..before.clone()
    };
    Ok(Change::new(before, after).map_err(suite)?)
}

fn expect<T: PartialEq + core::fmt::Debug>(
    what: &str,
    got: &T,
    expected: &T,
) -> Result<(), Violation> {
    if got == expected {
        return Ok(());
    }
    let text = format!("{what}: expected {expected:#?}, got {got:#?}");
    Err(Violation::Wrong(text))
}

fn wrong(what: &str, got: &Result<(), StoreError>) -> Violation {
    Violation::Wrong(format!("{what} must be refused, got {got:?}"))
}

fn suite(
    error: impl std::error::Error + Send + Sync + 'static,
) -> Box<dyn std::error::Error + Send + Sync> {
    Box::new(error)
}

/// A job with what a person may write: quotes, letters beyond ASCII.
fn record(number: u128, name: &str) -> Result<JobRecord, Violation> {
    let spec = JobSpec {
        name: format!("{name} 'λ' \"{number}\""),
        model: Some("the 'λ' of \"all\"".to_owned().try_into().map_err(suite)?),
        protocol: Protocol::Acml,
        parties: Parties {
            active: "bank-a".parse().map_err(suite)?,
            passive: "bank-b".parse().map_err(suite)?,
        },
        data: Data {
            dataset: "iris".into(),
            match_on: Some("customer".into()),
            order: Some(RowOrder::AsStored),
            test_fraction: 0.1 + 0.2,
            test_rows: None,
            test_fold: 0,
            split_seed: None,
            validation_fraction: 0.1,
        },
        network: Network {
            input: SampleShape::Row(4),
            bottom: Bottom::Layers(vec![Layer::Dense { units: 5 }, Layer::Sigmoid]),
            classes: 3,
            loss: Objective::default(),
            initial: None,
        },
        training: Training {
            epochs: 2,
            batch_size: 16,
            learning_rate: 0.1,
            bottom: Optimizer::Adam {
                learning_rate: 0.001,
            },
            warm_up_epochs: 0,
            decay: Decay::default(),
            early_stopping: Some(EarlyStopping {
                patience: 3,
                min_delta: 0.1 + 0.2,
                metric: Metric::Accuracy,
            }),
            keep: Keep::Best,
            // JSON is not limited to what a double holds exactly.
            seed: u64::MAX,
        },
        encryption: Encryption::default(),
        privacy: Default::default(),
        fixed_point: Default::default(),
        liveness: Liveness::default(),
        resources: Resources::default(),
        keys: KeyPolicy {
            rotate_every_rounds: Some(100),
            rotate_every_hours: Some(24),
        },
    };
    let id = JobId::new(Uuid::from_u128(number));
    let task = Job::try_from(spec).map_err(suite)?;
    let by = "user/alice".parse().map_err(suite)?;
    let at = Millis(1_700_000_000_123);
    Ok(JobRecord {
        state: JobState::Queued,
        ..JobRecord::submitted(id, Task::from(task), by, at)
    })
}

fn tenure() -> Tenure {
    let mut tenure = Tenure::default();
    tenure.take(Millis(1_700_000_000_123));
    tenure.give(Millis(1_700_004_000_123));
    tenure.take(Millis(1_700_005_000_123));
    tenure
}

/// With everything filled in.
fn full(record: JobRecord) -> JobRecord {
    let progress = Progress {
        exchanges_done: u64::MAX,
        loss: Some(1.0 / 3.0),
        ..Progress::default()
    };
    let phase = Phase::Waiting {
        what: "bank-b".into(),
        for_ms: 12,
    };
    let failure = FailureRecord::stalled("nothing went on".into(), 41, Millis(9_007));
    let attempt = Attempt {
        number: 1,
        wire: Some(2),
        from: Some(Millis(3).into()),
        failures: vec![failure.clone()],
        ..record.current_attempt()
    };
    let rejection = Rejection::new(Millis(8), "max_epochs", "a 'limit' of \"λ\"");
    let signed = Signed {
        at_ms: u64::MAX,
        signature: "-----BEGIN\n'λ'".into(),
    };
    JobRecord {
        priority: Priority::High,
        tenure: tenure(),
        approvals: Sides {
            active: Some(Approval::Signed(signed)),
            passive: Some(Approval::Rejected(rejection)),
        },
        since: Millis(6),
        begun_at: Some(Millis(4)),
        not_before: Some(Millis(3)),
        attempts: vec![attempt.clone(), attempt],
        attempt: u32::MAX,
        key_epoch: u32::MAX,
        wire: u16::MAX,
        granted: i64::MAX as u64,
        started_at: Some(Millis(5)),
        ended_at: Some(Millis(6)),
        sides: Sides {
            active: SideStatus {
                phase: Some(phase),
                progress,
            },
            passive: SideStatus {
                phase: Some(Phase::Finished),
                progress: Progress::default(),
            },
        },
        failures: vec![
            FailureRecord {
                side: Some(Side::Passive),
                class: FailureClass::Operator,
                state: Some("expect_masked_logits".into()),
                ..failure.clone()
            },
            failure,
        ],
        ..record
    }
}
