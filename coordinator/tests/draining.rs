//! A coordinator that begins nothing new, over its API.
#![allow(clippy::unwrap_used, clippy::panic)]

mod house;

use entente_coordinator::{
    audit::What,
    client::ClientError,
    job::{JobState, Reason},
};

use house::{House, go_on, spec};

#[actix_rt::test]
async fn what_has_begun_ends_and_nothing_else_begins_until_it_is_resumed() {
    let house = House::new();
    let running = house.start().await;
    let at = running.addresses.api;
    let (user, operator) = (house.client(at), house.client_as("operator/otto", at));
    let mut active = house.party("bank-a", at);
    let mut passive = house.party("bank-b", at);
    let first = user.submit(&spec()).await.unwrap().id;
    {
        let mut parties = [&mut active, &mut passive];
        go_on(&user, first, &mut parties, |job| {
            job.state == JobState::Running
        })
        .await;
    }
    let Err(ClientError::Refused(problem)) = user.drain().await else {
        panic!("a user drained the coordinator");
    };
    assert_eq!(problem.status, 403);
    assert!(!operator.drained().await.unwrap().draining);
    let drained = operator.drain().await.unwrap();
    assert_eq!((drained.draining, drained.begun), (true, 1));
    assert_eq!(operator.drain().await.unwrap().since, drained.since);
    // What has begun goes on through it.
    let ready = active.caller.get("/readyz").await;
    assert_eq!(
        ready,
        (200, "ready, drained: nothing new begins\n".to_owned())
    );

    let second = user.submit(&spec()).await.unwrap().id;
    let mut parties = [&mut active, &mut passive];
    go_on(&user, first, &mut parties, |job| {
        job.state == JobState::Succeeded
    })
    .await;
    assert_eq!(user.show(second).await.unwrap().state, JobState::Queued);
    let why = user.why(second).await.unwrap();
    assert_eq!(why.reasons, [Reason::Draining { party: None }]);

    // Over a restart too.
    running.stop().await;
    let running = house.start().await;
    let at = running.addresses.api;
    let (user, operator) = (house.client(at), house.client_as("operator/otto", at));
    active.caller = house.caller("party/bank-a", at);
    passive.caller = house.caller("party/bank-b", at);
    active.step().await;
    passive.step().await;
    let drained = user.drained().await.unwrap();
    assert_eq!(
        (drained.draining, drained.begun, drained.waiting),
        (true, 0, 1)
    );
    assert_eq!(drained.by.unwrap().to_string(), "operator/otto");
    assert!(!operator.undrain().await.unwrap().draining);
    let mut parties = [&mut active, &mut passive];
    go_on(&user, second, &mut parties, |job| {
        job.state == JobState::Succeeded
    })
    .await;

    let log = operator.audit().await.unwrap();
    let told = log.iter().map(|entry| entry.deed.what);
    let told: Vec<What> = told
        .filter(|what| matches!(what, What::Drained | What::Undrained))
        .collect();
    assert_eq!(told, [What::Drained, What::Undrained]);
    running.stop().await;
}
