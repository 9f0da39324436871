use super::*;
use crate::{
    job::{Behind, Lack, Reason, RoomKind},
    testbed::job_between,
};

fn reasons(world: &World, number: u128) -> Vec<Reason> {
    world
        .engine
        .why(id(number), None, world.now)
        .unwrap()
        .reasons
}

fn texts(world: &World, number: u128) -> Vec<String> {
    reasons(world, number)
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_queued_job_says_all_that_it_waits_for() {
    let mut world = World::new();
    world.submit(1, job());
    let away = |name: &str, silent_ms| Reason::NotConnected {
        party: party(name),
        silent_ms,
    };
    let both = [away("bank-a", None), away("bank-b", None)];
    assert_eq!(reasons(&world, 1), both);
    world.handle(Event::Sync {
        party: party("bank-a"),
        sync: Sync {
            datasets: vec![],
            ..truth()
        },
    });
    world.pass(Span::seconds(20));
    world.sync("bank-b", vec![]);
    let dataset = Reason::NoDataset {
        party: party("bank-a"),
        dataset: "iris".into(),
    };
    assert_eq!(reasons(&world, 1), [dataset]);
    world.pass(Span::seconds(11));
    assert_eq!(reasons(&world, 1), [away("bank-a", Some(31_000))]);
    assert_eq!(texts(&world, 1), ["bank-a, which is away for 31 s"]);
}

#[test]
fn a_job_without_room_says_behind_which_jobs() {
    let mut world = World::new();
    for name in ["bank-a", "bank-b", "bank-c"] {
        world.sync(name, vec![]);
    }
    world.submit(1, job());
    world.submit(2, job_between("bank-c", "bank-b"));
    world.submit(3, job());
    world.submit(4, job());
    let of = |jobs: &[u128], others| Behind {
        jobs: jobs.iter().map(|number| id(*number)).collect(),
        others,
    };
    // bank-b is full. bank-a is at one job of its two.
    let full = |running, queued| Reason::NoRoom {
        party: party("bank-b"),
        lack: Lack {
            kind: RoomKind::Jobs,
            most: 2,
            taken: 2,
            needs: 1,
        },
        running,
        queued,
    };
    assert_eq!(reasons(&world, 4), [full(of(&[1, 2], 0), of(&[3], 0))]);
    // What bank-b does with bank-c is not bank-a's affair.
    let why = world.engine.why(id(4), Some(&party("bank-a")), world.now);
    let why = why.unwrap();
    assert_eq!(why.reasons, [full(of(&[1], 1), of(&[3], 0))]);
    assert!(
        why.reasons[0]
            .to_string()
            .contains("and 1 of others; queued before: ")
    );
    let words: Vec<_> = why
        .sides
        .iter()
        .map(|word| (word.jobs, word.capacity))
        .collect();
    assert_eq!(words, [(1, Some(2)), (2, Some(2))]);
}

#[test]
fn a_running_job_says_who_waits_and_when_it_will_have_failed() {
    let mut world = running_world();
    let why = |world: &World| world.engine.why(id(1), None, world.now).unwrap();
    assert_eq!(why(&world).reasons, []);
    assert_eq!(why(&world).fails_in_ms, Some(60_000));
    world.pass(Span::seconds(31));
    let waiting = Phase::Waiting {
        what: "bank-b".into(),
        for_ms: 4000,
    };
    world.sync("bank-a", vec![report(1, waiting.clone(), 0)]);
    assert_eq!(
        texts(&world, 1),
        [
            "bank-a, which waits for bank-b for 4 s",
            "bank-b, which is away for 31 s"
        ]
    );
    let why = why(&world);
    assert_eq!(why.fails_in_ms, Some(29_000));
    assert_eq!(why.sides.active.phase, Some(waiting));
    assert!(why.sides.active.connected && !why.sides.passive.connected);
}

#[test]
fn a_job_that_is_to_end_says_who_has_not_stopped_and_an_ended_one_nothing() {
    let mut world = running_world();
    world.cancel(1).unwrap();
    world.sync("bank-a", vec![]);
    assert_eq!(texts(&world, 1), ["bank-b to stop"]);
    world.sync("bank-b", vec![]);
    let why = world.engine.why(id(1), None, world.now).unwrap();
    assert_eq!((why.reasons, why.fails_in_ms), (vec![], None));
    assert_eq!(world.engine.why(id(2), None, world.now), None);
}
