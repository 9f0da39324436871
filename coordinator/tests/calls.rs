//! Every illegal call gets its status and a problem that says what to do; lists
//! and submissions do what a caller can rely on.
#![allow(clippy::unwrap_used, clippy::panic)]

mod house;

use entente_coordinator::{client::Problem, job::JobState};
use entente_protocol::job::TaskSpec;
use serde_json::{Value, json};

use house::{Caller, House, problem, spec};

#[actix_rt::test]
async fn every_illegal_call_is_answered_with_what_to_do() {
    let house = House::new();
    let running = house.start().await;
    let at = running.addresses.api;
    let alice = house.caller("user/alice", at);
    let id = house.client(at).submit(&spec()).await.unwrap().id;
    let job = format!("/v1/jobs/{id}");
    let why = format!("{job}/why");
    let contract = format!("{job}/contract");
    let [pause, resume, retry] = ["pause", "resume", "retry"].map(|order| format!("{job}/{order}"));

    // Every route, with every method that it has not.
    for (path, allowed) in [
        ("/v1/jobs", "GET, POST"),
        (job.as_str(), "GET, DELETE"),
        (why.as_str(), "GET"),
        (pause.as_str(), "POST"),
        (resume.as_str(), "POST"),
        (retry.as_str(), "POST"),
        (contract.as_str(), "GET"),
        ("/v1/parties", "GET"),
        ("/v1/drain", "GET, POST, DELETE"),
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
    let json = |body| Some(("application/json", body));
    let toml = |body| Some(("application/toml", body));
    let text = Some(("text/plain", ""));
    for (call, body, answer, what_to_do) in [
        // What is not there.
        ("user/alice GET /", None, "404 no-route", "/v1/jobs"),
        ("user/alice GET /v2/jobs", None, "404 no-route", "/v1/jobs"),
        ("user/alice BREW /coffee", None, "404 no-route", "/v1/jobs"),
        ("user/alice GET NOBODY", None, "404 no-job", "GET /v1/jobs"),
        (
            "user/alice GET NOBODY/why",
            None,
            "404 no-job",
            "GET /v1/jobs",
        ),
        (
            "user/alice DELETE NOBODY",
            None,
            "404 no-job",
            "GET /v1/jobs",
        ),
        (
            "user/alice GET /v1/jobs/seven",
            None,
            "404 no-job",
            "GET /v1/jobs",
        ),
        (
            "user/alice GET /v1/jobs/%FF",
            None,
            "404 no-job",
            "GET /v1/jobs",
        ),
        // Queries.
        (
            "user/alice GET /v1/jobs?state=lost",
            None,
            "400 unreadable",
            "?state=",
        ),
        (
            "user/alice GET /v1/jobs?sort=name",
            None,
            "400 unreadable",
            "?state=",
        ),
        (
            "user/alice GET /v1/jobs?limit=0",
            None,
            "400 unreadable",
            "1 to 1000",
        ),
        (
            "user/alice GET /v1/jobs?limit=1001",
            None,
            "400 unreadable",
            "1 to 1000",
        ),
        (
            "user/alice GET /v1/jobs?before=7",
            None,
            "400 unreadable",
            "before",
        ),
        (
            "operator/olga GET /v1/audit?limit=0",
            None,
            "400 unreadable",
            "1 to 1000",
        ),
        (
            "operator/olga GET /v1/audit?after=x",
            None,
            "400 unreadable",
            "after",
        ),
        // Bodies.
        (
            "user/alice POST /v1/jobs",
            json("{"),
            "400 unreadable",
            "mend",
        ),
        (
            "user/alice POST /v1/jobs",
            toml("name ="),
            "400 unreadable",
            "mend",
        ),
        (
            "user/alice POST /v1/jobs?priority=urgent",
            json(&valid),
            "400 unreadable",
            "low, normal or high",
        ),
        (
            "user/alice POST /v1/jobs?priority=high",
            json(&valid),
            "403 forbidden",
            "operator",
        ),
        ("user/alice POST /v1/jobs", text, "415 media-type", "send"),
        (
            "user/alice POST /v1/jobs",
            json(&large),
            "413 too-large",
            "smaller",
        ),
        (
            "user/alice POST /v1/jobs",
            json(&invalid),
            "422 invalid-job",
            "epochs",
        ),
        (
            "party/bank-a POST /v1/sync",
            json("[]"),
            "400 unreadable",
            "mend",
        ),
        (
            "party/bank-a POST /v1/sync",
            json(&large),
            "413 too-large",
            "smaller",
        ),
        // What has ended or has not, and who may not.
        (
            "user/alice POST ENDED/pause",
            None,
            "409 job-ended",
            "/retry",
        ),
        (
            "user/alice POST ENDED/resume",
            None,
            "409 job-ended",
            "/retry",
        ),
        (
            "user/alice GET JOB/contract",
            None,
            "409 no-contract",
            "/why",
        ),
        (
            "user/alice GET NOBODY/contract",
            None,
            "404 no-job",
            "GET /v1/jobs",
        ),
        ("user/alice POST JOB/pause", None, "409 not-now", "approval"),
        (
            "user/alice POST JOB/retry",
            None,
            "409 not-now",
            "wait for its end",
        ),
        (
            "user/alice POST NOBODY/pause",
            None,
            "404 no-job",
            "GET /v1/jobs",
        ),
        (
            "user/alice POST NOBODY/resume",
            None,
            "404 no-job",
            "GET /v1/jobs",
        ),
        (
            "user/alice POST NOBODY/retry",
            None,
            "404 no-job",
            "GET /v1/jobs",
        ),
        (
            "user/alice POST /v1/jobs/seven/pause",
            None,
            "404 no-job",
            "GET /v1/jobs",
        ),
        (
            "user/bob POST JOB/pause",
            None,
            "403 forbidden",
            "to pause it",
        ),
        (
            "user/bob POST JOB/resume",
            None,
            "403 forbidden",
            "to resume it",
        ),
        (
            "user/bob POST ENDED/retry",
            None,
            "403 forbidden",
            "to retry it",
        ),
        (
            "reader/rita POST JOB/pause",
            None,
            "403 forbidden",
            "certificate",
        ),
        (
            "party/bank-a POST JOB/resume",
            None,
            "403 forbidden",
            "certificate",
        ),
        (
            "party/bank-a POST ENDED/retry",
            None,
            "403 forbidden",
            "certificate",
        ),
        ("user/alice DELETE ENDED", None, "409 job-ended", "/retry"),
        ("user/bob DELETE JOB", None, "403 forbidden", "operator"),
        (
            "reader/rita DELETE JOB",
            None,
            "403 forbidden",
            "certificate",
        ),
        (
            "reader/rita POST /v1/jobs",
            json(&valid),
            "403 forbidden",
            "certificate",
        ),
        ("party/bank-c GET JOB", None, "404 no-job", "GET /v1/jobs"),
        (
            "party/bank-c GET JOB/why",
            None,
            "404 no-job",
            "GET /v1/jobs",
        ),
        (
            "party/bank-a GET /v1/parties",
            None,
            "403 forbidden",
            "certificate",
        ),
        (
            "user/alice GET /v1/audit",
            None,
            "403 forbidden",
            "certificate",
        ),
        (
            "user/alice POST /v1/sync",
            json("{}"),
            "403 forbidden",
            "certificate",
        ),
        (
            "coordinator/main GET /v1/jobs",
            None,
            "403 forbidden",
            "certificate",
        ),
    ] {
        let path = call
            .replace("NOBODY", nobody)
            .replace("ENDED", &ended)
            .replace("JOB", &job);
        let [by, method, path] = path.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{call}");
        };
        let request = house.caller(by, at).request(method, path);
        let request = match body {
            Some((kind, body)) => request.content_type(kind).send_body(body.to_owned()),
            None => request.send(),
        };
        let problem = problem(request).await;
        let answered = format!("{} {}", problem.status, problem.kind);
        let expected = answer.replace(' ', " urn:entente:problem:");
        assert_eq!(answered, expected, "{call}: {problem}");
        assert!(problem.detail.contains(what_to_do), "{call}: {problem}");
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
    let submit = async |by: &Caller, key: &str, spec: &TaskSpec| {
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

    let TaskSpec::Train(mut other) = spec() else {
        panic!("it trains")
    };
    other.name = "other".into();
    let other = TaskSpec::Train(other);
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
    assert_eq!(
        page("party=bank-b&state=awaiting_approval").await.0.len(),
        6
    );
    assert_eq!(page("submitted_by=user/bob").await, (vec![], None));
    assert_eq!(client.newest(None, 2).await.unwrap().len(), 2);
    assert_eq!(client.newest(Some(JobState::Queued), 9).await.unwrap(), []);
    running.stop().await;
}
