use super::*;
use crate::testbed::job_between;

fn waiting(number: u128, exchanges_done: u64, for_ms: u64) -> JobReport {
    let phase = Phase::Waiting {
        what: "bank-b".into(),
        for_ms,
    };
    report(number, phase, exchanges_done)
}

/// bank-b has one place, and job 1 has it; jobs 2 and 3 would like it.
fn contended_world() -> World {
    let mut world = running_world();
    for name in ["bank-a", "bank-b", "bank-c"] {
        let jobs = match name {
            "bank-c" => vec![],
            _ => vec![running(1, 0)],
        };
        let sync = Sync {
            capacity: 1,
            jobs,
            seen_revision: u64::MAX,
            ..truth()
        };
        let party = party(name);
        world.handle(Event::Sync { party, sync });
    }
    world
}

fn sync_of_one(world: &mut World, name: &str, jobs: Vec<JobReport>) -> Vec<Command> {
    let seen_revision = world.engine.wish(&party(name)).revision;
    let sync = Sync {
        capacity: 1,
        jobs,
        seen_revision,
        ..truth()
    };
    let party = party(name);
    world.handle(Event::Sync { party, sync })
}

#[test]
fn a_job_whose_party_is_away_is_parked_and_lends_its_places() {
    let mut world = contended_world();
    world.submit(2, job_between("bank-a", "bank-c"));
    assert_eq!(world.state(2), JobState::Queued);
    world.pass(Span::seconds(29));
    sync_of_one(&mut world, "bank-a", vec![running(1, 0)]);
    sync_of_one(&mut world, "bank-c", vec![]);
    assert_eq!(world.state(1), JobState::Running);
    let commands = world.pass(Span::seconds(2));
    assert_eq!(
        short(&commands)[..2],
        [
            "write 1 running@4 to parked@5 granted 8",
            "write 2 queued@0 to reserved@1 granted 0"
        ]
    );
    // What was granted stands, and the parties keep it at hand.
    assert_eq!(world.wish("bank-a"), [(id(1), 8), (id(2), 0)]);
    assert_eq!(world.holds("bank-a"), [false, false]);
    let view = world.view(1);
    assert_eq!(
        view.waiting_for.as_deref(),
        Some("bank-b, which is away for 31 s")
    );
    let left = view.fails_at.unwrap() - view.since;
    assert_eq!(left.whole_seconds(), 29);
    world.pass(Span::seconds(9));
    let why = world.engine.why(id(1), None, world.now).unwrap();
    assert_eq!((why.in_state_ms, why.fails_in_ms), (9_000, Some(20_000)));
}

#[test]
fn a_parked_job_runs_when_all_are_back_and_places_are_taken_again() {
    let mut world = contended_world();
    world.submit(2, job_between("bank-a", "bank-c"));
    world.submit(3, job());
    world.pass(Span::seconds(31));
    sync_of_one(&mut world, "bank-c", vec![]);
    sync_of_one(&mut world, "bank-a", vec![running(1, 2)]);
    assert_eq!(
        (world.state(1), world.state(2)),
        (JobState::Parked, JobState::Reserved)
    );
    // No further grants, however far they come with what they have.
    let at = |done| vec![running(1, done), running(2, 0)];
    sync_of_one(&mut world, "bank-a", at(8));
    sync_of_one(&mut world, "bank-b", vec![running(1, 8)]);
    assert_eq!(
        (world.state(1), world.wish("bank-b")),
        (JobState::Parked, vec![(id(1), 8)])
    );
    // Nothing is wrong any more: only room is missing, and no time counts.
    let waiting_for = world.view(1).waiting_for;
    assert_eq!(
        waiting_for.as_deref(),
        Some("room at bank-a, which runs 1 jobs at most")
    );
    assert_eq!(world.view(1).fails_at, None);
    for _ in 0..10 {
        world.pass(Span::seconds(20));
        sync_of_one(&mut world, "bank-a", at(8));
        sync_of_one(&mut world, "bank-b", vec![running(1, 8)]);
        sync_of_one(&mut world, "bank-c", vec![running(2, 0)]);
        sync_of_one(&mut world, "bank-a", vec![running(1, 8), running(2, 1)]);
    }
    assert_eq!(world.state(1), JobState::Parked);
    // The older one first.
    world.cancel(2).unwrap();
    sync_of_one(&mut world, "bank-c", vec![]);
    let commands = sync_of_one(&mut world, "bank-a", vec![running(1, 8)]);
    let commands = short(&commands);
    assert!(
        commands.contains(&"write 1 parked@5 to running@6 granted 8".into()),
        "{commands:?}"
    );
    assert!(commands.contains(&"write 1 running@6 to running@7 granted 16".into()));
    assert_eq!(world.state(3), JobState::Queued);
}

#[test]
fn a_party_that_waits_for_its_peer_parks_the_job_after_a_grace() {
    let mut world = running_world();
    world.sync("bank-a", vec![waiting(1, 3, 10_000)]);
    assert_eq!(world.state(1), JobState::Running);
    world.pass(Span(10_000));
    world.sync("bank-b", vec![running(1, 3)]);
    assert_eq!(world.state(1), JobState::Running);
    assert_eq!(
        short(&world.pass(Span(1))),
        ["write 1 running@5 to parked@6 granted 8"]
    );
    // It goes on, and so does the job.
    assert_eq!(
        short(&world.sync("bank-a", vec![running(1, 3)])),
        [
            "write 1 parked@6 to parked@7 granted 8",
            "write 1 parked@7 to running@8 granted 8"
        ]
    );
}

#[test]
fn a_party_that_waits_for_a_grant_is_not_held_up() {
    let mut world = running_world();
    world.sync("bank-a", vec![waiting(1, 8, 0)]);
    for _ in 0..5 {
        world.pass(Span::seconds(9));
        world.sync("bank-a", vec![waiting(1, 8, 9_000)]);
        world.sync("bank-b", vec![running(1, 1)]);
    }
    assert_eq!(world.state(1), JobState::Running);
    // The grant is raised; what it said on its way is of the wait before.
    world.sync("bank-b", vec![running(1, 8)]);
    assert_eq!(world.wish("bank-a"), [(id(1), 16)]);
    world.sync("bank-a", vec![waiting(1, 8, 50_000)]);
    assert_eq!(world.state(1), JobState::Running);
}

#[test]
fn the_stall_budget_alone_ends_a_parked_job_and_lending_does_not_lengthen_it() {
    let mut world = running_world();
    world.pass(Span::seconds(40));
    world.sync("bank-a", vec![running(1, 0)]);
    assert_eq!(world.state(1), JobState::Parked);
    // It is back for a moment, without progress.
    world.sync("bank-b", vec![running(1, 0)]);
    assert_eq!(world.state(1), JobState::Running);
    world.pass(Span::seconds(19));
    world.sync("bank-b", vec![waiting(1, 0, 19_000)]);
    assert_eq!(world.state(1), JobState::Parked);
    assert_eq!(world.pass(Span::seconds(1)), []);
    let commands = world.pass(Span(1));
    assert_eq!(
        short(&commands)[0],
        "write 1 parked@8 to failing@9 granted 8"
    );
    assert_eq!(world.view(1).failures[0].label, "stalled");
}

#[test]
fn a_parked_job_can_fail_succeed_be_cancelled_and_paused() {
    let parked = || {
        let mut world = running_world();
        world.pass(Span::seconds(31));
        assert_eq!(world.state(1), JobState::Parked);
        world
    };
    let mut world = parked();
    world.sync("bank-a", vec![failed(1, "disk")]);
    assert_eq!(world.state(1), JobState::Failed);

    let mut world = parked();
    world.sync("bank-a", vec![report(1, Phase::Finished, 100)]);
    world.sync("bank-b", vec![report(1, Phase::Finished, 100)]);
    assert_eq!(world.state(1), JobState::Succeeded);

    let mut world = parked();
    world.cancel(1).unwrap();
    assert_eq!(world.state(1), JobState::Cancelled);

    let mut world = parked();
    world.pause(1).unwrap();
    assert_eq!(world.state(1), JobState::Paused);
}

#[test]
fn one_that_has_finished_its_half_may_go() {
    let mut world = running_world();
    world.sync("bank-a", vec![report(1, Phase::Finished, 100)]);
    world.pass(Span::seconds(25));
    world.sync("bank-b", vec![running(1, 99)]);
    world.pass(Span::seconds(10));
    assert_eq!(world.state(1), JobState::Running);
}

#[test]
fn a_job_whose_party_leaves_before_it_has_prepared_waits_for_its_place_again() {
    let mut world = World::new();
    world.connect();
    world.submit(1, job());
    world.sync("bank-a", vec![report(1, Phase::Preparing, 0)]);
    let waits = world.view(1).waiting_for.unwrap();
    assert_eq!(waits, "bank-a to prepare; bank-b to prepare");
    world.pass(Span::seconds(25));
    world.sync("bank-a", vec![running(1, 0)]);
    let commands = world.pass(Span::seconds(6));
    assert_eq!(
        short(&commands),
        [
            "write 1 reserved@3 to queued@4 granted 0",
            "wake bank-a",
            "wake bank-b"
        ]
    );
    assert_eq!(world.holds("bank-a"), [true]);
    world.sync("bank-b", vec![]);
    assert_eq!(world.state(1), JobState::Reserved);
}
