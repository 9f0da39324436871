//! What is taken, and what is told to those who watch.
#![allow(clippy::unwrap_used, clippy::panic)]

mod house;

use serde_json::{Value, json};

use house::{House, SPEC, problem, spec};

#[actix_rt::test]
async fn a_model_that_was_never_trained_is_refused_by_its_field() {
    let house = House::new();
    let running = house.start().await;
    let alice = house.caller("user/alice", running.addresses.api);
    let asked = json!({
        "name": "how good", "task": "evaluate", "model": "credit",
        "parties": { "active": "bank-a", "passive": "bank-b" },
        "data": { "dataset": "iris" },
    });
    let refused = problem(alice.request("POST", "/v1/jobs").send_json(&asked)).await;
    assert_eq!(
        (refused.status, refused.field.as_deref()),
        (422, Some("model"))
    );
    assert!(refused.detail.contains("'credit'"), "{refused:?}");
    let (_, jobs) = alice.get("/v1/jobs").await;
    assert_eq!(jobs, "{\"jobs\":[]}");
    running.stop().await;
}

#[actix_rt::test]
async fn specifications_are_taken_in_both_languages_and_refused_by_field() {
    let house = House::new();
    let running = house.start().await;
    let at = running.addresses.api;
    let alice = house.caller("user/alice", at);
    let submit = |kind: &str, body: String| {
        let request = alice.request("POST", "/v1/jobs");
        request.content_type(kind).send_body(body)
    };
    let json = serde_json::to_value(spec()).unwrap();
    let with = |pointer: &str, value: Value| {
        let mut json = json.clone();
        *json.pointer_mut(pointer).unwrap() = value;
        json.to_string()
    };

    let created = submit("application/toml", SPEC.into()).await.unwrap();
    assert_eq!(created.status(), 201);
    let location = created
        .headers()
        .get("location")
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(alice.get(&location).await.0, 200);
    let created = submit("application/json; charset=utf-8", json.to_string());
    assert_eq!(created.await.unwrap().status(), 201);

    for (pointer, value, field) in [
        ("/name", json!(""), "name"),
        ("/parties/active", json!("bank-b"), "parties"),
        ("/network/classes", json!(1), "network.classes"),
        (
            "/network/bottom",
            json!([{ "kind": "dense", "units": 5 }, { "kind": "max_pool", "kernel": 2 }]),
            "network.bottom",
        ),
        (
            "/training/learning_rate",
            json!(-1.0),
            "training.learning_rate",
        ),
        ("/encryption/key_bits", json!(512), "encryption.key_bits"),
        (
            "/liveness/stall_budget_s",
            json!(0),
            "liveness.stall_budget_s",
        ),
    ] {
        let problem = problem(submit("application/json", with(pointer, value))).await;
        assert_eq!(
            (problem.status, problem.field.as_deref()),
            (422, Some(field))
        );
        assert_eq!(problem.kind, "urn:entente:problem:invalid-job");
    }
    for (kind, body) in [
        ("application/json", "{".to_owned()),
        ("application/json", with("/training/epochs", json!("two"))),
        (
            "application/json",
            with("/data", json!({"dataset": "iris", "rows": 5})),
        ),
        ("application/json", with("/parties/active", json!("Bank A"))),
        ("application/json", String::new()),
        ("application/toml", "name = ".to_owned()),
        ("application/toml", SPEC.replace("name", "nickname")),
    ] {
        let problem = problem(submit(kind, body)).await;
        assert_eq!(problem.status, 400, "{problem}");
        assert!(problem.detail.contains("job specification"), "{problem}");
    }
    let refused = problem(submit("text/plain", SPEC.into())).await;
    assert_eq!(refused.status, 415);
    assert!(refused.detail.contains("application/toml"));
    let refused = problem(submit("application/json", " ".repeat((1 << 20) + 1))).await;
    assert_eq!(refused.status, 413);
    assert_eq!(house.client(at).list(None).await.unwrap().len(), 2);
    running.stop().await;
}

#[actix_rt::test]
async fn a_sync_that_is_none_is_refused() {
    let house = House::new();
    let running = house.start().await;
    let bank = house.caller("party/bank-a", running.addresses.api);
    for body in ["", "[]", "{\"software\": \"1\"}"] {
        let request = bank.request("POST", "/v1/sync").send_body(body);
        let problem = problem(request).await;
        assert_eq!(problem.status, 400);
        assert!(problem.detail.contains("a sync in JSON"), "{problem}");
    }
    running.stop().await;
}

#[actix_rt::test]
async fn it_is_watched_without_labels_from_callers() {
    let house = House::new();
    let running = house.start().await;
    let at = running.addresses.api;
    house.client(at).submit(&spec()).await.unwrap();
    let bank = house.caller("party/bank-a", at);
    assert_eq!(bank.get("/healthz").await, (200, "alive\n".into()));
    assert_eq!(bank.get("/readyz").await, (200, "ready\n".into()));
    bank.get("/v1/jobs/one").await;
    bank.get("/v1/jobs/two").await;
    problem(bank.request("BREW", "/coffee").send()).await;
    let (status, text) = bank.get("/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "entente_jobs{state=\"awaiting_approval\"} 1",
        "entente_jobs{state=\"failed\"} 0",
        "entente_job_transitions_total{to=\"awaiting_approval\"} 1",
        "entente_parties_connected 0",
        "entente_api_requests_total{class=\"2xx\",method=\"POST\",route=\"/v1/jobs\"} 1",
        "entente_api_requests_total{class=\"4xx\",method=\"GET\",route=\"/v1/jobs/{id}\"} 2",
        "entente_api_requests_total{class=\"4xx\",method=\"other\",route=\"(none)\"} 1",
        "entente_api_seconds_count{route=\"/readyz\"} 1",
    ] {
        assert!(text.lines().any(|other| other == line), "{line} in\n{text}");
    }
    let expiry = text
        .lines()
        .find_map(|line| line.strip_prefix("entente_certificate_expiry_timestamp_seconds "));
    let expiry: f64 = expiry.unwrap().parse().unwrap();
    assert!(expiry > 1.7e9, "{expiry}");
    running.stop().await;
}
