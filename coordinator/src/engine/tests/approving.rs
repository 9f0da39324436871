use super::*;
use entente_protocol::control::{self, Decision};

/// Job 1 is proposed to parties that are there.
fn proposed_world() -> World {
    let mut world = World::new();
    world.connect();
    let submitted = world.propose(1, job());
    let expected = ["insert 1 awaiting_approval", "wake bank-a", "wake bank-b"];
    assert_eq!(short(&submitted), expected);
    world
}

fn proposals(world: &World, name: &str) -> Vec<u128> {
    let wish = world.engine.wish(&party(name));
    wish.proposals.iter().map(|job| number(job.job)).collect()
}

#[test]
fn a_job_is_queued_by_the_second_signature_and_both_go_with_it() {
    let mut world = proposed_world();
    assert_eq!(proposals(&world, "bank-a"), [1]);
    assert_eq!(proposals(&world, "bank-b"), [1]);
    assert_eq!(world.wish("bank-a"), []);
    let first = world.answer("bank-a", 1, Answer::Signed(signed()));
    let expected = ["write 1 awaiting_approval@0 to awaiting_approval@1 granted 0"];
    assert_eq!(short(&first), expected);
    // Said again.
    assert_eq!(world.answer("bank-a", 1, Answer::Signed(signed())), []);
    assert_eq!(world.answer("bank-a", 1, rejection()), []);
    // Not theirs to say.
    assert_eq!(world.answer("bank-c", 1, rejection()), []);
    assert_eq!(world.answer("bank-a", 9, rejection()), []);
    assert_eq!(proposals(&world, "bank-a"), [1]);

    let second = world.answer("bank-b", 1, Answer::Signed(signed()));
    let expected = [
        "write 1 awaiting_approval@1 to queued@2 granted 0",
        "write 1 queued@2 to reserved@3 granted 0",
        "wake bank-a",
        "wake bank-b",
    ];
    assert_eq!(short(&second), expected);
    for name in ["bank-a", "bank-b"] {
        let wish = world.engine.wish(&party(name));
        assert_eq!(wish.proposals, []);
        let [assignment] = wish.jobs.as_slice() else {
            panic!("{wish:?}")
        };
        assert_eq!(assignment.signatures.active, Some(signed()));
        assert_eq!(assignment.signatures.passive, Some(signed()));
    }
    let contract = world.engine.contract(id(1)).unwrap().unwrap();
    assert_eq!(contract.specification, job().digest().to_string());
}

#[test]
fn one_refusal_ends_a_job_for_good_and_says_whose() {
    let mut world = proposed_world();
    world.answer("bank-a", 1, Answer::Signed(signed()));
    let refused = world.answer("bank-b", 1, rejection());
    let expected = [
        "write 1 awaiting_approval@1 to rejected@2 granted 0",
        "wake bank-a",
        "wake bank-b",
    ];
    assert_eq!(short(&refused), expected);
    let Some(Command::Write(change)) = refused.first() else {
        panic!("{refused:?}")
    };
    let deed = change.deed().unwrap();
    assert_eq!(deed.what.label(), "rejected");
    assert_eq!(deed.who, Some("party/bank-b".parse().unwrap()));
    assert_eq!(deed.spec_digest, Some(job().digest().to_string()));

    let view = world.view(1);
    assert!(view.ended_at.is_some());
    let json = serde_json::to_value(&view.sides.passive.approval).unwrap();
    assert_eq!(json["decision"], "rejected");
    assert_eq!(json["rule"], "max_epochs");
    assert_eq!(proposals(&world, "bank-a"), [0; 0]);
    // Too late.
    assert_eq!(world.answer("bank-b", 1, Answer::Signed(signed())), []);
    assert_eq!(world.state(1), JobState::Rejected);
    let unsigned = world.engine.contract(id(1)).unwrap().unwrap_err();
    assert_eq!(unsigned, party("bank-b"));
    // Whoever wants it all the same asks both again.
    let retried = world.retry(1, 2).unwrap();
    assert_eq!(short(&retried)[0], "insert 2 awaiting_approval");
    assert_eq!(proposals(&world, "bank-a"), [2]);
}

#[test]
fn each_approval_is_a_deed_of_its_party() {
    let mut world = proposed_world();
    for name in ["bank-b", "bank-a"] {
        let commands = world.answer(name, 1, Answer::Signed(signed()));
        let Some(Command::Write(change)) = commands.first() else {
            panic!("{commands:?}")
        };
        let deed = change.deed().unwrap();
        assert_eq!(deed.what.label(), "approved");
        assert_eq!(deed.who, Some(format!("party/{name}").parse().unwrap()));
    }
}

#[test]
fn what_waits_for_approval_can_be_cancelled_and_not_paused() {
    let mut world = proposed_world();
    assert!(matches!(
        world.pause(1),
        Err(EngineError::NotNow {
            order: Order::Pause,
            ..
        })
    ));
    assert_eq!(world.resume(1).unwrap(), []);
    let cancelled = world.cancel(1).unwrap();
    let expected = [
        "write 1 awaiting_approval@0 to cancelled@1 granted 0",
        "wake bank-a",
        "wake bank-b",
    ];
    assert_eq!(short(&cancelled), expected);
    assert_eq!(world.answer("bank-a", 1, Answer::Signed(signed())), []);
}

#[test]
fn it_says_whom_it_waits_for_as_long_as_it_takes() {
    let mut world = World::new();
    world.propose(1, job());
    let waits = |world: &World| world.view(1).waiting_for.unwrap();
    assert_eq!(waits(&world), "bank-a to connect; bank-b to connect");
    world.sync("bank-a", vec![]);
    let seen_revision = world.engine.wish(&party("bank-b")).revision;
    let asks = control::Answer {
        job: id(1),
        decision: Decision::NeedsPerson,
    };
    world.handle(Event::Sync {
        party: party("bank-b"),
        sync: Sync {
            seen_revision,
            answers: vec![asks],
            ..truth()
        },
    });
    let person = "a person at bank-b to approve it (entente party approve)";
    assert_eq!(waits(&world), format!("bank-a to approve it; {person}"));
    world.answer("bank-a", 1, Answer::Signed(signed()));
    assert_eq!(waits(&world), person);
    // No budget ends it.
    world.pass(Span::seconds(30 * 24 * 3600));
    assert_eq!(world.state(1), JobState::AwaitingApproval);
    assert_eq!(world.view(1).fails_at, None);
}
