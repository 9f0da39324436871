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

fn done(job: &Value) -> u64 {
    let done = &job["sides"]["passive"]["progress"]["exchanges_done"];
    done.as_u64().unwrap_or(0)
}

/// Its journals stand before what its peer has seen of it and has forgotten since: that
/// attempt comes to nothing within its stall budget, and the next begins the job anew.
#[test]
fn a_party_put_back_to_an_older_state_begins_its_jobs_anew() {
    let mut house = House::start(|port| port);
    let path = house.path().to_owned();
    let (state, backup) = (path.join("state/bank-a"), path.join("backup"));
    let id = house.submit(&[
        ("epochs = 30", "epochs = 6"),
        ("stall_budget_s = 1800", "stall_budget_s = 60"),
    ]);
    let gone = |house: &House, rounds: u64| {
        eventually("the job goes on", || {
            let job = house.show(&id);
            (done(&job) > rounds).then_some(done(&job))
        })
    };
    let before = gone(&house, 4);
    house.active.stop();
    put(&state, &backup);
    house.active = Service::start(&path, "party", "bank-a");
    gone(&house, before + 12);
    house.active.stop();
    put(&backup, &state);
    house.active = Service::start(&path, "party", "bank-a");
    let job = house.end_of(&id);
    assert_eq!(job["state"], "succeeded", "{job:#}");
    assert!(job["attempt"].as_u64() > Some(1), "{job:#}");
    let first = &job["attempts"][0];
    assert!(first.to_string().contains("stall"), "{job:#}");
}

/// A coordinator that has forgotten that a job has ended, and that another was submitted.
#[test]
fn a_coordinator_put_back_to_an_older_store_goes_on_with_what_it_knows() {
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
    let kept = house.submit(&[("epochs = 30", "epochs = 2")]);
    house.end_of(&kept);
    let id = house.submit(&[("epochs = 30", "epochs = 6")]);
    eventually("the job goes on", || {
        (done(&house.show(&id)) > 4).then_some(())
    });
    house.coordinator.stop();
    put(&state, &backup);
    again(&mut house);
    house.end_of(&id);
    let forgotten = house.submit(&[("epochs = 30", "epochs = 2")]);
    house.end_of(&forgotten);
    let verify = ["audit", "verify", "--client", "olga.toml", "-o", "json"];
    let head: Value = serde_json::from_str(&succeed(&path, &verify)).unwrap();
    let head = head["head"].as_str().unwrap().to_owned();

    house.coordinator.stop();
    put(&backup, &state);
    again(&mut house);
    // It had ended; of that nobody knows now but its parties' halves, and it is done again.
    assert_ne!(house.show(&id)["state"], "succeeded");
    let job = house.end_of(&id);
    assert_eq!(job["state"], "succeeded", "{job:#}");
    assert_eq!(house.show(&kept)["state"], "succeeded");
    let unknown = entente(&path, &["job", "show", &forgotten]);
    assert_eq!(unknown.status.code(), Some(1));
    // Who has kept the head sees that the log was put back.
    let output = entente(&path, &[&verify[..], &["--head", &head]].concat());
    assert_eq!(output.status.code(), Some(7));
}
