//! Whole parties over real mutual TLS, with a coordinator that does as it is
//! told: first with a protocol that is quick, then with the real one.

#![allow(clippy::unwrap_used, clippy::panic)]

mod acml;
mod approval;
mod asked;
mod coordinator;
mod resumed;
mod unkept;
mod wire_versions;
mod world;

use std::{net::TcpListener, sync::Arc};

use entente_he::{Transparent, TransparentBackend};
use entente_metrics::Registry;
use entente_protocol::{
    control::{Assignment, FailureClass, Phase},
    job::{JobSpec, Side, TaskSpec},
};
use serde_json::{Value, json};

use self::{
    coordinator::FakeCoordinator,
    world::{Balls, Party, World},
};
use crate::{
    process::PartyError,
    sealing::testing::keys,
    state_dir::StateDirLock,
    testbed::{Consortium, assignment},
};

/// The value of a series.
fn value(text: &str, series: &str) -> u64 {
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(series));
    value.unwrap().trim().parse().unwrap()
}

#[actix_rt::test]
async fn a_job_runs_within_its_grants_to_the_saved_halves() {
    let launch = Balls {
        rounds: 5,
        ..Balls::default()
    };
    let world = World::new(launch).await;
    let job = world.wish(2);
    let waiting = world
        .coordinator
        .sees("bank-a", "a wait for a grant", |job| {
            matches!(&job.phase, Phase::Waiting { what, .. } if what == "a grant of rounds")
                && job.progress.exchanges_done == 2
        });
    let progress = waiting.await.progress;
    assert_eq!(
        (progress.exchanges, progress.rounds, progress.rounds_done),
        (6, 5, 1)
    );
    world.wish(6);
    let [half_a, half_b] = world.finish(job).await;
    assert_eq!(half_a, half_b);
    assert_eq!(half_a.len(), 6 * 4 * 8, "6 exchanges of 4 numbers");

    // What is not wished any more is forgotten, and its half kept.
    world.coordinator.wish("bank-a", &[]);
    let forgotten = world
        .coordinator
        .hears("bank-a", "no job", |truth| truth.jobs.is_empty());
    assert_eq!(forgotten.await.datasets, ["iris"]);
    assert_eq!(world.bank_a.half(job), half_a);

    let (status, text) = world.bank_a.scrape("/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "entente_rounds_total 5",
        "entente_exchanges_total 6",
        "entente_messages_total{direction=\"received\",kind=\"ball\"} 6",
        "entente_links_up{peer=\"bank-b\"} 1",
        "entente_party_jobs{phase=\"finished\"} 0",
        "state=\"expect_return\"} 6",
    ] {
        assert!(text.contains(line), "{line} is missing in:\n{text}");
    }
    // bank-a may speak before bank-b is ready, and then speaks again.
    let sent = value(
        &text,
        "entente_messages_total{direction=\"sent\",kind=\"ball\"}",
    );
    let again = value(&text, "entente_retries_total{what=\"message_resend\"}");
    assert_eq!(sent, 18 + again, "{text}");
    assert_eq!(world.bank_a.scrape("/healthz").await.0, 200);
    assert_eq!(world.bank_a.scrape("/readyz").await.0, 200);
    world.stop().await;
}

#[actix_rt::test]
async fn a_job_over_a_line_that_breaks_again_and_again_ends_the_same() {
    let launch = Balls {
        rounds: 40,
        ..Balls::default()
    };
    let undisturbed = World::new(launch).await;
    let job = undisturbed.wish(u64::MAX);
    let expected = undisturbed.finish(job).await;
    undisturbed.stop().await;

    // A handshake takes about half of this.
    let world = World::over(8_000, launch).await;
    let job = world.wish(u64::MAX);
    assert_eq!(world.finish(job).await, expected);
    world.line.called(3).await;
    world.stop().await;
}

#[actix_rt::test]
async fn a_link_that_is_gone_parks_the_job() {
    let consortium = Consortium::new();
    let coordinator = FakeCoordinator::start(&consortium);
    let launch = Balls::default();
    let peer = ("bank-b", None);
    let party = Party::start(&consortium, "bank-a", peer, coordinator.address, launch).await;
    coordinator.wish("bank-a", &[assignment(1, "bank-a", "bank-b")]);
    let parked = |job: &_| matches!(job, Phase::Waiting { what, .. } if what == "bank-b");
    coordinator
        .sees("bank-a", "a wait for bank-b", |job| parked(&job.phase))
        .await;
    party.stop().await;
    coordinator.stop().await;
}

#[actix_rt::test]
async fn what_a_party_does_not_accept_fails_with_its_reason() {
    let consortium = Consortium::new();
    let coordinator = FakeCoordinator::start(&consortium);
    let launch = Balls {
        panics_before: true,
        ..Balls::default()
    };
    let peer = ("bank-b", None);
    let party = Party::start(&consortium, "bank-a", peer, coordinator.address, launch).await;
    let good = assignment(1, "bank-a", "bank-b");
    let with = |change: &dyn Fn(&mut JobSpec)| {
        let mut bad = good.clone();
        let TaskSpec::Train(spec) = &mut bad.spec else {
            panic!("it trains")
        };
        change(spec);
        bad
    };
    let other_side = Assignment {
        side: Side::Passive,
        ..good.clone()
    };
    for (attempt, (bad, label)) in [
        (other_side, "not_our_side"),
        (with(&|spec| spec.training.epochs = 0), "job_specification"),
        (
            with(&|spec| spec.encryption.key_bits = 1024),
            "job_specification",
        ),
        (
            with(&|spec| spec.parties.passive = "bank-z".parse().unwrap()),
            "unknown_peer",
        ),
        (
            with(&|spec| spec.data.dataset = "mnist".to_owned()),
            "unknown_dataset",
        ),
        (
            with(&|spec| spec.network.initial = Some("digits".to_owned())),
            "initial_weights",
        ),
        (good.clone(), "panicked"),
    ]
    .into_iter()
    .enumerate()
    {
        let attempt = attempt as u32;
        coordinator.wish("bank-a", &[Assignment { attempt, ..bad }]);
        let failed = coordinator.sees("bank-a", label, |job| {
            job.attempt == attempt && matches!(job.phase, Phase::Failed { .. })
        });
        let Phase::Failed { failure } = failed.await.phase else {
            panic!("failed");
        };
        assert_eq!(failure.label, label, "{failure:?}");
        let bug = failure.class == FailureClass::Bug;
        assert_eq!(bug, label == "panicked");
    }
    party.stop().await;
    coordinator.stop().await;
}

#[actix_rt::test]
async fn a_panic_in_a_step_ends_its_job_at_both_parties_and_nothing_else() {
    let launch = Balls {
        rounds: 3,
        panics_at: Some(2),
        ..Balls::default()
    };
    let world = World::new(launch).await;
    world.wish(u64::MAX);
    for party in ["bank-a", "bank-b"] {
        let failed = world.coordinator.sees(party, "a failure", |job| {
            matches!(job.phase, Phase::Failed { .. })
        });
        let Phase::Failed { failure } = failed.await.phase else {
            panic!("failed");
        };
        assert!(!failure.message.contains("private data"), "{failure:?}");
    }
    // Both go on to answer.
    assert_eq!(world.bank_a.scrape("/healthz").await.0, 200);
    assert_eq!(world.bank_b.scrape("/healthz").await.0, 200);
    world.stop().await;
}

#[actix_rt::test]
async fn a_coordinator_that_is_away_is_asked_until_it_is_there() {
    let consortium = Consortium::new();
    let reserved = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = reserved.local_addr().unwrap();
    drop(reserved);
    let launch = Balls::default();
    let peer = ("bank-b", None);
    let party = Party::start(&consortium, "bank-a", peer, address, launch).await;
    assert_eq!(party.scrape("/readyz").await.0, 503);
    let coordinator = FakeCoordinator::at(&consortium, address);
    coordinator.hears("bank-a", "a question", |_| true).await;
    party.stop().await;
    coordinator.stop().await;
}

#[actix_rt::test]
async fn a_party_starts_with_its_own_certificate_and_sane_settings_alone() {
    let consortium = Consortium::new();
    let start = async |pointer: &str, value: Value| {
        let mut config = json!({
            "party": { "listen": "127.0.0.1:0", "state_dir": consortium.path().join("state") },
            "tls": { "ca": "", "certificate": "", "key": "" },
            "coordinator": { "url": "https://127.0.0.1:1/", "name": "coordinator" },
            "peers": {},
        });
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        config.pointer_mut(parent).unwrap()[key] = value;
        crate::run::<Transparent>(
            serde_json::from_value(config).unwrap(),
            consortium.party("bank-a"),
            keys(b"a"),
            Arc::new(TransparentBackend),
            Registry::new().unwrap(),
            |addresses| assert_ne!(addresses.parties.port(), 0),
            std::future::ready(()),
        )
        .await
    };
    start("/party/name", json!("bank-a")).await.unwrap();
    let wrong = start("/party/name", json!("bank-b")).await.unwrap_err();
    assert!(wrong.to_string().contains("party/bank-b"), "{wrong}");
    let taken = StateDirLock::take(&consortium.path().join("state")).unwrap();
    let second = start("/party/name", json!("bank-a")).await.unwrap_err();
    assert!(second.to_string().contains("another party"), "{second}");
    drop(taken);
    let itself = start("/peers/bank-a", json!({})).await.unwrap_err();
    assert!(matches!(itself, PartyError::Config(_)), "{itself}");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let no_room = start("/party/listen", json!(address)).await.unwrap_err();
    assert!(matches!(no_room, PartyError::Transport(_)), "{no_room}");
}
