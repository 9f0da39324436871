//! What comes late, twice, or against what was said before.

use super::*;

fn finished(number: u128) -> JobReport {
    report(number, Phase::Finished, 100)
}

fn succeeded_world() -> World {
    let mut world = running_world();
    world.sync("bank-a", vec![finished(1)]);
    world.sync("bank-b", vec![finished(1)]);
    assert_eq!(world.state(1), JobState::Succeeded);
    world
}

#[test]
fn what_is_said_again_changes_nothing() {
    let mut world = running_world();
    assert_eq!(short(&world.sync("bank-a", vec![running(1, 0)])), [""; 0]);
    world.sync("bank-a", vec![finished(1)]);
    assert_eq!(short(&world.sync("bank-a", vec![finished(1)])), [""; 0]);

    let mut world = succeeded_world();
    for name in ["bank-a", "bank-b"] {
        assert_eq!(short(&world.sync(name, vec![finished(1)])), [""; 0]);
        // From before its end: late, and no contradiction.
        assert_eq!(short(&world.sync(name, vec![running(1, 5)])), [""; 0]);
    }
    assert_eq!(world.state(1), JobState::Succeeded);
}

#[test]
fn a_failure_after_success_is_refused() {
    let mut world = succeeded_world();
    assert_eq!(
        short(&world.sync("bank-a", vec![failed(1, "disk")])),
        ["refuse bank-a failed of 1 succeeded"]
    );
    assert_eq!(world.state(1), JobState::Succeeded);
    assert_eq!(world.view(1).failures, []);
}

#[test]
fn success_after_failure_is_refused() {
    let mut world = running_world();
    world.sync("bank-a", vec![failed(1, "disk")]);
    world.sync("bank-b", vec![report(1, Phase::Held, 3)]);
    for name in ["bank-a", "bank-b"] {
        assert_eq!(
            short(&world.sync(name, vec![finished(1)])),
            [format!("refuse {name} finished of 1 failed")]
        );
    }
    assert_eq!(world.state(1), JobState::Failed);
}

#[test]
fn a_party_that_fails_at_what_it_had_finished_fails_the_job() {
    // It began anew, had its half to do again, and cannot.
    let mut world = running_world();
    world.sync("bank-a", vec![finished(1)]);
    assert_eq!(
        short(&world.sync("bank-a", vec![failed(1, "disk")])),
        [
            "write 1 running@5 to failing@6 granted 8",
            "wake bank-a",
            "wake bank-b"
        ]
    );
}

#[test]
fn of_a_cancellation_and_an_end_the_first_stands() {
    let mut world = running_world();
    world.sync("bank-a", vec![finished(1)]);
    assert_eq!(
        short(&world.cancel(1).unwrap()),
        [
            "write 1 running@5 to cancelling@6 granted 8",
            "wake bank-a",
            "wake bank-b"
        ]
    );
    // The last word that success had waited for.
    assert_eq!(short(&world.sync("bank-b", vec![finished(1)])), [""; 0]);
    assert_eq!(short(&world.sync("bank-a", vec![])), [""; 0]);
    assert_eq!(
        short(&world.sync("bank-b", vec![])),
        ["write 1 cancelling@6 to cancelled@7 granted 8"]
    );

    let mut world = succeeded_world();
    let ended = EngineError::Ended {
        id: id(1),
        state: JobState::Succeeded,
    };
    assert_eq!(world.cancel(1), Err(ended));
}

#[test]
fn a_failure_that_races_a_cancellation_does_not_undo_it() {
    let mut world = running_world();
    world.cancel(1).unwrap();
    assert_eq!(short(&world.sync("bank-a", vec![failed(1, "x")])), [""; 0]);
    world.sync("bank-b", vec![]);
    assert_eq!(world.state(1), JobState::Cancelling);
    assert_eq!(
        short(&world.sync("bank-a", vec![])),
        ["write 1 cancelling@5 to cancelled@6 granted 8"]
    );
    // The same again, and the other end.
    assert_eq!(short(&world.sync("bank-a", vec![failed(1, "x")])), [""; 0]);
    assert_eq!(
        short(&world.sync("bank-b", vec![finished(1)])),
        ["refuse bank-b finished of 1 cancelled"]
    );
}

#[test]
fn a_report_of_a_job_that_has_not_begun_changes_nothing() {
    let mut world = World::new();
    world.submit(1, job());
    for report in [running(1, 3), finished(1), failed(1, "disk")] {
        assert_eq!(short(&world.sync("bank-a", vec![report])), [""; 0]);
    }
    assert_eq!(world.state(1), JobState::Queued);
}
