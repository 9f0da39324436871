use entente_protocol::KeyState;

use super::*;

fn rotate_by(world: &mut World, who: &str) -> Result<Vec<Command>, EngineError> {
    world.order_by(1, Order::RotateKey, who)
}

fn rotate(world: &mut World) -> Result<Vec<Command>, EngineError> {
    rotate_by(world, "user/alice")
}

/// That the parties are wished to have come to this key.
fn wished(world: &World) -> [u32; 2] {
    ["bank-a", "bank-b"].map(|name| {
        let wish = world.engine.wish(&party(name));
        wish.jobs
            .iter()
            .find(|job| job.job == id(1))
            .unwrap()
            .key_epoch
    })
}

fn at_key(exchanges_done: u64, epoch: u32) -> JobReport {
    let mut report = running(1, exchanges_done);
    report.progress.key = Some(KeyState {
        epoch,
        since_ms: 7,
        rotating: false,
    });
    report
}

#[test]
fn a_key_is_asked_for_by_its_number_and_once() {
    let mut world = running_world();
    assert_eq!(wished(&world), [0, 0]);
    world.sync("bank-a", vec![at_key(3, 4)]);
    let commands = rotate(&mut world).unwrap();
    assert_eq!(wished(&world), [5, 5]);
    let deeds: Vec<String> = commands
        .iter()
        .filter_map(|command| match command {
            Command::Write(change) => change.deed().map(|deed| deed.what.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(deeds, ["key_rotation"]);
    // It has not come about: asked for again, nothing is new.
    assert_eq!(short(&rotate(&mut world).unwrap()), [""; 0]);
    world.sync("bank-a", vec![at_key(5, 5)]);
    assert_eq!(wished(&world), [5, 5]);
    rotate(&mut world).unwrap();
    assert_eq!(wished(&world), [6, 6]);
    let view = world.view(1);
    assert_eq!(
        (view.key_wished, view.key.map(|key| key.epoch)),
        (6, Some(5))
    );
}

#[test]
fn another_attempt_begins_with_its_own_first_key() {
    let mut world = running_world();
    rotate(&mut world).unwrap();
    assert_eq!(wished(&world), [2, 2]);
    for name in ["bank-a", "bank-b"] {
        let lost = failed_by(1, FailureClass::Retry, "state_lost");
        world.sync(name, vec![lost]);
    }
    let view = world.view(1);
    assert_eq!((view.attempt, view.key_wished), (2, 0));
}

#[test]
fn who_may_ask_and_when() {
    let mut world = running_world();
    let others = rotate_by(&mut world, "user/bob");
    assert!(matches!(
        others,
        Err(EngineError::NotTheirs {
            order: Order::RotateKey,
            ..
        })
    ));
    rotate_by(&mut world, "operator/olga").unwrap();
    world.pause(1).unwrap();
    assert_eq!(
        rotate(&mut world),
        Err(EngineError::NotNow {
            id: id(1),
            state: JobState::Paused,
            order: Order::RotateKey,
        })
    );
    world.cancel(1).unwrap();
    world.sync("bank-a", vec![]);
    world.sync("bank-b", vec![]);
    assert_eq!(
        rotate(&mut world),
        Err(EngineError::Ended {
            id: id(1),
            state: JobState::Cancelled,
        })
    );
}
