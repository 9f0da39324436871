use super::*;
use crate::testbed::job_between;

fn shown(world: &World) -> Vec<u128> {
    let (vitals, more) = world.engine.vitals(10, world.now);
    assert_eq!(more, 0);
    vitals
        .iter()
        .map(|vitals| number(vitals.record.id))
        .collect()
}

#[test]
fn jobs_that_have_places_or_lent_them_are_shown_and_no_others() {
    let mut world = running_world();
    world.submit(2, job());
    world.submit(3, job());
    // The third has no room.
    assert_eq!(world.state(3), JobState::Queued);
    assert_eq!(shown(&world), [1, 2]);
    assert_eq!(world.engine.vitals(1, world.now).1, 1);
    world.pause(1).unwrap();
    assert_eq!(shown(&world), [2]);
    world.cancel(2).unwrap();
    assert_eq!(shown(&world), [] as [u128; 0]);
}

#[test]
fn what_is_left_follows_from_the_pace_since_it_was_first_heard_of() {
    let mut world = running_world();
    let left = |world: &World| {
        let (vitals, _) = world.engine.vitals(1, world.now);
        vitals[0].left.map(|left| left.0)
    };
    let both = |world: &mut World, done| {
        world.sync("bank-a", vec![running(1, done)]);
        world.sync("bank-b", vec![running(1, done)]);
    };
    assert_eq!(left(&world), None);
    both(&mut world, 2);
    assert_eq!(left(&world), None, "no pace in one moment");
    world.pass(Span::seconds(6));
    both(&mut world, 8);
    // 92 exchanges at one a second.
    assert_eq!(left(&world), Some(92_000));
    world.pass(Span::seconds(2));
    assert_eq!(left(&world), Some(90_000));
}

#[test]
fn parked_time_is_counted_while_it_lasts_and_afterwards() {
    let mut world = running_world();
    world.pass(Span::seconds(31));
    world.sync("bank-a", vec![running(1, 0)]);
    assert_eq!(world.state(1), JobState::Parked);
    let parked = |world: &World| {
        let (vitals, _) = world.engine.vitals(1, world.now);
        assert_eq!(vitals[0].parked, world.engine.parked(world.now));
        vitals[0].parked.0
    };
    assert_eq!(parked(&world), 0);
    world.pass(Span::seconds(7));
    assert_eq!(parked(&world), 7000);
    let waits_for = |world: &World| {
        let (vitals, _) = world.engine.vitals(1, world.now);
        let labels = vitals[0].waits_for.iter().map(|reason| reason.label());
        labels.collect::<Vec<_>>()
    };
    assert_eq!(waits_for(&world), ["not_connected"]);
    world.sync("bank-a", vec![running(1, 0)]);
    world.sync("bank-b", vec![running(1, 0)]);
    assert_eq!(world.state(1), JobState::Running);
    assert!(waits_for(&world).is_empty());
    world.pass(Span::seconds(5));
    assert_eq!(parked(&world), 7000);
    world.cancel(1).unwrap();
    assert_eq!(world.engine.parked(world.now), Span(7000));
}

#[test]
fn queued_jobs_are_counted_by_what_each_waits_for_first() {
    let mut world = running_world();
    let by = |world: &World| {
        let blocked = world.engine.blocked(world.now).into_iter();
        blocked
            .filter(|(_, count)| *count > 0)
            .collect::<Vec<(&str, usize)>>()
    };
    assert_eq!(by(&world), []);
    assert_eq!(world.engine.queued_since(), None);
    world.submit(2, job());
    world.pass(Span::seconds(1));
    let since = world.now;
    for number in 3..6 {
        world.submit(number, job());
    }
    world.pass(Span::seconds(1));
    world.submit(6, job_between("bank-y", "bank-z"));
    assert_eq!(by(&world), [("no_room", 3), ("not_connected", 1)]);
    assert_eq!(world.engine.queued_since(), Some(since));
    for number in 3..7 {
        let id = id(number);
        let record = world.engine.record(id).unwrap();
        // The same that a person is told.
        let blocker = world.engine.blocker(record, world.now).unwrap();
        assert_eq!(blocker.to_string().contains("room"), number < 6);
    }
    let known = Engine::BLOCKED_BY;
    assert!(by(&world).iter().all(|(by, _)| known.contains(by)));
}
