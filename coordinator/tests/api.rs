//! Every illegal call gets its status and a problem that says what to do.
#![allow(clippy::unwrap_used, clippy::panic)]

mod house;

use entente_coordinator::{client::Problem, job::JobState};
use entente_protocol::job::JobSpec;
use serde_json::{Value, json};

use house::{Caller, House, SPEC, problem, spec};

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
async fn every_illegal_call_is_answered_with_what_to_do() {
    let house = House::new();
    let running = house.start().await;
    let at = running.addresses.api;
    let alice = house.caller("user/alice", at);
    let id = house.client(at).submit(&spec()).await.unwrap().id;
    let job = format!("/v1/jobs/{id}");
    let why = format!("{job}/why");

    // Every route, with every method that it has not.
    for (path, allowed) in [
        ("/v1/jobs", "GET, POST"),
        (job.as_str(), "GET, DELETE"),
        (why.as_str(), "GET"),
        ("/v1/parties", "GET"),
        ("/v1/audit", "GET"),
        ("/v1/sync", "POST"),
        ("/healthz", "GET"),
        ("/readyz", "GET"),
        ("/metrics", "GET"),
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
            if allowed.split(", ").any(|other| other == method) {
                continue;
            }
            let mut response = alice.request(method, path).send().await.unwrap();
            assert_eq!(response.status(), 405, "{method} {path}");
            assert_eq!(response.headers().get("allow").unwrap(), allowed);
            let problem: Problem = response.json().await.unwrap();
            assert_eq!(problem.kind, "urn:entente:problem:other-method");
            assert!(problem.detail.ends_with(&format!("only {allowed}")));
        }
    }

    let nobody = "/v1/jobs/0190a000-0000-7000-8000-000000000000";
    let ended = house.client(at).submit(&spec()).await.unwrap().id;
    house.client(at).cancel(ended).await.unwrap();
    let ended = format!("/v1/jobs/{ended}");
    let valid = serde_json::to_string(&spec()).unwrap();
    let invalid = valid.replace("\"epochs\":2", "\"epochs\":0");
    let large = " ".repeat((1 << 20) + 1);
    let (json, toml) = ("application/json", "application/toml");
    for (by, method, path, body, status, kind, what_to_do) in [
        // What is not there.
        ("user/alice", "GET", "/", None, 404, "no-route", "/v1/jobs"),
        (
            "user/alice",
            "GET",
            "/v2/jobs",
            None,
            404,
            "no-route",
            "/v1/jobs",
        ),
        (
            "user/alice",
            "BREW",
            "/coffee",
            None,
            404,
            "no-route",
            "/v1/jobs",
        ),
        (
            "user/alice",
            "GET",
            nobody,
            None,
            404,
            "no-job",
            "GET /v1/jobs",
        ),
        (
            "user/alice",
            "DELETE",
            nobody,
            None,
            404,
            "no-job",
            "GET /v1/jobs",
        ),
        (
            "user/alice",
            "GET",
            "/v1/jobs/seven",
            None,
            404,
            "no-job",
            "GET /v1/jobs",
        ),
        (
            "user/alice",
            "GET",
            "/v1/jobs/%FF",
            None,
            404,
            "no-job",
            "GET /v1/jobs",
        ),
        // Queries.
        (
            "user/alice",
            "GET",
            "/v1/jobs?state=lost",
            None,
            400,
            "unreadable",
            "?state=",
        ),
        (
            "user/alice",
            "GET",
            "/v1/jobs?sort=name",
            None,
            400,
            "unreadable",
            "?state=",
        ),
        (
            "user/alice",
            "GET",
            "/v1/jobs?limit=0",
            None,
            400,
            "unreadable",
            "1 to 1000",
        ),
        (
            "user/alice",
            "GET",
            "/v1/jobs?limit=1001",
            None,
            400,
            "unreadable",
            "1 to 1000",
        ),
        (
            "user/alice",
            "GET",
            "/v1/jobs?before=7",
            None,
            400,
            "unreadable",
            "before",
        ),
        (
            "operator/olga",
            "GET",
            "/v1/audit?limit=0",
            None,
            400,
            "unreadable",
            "1 to 1000",
        ),
        (
            "operator/olga",
            "GET",
            "/v1/audit?after=x",
            None,
            400,
            "unreadable",
            "after",
        ),
        // Bodies.
        (
            "user/alice",
            "POST",
            "/v1/jobs",
            Some((json, "{")),
            400,
            "unreadable",
            "mend",
        ),
        (
            "user/alice",
            "POST",
            "/v1/jobs",
            Some((toml, "name =")),
            400,
            "unreadable",
            "mend",
        ),
        (
            "user/alice",
            "POST",
            "/v1/jobs",
            Some(("text/plain", "")),
            415,
            "media-type",
            "send",
        ),
        (
            "user/alice",
            "POST",
            "/v1/jobs",
            Some((json, &large)),
            413,
            "too-large",
            "smaller",
        ),
        (
            "user/alice",
            "POST",
            "/v1/jobs",
            Some((json, &invalid)),
            422,
            "invalid-job",
            "epochs",
        ),
        (
            "party/bank-a",
            "POST",
            "/v1/sync",
            Some((json, "[]")),
            400,
            "unreadable",
            "mend",
        ),
        (
            "party/bank-a",
            "POST",
            "/v1/sync",
            Some((json, &large)),
            413,
            "too-large",
            "smaller",
        ),
        // What has ended, and who may not.
        (
            "user/alice",
            "DELETE",
            &ended,
            None,
            409,
            "job-ended",
            "submit",
        ),
        (
            "user/bob",
            "DELETE",
            &job,
            None,
            403,
            "forbidden",
            "operator",
        ),
        (
            "reader/rita",
            "DELETE",
            &job,
            None,
            403,
            "forbidden",
            "certificate",
        ),
        (
            "reader/rita",
            "POST",
            "/v1/jobs",
            Some((json, &valid)),
            403,
            "forbidden",
            "certificate",
        ),
        (
            "party/bank-c",
            "GET",
            &job,
            None,
            404,
            "no-job",
            "GET /v1/jobs",
        ),
        (
            "party/bank-a",
            "GET",
            "/v1/parties",
            None,
            403,
            "forbidden",
            "certificate",
        ),
        (
            "user/alice",
            "POST",
            "/v1/sync",
            Some((json, "{}")),
            403,
            "forbidden",
            "certificate",
        ),
        (
            "coordinator/main",
            "GET",
            "/v1/jobs",
            None,
            403,
            "forbidden",
            "certificate",
        ),
    ] {
        let request = house.caller(by, at).request(method, path);
        let request = match body {
            Some((kind, body)) => request.content_type(kind).send_body(body.to_owned()),
            None => request.send(),
        };
        let problem = problem(request).await;
        let call = format!("{by} {method} {path}: {problem}");
        assert_eq!(problem.status, status, "{call}");
        assert_eq!(
            problem.kind,
            format!("urn:entente:problem:{kind}"),
            "{call}"
        );
        assert!(problem.detail.contains(what_to_do), "{call}");
    }
    assert_eq!(house.client(at).list(None).await.unwrap().len(), 2);
    running.stop().await;
}

#[actix_rt::test]
async fn a_submission_that_is_sent_twice_is_one_job() {
    let house = House::new();
    let running = house.start().await;
    let at = running.addresses.api;
    let alice = house.caller("user/alice", at);
    let submit = async |by: &Caller, key: &str, spec: &JobSpec| {
        let request = by.request("POST", "/v1/jobs");
        let request = request.insert_header(("Idempotency-Key", key));
        let mut response = request.send_json(spec).await.unwrap();
        let status = response.status().as_u16();
        (status, response.json::<Value>().await.unwrap())
    };
    let (created, first) = submit(&alice, "nightly-1", &spec()).await;
    let (answered, again) = submit(&alice, "\"nightly-1\"", &spec()).await;
    assert_eq!((created, answered), (201, 200));
    assert_eq!(first["id"], again["id"]);

    let mut other = spec();
    other.name = "other".into();
    let (status, problem) = submit(&alice, "nightly-1", &other).await;
    assert_eq!((status, &problem["status"]), (409, &json!(409)));
    assert_eq!(problem["type"], "urn:entente:problem:key-reused");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("take a new key"), "{detail}");
    assert!(detail.contains(first["id"].as_str().unwrap()), "{detail}");
    let (status, problem) = submit(&alice, "two words", &spec()).await;
    assert_eq!(status, 400);
    assert!(problem["detail"].as_str().unwrap().contains("UUID"));
    // Bob's keys are his own.
    let bob = house.caller("user/bob", at);
    assert_eq!(submit(&bob, "nightly-1", &other).await.0, 201);
    running.stop().await;

    let running = house.start().await;
    let alice = house.caller("user/alice", running.addresses.api);
    let (status, after) = submit(&alice, "nightly-1", &spec()).await;
    assert_eq!((status, &after["id"]), (200, &first["id"]));
    running.stop().await;
}

#[actix_rt::test]
async fn lists_come_in_pages() {
    let house = House::new();
    let running = house.start().await;
    let at = running.addresses.api;
    let client = house.client(at);
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.insert(0, client.submit(&spec()).await.unwrap().id.to_string());
    }
    let alice = house.caller("user/alice", at);
    let page = async |query: &str| {
        let (status, body) = alice.get(&format!("/v1/jobs?{query}")).await;
        assert_eq!(status, 200, "{body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        let id = |job: &Value| job["id"].as_str().unwrap().to_owned();
        let jobs: Vec<_> = body["jobs"].as_array().unwrap().iter().map(id).collect();
        (jobs, body["next"].as_str().map(str::to_owned))
    };
    let (first, next) = page("limit=2").await;
    assert_eq!((&first[..], next.as_deref()), (&ids[..2], Some(&*ids[1])));
    client.submit(&spec()).await.unwrap();
    let (second, next) = page(&format!("limit=3&before={}", next.unwrap())).await;
    assert_eq!((&second[..], next), (&ids[2..], None));
    assert_eq!(page("party=bank-c").await, (vec![], None));
    assert_eq!(page("party=bank-b&state=queued").await.0.len(), 6);
    assert_eq!(page("submitted_by=user/bob").await, (vec![], None));
    assert_eq!(client.newest(None, 2).await.unwrap().len(), 2);
    assert_eq!(client.list(Some(JobState::Queued)).await.unwrap().len(), 6);
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
        "entente_jobs{state=\"queued\"} 1",
        "entente_jobs{state=\"failed\"} 0",
        "entente_job_transitions_total{to=\"queued\"} 1",
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
