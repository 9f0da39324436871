use super::*;
use crate::testbed::job_between;

#[test]
fn a_job_starts_when_its_last_party_connects() {
    let mut world = World::new();
    let commands = world.submit(1, job());
    assert_eq!(short(&commands), ["insert 1 queued"]);
    assert_eq!(
        world.view(1).waiting_for.as_deref(),
        Some("bank-a to connect")
    );
    assert_eq!(short(&world.sync("bank-a", vec![])), [""; 0]);
    assert_eq!(
        world.view(1).waiting_for.as_deref(),
        Some("bank-b to connect")
    );
    let commands = world.sync("bank-b", vec![]);
    assert_eq!(
        short(&commands),
        [
            "write 1 queued@0 to reserved@1 granted 0",
            "wake bank-a",
            "wake bank-b"
        ]
    );
    // To be prepared, and no further.
    assert_eq!(world.wish("bank-a"), [(id(1), 0)]);
    assert_eq!(world.wish("bank-b"), [(id(1), 0)]);
    assert_eq!(world.view(1).started_at, None);
    world.sync("bank-b", vec![report(1, Phase::Preparing, 0)]);
    world.sync("bank-a", vec![running(1, 0)]);
    assert_eq!(
        world.view(1).waiting_for.as_deref(),
        Some("bank-b to prepare")
    );
    world.now.0 += 1000;
    assert_eq!(
        short(&world.sync("bank-b", vec![running(1, 0)])),
        [
            "write 1 reserved@3 to reserved@4 granted 0",
            "write 1 reserved@4 to running@5 granted 8",
            "wake bank-a",
            "wake bank-b"
        ]
    );
    assert_eq!(world.wish("bank-a"), [(id(1), 8)]);
    assert_eq!(world.view(1).started_at, Some(world.now.into()));
}

#[test]
fn a_job_starts_at_once_where_all_is_there() {
    let mut world = World::new();
    world.connect();
    assert_eq!(
        short(&world.submit(1, job())),
        [
            "insert 1 queued",
            "write 1 queued@0 to reserved@1 granted 0",
            "wake bank-a",
            "wake bank-b"
        ]
    );
}

#[test]
fn the_wish_names_side_specification_and_attempt() {
    let mut world = World::new();
    world.connect();
    world.submit(1, job());
    let wish = world.engine.wish(&party("bank-b"));
    let assignment = &wish.jobs[0];
    assert_eq!(assignment.side, entente_protocol::job::Side::Passive);
    assert_eq!(assignment.spec, job().spec());
    assert_eq!(assignment.attempt, 1);
    assert_eq!(world.wish("bank-c"), []);
    assert_eq!(world.engine.wish(&party("bank-c")).revision, 0);
}

#[test]
fn a_dataset_that_a_party_lacks_is_waited_for() {
    let mut world = World::new();
    world.connect();
    world.handle(Event::Sync {
        party: party("bank-b"),
        sync: Sync {
            datasets: vec!["mnist".into()],
            ..truth()
        },
    });
    assert_eq!(short(&world.submit(1, job())), ["insert 1 queued"]);
    assert_eq!(
        world.view(1).waiting_for.as_deref(),
        Some("the dataset \"iris\", which bank-b does not have")
    );
    world.sync("bank-b", vec![]);
    assert_eq!(world.state(1), JobState::Reserved);
}

#[test]
fn room_is_taken_at_both_parties_and_what_cannot_start_blocks_nobody() {
    let mut world = World::new();
    for name in ["bank-a", "bank-b", "bank-c", "bank-d"] {
        world.sync(name, vec![]);
    }
    for number in 1..=3 {
        world.submit(number, job());
    }
    assert_eq!(world.state(2), JobState::Reserved);
    assert_eq!(world.state(3), JobState::Queued);
    assert_eq!(
        world.view(3).waiting_for.as_deref(),
        Some("room at bank-a, which runs 2 jobs at most")
    );
    // Behind the one that waits: one that waits too, and one that need not.
    world.submit(4, job_between("bank-c", "bank-b"));
    assert_eq!(world.state(4), JobState::Queued);
    world.submit(5, job_between("bank-c", "bank-d"));
    assert_eq!(world.state(5), JobState::Reserved);
    // The oldest gets the room that becomes free.
    let done = || vec![report(1, Phase::Finished, 100), running(2, 1)];
    world.sync("bank-a", done());
    let commands = world.sync("bank-b", done());
    assert!(short(&commands).contains(&"write 3 queued@0 to reserved@1 granted 0".to_owned()));
    assert_eq!(world.state(4), JobState::Queued);
}

#[test]
fn a_party_is_busy_with_what_it_has_not_stopped_yet() {
    let mut world = World::new();
    world.connect();
    world.submit(1, job());
    world.submit(2, job());
    let at_it = || vec![running(1, 0), running(2, 0)];
    world.sync("bank-a", at_it());
    world.sync("bank-b", at_it());
    world.sync("bank-b", vec![failed(1, "disk"), running(2, 0)]);
    assert_eq!(world.state(1), JobState::Failing);
    // bank-a is not at rest: its reason is waited for.
    world.pass(Span::seconds(10));
    assert_eq!(world.state(1), JobState::Failed);
    world.submit(3, job());
    assert_eq!(world.state(3), JobState::Queued);
    assert_eq!(world.engine.parties(world.now)[0].jobs, 2);
    world.sync("bank-b", vec![running(2, 0)]);
    assert_eq!(world.state(3), JobState::Queued);
    world.sync("bank-a", vec![running(2, 0)]);
    assert_eq!(world.state(3), JobState::Reserved);
}

#[test]
fn no_job_starts_at_a_party_that_is_away() {
    let mut world = World::new();
    world.connect();
    world.pass(SETTINGS.party_timeout);
    world.sync("bank-a", vec![]);
    world.pass(Span(1));
    assert_eq!(short(&world.submit(1, job())), ["insert 1 queued"]);
    assert_eq!(
        world.view(1).waiting_for.as_deref(),
        Some("bank-b to connect")
    );
    let parties = world.engine.parties(world.now);
    let connected: Vec<bool> = parties.iter().map(|party| party.connected).collect();
    assert_eq!(connected, [true, false]);
    assert_eq!(world.engine.count_connected(world.now), 1);
}

/// Found by `any_order`: its party begins anew, does its half again, and has
/// no room for both that and a job that was given its place.
#[test]
fn a_half_that_is_finished_keeps_its_room_until_the_job_ends() {
    let mut world = World::new();
    world.connect();
    for number in 1..=3 {
        world.submit(number, job());
    }
    world.sync(
        "bank-a",
        vec![report(1, Phase::Finished, 100), running(2, 0)],
    );
    world.sync("bank-c", vec![]);
    world.submit(4, job_between("bank-a", "bank-c"));
    world.sync("bank-a", vec![]);
    assert_eq!(world.wish("bank-a"), [(id(1), 0), (id(2), 0)]);
    assert_eq!(world.state(4), JobState::Queued);
}
