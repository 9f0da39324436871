//! Two coordinators on one server: what the one that stands by says, and how
//! those who ask get to the one that leads.
#![allow(clippy::unwrap_used, clippy::panic)]

mod house;
#[path = "../../tests/house/postgres.rs"]
mod postgres;

use entente_coordinator::client::{Client, ClientError};
use house::{House, problem, spec};
use postgres::TestDatabase;

#[actix_rt::test]
async fn who_stands_by_sends_everybody_to_who_leads() {
    let Some(database) = TestDatabase::create("who_stands_by_sends_everybody_to_who_leads") else {
        return;
    };
    let house = House::on(&database.url());
    let leader = house.start().await;
    let standby = house.start().await;
    let at = [leader.addresses.api, standby.addresses.api];
    let leaders_url = format!("https://{}/", at[0]);

    let alice = house.caller("user/alice", at[1]);
    let bank = house.caller("party/bank-a", at[1]);
    for request in [
        alice.request("GET", "/v1/jobs").send(),
        alice.request("POST", "/v1/jobs").send_json(&spec()),
        alice.request("GET", "/readyz").send(),
        bank.request("POST", "/v1/sync")
            .send_json(&house.party("bank-a", at[1]).truth()),
    ] {
        let problem = problem(request).await;
        assert_eq!(problem.status, 503);
        assert_eq!(problem.kind, "urn:entente:problem:standby");
        assert_eq!(problem.leader.as_deref(), Some(&*leaders_url));
        assert!(problem.detail.contains(&leaders_url), "{problem}");
    }
    let refused = alice.request("GET", "/v1/jobs").send().await.unwrap();
    assert_eq!(refused.headers().get("retry-after").unwrap(), "1");
    // It lives, and is watched.
    assert_eq!(bank.get("/healthz").await.0, 200);
    let (status, metrics) = bank.get("/metrics").await;
    assert_eq!(status, 200);
    assert!(metrics.contains("\nentente_leader 0\n"), "{metrics}");
    let (_, metrics) = house.caller("user/alice", at[0]).get("/metrics").await;
    assert!(metrics.contains("\nentente_leader 1\n"), "{metrics}");

    // Who knows both is answered, whichever is named first.
    let url = |index: usize| format!("https://{}", at[index]).parse().unwrap();
    let credentials = house.credentials("user/alice");
    let coordinator = "coordinator/main".parse().unwrap();
    let of = |urls| Client::of_several(&credentials, urls, &coordinator).unwrap();
    let client = of(vec![url(1), url(0)]);
    let id = client.submit(&spec()).await.unwrap().id;
    assert_eq!(client.show(id).await.unwrap().id, id);
    // Who leads ends, gives its lease back, and the other one takes over.
    leader.stop().await;
    assert_eq!(client.show(id).await.unwrap().id, id);
    assert_eq!(client.list(None).await.unwrap().len(), 1);
    standby.stop().await;
    let nobody = client.show(id).await.unwrap_err();
    assert!(
        matches!(nobody, ClientError::Unreachable { .. }),
        "{nobody}"
    );
}
