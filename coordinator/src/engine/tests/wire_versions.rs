//! Which version of the wire format an attempt is in.

use super::*;
use crate::job::Reason;

impl World {
    /// A party that speaks these is there.
    fn speaks(&mut self, name: &str, wire: &[u16]) -> Vec<Command> {
        let seen_revision = self.engine.wish(&party(name)).revision;
        self.handle(Event::Sync {
            party: party(name),
            sync: Sync {
                wire: wire.to_vec(),
                seen_revision,
                ..truth()
            },
        })
    }

    /// The version that each assignment of a party names.
    fn named(&self, name: &str) -> Vec<u16> {
        let wish = self.engine.wish(&party(name));
        wish.jobs.iter().map(|job| job.wire).collect()
    }

    fn waits_for(&self, number: u128) -> Vec<String> {
        let why = self.engine.why(id(number), None, self.now).unwrap();
        why.reasons.iter().map(Reason::to_string).collect()
    }
}

#[test]
fn the_newest_that_both_speak_is_named_to_both() {
    for (one, other, named) in [
        (&[2, 1][..], &[2, 1][..], 2),
        (&[2, 1], &[1], 1),
        (&[1], &[2, 1], 1),
        // Neither is known here, and neither need be.
        (&[9, 8], &[8, 7], 8),
    ] {
        let mut world = World::new();
        world.speaks("bank-a", one);
        world.speaks("bank-b", other);
        world.submit(1, job());
        assert_eq!(world.named("bank-a"), [named]);
        assert_eq!(world.named("bank-b"), [named]);
        assert_eq!(world.view(1).attempts[0].wire, Some(named));
    }
}

/// One of a release that does not say what it speaks.
#[test]
fn who_says_nothing_speaks_the_first() {
    let text = r#"{ "software": "0.1.0", "datasets": [], "capacity": 1, "jobs": [],
        "seen_revision": 0, "wait_ms": 0 }"#;
    let old: Sync = serde_json::from_str(text).unwrap();
    assert_eq!(old.wire, [1]);
    assert!(!serde_json::to_string(&old).unwrap().contains("wire"));
}

#[test]
fn without_one_in_common_a_job_waits_and_says_so() {
    let mut world = World::new();
    world.speaks("bank-a", &[2, 1]);
    world.speaks("bank-b", &[4, 3]);
    assert_eq!(short(&world.submit(1, job())), ["insert 1 queued"]);
    let waits = "a wire version in common: bank-a speaks 2, 1, bank-b 4, 3; upgrade the older one";
    assert_eq!(world.waits_for(1), [waits]);
    assert_eq!(world.view(1).waiting_for.as_deref(), Some(waits));
    assert_eq!(world.view(1).attempts[0].wire, None);
    let speaking = world.engine.parties(world.now);
    assert_eq!(speaking[1].wire, [4, 3]);
    // It keeps no place from others meanwhile, however long it waits.
    world.pass(Span::seconds(8000));
    world.speaks("bank-a", &[2, 1]);
    world.speaks("bank-b", &[4, 3]);
    assert_eq!(world.waits_for(1), [waits]);
    // And begins when the older one is brought up to date.
    let commands = world.speaks("bank-a", &[3, 2]);
    assert!(short(&commands)[0].starts_with("write 1 queued@0 to reserved@1"));
    assert_eq!(world.named("bank-b"), [3]);
}

#[test]
fn an_attempt_stays_in_its_version_and_the_next_one_is_in_the_newest() {
    let mut world = World::new();
    world.speaks("bank-a", &[1]);
    world.speaks("bank-b", &[1]);
    world.submit(1, job());
    world.sync("bank-a", vec![running(1, 0)]);
    world.sync("bank-b", vec![running(1, 0)]);
    for name in ["bank-a", "bank-b"] {
        world.handle(Event::Sync {
            party: party(name),
            sync: Sync {
                wire: vec![2, 1],
                jobs: vec![running(1, 3)],
                seen_revision: world.engine.wish(&party(name)).revision,
                ..truth()
            },
        });
        assert_eq!(world.named(name), [1], "{name}");
    }
    // A coordinator that begins anew names the same.
    let kept = world.engine.record(id(1)).unwrap().clone();
    let mut again = World::with(vec![kept]);
    again.speaks("bank-a", &[2, 1]);
    again.speaks("bank-b", &[2, 1]);
    assert_eq!(again.named("bank-a"), [1]);
    // The next attempt is another session.
    for name in ["bank-a", "bank-b"] {
        world.handle(Event::Sync {
            party: party(name),
            sync: Sync {
                wire: vec![2, 1],
                jobs: vec![failed_by(1, FailureClass::Retry, "stalled")],
                seen_revision: world.engine.wish(&party(name)).revision,
                ..truth()
            },
        });
    }
    assert_eq!(world.view(1).attempts.len(), 2);
    assert_eq!(world.view(1).attempts[1].wire, None);
    world.pass(Span::seconds(5));
    world.speaks("bank-a", &[2, 1]);
    world.speaks("bank-b", &[2, 1]);
    assert_eq!(world.named("bank-a"), [2]);
    let wires: Vec<_> = world.view(1).attempts.iter().map(|one| one.wire).collect();
    assert_eq!(wires, [Some(1), Some(2)]);
}

/// The release before was put back at one of them. It is told nothing that it would
/// not understand, and the job goes on in what both speak.
#[test]
fn a_party_that_goes_back_begins_again_in_what_it_speaks() {
    let mut world = World::new();
    world.speaks("bank-a", &[2, 1]);
    world.speaks("bank-b", &[2, 1]);
    world.submit(1, job());
    assert_eq!(world.named("bank-b"), [2]);
    world.speaks("bank-b", &[1]);
    assert_eq!(world.state(1), JobState::Failing);
    assert_eq!(world.named("bank-b"), [0; 0]);
    let said = world.view(1).failures[0].clone();
    assert_eq!(
        (said.label.as_str(), said.class),
        ("wire_version", FailureClass::Retry)
    );
    assert!(
        said.message.contains("bank-b speaks none beyond 1"),
        "{said:?}"
    );
    for _ in 0..3 {
        world.pass(Span::seconds(6));
        world.speaks("bank-a", &[2, 1]);
        world.speaks("bank-b", &[1]);
    }
    assert_eq!(world.named("bank-a"), [1]);
    assert_eq!(world.named("bank-b"), [1]);
    assert_eq!(world.view(1).attempt, 2);
}

/// One that has gone too far ahead may yet come back.
#[test]
fn a_party_that_speaks_newer_ones_alone_is_waited_for() {
    let mut world = World::new();
    world.speaks("bank-a", &[2, 1]);
    world.speaks("bank-b", &[1]);
    world.submit(1, job());
    world.speaks("bank-b", &[3, 2]);
    assert_eq!(world.state(1), JobState::Reserved);
    assert_eq!(world.named("bank-b"), [1]);
}
