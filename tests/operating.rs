//! What people do with jobs at a coordinator that has no parties yet: list, ask
//! why, submit twice, cancel what is theirs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use std::{fs, path::Path};

use house::{Service, configure, fail, folder_with_certificates, succeed};
use serde_json::Value;

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let printed = succeed(folder, &[arguments, &["-o", "json"]].concat());
    serde_json::from_str(&printed).unwrap()
}

/// A client's configuration for somebody else than alice.
fn client_of(folder: &Path, kind: &str, name: &str) -> String {
    let issue = ["cert", "issue", kind, name, "--ca", "pki", "--out", "pki"];
    succeed(folder, &issue);
    let alices = fs::read_to_string(folder.join("client.toml")).unwrap();
    let file = format!("{name}.toml");
    fs::write(folder.join(&file), alices.replace("alice", name)).unwrap();
    file
}

#[test]
fn jobs_are_listed_explained_and_cancelled_by_those_who_may() {
    let folder = folder_with_certificates();
    let path = folder.path();
    configure(path, "coordinator", &[("127.0.0.1:7400", "127.0.0.1:0")]);
    let coordinator = Service::start(path, "coordinator", "coordinator");
    let url = format!("https://localhost:{}/", coordinator.port("api"));
    configure(path, "client", &[("https://localhost:7400/", &url)]);
    configure(path, "iris", &[]);

    // Under one key one job, without one a new job each time.
    let keyed = ["job", "submit", "iris.toml", "--idempotency-key", "monday"];
    let first = json(path, &keyed);
    assert_eq!(json(path, &keyed)["id"], first["id"]);
    let second = json(path, &["job", "submit", "iris.toml"]);
    assert_ne!(second["id"], first["id"]);
    let (code, said) = fail(
        path,
        &["job", "submit", "iris.toml", "--idempotency-key", "a b"],
    );
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("take a UUID"), "{said}");

    let list = json(path, &["job", "list", "--limit", "1"]);
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["id"], second["id"]);
    assert_eq!(json(path, &["job", "list"]).as_array().unwrap().len(), 2);

    let id = first["id"].as_str().unwrap();
    let why = json(path, &["job", "why", id]);
    assert_eq!(why["state"], "awaiting_approval");
    assert_eq!(why["reasons"][0]["reason"], "not_connected");
    assert_eq!(why["reasons"][0]["party"], "bank-a");
    let told = succeed(path, &["job", "why", id]);
    for words in [
        "bank-b to connect",
        "not heard of since the coordinator began",
    ] {
        assert!(told.contains(words), "{told}");
    }

    let waiting = json(path, &["job", "list", "--state", "awaiting_approval"]);
    assert_eq!(waiting[1]["id"], id);
    let (_, said) = fail(path, &["job", "pause", id]);
    assert!(said.contains("waits for its parties' approval"), "{said}");
    let (_, said) = fail(path, &["job", "contract", id]);
    assert!(said.contains("bank-a has not signed"), "{said}");

    let bob = client_of(path, "user", "bob");
    for order in ["cancel", "pause"] {
        let (code, said) = fail(path, &["job", order, id, "--client", &bob]);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("user/alice's"), "{said}");
        assert!(said.contains(&format!("to {order} it")), "{said}");
    }
    let rita = client_of(path, "reader", "rita");
    let (_, said) = fail(path, &["job", "submit", "iris.toml", "--client", &rita]);
    assert!(said.contains("users and operators"), "{said}");
    assert_eq!(
        json(path, &["job", "show", id, "--client", &rita])["state"],
        "awaiting_approval"
    );
    let olga = client_of(path, "operator", "olga");
    let cancelled = json(path, &["job", "cancel", id, "--client", &olga]);
    assert_eq!(cancelled["state"], "cancelled");
    let (_, said) = fail(path, &["job", "cancel", id]);
    assert!(said.contains("/retry"), "{said}");
    let retry = json(path, &["job", "retry", id]);
    assert_eq!(retry["retry_of"], id);
    assert_eq!(json(path, &["job", "retry", id])["id"], retry["id"]);
    let told = succeed(path, &["job", "show", id]);
    assert!(told.contains(retry["id"].as_str().unwrap()), "{told}");

    the_log_tells_of_all_that(path, id, &olga);
}

fn the_log_tells_of_all_that(path: &Path, id: &str, olga: &str) {
    let (_, said) = fail(path, &["audit", "list"]);
    assert!(said.contains("for operators"), "{said}");
    let log = json(path, &["audit", "list", "--client", olga]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let told: Vec<_> = log
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            [
                text(&entry["who"]),
                text(&entry["what"]),
                text(&entry["call"]),
            ]
        })
        .collect();
    let expected = [
        ["user/alice", "submitted", ""],
        ["user/alice", "submitted", ""],
        ["user/bob", "refused", "DELETE /v1/jobs/{id}"],
        ["user/bob", "refused", "POST /v1/jobs/{id}/pause"],
        ["reader/rita", "refused", "POST /v1/jobs"],
        ["operator/olga", "cancelled", ""],
        ["user/alice", "retried", ""],
        ["user/alice", "refused", "GET /v1/audit"],
    ];
    assert_eq!(told, expected.map(|told| told.map(str::to_owned)));
    for index in [0, 2, 3, 5] {
        assert_eq!(log[index]["job"], id);
    }
    assert_eq!(log[5]["spec_digest"], log[0]["spec_digest"]);

    let good = json(path, &["audit", "verify", "--client", olga]);
    assert_eq!(good["entries"], 8);
    let head = good["head"].as_str().unwrap();
    let file = path.join("audit.json");
    let write = |log: &Value| fs::write(&file, log.to_string()).unwrap();
    let verify = ["audit", "verify", "--file", "audit.json", "--head", head];
    write(&log);
    assert!(succeed(path, &verify).contains(head));
    let mut altered = log.clone();
    altered[5]["who"] = "user/alice".into();
    write(&altered);
    let (code, said) = fail(path, &verify);
    assert_eq!(code, 7, "{said}");
    assert!(said.contains("entry 6 was altered"), "{said}");
    let mut cut = log.clone();
    cut.as_array_mut().unwrap().pop();
    write(&cut);
    succeed(path, &["audit", "verify", "--file", "audit.json"]);
    let (code, said) = fail(path, &verify);
    assert_eq!(code, 7, "{said}");
    assert!(said.contains("ends at entry 7"), "{said}");
    write(&Value::Null);
    assert_eq!(fail(path, &verify).0, 3);
}

#[test]
fn the_api_is_described_without_a_coordinator() {
    let folder = tempfile::tempdir().unwrap();
    let document = json(folder.path(), &["api"]);
    assert_eq!(document["openapi"], "3.1.0");
    let events = &document["paths"]["/v1/jobs/{id}/events"]["get"];
    assert_eq!(events["operationId"], "watchJob");
    let table = succeed(folder.path(), &["api"]);
    for path in document["paths"].as_object().unwrap().keys() {
        assert!(table.contains(path.as_str()), "{path} in {table}");
    }
}

#[test]
fn exit_codes_are_the_same_in_the_help_and_in_the_readme() {
    let folder = tempfile::tempdir().unwrap();
    let help = succeed(folder.path(), &["--help"]);
    let readme = include_str!("../README.md");
    let codes = help.split("Exit codes:\n").nth(1).unwrap();
    let codes = codes.split("\n\n").next().unwrap().lines();
    let mut count = 0;
    for line in codes {
        let (code, when) = line.trim().split_once(' ').unwrap();
        let row = format!("| {code} | {} |", when.trim());
        assert!(readme.contains(&row), "{row}");
        count += 1;
    }
    assert_eq!(count, 10);
}
