//! Backups put back, over real processes: what `deploy/runbooks/restore.md` promises of a
//! party's state directory and of a coordinator's store that are older than what happened.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use std::{fs, path::Path, process::Command};

use house::{House, Service, configure, entente, eventually, succeed};
use serde_json::Value;

/// As a volume's snapshot would be put back.
fn put(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    let copied = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(copied.unwrap().success());
}

/// A job, where its coordinator answers: here they come and go.
fn show(path: &Path, id: &str) -> Option<Value> {
    let output = entente(path, &["job", "show", id, "-o", "json"]);
    serde_json::from_slice(&output.stdout).ok()
}

/// Waits until more exchanges than these are done; how many are.
fn more_than(path: &Path, id: &str, exchanges: u64) -> u64 {
    eventually("the job goes on", || {
        let job = show(path, id)?;
        let done = job["sides"]["passive"]["progress"]["exchanges_done"].as_u64()?;
        (done > exchanges).then_some(done)
    })
}

/// Waits until a job has succeeded.
fn success_of(path: &Path, id: &str) -> Value {
    eventually("the job succeeds", || {
        let job = show(path, id)?;
        assert_ne!(job["state"], "failed", "{job:#}");
        (job["state"] == "succeeded").then_some(job)
    })
}

/// Its journals stand before what its peer has seen of it and has forgotten since: that
/// attempt comes to nothing within its stall budget, and the next begins the job anew.
#[test]
fn a_party_put_back_to_an_older_state_begins_its_jobs_anew() {
    let mut house = House::start(|port| port);
    let path = house.path().to_owned();
    let (state, backup) = (path.join("state/bank-a"), path.join("backup"));
    let id = house.submit(&[
        ("epochs = 30", "epochs = 12"),
        ("stall_budget_s = 1800", "stall_budget_s = 60"),
    ]);
    more_than(&path, &id, 4);
    house.active.stop();
    let before = more_than(&path, &id, 4);
    put(&state, &backup);
    house.active = Service::start(&path, "party", "bank-a");
    more_than(&path, &id, before + 8);
    house.active.stop();
    put(&backup, &state);
    house.active = Service::start(&path, "party", "bank-a");
    let job = success_of(&path, &id);
    assert!(job["attempt"].as_u64() > Some(1), "{job:#}");
    let first = job["attempts"][0].to_string();
    assert!(first.contains("stall"), "{job:#}");
}

/// A coordinator that has forgotten that a job has ended, and that another was submitted.
#[test]
fn a_coordinator_put_back_to_an_older_store_has_done_again_what_it_saw_running() {
    let mut house = House::start(|port| port);
    let path = house.path().to_owned();
    let olga = [
        "cert", "issue", "operator", "olga", "--ca", "pki", "--out", "pki",
    ];
    succeed(&path, &olga);
    let alices = fs::read_to_string(path.join("client.toml")).unwrap();
    fs::write(path.join("olga.toml"), alices.replace("alice", "olga")).unwrap();
    let (state, backup) = (path.join("state/coordinator"), path.join("backup"));
    let port = format!("127.0.0.1:{}", house.coordinator.port("api"));
    let again = |house: &mut House| {
        configure(&path, "coordinator", &[("127.0.0.1:7400", &port)]);
        house.coordinator = Service::start(&path, "coordinator", "coordinator");
    };
    let kept = house.submit(&[("epochs = 30", "epochs = 1")]);
    success_of(&path, &kept);
    // Long enough that it has not ended when its coordinator has.
    let id = house.submit(&[]);
    more_than(&path, &id, 4);
    house.coordinator.stop();
    put(&state, &backup);
    again(&mut house);
    let ended_at = success_of(&path, &id)["ended_at"].clone();
    let forgotten = house.submit(&[("epochs = 30", "epochs = 1")]);
    success_of(&path, &forgotten);
    let verify = ["audit", "verify", "--client", "olga.toml", "-o", "json"];
    let head: Value = serde_json::from_str(&succeed(&path, &verify)).unwrap();
    let head = head["head"].as_str().unwrap().to_owned();

    house.coordinator.stop();
    put(&backup, &state);
    again(&mut house);
    // It had ended; of that nobody knows now but its parties' halves, and it is done again.
    let ended_again_at = success_of(&path, &id)["ended_at"].clone();
    assert!(ended_at.is_string() && ended_again_at.is_string());
    assert_ne!(ended_again_at, ended_at);
    success_of(&path, &kept);
    assert_eq!(show(&path, &forgotten), None);
    // Who has kept the head sees that the log was put back.
    let output = entente(&path, &[&verify[..], &["--head", &head]].concat());
    assert_eq!(output.status.code(), Some(7));
}
