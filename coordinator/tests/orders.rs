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

use house::{House, go_on, spec};

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
    let house = House::new();
    let running = house.start().await;
    let at = running.addresses.api;
    let client = house.client(at);
    let mut active = house.party("bank-a", at);
    let mut passive = house.party("bank-b", at);
    let id = client.submit(&spec()).await.unwrap().id;
    let mut parties = [&mut active, &mut passive];
    go_on(&client, id, &mut parties, |job| job.granted > 8).await;

    let paused = client.pause(id).await.unwrap();
    assert_eq!(paused.state, JobState::Paused);
    let rests = go_on(&client, id, &mut parties, |job| {
        job.sides.iter().all(|side| side.phase == Some(Phase::Held))
    })
    .await;
    assert_eq!(rests.state, JobState::Paused);
    let done = rests.progress(Side::Active).exchanges_done;
    assert!((8..50).contains(&done), "{rests:#?}");
    let why = client.why(id).await.unwrap();
    assert_eq!(why.reasons, [Reason::Paused]);
    // Its places are others'.
    let free = client.parties().await.unwrap();
    assert!(free.iter().all(|party| party.jobs == 0), "{free:#?}");
    // It rests over a restart of the coordinator, and a pause twice is one.
    assert_eq!(client.pause(id).await.unwrap().state, JobState::Paused);
    running.stop().await;
    let running = house.start().await;
    let at = running.addresses.api;
    let client = house.client(at);
    active.caller = house.caller("party/bank-a", at);
    passive.caller = house.caller("party/bank-b", at);
    active.step().await;
    passive.step().await;
    let held = client.show(id).await.unwrap();
    assert_eq!(held.state, JobState::Paused);
    assert_eq!((active.jobs.len(), passive.jobs.len()), (1, 1));

    client.resume(id).await.unwrap();
    client.resume(id).await.unwrap();
    let mut parties = [&mut active, &mut passive];
    let view = go_on(&client, id, &mut parties, |job| {
        assert!(job.progress(Side::Active).exchanges_done >= done);
        job.state == JobState::Succeeded
    })
    .await;
    assert_eq!((view.attempt, view.attempts.len()), (1, 1));
    let Err(ClientError::Refused(problem)) = client.pause(id).await else {
        panic!("an ended job was paused");
    };
    assert_eq!(problem.kind, "urn:entente:problem:job-ended");
    running.stop().await;
}

#[actix_rt::test]
async fn a_failed_job_is_retried_as_another_one() {
    let house = House::new();
    let running = house.start().await;
    let at = running.addresses.api;
    let client = house.client(at);
    let mut active = house.party("bank-a", at);
    let mut passive = house.party("bank-b", at);
    passive.fails_at = Some(failure(FailureClass::Operator, "disk"));
    let id = client.submit(&spec()).await.unwrap().id;
    let mut parties = [&mut active, &mut passive];
    go_on(&client, id, &mut parties, |job| {
        job.state == JobState::Failed
    })
    .await;

    let olga = house.caller("operator/olga", at);
    let path = format!("/v1/jobs/{id}/retry");
    let mut created = olga.request("POST", &path).send().await.unwrap();
    assert_eq!(created.status(), 201);
    let location = created.headers().get("location").unwrap().clone();
    let retry: Value = created.json().await.unwrap();
    let new = retry["id"].as_str().unwrap();
    assert_eq!(location, format!("/v1/jobs/{new}").as_str());
    assert_eq!(retry["submitted_by"], "operator/olga");
    let again = client.retry(id).await.unwrap();
    assert_eq!(again.id.to_string(), new);
    assert_eq!(again.retry_of, Some(id));
    let first = client.show(id).await.unwrap();
    assert_eq!(
        (first.state, first.retried_as),
        (JobState::Failed, Some(again.id))
    );

    let mut parties = [&mut active, &mut passive];
    go_on(&client, again.id, &mut parties, |job| {
        job.state == JobState::Failed
    })
    .await;
    let Err(ClientError::Refused(problem)) = client.retry(id).await else {
        panic!("one job was retried twice");
    };
    assert_eq!(problem.kind, "urn:entente:problem:job-retried");
    assert!(problem.detail.contains(new), "{problem}");

    passive.fails_at = None;
    let third = house.caller("operator/olga", at);
    let path = format!("/v1/jobs/{new}/retry");
    let mut created = third.request("POST", &path).send().await.unwrap();
    let third: Value = created.json().await.unwrap();
    let third = third["id"].as_str().unwrap().parse().unwrap();
    let mut parties = [&mut active, &mut passive];
    go_on(&client, third, &mut parties, |job| {
        job.state == JobState::Succeeded
    })
    .await;
    running.stop().await;
}

#[actix_rt::test]
async fn another_attempt_follows_what_may_go_better_and_the_record_keeps_both() {
    let house = House::new();
    let running = house.start().await;
    let at = running.addresses.api;
    let client = house.client(at);
    let mut active = house.party("bank-a", at);
    let mut passive = house.party("bank-b", at);
    passive.fails_at = Some(failure(FailureClass::Retry, "state_lost"));
    let id = client.submit(&spec()).await.unwrap().id;
    let mut parties = [&mut active, &mut passive];
    let first = go_on(&client, id, &mut parties, |job| {
        job.state == JobState::Running
    })
    .await;
    let waiting = go_on(&client, id, &mut parties, |job| job.attempt == 2).await;
    assert_ne!(waiting.correlation, first.correlation);
    passive.fails_at = None;
    let mut parties = [&mut active, &mut passive];
    let view = go_on(&client, id, &mut parties, |job| {
        job.state == JobState::Succeeded
    })
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

    let (_, text) = house.caller("user/alice", at).get("/metrics").await;
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
    running.stop().await;
}
