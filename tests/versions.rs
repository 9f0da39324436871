//! Two releases beside each other: real processes, one of which speaks the first
//! version of the wire format alone, as the release before did.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use house::{ENTENTE, House, Service, succeed};
use serde_json::Value;

const ONE_EPOCH: [(&str, &str); 2] = [
    ("epochs = 30", "epochs = 1"),
    ("batch_size = 16", "batch_size = 40"),
];

/// Trains, and expects the attempt to have been in this version.
fn trains_in(house: &House, version: u64) {
    let id = house.submit(&ONE_EPOCH);
    let job = house.end_of(&id);
    assert_eq!(job["state"], "succeeded", "{job:#}");
    assert_eq!(job["attempts"][0]["wire"], version, "{job:#}");
    let shown = succeed(house.path(), &["job", "show", &id]);
    let line = shown.lines().find(|line| line.contains("wire version"));
    assert!(
        line.unwrap().trim().ends_with(&version.to_string()),
        "{shown}"
    );
}

/// The weights are drawn anew for every job here; that they equal the plaintext
/// reference in each version is shown where they are fixed.
#[test]
fn a_party_of_the_release_before_is_understood() {
    let mut house = House::start(|port| port);
    trains_in(&house, 2);

    // bank-a as it was before its upgrade.
    house.active.stop();
    let config = house.path().join("bank-a.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let old = text.replace("[party]\n", "[party]\nnewest_wire_version = 1\n");
    assert_ne!(old, text);
    std::fs::write(&config, old).unwrap();
    house.active = Service::start(house.path(), "party", "bank-a");
    trains_in(&house, 1);
    let parties = succeed(house.path(), &["coordinator", "parties", "-o", "json"]);
    let parties: Value = serde_json::from_str(&parties).unwrap();
    let wire = |index: usize| parties[index]["wire"].clone();
    assert_eq!([wire(0), wire(1)], [Value::from([1]), Value::from([2, 1])]);

    // A version that is none is refused by name, before anything starts.
    let text = std::fs::read_to_string(&config).unwrap();
    let wrong = text.replace("newest_wire_version = 1", "newest_wire_version = 9");
    std::fs::write(house.path().join("wrong.toml"), wrong).unwrap();
    let output = std::process::Command::new(ENTENTE)
        .current_dir(house.path())
        .args(["party", "--config", "wrong.toml"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("wire version 9 is not spoken here"), "{said}");
}
