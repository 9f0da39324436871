//! The document is what the coordinator does: every operation in it is called, rightly
//! and in every wrong way that it knows of, and answers as it says.
//!
//! What is documented and not reached here is listed ([`UNREACHED`]), with why.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../house/mod.rs"]
mod house;
mod walker;

use entente_coordinator::{api_document, job::JobState};
use entente_protocol::job::JobId;
use serde_json::{Value, json};

use house::{House, go_on, spec};
use walker::{Call, Walker};

const NOBODY: &str = "0190a000-0000-7000-8000-000000000000";

/// Problems that no call alone can bring about.
const UNREACHED: [(&str, &str); 3] = [
    ("internal", "a defect: none is known"),
    ("unavailable", "the store fails, or the end: runtime::tests"),
    (
        "standby",
        "wants two coordinators and PostgreSQL: tests/standby.rs",
    ),
];

#[actix_rt::test]
async fn the_document_is_served_to_anybody_and_its_schemas_are_schemas() {
    let house = House::new();
    let running = house.start().await;
    let walker = Walker::new(&house, running.addresses.api).await;
    assert_eq!(walker.document, api_document());
    let schemas = walker.document["components"]["schemas"]
        .as_object()
        .unwrap();
    assert!(schemas.len() > 40, "{:?}", schemas.keys());
    for (name, schema) in schemas {
        assert!(jsonschema::draft202012::meta::is_valid(schema), "{name}");
        let text = schema.to_string();
        assert!(!text.contains("](crate"), "{name}: {text}");
    }
    // What is sent is as described, too.
    let sent = json!({ "$ref": "#/components/schemas/TaskSpec" });
    walker.holds(&sent, &serde_json::to_value(spec()).unwrap());
    let truth = serde_json::to_value(house.party("bank-a", walker.at).truth()).unwrap();
    walker.holds(&json!({ "$ref": "#/components/schemas/Sync" }), &truth);
    running.stop().await;
}

#[actix_rt::test]
async fn every_operation_answers_as_documented_rightly_and_wrongly_called() {
    let house = House::new();
    let running = house.start().await;
    let walker = Walker::new(&house, running.addresses.api).await;
    let job = rightly(&walker).await;
    for operation in walker.operations() {
        let path = operation.path.replace("{id}", &job);
        walker.other_methods(&operation, &path).await;
        walker.other_callers(&operation, &path).await;
        let call = || Call::of(operation.method(), &path, operation.first_caller());
        if operation.path.contains("{id}") {
            for id in [NOBODY, "seven", "%FF"] {
                let path = operation.path.replace("{id}", id);
                let call = Call::of(operation.method(), &path, operation.first_caller());
                walker.refused(&operation, call, "no-job").await;
            }
        }
        if operation.path.starts_with("/v1/") {
            let unknown = call().query("unknown=1").brings(operation.good_body());
            walker.refused(&operation, unknown, "unreadable").await;
        }
        for parameter in operation.query() {
            let wrong = call().query(&format!("{parameter}=%21%21"));
            walker
                .refused(
                    &operation,
                    wrong.brings(operation.good_body()),
                    "unreadable",
                )
                .await;
        }
        if operation.takes_a_body() {
            let long = " ".repeat((1 << 20) + 1);
            for (media, body, problem) in [
                ("application/json", "{", "unreadable"),
                ("application/json", "{\"unknown\":1}", "unreadable"),
                ("application/json", long.as_str(), "too-large"),
                ("text/plain", "{}", "media-type"),
            ] {
                let wrong = call().brings(Some((media, body.to_owned())));
                walker.refused(&operation, wrong, problem).await;
            }
        }
    }
    submissions(&walker).await;
    states(&walker).await;
    let streams = too_many_streams(&walker, &job).await;
    drop(streams);

    let mut unreached = walker.unreached();
    unreached.retain(|(_, problem)| {
        let known = UNREACHED
            .iter()
            .any(|(kind, _)| problem.ends_with(&format!(":{kind}")));
        !known
    });
    assert_eq!(unreached, []);
    assert_eq!(walker.unanswered(), []);
    running.stop().await;
}

/// Calls every operation as it is meant, and leaves a job that has succeeded.
async fn rightly(walker: &Walker<'_>) -> String {
    let (client, at) = (walker.house.client(walker.at), walker.at);
    let body = || Some(("application/json", serde_json::to_string(&spec()).unwrap()));
    let submit = || {
        let call = Call::of("POST", "/v1/jobs", "user").brings(body());
        call.header("Idempotency-Key", "once").query("priority=low")
    };
    let first = walker.answered("submitJob", submit(), 201).await;
    let again = walker.answered("submitJob", submit(), 200).await;
    assert_eq!(first["id"], again["id"]);
    let id = first["id"].as_str().unwrap().to_owned();
    let job = format!("/v1/jobs/{id}");
    let at_job = |method: &str, rest: &str| Call::of(method, &format!("{job}{rest}"), "user");

    let mut bank_a = walker.house.party("bank-a", at);
    let mut bank_b = walker.house.party("bank-b", at);
    let parsed: JobId = id.parse().unwrap();
    let mut parties = [&mut bank_a, &mut bank_b];
    go_on(&client, parsed, &mut parties, |view| {
        view.state == JobState::Running
    })
    .await;
    walker
        .answered("rotateKey", at_job("POST", "/rotate-key"), 200)
        .await;
    walker
        .answered("pauseJob", at_job("POST", "/pause"), 200)
        .await;
    walker
        .answered("resumeJob", at_job("POST", "/resume"), 200)
        .await;
    go_on(&client, parsed, &mut parties, |view| {
        view.state == JobState::Running
    })
    .await;
    let truth = serde_json::to_string(&bank_a.truth()).unwrap();
    let sync = Call::of("POST", "/v1/sync", "party").brings(Some(("application/json", truth)));
    let wish = walker.answered("sync", sync, 200).await;
    assert_eq!(wish["jobs"][0]["job"], id.as_str());
    for (operation, rest) in [
        ("showJob", ""),
        ("explainJob", "/why"),
        ("showContract", "/contract"),
    ] {
        walker.answered(operation, at_job("GET", rest), 200).await;
    }
    let mut parties = [&mut bank_a, &mut bank_b];
    go_on(&client, parsed, &mut parties, |view| {
        view.state == JobState::Succeeded
    })
    .await;

    let log = walker
        .answered(
            "readJobLog",
            at_job("GET", "/log").query("after=1&limit=2"),
            200,
        )
        .await;
    assert_eq!(
        (log["entries"].as_array().unwrap().len(), &log["next"]),
        (2, &json!(3))
    );
    let told = walker
        .answered("watchJob", at_job("GET", "/events"), 200)
        .await;
    assert_eq!(told["state"], "succeeded");
    let list = Call::of("GET", "/v1/jobs", "user");
    let list = list.query("state=succeeded&party=bank-a&submitted_by=user/alice&limit=1");
    let list = walker.answered("listJobs", list, 200).await;
    assert_eq!(list["jobs"][0]["id"], id.as_str());
    for (operation, method) in [
        ("drain", "POST"),
        ("showDrain", "GET"),
        ("undrain", "DELETE"),
    ] {
        let call = Call::of(method, "/v1/drain", "operator");
        let drain = walker.answered(operation, call, 200).await;
        assert_eq!(drain["draining"], operation != "undrain");
    }
    for (operation, path, by) in [
        ("listParties", "/v1/parties", "user"),
        ("readAuditLog", "/v1/audit", "operator"),
        ("describeApi", "/v1/openapi.json", "coordinator"),
        ("isAlive", "/healthz", "party"),
        ("isReady", "/readyz", "party"),
        ("readMetrics", "/metrics", "party"),
    ] {
        walker
            .answered(operation, Call::of("GET", path, by), 200)
            .await;
    }
    id
}

/// What may be wrong with a submission that reads well.
async fn submissions(walker: &Walker<'_>) {
    let spec = serde_json::to_value(spec()).unwrap();
    let with = |name: &str, epochs: u32| {
        let mut spec = spec.clone();
        spec["name"] = name.into();
        spec["training"]["epochs"] = epochs.into();
        Some(("application/json", spec.to_string()))
    };
    let operation = walker.operation("submitJob");
    let submit = || Call::of("POST", "/v1/jobs", "user");
    for (call, problem) in [
        (submit().brings(with("a", 0)), "invalid-job"),
        (
            submit()
                .brings(with("a", 1))
                .header("Idempotency-Key", "two words"),
            "unreadable",
        ),
        (
            submit()
                .brings(with("another", 1))
                .header("Idempotency-Key", "once"),
            "key-reused",
        ),
        (
            submit().brings(with("a", 1)).query("priority=high"),
            "forbidden",
        ),
    ] {
        walker.refused(&operation, call, problem).await;
    }
}

/// Orders that the state of a job does not allow.
async fn states(walker: &Walker<'_>) {
    let client = walker.house.client(walker.at);
    let waiting = client.submit(&spec()).await.unwrap().id;
    let refused = async |operation: &str, id: JobId, problem: &str| {
        let operation = walker.operation(operation);
        let path = operation.path.replace("{id}", &id.to_string());
        let call = Call::of(operation.method(), &path, "user");
        walker.refused(&operation, call, problem).await;
    };
    let ordered = async |operation: &str, id: JobId, status: u16| {
        let path = walker
            .operation(operation)
            .path
            .replace("{id}", &id.to_string());
        let method = walker.operation(operation).method().to_owned();
        walker
            .answered(operation, Call::of(&method, &path, "user"), status)
            .await
    };
    for operation in ["pauseJob", "rotateKey", "retryJob"] {
        refused(operation, waiting, "not-now").await;
    }
    refused("showContract", waiting, "no-contract").await;
    ordered("cancelJob", waiting, 200).await;
    for operation in ["pauseJob", "resumeJob", "rotateKey", "cancelJob"] {
        refused(operation, waiting, "job-ended").await;
    }
    let again = ordered("retryJob", waiting, 201).await;
    assert_eq!(ordered("retryJob", waiting, 200).await["id"], again["id"]);
    let again: JobId = again["id"].as_str().unwrap().parse().unwrap();
    ordered("cancelJob", again, 200).await;
    refused("retryJob", waiting, "job-retried").await;

    let mut bank_a = walker.house.party("bank-a", walker.at);
    let mut bank_b = walker.house.party("bank-b", walker.at);
    let mut parties = [&mut bank_a, &mut bank_b];
    let running = client.submit(&spec()).await.unwrap().id;
    go_on(&client, running, &mut parties, |view| {
        view.state == JobState::Running
    })
    .await;
    ordered("cancelJob", running, 200).await;
    refused("resumeJob", running, "not-now").await;
    go_on(&client, running, &mut parties, |view| {
        view.state == JobState::Cancelled
    })
    .await;
    let done = client.submit(&spec()).await.unwrap().id;
    go_on(&client, done, &mut parties, |view| {
        view.state == JobState::Succeeded
    })
    .await;
    refused("retryJob", done, "job-ended").await;
}

/// Follows a job that does not end as often as one may, and once more.
async fn too_many_streams(walker: &Walker<'_>, _: &str) -> Vec<impl Sized> {
    let waiting = walker
        .house
        .client(walker.at)
        .submit(&spec())
        .await
        .unwrap()
        .id;
    let path = format!("/v1/jobs/{waiting}/events");
    let mut streams = Vec::new();
    for _ in 0..32 {
        let response = walker
            .caller("user")
            .request("GET", &path)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        streams.push(response);
    }
    let operation = walker.operation("watchJob");
    let call = Call::of("GET", &path, "user");
    walker.refused(&operation, call, "too-many-streams").await;
    // Another caller's are another's.
    let response = walker
        .caller("reader")
        .request("GET", &path)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    streams.push(response);
    streams
}

#[actix_rt::test]
async fn requests_are_called_what_their_callers_call_them() {
    let house = House::new();
    let running = house.start().await;
    let alice = house.caller("user/alice", running.addresses.api);
    for (sent, kept) in [
        (Some("gateway-7"), true),
        (Some("two words"), false),
        (None, false),
    ] {
        let mut request = alice.request("GET", "/v1/jobs/seven");
        if let Some(sent) = sent {
            request = request.insert_header(("X-Request-Id", sent));
        }
        let mut response = request.send().await.unwrap();
        let id = response.headers().get("x-request-id").unwrap().clone();
        let id = id.to_str().unwrap();
        assert_eq!(Some(id) == sent, kept, "{id}");
        assert!(!id.is_empty() && !id.contains(' '), "{id}");
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["request_id"], id);
    }
    let fine = alice.request("GET", "/healthz").send().await.unwrap();
    assert!(fine.headers().contains_key("x-request-id"));
    running.stop().await;
}
