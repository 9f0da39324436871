//! Jobs that are paused, resumed and retried, with parties that compute nothing,
//! over real mutual TLS.
#![allow(clippy::unwrap_used, clippy::panic)]

mod house;

use entente_coordinator::{
    client::ClientError,
    job::{JobState, Reason},
};
use entente_protocol::{
    control::{Failure, FailureClass, Phase},
    job::Side,
};
use serde_json::Value;

use house::Field;

fn failure(class: FailureClass, label: &str) -> Failure {
    Failure {
        class,
        label: label.into(),
        message: "it went wrong".into(),
        state: Some("expect_masked_logits".into()),
        exchange: 4,
    }
}

#[actix_rt::test]
async fn a_paused_job_rests_and_goes_on_from_where_it_was() {
    let mut field = Field::new().await;
    let id = field.submit().await;
    field.go_on(id, |job| job.granted > 8).await;

    let paused = field.client.pause(id).await.unwrap();
    assert_eq!(paused.state, JobState::Paused);
    let rests = field
        .go_on(id, |job| {
            job.sides.iter().all(|side| side.phase == Some(Phase::Held))
        })
        .await;
    assert_eq!(rests.state, JobState::Paused);
    let done = rests.progress(Side::Active).exchanges_done;
    assert!((8..50).contains(&done), "{rests:#?}");
    let why = field.client.why(id).await.unwrap();
    assert_eq!(why.reasons, [Reason::Paused]);
    // Where nothing runs, no key changes, and it is said when it would.
    let Err(ClientError::Refused(problem)) = field.client.rotate_key(id).await else {
        panic!("the key of what rests was changed");
    };
    assert_eq!(problem.kind, "urn:entente:problem:not-now");
    assert!(problem.detail.contains("only what runs"), "{problem}");
    // Its places are others'.
    let free = field.client.parties().await.unwrap();
    assert!(free.iter().all(|party| party.jobs == 0), "{free:#?}");
    // It rests over a restart of the coordinator, and a pause twice is one.
    assert_eq!(
        field.client.pause(id).await.unwrap().state,
        JobState::Paused
    );
    let mut field = field.restart().await;
    field.step().await;
    let held = field.client.show(id).await.unwrap();
    assert_eq!(held.state, JobState::Paused);
    assert_eq!((field.active.jobs.len(), field.passive.jobs.len()), (1, 1));

    field.client.resume(id).await.unwrap();
    field.client.resume(id).await.unwrap();
    let view = field
        .go_on(id, |job| {
            assert!(job.progress(Side::Active).exchanges_done >= done);
            job.state == JobState::Succeeded
        })
        .await;
    assert_eq!((view.attempt, view.attempts.len()), (1, 1));
    let Err(ClientError::Refused(problem)) = field.client.pause(id).await else {
        panic!("an ended job was paused");
    };
    assert_eq!(problem.kind, "urn:entente:problem:job-ended");
    field.stop().await;
}

#[actix_rt::test]
async fn a_failed_job_is_retried_as_another_one() {
    let mut field = Field::new().await;
    field.passive.fails_at = Some(failure(FailureClass::Operator, "disk"));
    let id = field.submit().await;
    field.go_on(id, |job| job.state == JobState::Failed).await;

    let olga = field.caller("operator/olga");
    let path = format!("/v1/jobs/{id}/retry");
    let mut created = olga.request("POST", &path).send().await.unwrap();
    assert_eq!(created.status(), 201);
    let location = created.headers().get("location").unwrap().clone();
    let retry: Value = created.json().await.unwrap();
    let new = retry["id"].as_str().unwrap();
    assert_eq!(location, format!("/v1/jobs/{new}").as_str());
    assert_eq!(retry["submitted_by"], "operator/olga");
    let again = field.client.retry(id).await.unwrap();
    assert_eq!(again.id.to_string(), new);
    assert_eq!(again.retry_of, Some(id));
    let first = field.client.show(id).await.unwrap();
    assert_eq!(
        (first.state, first.retried_as),
        (JobState::Failed, Some(again.id))
    );

    field
        .go_on(again.id, |job| job.state == JobState::Failed)
        .await;
    let Err(ClientError::Refused(problem)) = field.client.retry(id).await else {
        panic!("one job was retried twice");
    };
    assert_eq!(problem.kind, "urn:entente:problem:job-retried");
    assert!(problem.detail.contains(new), "{problem}");

    field.passive.fails_at = None;
    let third = field.caller("operator/olga");
    let path = format!("/v1/jobs/{new}/retry");
    let mut created = third.request("POST", &path).send().await.unwrap();
    let third: Value = created.json().await.unwrap();
    let third = third["id"].as_str().unwrap().parse().unwrap();
    field
        .go_on(third, |job| job.state == JobState::Succeeded)
        .await;
    field.stop().await;
}

#[actix_rt::test]
async fn another_attempt_follows_what_may_go_better_and_the_record_keeps_both() {
    let mut field = Field::new().await;
    field.passive.fails_at = Some(failure(FailureClass::Retry, "state_lost"));
    let id = field.submit().await;
    let first = field.go_on(id, |job| job.state == JobState::Running).await;
    let waiting = field.go_on(id, |job| job.attempt == 2).await;
    assert_ne!(waiting.correlation, first.correlation);
    field.passive.fails_at = None;
    let view = field
        .go_on(id, |job| job.state == JobState::Succeeded)
        .await;
    let [failed, succeeded] = &view.attempts[..] else {
        panic!("{view:#?}")
    };
    assert_eq!(failed.correlation, first.correlation);
    assert!(failed.from.unwrap() <= failed.to.unwrap());
    assert!(failed.to.unwrap() <= succeeded.from.unwrap());
    let told: Vec<_> = failed
        .failures
        .iter()
        .map(|failure| (failure.side, failure.label.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (Some(Side::Passive), "state_lost"),
            (Some(Side::Active), "at_rest")
        ]
    );
    assert_eq!(failed.failures[0].exchange, 4);
    assert_eq!(
        failed.failures[0].state.as_deref(),
        Some("expect_masked_logits")
    );
    assert_eq!((succeeded.number, &succeeded.failures[..]), (2, &[][..]));

    let (_, text) = field.caller("user/alice").get("/metrics").await;
    for line in [
        "entente_job_attempts_total{outcome=\"failed\"} 1",
        "entente_job_attempts_total{outcome=\"succeeded\"} 1",
        "entente_job_attempts_total{outcome=\"cancelled\"} 0",
        "entente_job_retries_total{class=\"retry\"} 1",
        "entente_job_retries_total{class=\"bug\"} 0",
        "entente_job_transitions_total{to=\"failing\"} 1",
        "entente_jobs{state=\"parked\"} 0",
    ] {
        assert!(text.lines().any(|other| other == line), "{line} in\n{text}");
    }
    field.stop().await;
}
