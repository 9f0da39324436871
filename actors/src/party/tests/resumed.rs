//! Parties that are stopped in the midst of a job, paused, or robbed of what
//! they had: what is on their disks is all that goes on.

use std::{fs, path::PathBuf};

use entente_protocol::{
    acml::{ActiveHalf, Model, PassiveHalf},
    control::{Assignment, Failure, FailureClass, JobReport, Phase},
    job::{JobId, Task},
};

use super::{
    acml::{five_epochs, reference},
    value,
    world::{Balls, Launches, Party, World},
};
use crate::testbed::assignment;

const ROUNDS: usize = 30;

pub(super) fn balls() -> Balls {
    Balls {
        rounds: ROUNDS,
        ..Balls::default()
    }
}

/// The halves of a job that nothing happened to.
pub(super) async fn undisturbed() -> [Vec<u8>; 2] {
    let world = World::new(balls()).await;
    let job = world.wish(u64::MAX);
    let halves = world.finish(job).await;
    world.stop().await;
    halves
}

/// The journals that a party has, of whatever job.
fn journals(party: &Party) -> Vec<PathBuf> {
    let Ok(folders) = fs::read_dir(party.state_dir.join("jobs")) else {
        return Vec::new();
    };
    let files = folders.flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap());
    files.map(|file| file.unwrap().path()).collect()
}

impl World {
    pub(super) async fn has_done(&self, party: &str, exchanges: u64) -> JobReport {
        let done = |job: &JobReport| job.progress.exchanges_done >= exchanges;
        self.coordinator.sees(party, "progress", done).await
    }

    pub(super) async fn failed(&self, party: &str) -> Failure {
        let failed = |job: &JobReport| matches!(job.phase, Phase::Failed { .. });
        let report = self.coordinator.sees(party, "a failure", failed).await;
        match report.phase {
            Phase::Failed { failure } => failure,
            other => panic!("{other:?}"),
        }
    }

    fn wish_held(&self, hold: bool) -> JobId {
        self.wish_for(Assignment {
            hold,
            ..assignment(1, "bank-a", "bank-b")
        })
    }
}

#[actix_rt::test]
async fn parties_that_are_stopped_in_mid_job_go_on_as_if_nothing_had_been() {
    let expected = undisturbed().await;
    let world = World::new(balls()).await;
    world.wish(4);
    world.has_done("bank-a", 4).await;
    let world = world.restart_a().await;
    world.wish(8);
    world.has_done("bank-b", 8).await;
    let world = world.restart_b().await;
    let job = world.wish(u64::MAX);
    // Wherever each of them is now.
    let world = world.restart_a().await;
    let world = world.restart_b().await;
    assert_eq!(world.finish(job).await, expected);
    let (_, text) = world.bank_a.scrape("/metrics").await;
    let restored = "entente_restores_total{outcome=\"newest\"}";
    let ended = "entente_restores_total{outcome=\"ended\"}";
    assert_eq!(value(&text, restored) + value(&text, ended), 1, "{text}");
    assert!(value(&text, "entente_journal_commits_total{outcome=\"unkept\"}") == 0);

    world.coordinator.wish("bank-a", &[]);
    world
        .coordinator
        .hears("bank-a", "no job", |truth| truth.jobs.is_empty())
        .await;
    assert_eq!(journals(&world.bank_a), Vec::<PathBuf>::new());
    assert_eq!(journals(&world.bank_b).len(), 1);
    world.stop().await;
}

#[actix_rt::test]
async fn the_real_protocol_goes_on_to_the_same_weights_bit_for_bit() {
    let job = five_epochs();
    let mut assignment = assignment(1, "bank-a", "bank-b");
    assignment.spec = Task::from(job.clone()).spec();
    let windowed = |granted| Assignment {
        granted,
        ..assignment.clone()
    };
    let world = World::new(Launches::Acml).await;
    world.wish_for(windowed(3));
    world.has_done("bank-a", 3).await;
    let world = world.restart_a().await;
    world.wish_for(windowed(9));
    world.has_done("bank-b", 9).await;
    let world = world.restart_b().await;
    let id = world.wish_for(assignment);
    let world = world.restart_a().await;
    let [half_a, half_b] = world.finish(id).await;
    let model = Model::join(
        ActiveHalf::open(&job, &half_a).unwrap(),
        PassiveHalf::open(&job, &half_b).unwrap(),
    );
    let (validated, tested, expected) = reference(&job);
    assert!(model.is_bit_identical(&expected));
    let told = world.coordinator.finished("bank-b").await.progress;
    assert_eq!(told.test_accuracy, tested.accuracy());
    let validation = told.validation.unwrap();
    assert_eq!(Some(validation.loss), validated[4].loss());
    assert_eq!(told.epoch, 5);
    world.stop().await;
}

#[actix_rt::test]
async fn a_paused_job_is_let_go_and_goes_on_to_the_same_end() {
    let expected = undisturbed().await;
    let world = World::new(balls()).await;
    world.wish(5);
    world.has_done("bank-b", 5).await;
    world.wish_held(true);
    for party in ["bank-a", "bank-b"] {
        let held = |job: &JobReport| job.phase == Phase::Held;
        let report = world.coordinator.sees(party, "the pause", held).await;
        assert_eq!(report.progress.exchanges_done, 5);
    }
    // A pause outlives a process, which prepares nothing meanwhile.
    let world = world.restart_a().await;
    let held = |job: &JobReport| job.phase == Phase::Held && job.progress.exchanges_done == 5;
    world.coordinator.sees("bank-a", "the pause", held).await;
    let job = world.wish_held(false);
    assert_eq!(world.finish(job).await, expected);
    world.stop().await;
}

#[actix_rt::test]
async fn what_has_finished_stays_so_over_a_restart_and_is_not_computed_again() {
    let world = World::new(balls()).await;
    let job = world.wish(u64::MAX);
    let halves = world.finish(job).await;
    let world = world.restart_a().await;
    let report = world.coordinator.finished("bank-a").await;
    assert_eq!(report.progress.exchanges_done, ROUNDS as u64 + 1);
    let (_, text) = world.bank_a.scrape("/metrics").await;
    assert_eq!(value(&text, "entente_restores_total{outcome=\"ended\"}"), 1);
    assert!(!text.contains("entente_step_seconds_count"), "{text}");
    assert_eq!(world.finish(job).await, halves);
    world.stop().await;
}

#[actix_rt::test]
async fn a_party_that_has_lost_its_state_says_so_and_begins_nothing() {
    let world = World::new(balls()).await;
    world.wish_for(Assignment {
        exchanges_done: 7,
        ..assignment(1, "bank-a", "bank-b")
    });
    let failure = world.failed("bank-a").await;
    assert_eq!(failure.label, "state_lost");
    assert_eq!((failure.class, failure.exchange), (FailureClass::Retry, 7));
    assert_eq!(journals(&world.bank_a), Vec::<PathBuf>::new());
    world.stop().await;
}

#[actix_rt::test]
async fn a_job_without_a_place_for_its_journal_waits_for_one() {
    let world = World::new(balls()).await;
    // Whoever runs as root may write anywhere but into a file.
    let in_the_way = world.bank_a.state_dir.join("jobs");
    fs::write(&in_the_way, b"").unwrap();
    let job = world.wish(u64::MAX);
    let waits = |job: &JobReport| matches!(&job.phase, Phase::Waiting { what, .. } if what.contains("state_dir"));
    world.coordinator.sees("bank-a", "a wait", waits).await;
    fs::remove_file(&in_the_way).unwrap();
    world.finish(job).await;
    world.stop().await;
}

#[actix_rt::test]
async fn a_journal_that_cannot_be_read_is_an_error_and_stays_where_it_is() {
    let world = World::new(balls()).await;
    world.wish(3);
    world.has_done("bank-a", 3).await;
    let files = journals(&world.bank_a);
    let path = world.bank_a.state_dir.display().to_string();
    let world = world
        .restart_a_after(|| fs::write(&files[0], b"what a bad disk says").unwrap())
        .await;
    let failure = world.failed("bank-a").await;
    assert_eq!(failure.label, "checkpoint_damaged");
    assert_eq!(failure.class, FailureClass::Operator);
    assert!(!failure.message.contains(&path), "{failure:?}");
    assert_eq!(journals(&world.bank_a), files);
    world.stop().await;
}
