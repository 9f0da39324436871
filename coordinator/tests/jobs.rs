//! Whole jobs, with parties that compute nothing, over real mutual TLS.
#![allow(clippy::unwrap_used, clippy::panic)]

mod house;

use std::time::{Duration, Instant};

use entente_coordinator::{
    client::ClientError,
    job::{IdempotencyKey, JobState, Priority},
};
use entente_protocol::{
    control::{Failure, FailureClass, Phase},
    job::{Side, TaskSpec},
};

use house::{DEADLINE, Field, House, SPEC, go_on, spec};

#[actix_rt::test]
async fn a_job_goes_from_submission_to_success() {
    let mut field = Field::new().await;

    let key = IdempotencyKey::fresh();
    let submitted = field.client.submit_as(&spec(), &key, Priority::Low).await;
    let submitted = submitted.unwrap();
    assert_eq!(submitted.state, JobState::AwaitingApproval);
    assert_eq!(submitted.priority, Priority::Low);
    let waits = submitted.waiting_for.as_deref();
    assert_eq!(waits, Some("bank-a to connect; bank-b to connect"));
    assert_eq!(submitted.submitted_by.to_string(), "user/alice");
    let why = field.client.why(submitted.id).await.unwrap();
    assert_eq!((why.job, why.state), (submitted.id, submitted.state));
    assert_eq!(why.reasons[1].to_string(), "bank-b to connect");
    assert_eq!(
        field.client.list(None).await.unwrap(),
        vec![submitted.clone()]
    );
    assert_eq!(
        field.client.list(Some(JobState::Running)).await.unwrap(),
        []
    );

    let view = field
        .go_on(submitted.id, |job| {
            let done = |side| job.progress(side).exchanges_done;
            let ahead = done(Side::Active).min(done(Side::Passive)) + 8;
            assert!(job.granted <= ahead, "{job:#?}");
            job.state == JobState::Succeeded
        })
        .await;
    assert_eq!(view.progress(Side::Passive).exchanges_done, 50);
    assert_eq!(view.sides.active.phase, Some(Phase::Finished));
    assert_eq!(view.loss, Some(1.0 / 51.0));
    assert_eq!(view.validation, Some(house::VALIDATION));
    assert_eq!(view.best, Some(house::VALIDATION));
    assert!(view.stopped_early);
    assert_eq!(view.test_accuracy, Some(0.96));
    assert_eq!(view.spec_digest, submitted.spec_digest);
    assert!(view.submitted_at <= view.started_at.unwrap());
    assert!(view.started_at.unwrap() <= view.ended_at.unwrap());

    // Parties are told to forget it.
    field.step().await;
    assert!(field.active.jobs.is_empty() && field.passive.jobs.is_empty());
    let Err(ClientError::Refused(problem)) = field.client.cancel(view.id).await else {
        panic!("an ended job was cancelled");
    };
    assert_eq!(problem.status, 409);
    assert!(problem.detail.contains("succeeded"), "{problem}");
    let parties = field.client.parties().await.unwrap();
    assert_eq!(parties.len(), 2);
    assert!(
        parties
            .iter()
            .all(|party| party.connected && party.jobs == 0)
    );
    field.stop().await;
}

#[actix_rt::test]
async fn a_failure_at_one_party_ends_the_job_at_both() {
    let mut field = Field::new().await;
    field.passive.fails_at = Some(Failure {
        class: FailureClass::Operator,
        label: "range".into(),
        message: "logit out of range".into(),
        state: Some("expect_masked_logits".into()),
        exchange: 20,
    });
    let id = field.submit().await;
    let view = field.go_on(id, |job| job.state == JobState::Failed).await;
    // The other side was told to rest, and had nothing to tell.
    assert_eq!(view.failures.len(), 2);
    assert_eq!(view.failures[1].label, "at_rest");
    let failure = &view.failures[0];
    assert_eq!(failure.side, Some(Side::Passive));
    assert_eq!(failure.label, "range");
    assert_eq!(failure.exchange, 20);
    assert_eq!(failure.state.as_deref(), Some("expect_masked_logits"));
    field.active.step().await;
    assert!(field.active.jobs.is_empty());
    field.stop().await;
}

#[actix_rt::test]
async fn a_cancelled_job_ends_when_both_parties_have_let_go() {
    let mut field = Field::new().await;
    field.active.exchanges = 1_000_000;
    let id = field.submit().await;
    field
        .go_on(id, |job| job.progress(Side::Active).exchanges_done > 0)
        .await;
    let view = field.client.cancel(id).await.unwrap();
    assert_eq!(view.state, JobState::Cancelling);
    let mut one = [&mut field.active];
    for _ in 0..3 {
        go_on(&field.client, id, &mut one, |job| {
            job.state == JobState::Cancelling
        })
        .await;
    }
    field
        .go_on(id, |job| job.state == JobState::Cancelled)
        .await;
    field.stop().await;
}

#[actix_rt::test]
async fn jobs_go_on_with_a_coordinator_that_was_started_anew() {
    let mut field = Field::new().await;
    let id = field.submit().await;
    let other = SPEC.replace("dataset = \"iris\"", "dataset = \"mnist\"");
    let other = TaskSpec::from_toml(&other).unwrap();
    let queued = field.client.submit(&other).await.unwrap();
    let before = field.go_on(id, |job| job.granted > 8).await;

    let mut field = field.restart().await;
    let after = field.client.show(id).await.unwrap();
    assert_eq!(after.state, JobState::Running);
    assert_eq!(after.granted, before.granted);
    assert_eq!(after.submitted_at, before.submitted_at);
    assert_eq!(after.spec_digest, before.spec_digest);
    let view = field
        .go_on(id, |job| {
            assert!(job.granted >= before.granted);
            job.state == JobState::Succeeded
        })
        .await;
    assert_eq!(view.attempt, 1);
    let listed = field.client.list(None).await.unwrap();
    let ids: Vec<_> = listed.iter().map(|job| job.id).collect();
    assert_eq!(ids, [queued.id, id]);
    let waiting = listed[0].waiting_for.as_deref().unwrap();
    assert!(waiting.contains("mnist"), "{waiting}");
    field.stop().await;
}

#[actix_rt::test]
async fn a_wish_is_held_back_until_there_is_news() {
    let mut field = Field::new().await;
    field.step().await;
    // Nothing new: the answer comes when the wait is over, and not before.
    field.active.wait_ms = 300;
    let begun = Instant::now();
    assert_eq!(
        field.active.ask().await.revision,
        field.active.seen_revision
    );
    assert!(begun.elapsed() >= Duration::from_millis(300));
    // News: the answer comes at once, however long the party would wait.
    field.active.wait_ms = 3_600_000;
    let begun = Instant::now();
    let spec = spec();
    let (wish, submitted) = tokio::join!(field.active.ask(), field.client.submit(&spec));
    assert_eq!(wish.proposals[0].job, submitted.unwrap().id);
    assert!(begun.elapsed() < Duration::from_secs(10));
    field.stop().await;
}

#[actix_rt::test]
async fn the_end_does_not_wait_for_parties_that_wait() {
    let house = House::new();
    let running = house.start().await;
    let mut active = house.party("bank-a", running.addresses.api);
    active.step().await;
    active.wait_ms = 3_600_000;
    let revision = active.seen_revision;
    let client = house.client(running.addresses.api);
    let asked = actix_rt::spawn(async move { active.ask().await });
    // Once the coordinator has counted the second sync, it is being held back.
    let scrape = house.caller("user/alice", running.addresses.api);
    let deadline = Instant::now() + DEADLINE;
    while !scrape
        .get("/metrics")
        .await
        .1
        .contains("entente_syncs_total 2")
    {
        assert!(Instant::now() < deadline);
    }
    assert_eq!(client.parties().await.unwrap().len(), 1);
    let begun = Instant::now();
    running.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(8));
    assert_eq!(asked.await.unwrap().revision, revision);
}
