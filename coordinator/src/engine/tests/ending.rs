use entente_protocol::job::Side;

use super::*;

#[test]
fn a_job_succeeds_when_both_parties_have_finished() {
    let mut world = running_world();
    assert_eq!(
        short(&world.sync("bank-b", vec![report(1, Phase::Finished, 100)])),
        ["write 1 running@4 to running@5 granted 8"]
    );
    assert_eq!(world.wish("bank-b"), [(id(1), 8)]);
    // Finished is finished, whatever a party says later.
    assert_eq!(short(&world.sync("bank-b", vec![running(1, 0)])), [""; 0]);
    assert_eq!(
        short(&world.sync("bank-a", vec![report(1, Phase::Finished, 100)])),
        [
            "write 1 running@5 to succeeded@6 granted 8",
            "wake bank-a",
            "wake bank-b"
        ]
    );
    assert_eq!(world.wish("bank-a"), []);
    assert_eq!(world.view(1).ended_at, Some(world.now.into()));
    assert_eq!(world.state(1), JobState::Succeeded);
}

#[test]
fn a_failure_ends_the_job_and_the_other_sides_is_recorded_when_it_comes() {
    let mut world = running_world();
    assert_eq!(
        short(&world.sync("bank-a", vec![failed(1, "range")])),
        [
            "write 1 running@4 to failing@5 granted 8",
            "wake bank-a",
            "wake bank-b"
        ]
    );
    // Both hold it until the other side has had its say.
    assert_eq!(world.holds("bank-b"), [true]);
    assert_eq!(
        short(&world.sync("bank-b", vec![failed(1, "peer_gone")])),
        [
            "write 1 failing@5 to failing@6 granted 8",
            "write 1 failing@6 to failed@7 granted 8",
            "wake bank-a",
            "wake bank-b"
        ]
    );
    assert_eq!(world.wish("bank-b"), []);
    // Once.
    assert_eq!(
        short(&world.sync("bank-b", vec![failed(1, "peer_gone")])),
        [""; 0]
    );
    assert_eq!(
        short(&world.sync("bank-a", vec![failed(1, "again")])),
        [""; 0]
    );
    let failures = world.view(1).failures;
    let record: Vec<_> = failures
        .iter()
        .map(|failure| (failure.side, failure.label.as_str(), failure.exchange))
        .collect();
    assert_eq!(
        record,
        [
            (Some(Side::Active), "range", 3),
            (Some(Side::Passive), "peer_gone", 3)
        ]
    );
}

#[test]
fn a_failures_words_are_cut() {
    let mut world = running_world();
    let failure = Failure {
        class: FailureClass::Bug,
        label: "λ".repeat(1000),
        message: "λ".repeat(100_000),
        state: Some("λ".repeat(1000)),
        exchange: 0,
    };
    world.sync("bank-a", vec![report(1, Phase::Failed { failure }, 0)]);
    let failure = &world.view(1).failures[0];
    assert_eq!(failure.message.chars().count(), 2000);
    assert_eq!(failure.label.chars().count(), 64);
}

#[test]
fn a_queued_job_is_cancelled_at_once() {
    let mut world = World::new();
    world.submit(1, job());
    assert_eq!(
        short(&world.cancel(1).unwrap()),
        ["write 1 queued@0 to cancelled@1 granted 0"]
    );
    let ended = EngineError::Ended {
        id: id(1),
        state: JobState::Cancelled,
    };
    assert_eq!(world.cancel(1), Err(ended));
    assert_eq!(world.cancel(2), Err(EngineError::Unknown(id(2))));
}

#[test]
fn a_job_is_cancelled_by_who_submitted_it_or_by_an_operator() {
    for by in ["user/bob", "reader/alice", "party/bank-a"] {
        let mut world = running_world();
        let refused = EngineError::NotTheirs {
            id: id(1),
            owner: "user/alice".parse().unwrap(),
            order: Order::Cancel,
        };
        assert_eq!(world.cancel_by(1, by), Err(refused));
        assert_eq!(world.state(1), JobState::Running);
    }
    let mut world = running_world();
    world.cancel_by(1, "operator/olga").unwrap();
    assert_eq!(world.state(1), JobState::Cancelling);
}

#[test]
fn a_running_job_is_cancelled_when_both_parties_have_stopped() {
    let mut world = running_world();
    assert_eq!(
        short(&world.cancel(1).unwrap()),
        [
            "write 1 running@4 to cancelling@5 granted 8",
            "wake bank-a",
            "wake bank-b"
        ]
    );
    assert_eq!(short(&world.cancel(1).unwrap()), [""; 0]);
    assert_eq!(world.wish("bank-a"), []);
    assert_eq!(short(&world.sync("bank-a", vec![running(1, 5)])), [""; 0]);
    assert_eq!(short(&world.sync("bank-a", vec![])), [""; 0]);
    assert_eq!(
        short(&world.sync("bank-b", vec![])),
        ["write 1 cancelling@5 to cancelled@6 granted 8"]
    );
}

#[test]
fn a_party_that_has_not_heard_of_the_cancellation_may_be_at_the_job() {
    let mut world = World::new();
    world.connect();
    world.submit(1, job());
    // Neither has reported the job; both may have been told to run it.
    world.cancel(1).unwrap();
    assert_eq!(world.state(1), JobState::Cancelling);
    world.handle(Event::Sync {
        party: party("bank-a"),
        sync: truth(),
    });
    world.sync("bank-b", vec![]);
    assert_eq!(world.state(1), JobState::Cancelling);
    world.sync("bank-a", vec![]);
    assert_eq!(world.state(1), JobState::Cancelled);
}

#[test]
fn a_party_that_is_away_is_not_waited_for() {
    let mut world = running_world();
    world.cancel(1).unwrap();
    world.sync("bank-a", vec![]);
    assert_eq!(world.pass(SETTINGS.party_timeout), []);
    assert_eq!(
        short(&world.pass(Span(1))),
        ["write 1 cancelling@5 to cancelled@6 granted 8"]
    );
}

#[test]
fn a_cancellation_outlives_a_restart() {
    let mut world = running_world();
    world.cancel(1).unwrap();
    let records: Vec<_> = world.engine.jobs.values().cloned().collect();
    let mut world = World::with(records);
    assert_eq!(world.pass(Span(1)), []);
    assert_eq!(world.sync("bank-a", vec![running(1, 0)]), []);
    world.sync("bank-b", vec![]);
    assert_eq!(world.state(1), JobState::Cancelling);
    world.sync("bank-a", vec![]);
    assert_eq!(world.state(1), JobState::Cancelled);
}

#[test]
fn a_job_without_progress_fails_after_its_stall_budget_and_not_before() {
    let mut world = running_world();
    let budget = Span::seconds(60);
    world.pass(Span::seconds(50));
    // One side's progress is progress.
    world.sync("bank-a", vec![running(1, 1)]);
    assert_eq!(world.pass(Span::seconds(20)), []);
    // Starting over is not.
    world.sync("bank-a", vec![running(1, 0)]);
    world.sync("bank-a", vec![running(1, 1)]);
    let waiting = Phase::Waiting {
        what: "bank-b".into(),
        for_ms: 39_000,
    };
    world.pass(Span::seconds(40));
    assert_eq!(world.state(1), JobState::Parked);
    world.sync("bank-a", vec![report(1, waiting, 1)]);
    let commands = world.pass(Span(1));
    assert_eq!(
        short(&commands).last().map(String::as_str),
        Some("wake bank-b"),
        "{budget}"
    );
    let view = world.view(1);
    assert_eq!(view.state, JobState::Failing);
    assert_eq!(view.failures.len(), 1);
    assert_eq!(view.failures[0].label, "stalled");
    assert_eq!(view.failures[0].side, None);
    let message = &view.failures[0].message;
    for part in [
        "1 min",
        "bank-a, which waits for bank-b for 39 s",
        "bank-b, which is away for 1 min 50 s",
    ] {
        assert!(message.contains(part), "{message}");
    }
}
