//! What a party counts of the reports of its workers.

#![allow(clippy::unwrap_used, clippy::panic)]

use entente_metrics::{EXCHANGES, ROUNDS};

use super::{
    super::{
        posts::Caller,
        tests::{World, id},
    },
    *,
};

async fn reports(world: &World, exchanges_done: u64) {
    let WorkerId { job, attempt } = id(1);
    let report = serde_json::json!({
        "job": job, "attempt": attempt, "phase": { "phase": "running" },
        "progress": {
            "exchanges_done": exchanges_done, "exchanges": 20,
            "rounds_done": exchanges_done.saturating_sub(1), "rounds": 19,
            "epoch": 1, "samples": 0, "loss": 0.1
        }
    });
    let report = Message::Report(serde_json::from_value(report).unwrap());
    let (_, Caller::Wanted { job, .. }) = world.workers.caller(id(1)) else {
        panic!("nobody waits for it");
    };
    job.send(Heard(report)).await.unwrap();
}

fn counted(world: &World) -> [u64; 2] {
    [&EXCHANGES, &ROUNDS].map(|what| world.registry.family(what).with([]).value())
}

/// A worker that is made again begins at nothing, restores what is in its journal, and does
/// again what was not: none of it is counted a second time.
#[actix_rt::test]
async fn what_is_done_again_is_not_counted_again() {
    let world = World::new();
    let _handle = world.take_on(1);
    for (exchanges, expected) in [
        (0, [0, 0]),
        (5, [5, 4]),
        (0, [5, 4]),
        (4, [5, 4]),
        (5, [5, 4]),
        (7, [7, 6]),
    ] {
        reports(&world, exchanges).await;
        assert_eq!(counted(&world), expected, "at {exchanges}");
    }
}

/// What was done before a pause, or before this party was started, it has counted then, or
/// another one has.
#[actix_rt::test]
async fn what_was_done_before_is_not_counted_again() {
    let world = World::new();
    let _handle = world.take_up(1, 5);
    for (exchanges, expected) in [(0, [0, 0]), (5, [0, 0]), (7, [2, 2])] {
        reports(&world, exchanges).await;
        assert_eq!(counted(&world), expected, "at {exchanges}");
    }
}
