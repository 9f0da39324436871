//! Randomness that running parties make ahead, as their metrics tell it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use std::process::Command;

use entente_metrics::{EVALUATOR, HE_POOL_VALUES, KEY_OWNER};
use house::{House, Service, eventually, succeed};

/// Values that lie ready at a party, by the end that they are for.
fn ready(house: &House, party: &str) -> [u64; 2] {
    let text = house.scrape(party);
    [KEY_OWNER, EVALUATOR].map(|end| {
        let series = format!("{}{{end=\"{end}\"}} ", HE_POOL_VALUES.name());
        let value = text.lines().find_map(|line| line.strip_prefix(&series));
        let value = value.unwrap_or_else(|| panic!("no {series} in:\n{text}"));
        value.parse().unwrap()
    })
}

/// Stops the clock of a process, or lets it run again.
fn signal(name: &str, service: &Service) {
    let status = Command::new("kill")
        .args([format!("-{name}"), service.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn a_party_that_waits_makes_randomness_ready_and_keeps_none_of_a_job_that_is_over() {
    let house = House::start(|port| port);
    assert_eq!(ready(&house, "bank-a"), [0, 0]);
    assert_eq!(ready(&house, "bank-b"), [0, 0]);

    let id = house.submit(&[("epochs = 30", "epochs = 100000")]);
    eventually("rounds are done", || {
        let done = house.show(&id)["sides"]["active"]["progress"]["rounds_done"].as_u64();
        (done > Some(0)).then_some(())
    });
    for (party, end, peer) in [("bank-b", 1, &house.active), ("bank-a", 0, &house.passive)] {
        // Nothing to do but wait, however fast a round is.
        signal("STOP", peer);
        eventually("randomness lies ready", || {
            let ready = ready(&house, party);
            assert_eq!(ready[1 - end], 0, "a party has one end of a job");
            assert!(ready[end] <= 4096, "more than there may be");
            (ready[end] > 0).then_some(())
        });
        signal("CONT", peer);
    }
    succeed(house.path(), &["job", "cancel", &id]);
    assert_eq!(house.end_of(&id)["state"], "cancelled");
    for party in ["bank-a", "bank-b"] {
        eventually("what was left is gone with its job", || {
            (ready(&house, party) == [0, 0]).then_some(())
        });
    }
}
