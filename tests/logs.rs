//! What processes log: one job can be followed through all of them, by one name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use std::collections::BTreeSet;

use house::{House, LOG_FORMAT, succeed};
use serde_json::{Map, Value};

/// The lines of a log in JSON, each with every field once.
fn lines(log: &str) -> Vec<Map<String, Value>> {
    log.lines()
        .map(|line| {
            let line: Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            line.as_object().unwrap().clone()
        })
        .collect()
}

#[test]
fn every_line_about_a_job_has_its_names_once_and_they_are_the_same_everywhere() {
    LOG_FORMAT
        .set(|name| match name {
            "bank-a" => "text",
            _ => "json",
        })
        .unwrap();
    let mut house = House::start(|port| port);
    let id = house.submit(&[("epochs = 30", "epochs = 1")]);
    let followed = ["job", "logs", id.as_str(), "--follow", "-o", "json"];
    let followed = lines(&succeed(house.path(), &followed));
    let ended = house.show(&id);
    assert_eq!(ended["state"], "succeeded", "{ended:#}");
    let correlation = ended["correlation"].as_str().unwrap();

    // What was followed is what the log has afterwards.
    let whole = succeed(house.path(), &["job", "logs", &id, "-o", "json"]);
    let whole: Vec<Map<String, Value>> = serde_json::from_str(&whole).unwrap();
    assert_eq!(followed, whole);
    let last = whole.last().unwrap();
    assert_eq!(
        (&last["event"], &last["to"]),
        (&"entered".into(), &"succeeded".into())
    );
    assert!(
        whole
            .iter()
            .all(|entry| entry["correlation"] == correlation)
    );
    let told = succeed(house.path(), &["job", "logs", &id]);
    assert_eq!(told.lines().count(), whole.len());
    assert!(told.contains("reserved -> running"), "{told}");

    for service in [
        &mut house.active,
        &mut house.passive,
        &mut house.coordinator,
    ] {
        service.stop();
    }
    let mut requests = BTreeSet::new();
    for log in [house.passive.log(), house.coordinator.log()] {
        let lines = lines(&log);
        for line in &lines {
            for always in ["at", "level", "target", "message"] {
                assert!(line.contains_key(always), "{line:?}");
            }
            requests.extend(line.get("request_id").map(ToString::to_string));
        }
        let mut about = lines
            .iter()
            .filter(|line| line.contains_key("job"))
            .peekable();
        assert!(about.peek().is_some(), "{log}");
        for line in about {
            assert_eq!(
                (&line["job"], &line["attempt"]),
                (&id.as_str().into(), &1.into()),
                "{line:?}"
            );
            assert_eq!(line["correlation"], correlation, "{line:?}");
        }
    }
    assert!(
        !requests.is_empty(),
        "no line says to which request it belongs"
    );
    let log = house.active.log();
    let about = |line: &&str| line.contains("job=");
    assert!(log.lines().filter(about).count() > 2, "{log}");
    for line in log.lines().filter(about) {
        for (name, value) in [
            ("job=", id.as_str()),
            ("attempt=", "1"),
            ("correlation=", correlation),
        ] {
            assert_eq!(line.matches(name).count(), 1, "{name} in {line}");
            assert!(line.contains(&format!("{name}{value}")), "{line}");
        }
    }
}
