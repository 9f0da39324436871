//! A job that stops early, over real processes: it ends well, and its record
//! says what was done of what was asked for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use house::{House, succeed};

/// No epoch betters the first by as much as is asked for: so it is known when
/// training stops, whatever weights the parties draw.
#[test]
fn a_job_that_stops_early_succeeds_and_says_so() {
    let house = House::start(|port| port);
    let id = house.submit(&[
        (
            "test_fraction = 0.2",
            "test_fraction = 0.2\nvalidation_fraction = 0.2",
        ),
        (
            "epochs = 30",
            "epochs = 30\nkeep = \"best\"\nearly_stopping = { patience = 1, min_delta = 1e9 }",
        ),
        ("batch_size = 16", "batch_size = 90"),
    ]);
    let job = house.end_of(&id);
    assert_eq!(job["state"], "succeeded", "{job:#}");
    assert_eq!(job["stopped_early"], true);
    assert_eq!((&job["epochs"], &job["keep"]), (&30.into(), &"best".into()));
    assert_eq!(job["best"]["epoch"], 1);
    assert_eq!(job["validation"]["epoch"], 2);
    assert!(job["test_accuracy"].is_number(), "{job:#}");
    for side in ["active", "passive"] {
        // Set-up, two epochs of one mini-batch and one look, the test rows.
        let progress = &job["sides"][side]["progress"];
        assert_eq!(progress["exchanges_done"], 6, "{job:#}");
        assert_eq!(progress["exchanges"], 6);
        assert_eq!(
            (&progress["rounds_done"], &progress["rounds"]),
            (&2.into(), &2.into())
        );
    }
    let shown = succeed(house.path(), &["job", "show", &id]);
    for words in [
        "stopped early after epoch 2 of 30, best was 1",
        "1, kept: loss",
        "epoch 2 of 30",
    ] {
        assert!(shown.contains(words), "{shown}");
    }
}
