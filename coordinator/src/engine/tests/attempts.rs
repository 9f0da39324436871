use entente_protocol::job::Side;

use super::*;
use crate::job::Attempt;

fn lost(number: u128) -> JobReport {
    failed_by(number, FailureClass::Retry, "state_lost")
}

fn gone(number: u128) -> JobReport {
    failed_by(number, FailureClass::Retry, "peer_ended")
}

/// Labels, the coordinator's own first.
fn labels(attempt: &Attempt) -> Vec<(Option<Side>, &str)> {
    let failures = attempt.failures.iter();
    failures
        .map(|failure| (failure.side, failure.label.as_str()))
        .collect()
}

/// The attempt that a failure of the job's class leaves behind runs.
fn run_again(world: &mut World, attempt: u32) {
    let again = |report: JobReport| JobReport { attempt, ..report };
    world.pass(Span::seconds(20));
    world.connect();
    assert_eq!(world.state(1), JobState::Reserved);
    world.sync("bank-a", vec![again(running(1, 0))]);
    world.sync("bank-b", vec![again(running(1, 0))]);
    assert_eq!(world.state(1), JobState::Running);
}

#[test]
fn a_lost_state_leads_to_another_attempt_after_a_wait() {
    let mut world = running_world();
    world.sync("bank-a", vec![running(1, 5)]);
    assert_eq!(
        short(&world.sync("bank-b", vec![lost(1)])),
        [
            "write 1 running@4 to failing@5 granted 8",
            "wake bank-a",
            "wake bank-b"
        ]
    );
    // Until the other side has said why, neither is to forget it.
    assert_eq!(
        (world.holds("bank-a"), world.holds("bank-b")),
        (vec![true], vec![true])
    );
    let first = world.view(1).correlation;
    assert_eq!(
        short(&world.sync("bank-a", vec![gone(1)])),
        [
            "write 1 failing@5 to failing@6 granted 8",
            "write 1 failing@6 to queued@7 granted 0",
            "wake bank-a",
            "wake bank-b"
        ]
    );
    assert_eq!(world.wish("bank-a"), []);
    let view = world.view(1);
    assert_eq!((view.attempt, view.failures.len()), (2, 0));
    assert_ne!(view.correlation, first);
    let wait = view.not_before.unwrap() - view.since;
    assert!((2000..=4000).contains(&wait.whole_milliseconds()), "{wait}");
    let waiting = view.waiting_for.unwrap();
    assert!(
        waiting.starts_with("attempt 2, which begins in "),
        "{waiting}"
    );
    let [ended, next] = &view.attempts[..] else {
        panic!("{:?}", view.attempts)
    };
    assert_eq!((ended.number, ended.correlation), (1, first));
    assert_eq!((ended.from, ended.to), (view.started_at, Some(view.since)));
    assert_eq!(
        labels(ended),
        [
            (Some(Side::Passive), "state_lost"),
            (Some(Side::Active), "peer_ended")
        ]
    );
    assert_eq!((next.number, next.from, next.to), (2, None, None));

    // Not before its time, and anew.
    world.connect();
    assert_eq!(world.state(1), JobState::Queued);
    let left = Span(wait.whole_milliseconds().unsigned_abs() as u64);
    assert_eq!(world.pass(Span(left.0 - 1)), []);
    assert_eq!(
        short(&world.pass(Span(1))),
        [
            "write 1 queued@7 to reserved@8 granted 0",
            "wake bank-a",
            "wake bank-b"
        ]
    );
    let assignment = &world.engine.wish(&party("bank-a")).jobs[0];
    assert_eq!((assignment.attempt, assignment.exchanges_done), (2, 0));
    // What is said of the first attempt is of no account any more.
    assert_eq!(short(&world.sync("bank-b", vec![lost(1)])), [""; 0]);
}

#[test]
fn a_job_that_fails_for_ever_ends_with_the_history_of_its_attempts() {
    let mut world = running_world();
    for attempt in 1..=3 {
        let of = |report: JobReport| JobReport { attempt, ..report };
        world.sync("bank-a", vec![of(lost(1))]);
        assert_eq!(world.state(1), JobState::Failing);
        world.sync("bank-b", vec![of(gone(1))]);
        if attempt < 3 {
            run_again(&mut world, attempt + 1);
        }
    }
    let view = world.view(1);
    assert_eq!(view.state, JobState::Failed);
    let history: Vec<_> = view.attempts.iter().map(|attempt| attempt.number).collect();
    assert_eq!(history, [1, 2, 3]);
    for attempt in &view.attempts {
        assert_eq!(labels(attempt).len(), 2);
        assert!(attempt.from.unwrap() <= attempt.to.unwrap());
    }
    assert_eq!(world.wish("bank-a"), []);
}

#[test]
fn whether_another_attempt_can_help_is_decided_by_the_gravest_reason() {
    for (class, state) in [
        (FailureClass::Retry, JobState::Queued),
        (FailureClass::Bug, JobState::Queued),
        (FailureClass::Operator, JobState::Failed),
        (FailureClass::Abort, JobState::Failed),
    ] {
        let mut world = running_world();
        world.sync("bank-a", vec![gone(1)]);
        assert_eq!(world.state(1), JobState::Failing);
        world.sync("bank-b", vec![failed_by(1, class, "why")]);
        assert_eq!(world.state(1), state, "{class:?}");
    }
}

#[test]
fn a_side_that_is_silent_is_waited_for_shortly_and_noted() {
    let mut world = running_world();
    world.sync("bank-a", vec![failed(1, "disk")]);
    let why = world.engine.why(id(1), None, world.now).unwrap();
    let texts: Vec<_> = why.reasons.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["bank-b to say why the attempt failed"]);
    assert_eq!(world.pass(Span(9_999)), []);
    assert_eq!(
        short(&world.pass(Span(1))),
        [
            "write 1 failing@5 to failed@6 granted 8",
            "wake bank-a",
            "wake bank-b"
        ]
    );
    let view = world.view(1);
    assert_eq!(
        labels(&view.attempts[0]),
        [
            (Some(Side::Active), "disk"),
            (Some(Side::Passive), "silent")
        ]
    );
    // What it says in the end takes the place of the note.
    assert_eq!(
        short(&world.sync("bank-b", vec![failed(1, "late")])),
        ["write 1 failed@6 to failed@7 granted 8"]
    );
    let view = world.view(1);
    assert_eq!(
        labels(&view.attempts[0]),
        [(Some(Side::Active), "disk"), (Some(Side::Passive), "late")]
    );
}

#[test]
fn a_side_that_is_at_rest_or_away_is_not_waited_for() {
    for phase in [Phase::Held, Phase::Finished] {
        let mut world = running_world();
        world.sync("bank-a", vec![failed(1, "disk")]);
        world.sync("bank-b", vec![report(1, phase, 8)]);
        let view = world.view(1);
        assert_eq!(view.state, JobState::Failed);
        assert_eq!(view.failures[1].label, "at_rest");
    }
    let mut world = running_world();
    world.pass(Span::seconds(31));
    world.sync("bank-a", vec![failed(1, "disk")]);
    assert_eq!(world.state(1), JobState::Failed);
}

#[test]
fn a_job_that_waits_for_its_next_attempt_blocks_nobody_and_can_be_cancelled() {
    let mut world = running_world();
    world
        .engine
        .parties
        .get_mut(&party("bank-a"))
        .unwrap()
        .room
        .jobs = 1;
    world.sync("bank-a", vec![lost(1)]);
    world.sync("bank-b", vec![gone(1)]);
    world.submit(2, job());
    assert_eq!(
        (world.state(1), world.state(2)),
        (JobState::Queued, JobState::Reserved)
    );
    assert_eq!(
        short(&world.cancel(1).unwrap()),
        ["write 1 queued@7 to cancelled@8 granted 0"]
    );
}

#[test]
fn a_failed_job_is_retried_as_another_one_and_once() {
    let mut world = running_world();
    let ended = |state| EngineError::Ended { id: id(1), state };
    let not_now = EngineError::NotNow {
        id: id(1),
        state: JobState::Running,
        order: Order::Retry { new: id(2) },
    };
    assert_eq!(world.retry(1, 2), Err(not_now));
    world.sync("bank-a", vec![failed(1, "disk")]);
    world.sync("bank-b", vec![failed(1, "peer_gone")]);
    assert_eq!(
        short(&world.retry(1, 2).unwrap()),
        ["insert 2 awaiting_approval", "wake bank-a", "wake bank-b"]
    );
    world.agree(2);
    assert_eq!(world.state(2), JobState::Reserved);
    assert_eq!(world.state(1), JobState::Failed);
    assert_eq!(world.view(1).retried_as, Some(id(2)));
    assert_eq!(world.view(2).retry_of, Some(id(1)));
    assert_eq!(world.view(2).spec_digest, world.view(1).spec_digest);
    // Again, while it goes on: the same.
    assert_eq!(short(&world.retry(1, 3).unwrap()), [""; 0]);
    assert_eq!(world.engine.retried_as(id(1)), Some(id(2)));
    world.cancel(2).unwrap();
    world.connect();
    let retried = EngineError::Retried {
        id: id(1),
        successor: id(2),
        state: JobState::Cancelled,
    };
    assert_eq!(world.retry(1, 3), Err(retried));
    world.retry(2, 3).unwrap();
    // It is known after a restart too.
    let records = world.engine.jobs.values().cloned().collect();
    let world = World::with(records);
    assert_eq!(world.engine.retried_as(id(2)), Some(id(3)));

    let mut world = running_world();
    world.sync("bank-a", vec![report(1, Phase::Finished, 100)]);
    world.sync("bank-b", vec![report(1, Phase::Finished, 100)]);
    assert_eq!(world.retry(1, 2), Err(ended(JobState::Succeeded)));
}
