//! A coordinator that begins nothing new, over its API.
#![allow(clippy::unwrap_used, clippy::panic)]

mod house;

use entente_coordinator::{
    audit::What,
    client::ClientError,
    job::{JobState, Reason},
};

use house::Field;

#[actix_rt::test]
async fn what_has_begun_ends_and_nothing_else_begins_until_it_is_resumed() {
    let mut field = Field::new().await;
    let operator = field.house.client_as("operator/otto", field.at());
    let first = field.submit().await;
    field
        .go_on(first, |job| job.state == JobState::Running)
        .await;
    let Err(ClientError::Refused(problem)) = field.client.drain().await else {
        panic!("a user drained the coordinator");
    };
    assert_eq!(problem.status, 403);
    assert!(!operator.drained().await.unwrap().draining);
    let drained = operator.drain().await.unwrap();
    assert_eq!((drained.draining, drained.begun), (true, 1));
    assert_eq!(operator.drain().await.unwrap().since, drained.since);
    // What has begun goes on through it.
    let ready = field.active.caller.get("/readyz").await;
    assert_eq!(
        ready,
        (200, "ready, drained: nothing new begins\n".to_owned())
    );

    let second = field.submit().await;
    field
        .go_on(first, |job| job.state == JobState::Succeeded)
        .await;
    assert_eq!(
        field.client.show(second).await.unwrap().state,
        JobState::Queued
    );
    let why = field.client.why(second).await.unwrap();
    assert_eq!(why.reasons, [Reason::Draining { party: None }]);

    // Over a restart too.
    let mut field = field.restart().await;
    let operator = field.house.client_as("operator/otto", field.at());
    field.step().await;
    let drained = field.client.drained().await.unwrap();
    assert_eq!(
        (drained.draining, drained.begun, drained.waiting),
        (true, 0, 1)
    );
    assert_eq!(drained.by.unwrap().to_string(), "operator/otto");
    assert!(!operator.undrain().await.unwrap().draining);
    field
        .go_on(second, |job| job.state == JobState::Succeeded)
        .await;

    let log = operator.audit().await.unwrap();
    let told = log.iter().map(|entry| entry.deed.what);
    let told: Vec<What> = told
        .filter(|what| matches!(what, What::Drained | What::Undrained))
        .collect();
    assert_eq!(told, [What::Drained, What::Undrained]);
    field.stop().await;
}
