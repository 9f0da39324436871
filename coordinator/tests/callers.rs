//! Who may do what, and who is let in at all.
#![allow(clippy::unwrap_used, clippy::panic)]

mod house;

use std::time::Duration;

use entente_coordinator::{
    CoordinatorError,
    client::{Client, ClientError},
    serve,
};
use entente_metrics::Registry;
use serde_json::Value;

use house::{House, problem, spec};

#[actix_rt::test]
async fn who_may_not_is_told_who_may() {
    let house = House::new();
    let running = house.start().await;
    let at = running.addresses.api;
    let id = house.client(at).submit(&spec()).await.unwrap().id;
    let job = format!("/v1/jobs/{id}");
    for (caller, method, path, needed) in [
        ("party/bank-a", "POST", "/v1/jobs", "users"),
        ("party/bank-a", "DELETE", job.as_str(), "users"),
        ("party/bank-a", "GET", "/v1/parties", "users"),
        ("user/alice", "POST", "/v1/sync", "parties"),
        ("user/bank-a", "POST", "/v1/sync", "parties"),
        ("coordinator/main", "POST", "/v1/sync", "parties"),
        ("coordinator/main", "POST", "/v1/jobs", "users"),
        ("coordinator/main", "GET", job.as_str(), "users, operators"),
        ("coordinator/main", "GET", "/v1/jobs", "users, operators"),
        ("user/alice", "GET", "/v1/audit", "operators"),
        ("reader/rita", "GET", "/v1/audit", "operators"),
        ("reader/rita", "POST", "/v1/jobs", "users and operators"),
        ("reader/rita", "DELETE", job.as_str(), "users and operators"),
        ("reader/rita", "POST", "/v1/sync", "parties"),
        ("operator/olga", "POST", "/v1/sync", "parties"),
        ("user/alice", "POST", "/v1/drain", "operators"),
        ("user/alice", "DELETE", "/v1/drain", "operators"),
        ("reader/rita", "POST", "/v1/drain", "operators"),
        (
            "party/bank-a",
            "GET",
            "/v1/drain",
            "users, operators and readers",
        ),
    ] {
        let request = house.caller(caller, at).request(method, path);
        let problem = problem(request.send_json(&spec())).await;
        assert_eq!(problem.status, 403, "{caller} {method} {path}");
        assert_eq!(problem.kind, "urn:entente:problem:forbidden");
        assert!(problem.detail.contains(caller), "{problem}");
        assert!(
            problem.detail.contains(&format!("for {needed}")),
            "{problem}"
        );
    }
    running.stop().await;
}

#[actix_rt::test]
async fn jobs_are_cancelled_by_their_owners_and_by_operators() {
    let house = House::new();
    let running = house.start().await;
    let at = running.addresses.api;
    for (by, status) in [("user/alice", 200), ("operator/olga", 200)] {
        let id = house.client(at).submit(&spec()).await.unwrap().id;
        let job = format!("/v1/jobs/{id}");
        let bob = house.caller("user/bob", at);
        let refused = problem(bob.request("DELETE", &job).send()).await;
        assert_eq!(refused.status, 403);
        assert!(refused.detail.contains("user/alice's"), "{refused}");
        assert!(refused.detail.contains("operator"), "{refused}");
        let allowed = house.caller(by, at).request("DELETE", &job).send().await;
        assert_eq!(allowed.unwrap().status(), status, "{by}");
    }
    // An operator submits too, and sees the parties as readers do.
    let olga = house.caller("operator/olga", at);
    let request = olga.request("POST", "/v1/jobs").send_json(&spec());
    assert_eq!(request.await.unwrap().status(), 201);
    for caller in ["operator/olga", "reader/rita", "user/alice"] {
        assert_eq!(house.caller(caller, at).get("/v1/parties").await.0, 200);
    }
    running.stop().await;
}

#[actix_rt::test]
async fn parties_see_their_own_jobs_alone() {
    let house = House::new();
    let running = house.start().await;
    let at = running.addresses.api;
    let id = house.client(at).submit(&spec()).await.unwrap().id;
    let job = format!("/v1/jobs/{id}");
    for (caller, jobs, status) in [
        ("party/bank-a", 1, 200),
        ("party/bank-b", 1, 200),
        ("party/bank-c", 0, 404),
        ("user/bank-c", 1, 200),
        ("operator/olga", 1, 200),
        ("reader/rita", 1, 200),
    ] {
        let caller = house.caller(caller, at);
        let (listed, body) = caller.get("/v1/jobs").await;
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            (listed, body["jobs"].as_array().unwrap().len()),
            (200, jobs)
        );
        assert_eq!(caller.get(&job).await.0, status);
        assert_eq!(caller.get(&format!("{job}/why")).await.0, status);
    }
    running.stop().await;
}

#[actix_rt::test]
async fn a_client_says_what_is_wrong() {
    let house = House::new();
    let running = house.start().await;
    let alice = house.credentials("user/alice");
    let client = |url: String, expected: &str| {
        Client::new(&alice, url.parse().unwrap(), &expected.parse().unwrap())
    };
    let address = running.addresses.api;
    for url in [
        "http://localhost:1",
        "https://localhost:1/v1",
        "https://localhost?x",
    ] {
        let refused = client(url.into(), "coordinator/main");
        assert!(matches!(refused, Err(ClientError::Address(_))), "{url}");
    }
    let other = client(format!("https://{address}"), "coordinator/other").unwrap();
    let error = other.list(None).await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
    running.stop().await;
    let gone = client(format!("https://{address}/"), "coordinator/main").unwrap();
    let error = gone.list(None).await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
}

#[actix_rt::test]
async fn both_versions_of_http_are_spoken_and_both_know_who_calls() {
    let house = House::new();
    let running = house.start().await;
    for (caller, version) in [
        ("party/bank-a", awc::http::Version::HTTP_2),
        ("user/alice", awc::http::Version::HTTP_11),
    ] {
        let request = house
            .caller(caller, running.addresses.api)
            .request("GET", "/v1/jobs");
        let response = request.send().await.unwrap();
        assert_eq!(
            (response.version(), response.status().as_u16()),
            (version, 200)
        );
    }
    running.stop().await;
}

#[actix_rt::test]
async fn nothing_is_said_without_tls() {
    let house = House::new();
    let running = house.start().await;
    let plain = awc::Client::builder()
        .timeout(Duration::from_secs(10))
        .finish();
    let request = plain.get(format!("http://{}/healthz", running.addresses.api));
    assert!(request.send().await.is_err());
    running.stop().await;
}

#[actix_rt::test]
async fn it_does_not_start_with_somebody_elses_certificate_or_address() {
    let house = House::new();
    let registry = || Registry::new().unwrap();
    let start = async |config, identity| {
        let credentials = house.credentials(identity);
        let ready = |_: &_| panic!("it started");
        serve(
            config,
            credentials,
            registry(),
            ready,
            std::future::pending(),
        )
        .await
    };
    let error = start(house.config(), "party/bank-a").await.unwrap_err();
    assert!(
        matches!(error, CoordinatorError::WrongCertificate { .. }),
        "{error}"
    );
    let mut config = house.config();
    config.coordinator.name = Some("main".parse().unwrap());
    let error = start(config, "coordinator/other").await.unwrap_err();
    assert!(
        matches!(error, CoordinatorError::WrongCertificate { .. }),
        "{error}"
    );
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = house.config();
    config.coordinator.listen = taken.local_addr().unwrap();
    let error = start(config, "coordinator/main").await.unwrap_err();
    assert!(matches!(error, CoordinatorError::Listen { .. }), "{error}");
}
