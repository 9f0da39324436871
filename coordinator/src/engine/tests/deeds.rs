//! Who did it: what the audit log is told along with a change.

use super::*;

/// Who and what, of the changes that have a deed.
fn deeds(commands: &[Command]) -> Vec<String> {
    let deed = |command: &Command| match command {
        Command::Write(change) => change.deed().cloned(),
        _ => None,
    };
    let tell = |deed: crate::audit::Deed| {
        assert_eq!(deed.job, Some(id(1)));
        assert_eq!(deed.spec_digest, Some(job().digest().to_string()));
        let who = deed.who.map_or("coordinator".into(), |who| who.to_string());
        format!("{who} {}", deed.what)
    };
    commands.iter().filter_map(deed).map(tell).collect()
}

#[test]
fn a_start_is_the_coordinators_and_success_the_last_partys() {
    let mut world = World::new();
    world.connect();
    // To be given places is no deed, nor is a change of phase or grant.
    assert_eq!(deeds(&world.submit(1, job())), [""; 0]);
    assert_eq!(deeds(&world.sync("bank-a", vec![running(1, 0)])), [""; 0]);
    let commands = world.sync("bank-b", vec![running(1, 0)]);
    assert_eq!(deeds(&commands), ["coordinator started"]);
    world.sync("bank-a", vec![report(1, Phase::Finished, 100)]);
    let commands = world.sync("bank-b", vec![report(1, Phase::Finished, 100)]);
    assert_eq!(deeds(&commands), ["party/bank-b succeeded"]);
}

#[test]
fn a_cancellation_is_whose_it_is_and_its_end_the_coordinators() {
    let mut world = running_world();
    let commands = world.cancel_by(1, "operator/olga").unwrap();
    assert_eq!(deeds(&commands), ["operator/olga cancelling"]);
    world.sync("bank-a", vec![]);
    let commands = world.sync("bank-b", vec![]);
    assert_eq!(deeds(&commands), ["coordinator cancelled"]);
    let mut world = World::new();
    world.submit(1, job());
    let commands = world.cancel(1).unwrap();
    assert_eq!(deeds(&commands), ["user/alice cancelled"]);
}

#[test]
fn a_failure_is_the_partys_that_told_it_first() {
    let mut world = running_world();
    let commands = world.sync("bank-a", vec![failed(1, "disk")]);
    assert_eq!(deeds(&commands), ["party/bank-a attempt_failed"]);
    let commands = world.sync("bank-b", vec![failed(1, "peer_gone")]);
    assert_eq!(deeds(&commands), ["coordinator failed"]);
    let mut world = running_world();
    let commands = world.pass(Span::seconds(61));
    // Both are away, so neither is waited for; another attempt follows.
    assert_eq!(deeds(&commands), ["coordinator attempt_failed"]);
    assert_eq!(world.state(1), JobState::Queued);
}

#[test]
fn what_users_order_is_theirs() {
    let mut world = running_world();
    assert_eq!(deeds(&world.pause(1).unwrap()), ["user/alice paused"]);
    assert_eq!(deeds(&world.pause(1).unwrap()), [""; 0]);
    // Its places are its own still, and both parties are ready.
    let resumed = world.order_by(1, Order::Resume, "operator/olga").unwrap();
    assert_eq!(deeds(&resumed), ["operator/olga resumed"]);
    assert_eq!(deeds(&world.pass(Span(1))), ["coordinator started"]);
    // The way of networks.
    let commands = world.pass(Span::seconds(31));
    assert_eq!(world.state(1), JobState::Parked);
    assert_eq!(deeds(&commands), [""; 0]);
    world.cancel(1).unwrap();
    let commands = world.retry(1, 2).unwrap();
    let Command::Insert(record) = &commands[0] else {
        panic!("{commands:?}")
    };
    let deed = crate::audit::Deed::submitted(record);
    assert_eq!(
        (deed.what.label(), deed.who),
        ("retried", "user/alice".parse().ok())
    );
}
