use entente_tls::Identity;

use super::*;
use crate::{
    audit::{Deed, What},
    engine::Draining,
};

fn operator() -> Identity {
    "operator/otto".parse().unwrap()
}

fn drain(world: &mut World, drain: bool) -> Vec<Command> {
    let by = operator();
    world.handle(Event::Drain { drain, by })
}

fn waits(world: &World, number: u128) -> Vec<String> {
    let why = world.engine.why(id(number), None, world.now).unwrap();
    why.reasons.iter().map(ToString::to_string).collect()
}

/// A party that is drained, and has nothing else to tell.
fn drained_sync(world: &mut World, name: &str, jobs: Vec<JobReport>) -> Vec<Command> {
    let seen_revision = world.engine.wish(&party(name)).revision;
    world.handle(Event::Sync {
        party: party(name),
        sync: Sync {
            draining: true,
            seen_revision,
            jobs,
            ..truth()
        },
    })
}

#[test]
fn nothing_new_begins_while_the_coordinator_is_drained() {
    let mut world = running_world();
    assert_eq!(
        drain(&mut world, true),
        [Command::Drain(
            Some(Draining {
                since: world.now,
                by: operator(),
            }),
            Deed::at_large(What::Drained, operator(), world.now)
        )]
    );
    assert_eq!(drain(&mut world, true), []);
    world.submit(2, job());
    assert_eq!(world.state(2), JobState::Queued);
    assert_eq!(
        waits(&world, 2),
        [
            "the coordinator, which is being drained and begins nothing new \
          (entente coordinator resume)"
        ]
    );
    let drained = world.engine.drained();
    assert!(drained.draining);
    assert_eq!((drained.begun, drained.paused, drained.waiting), (1, 0, 1));
    // What has begun goes on.
    world.sync("bank-a", vec![report(1, Phase::Finished, 9)]);
    world.sync("bank-b", vec![report(1, Phase::Finished, 9)]);
    assert_eq!(world.state(1), JobState::Succeeded);
    world.pass(Span::seconds(1));
    assert_eq!(
        (world.state(2), world.engine.drained().begun),
        (JobState::Queued, 0)
    );
    assert_eq!(
        short(&drain(&mut world, false)),
        [
            "drain false",
            "write 2 queued@0 to reserved@1 granted 0",
            "wake bank-a",
            "wake bank-b"
        ]
    );
}

#[test]
fn what_has_begun_gets_its_places_back_from_who_is_drained() {
    for everywhere in [true, false] {
        let mut world = running_world();
        world.sync("bank-a", vec![running(1, 3)]);
        world.sync("bank-b", vec![running(1, 3)]);
        world.pause(1).unwrap();
        let held = vec![report(1, Phase::Held, 3)];
        world.sync("bank-a", held.clone());
        match everywhere {
            true => {
                world.sync("bank-b", held);
                drain(&mut world, true);
            }
            false => drop(drained_sync(&mut world, "bank-b", held)),
        }
        assert_eq!(world.engine.drained().paused, 1);
        world.submit(2, job());
        assert_eq!(world.state(2), JobState::Queued, "{everywhere}");
        world.resume(1).unwrap();
        assert_eq!(world.state(1), JobState::Reserved, "{everywhere}");
    }
}

#[test]
fn a_party_that_is_drained_begins_nothing_new_and_stands_in_no_others_way() {
    let mut world = World::new();
    world.connect();
    drained_sync(&mut world, "bank-b", vec![]);
    world.submit(1, job());
    assert_eq!(world.state(1), JobState::Queued);
    assert_eq!(
        waits(&world, 1),
        ["bank-b, which is being drained and begins nothing new (entente party resume)"]
    );
    assert_eq!(
        world.view(1).waiting_for.as_deref(),
        Some("bank-b, which is being drained and begins nothing new")
    );
    let parties = world.engine.parties(world.now);
    let draining: Vec<bool> = parties.iter().map(|party| party.draining).collect();
    assert_eq!(draining, [false, true]);
    // Not even when its patience has ended is room kept for it.
    world.pass(Span::seconds(100_000));
    world.sync("bank-a", vec![]);
    drained_sync(&mut world, "bank-b", vec![]);
    assert!(world.engine.queue.claim(&party("bank-a")).is_none());
    world.sync("bank-b", vec![]);
    assert_eq!(world.state(1), JobState::Reserved);
}

#[test]
fn a_drain_outlasts_the_engine() {
    let mut world = World::new();
    drain(&mut world, true);
    let draining = world.engine.draining.clone();
    let mut again = World::new();
    again.engine = again.engine.with_draining(draining.clone());
    again.connect();
    again.submit(1, job());
    assert_eq!(again.state(1), JobState::Queued);
    let jobs = again.engine.jobs.values().cloned().collect();
    again.engine.reload(jobs, None, again.now);
    again.pass(Span::seconds(1));
    assert_eq!(again.state(1), JobState::Reserved);
}
