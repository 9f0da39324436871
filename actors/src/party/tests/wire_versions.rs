//! Parties of two releases beside each other, and a coordinator that is not to be
//! believed about them.

use entente_protocol::{
    acml::{ActiveHalf, Model, PassiveHalf},
    control::{Assignment, FailureClass, Phase},
    job::{Side, Task},
};
use entente_wire::WireVersion::{self, V1, V2};

use super::{
    acml::{five_epochs, reference},
    resumed::{balls, undisturbed},
    value,
    world::{Launches, World},
};
use crate::testbed::assignment;

/// The usual job in a version.
fn in_version(version: WireVersion) -> Assignment {
    Assignment {
        wire: version.number(),
        ..assignment(1, "bank-a", "bank-b")
    }
}

#[actix_rt::test]
async fn parties_of_two_releases_train_together_bit_for_bit() {
    let job = five_epochs();
    let (_, tested, expected) = reference(&job);
    for (newest, version, spoken) in [
        ([V1, V2], V1, [&[1][..], &[2, 1]]),
        ([V2, V1], V1, [&[2, 1], &[1]]),
        ([V2, V2], V2, [&[2, 1], &[2, 1]]),
    ] {
        let world = World::up_to(newest, u64::MAX, Launches::Acml).await;
        let mut assignment = in_version(version);
        assignment.spec = Task::from(job.clone()).spec();
        let id = world.wish_for(assignment);
        let [half_a, half_b] = world.finish(id).await;
        let model = Model::join(
            ActiveHalf::open(&job, &half_a).unwrap(),
            PassiveHalf::open(&job, &half_b).unwrap(),
        );
        assert!(model.is_bit_identical(&expected), "{newest:?}");
        let progress = world.coordinator.finished("bank-b").await.progress;
        assert_eq!(progress.test_accuracy, tested.accuracy());
        for (name, spoken) in ["bank-a", "bank-b"].into_iter().zip(spoken) {
            let truth = world.coordinator.hears(name, "what it speaks", |_| true);
            assert_eq!(truth.await.wire, spoken, "{name}");
        }
        world.stop().await;
    }
}

/// Both were upgraded in the midst of it, one after the other.
#[actix_rt::test]
async fn what_was_begun_in_version_1_goes_on_in_it_after_both_were_upgraded() {
    let expected = undisturbed().await;
    let windowed = |granted| Assignment {
        granted,
        ..in_version(V1)
    };
    let mut world = World::up_to([V1; 2], u64::MAX, balls()).await;
    world.wish_for(windowed(4));
    world.has_done("bank-a", 4).await;
    world.has_done("bank-b", 4).await;
    world.newest = [V2; 2];
    let world = world.restart_a().await;
    world.wish_for(windowed(8));
    world.has_done("bank-a", 8).await;
    world.has_done("bank-b", 8).await;
    let world = world.restart_b().await;
    let job = world.wish_for(windowed(u64::MAX));
    assert_eq!(world.finish(job).await, expected);
    for party in [&world.bank_a, &world.bank_b] {
        let (_, text) = party.scrape("/metrics").await;
        let restored = "entente_restores_total{outcome=\"newest\"}";
        assert_eq!(value(&text, restored), 1, "{text}");
    }
    world.stop().await;
}

/// A coordinator that has struck 2 out of what both are told: both speak it, and
/// have said so to each other where it cannot hear.
#[actix_rt::test]
async fn an_older_version_than_both_speak_is_noticed_by_both() {
    let world = World::new(balls()).await;
    world.wish_for(in_version(V1));
    for (name, peer) in [("bank-a", "bank-b"), ("bank-b", "bank-a")] {
        let failure = world.failed(name).await;
        assert_eq!(failure.label, "wire_downgrade", "{failure:?}");
        assert_eq!(failure.class, FailureClass::Retry);
        let said =
            format!("wire version 1 for this attempt, and {peer} and this party both speak 2");
        assert!(failure.message.contains(&said), "{failure:?}");
    }
    world.stop().await;
}

/// Or out of what one of them is told: they are in two sessions then, of which
/// neither understands the other's messages.
#[actix_rt::test]
async fn two_that_are_told_different_versions_understand_nothing() {
    let world = World::new(balls()).await;
    let told_otherwise = Assignment {
        side: Side::Passive,
        ..in_version(V1)
    };
    world.coordinator.wish("bank-a", &[in_version(V2)]);
    world.coordinator.wish("bank-b", &[told_otherwise]);
    assert_eq!(world.failed("bank-b").await.label, "wire_downgrade");
    let at_it = |phase: &Phase| matches!(phase, Phase::Running);
    let other = world
        .coordinator
        .sees("bank-a", "its first exchange", |job| at_it(&job.phase));
    assert_eq!(other.await.progress.exchanges_done, 0);
    world.stop().await;
}

#[actix_rt::test]
async fn a_version_that_a_party_does_not_speak_is_refused_by_name() {
    let world = World::up_to([V1, V2], u64::MAX, balls()).await;
    world.wish_for(in_version(V2));
    let failure = world.failed("bank-a").await;
    assert_eq!(failure.label, "wire_version");
    assert_eq!(failure.class, FailureClass::Retry);
    let said = "wire version 2 is not spoken here, which speaks 1";
    assert!(failure.message.starts_with(said), "{failure:?}");
    world.stop().await;
}
