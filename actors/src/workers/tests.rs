//! Workers that are wanted, in a cluster that does as it is told.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
};

use actix::{Actor, Context, Handler};
use async_trait::async_trait;
use entente_metrics::Registry;
use entente_protocol::control::{Assignment, FailureClass};

use super::{
    cluster::{Cluster, Lack, LackKind, Seen, Wanted, WorkerId},
    foreman,
    posts::Workers,
};
use crate::{
    config::PartyConfig,
    driver::{Awaited, Standing},
    launch::Plan,
    party::{JobEvent, JobHandle, JobTold},
    telemetry::Meters,
    testbed::{assignment, soon},
};

/// A cluster of which everything is known.
#[derive(Default)]
struct Fake {
    seen: Mutex<BTreeMap<WorkerId, Seen>>,
    refuses: Mutex<Option<Lack>>,
    said: Mutex<Vec<String>>,
    /// Whoever holds it has looks take that long.
    slow: tokio::sync::Mutex<()>,
}

impl Fake {
    fn note(&self, what: &str, id: WorkerId) {
        self.said
            .lock()
            .unwrap()
            .push(format!("{what} {}", id.attempt));
    }

    fn said(&self) -> Vec<String> {
        std::mem::take(&mut self.said.lock().unwrap())
    }

    fn shows(&self, id: WorkerId, seen: Seen) {
        self.seen.lock().unwrap().insert(id, seen);
    }
}

#[async_trait]
impl Cluster for Fake {
    async fn look(&self) -> Result<BTreeMap<WorkerId, Seen>, Lack> {
        let seen = self.seen.lock().unwrap().clone();
        drop(self.slow.lock().await);
        Ok(seen)
    }

    async fn make(&self, wanted: &Wanted) -> Result<(), Lack> {
        self.note("make", wanted.id);
        if let Some(lack) = self.refuses.lock().unwrap().clone() {
            return Err(lack);
        }
        self.shows(wanted.id, Seen::Alive);
        Ok(())
    }

    async fn stop(&self, id: WorkerId) -> Result<(), Lack> {
        self.note("stop", id);
        self.shows(id, Seen::AtRest);
        Ok(())
    }

    async fn forget(&self, id: WorkerId) -> Result<(), Lack> {
        self.note("forget", id);
        self.seen.lock().unwrap().remove(&id);
        Ok(())
    }

    async fn changed(&self) {
        std::future::pending().await
    }

    fn outlives_party(&self) -> bool {
        true
    }

    async fn close(&self) {}
}

/// Takes down what a job tells.
struct Listener(tokio::sync::mpsc::UnboundedSender<Standing>);

impl Actor for Listener {
    type Context = Context<Self>;
}

impl Handler<JobTold> for Listener {
    type Result = ();

    fn handle(&mut self, told: JobTold, _: &mut Context<Self>) {
        let _ = self.0.send(told.status.standing);
    }
}

pub(super) struct World {
    fake: Arc<Fake>,
    pub(super) workers: Workers,
    pub(super) registry: Registry,
    told: tokio::sync::mpsc::UnboundedReceiver<Standing>,
    listener: actix::Addr<Listener>,
    folder: tempfile::TempDir,
}

pub(super) fn id(attempt: u32) -> WorkerId {
    let job = assignment(1, "bank-a", "bank-b").job;
    WorkerId { job, attempt }
}

impl World {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fake = Arc::new(Fake::default());
        let registry = Registry::new().unwrap();
        let workers = Workers::new(fake.clone(), folder.path().to_owned(), registry.clone());
        let (tell, told) = tokio::sync::mpsc::unbounded_channel();
        Self {
            fake,
            workers,
            registry,
            told,
            listener: Listener(tell).start(),
            folder,
        }
    }

    pub(super) fn take_on(&self, attempt: u32) -> JobHandle {
        self.take_up(attempt, 0)
    }

    /// One of which so many exchanges are done.
    pub(super) fn take_up(&self, attempt: u32, exchanges_done: u64) -> JobHandle {
        let assignment = Assignment {
            attempt,
            exchanges_done,
            ..assignment(1, "bank-a", "bank-b")
        };
        let config = config(self.folder.path());
        let plan = Plan::check(&"bank-a".parse().unwrap(), &config, &assignment).unwrap();
        let told = self.listener.clone().recipient();
        let meters = Meters::new(self.registry.clone());
        let handle = self.workers.take_on(&plan, assignment, told, &meters);
        handle.unwrap()
    }

    /// The coordinator wishes this attempt, or none.
    fn wish(&self, attempt: Option<u32>) {
        let wished = attempt.map(|attempt| (id(attempt).job, attempt));
        self.workers.keep_only(wished.into_iter().collect());
    }

    async fn hears(&mut self, what: &str, is_it: impl Fn(&Standing) -> bool) -> Standing {
        let next = async {
            loop {
                let standing = self.told.recv().await.unwrap();
                if is_it(&standing) {
                    return standing;
                }
            }
        };
        soon(what, next).await
    }
}

fn config(state_dir: &Path) -> PartyConfig {
    serde_json::from_value(serde_json::json!({
        "party": { "listen": "127.0.0.1:0", "state_dir": state_dir },
        "tls": { "ca": "", "certificate": "", "key": "" },
        "coordinator": { "url": "https://127.0.0.1:1/", "name": "coordinator" },
        "peers": { "bank-b": {} },
        "datasets": { "iris": { "source": "iris", "columns": "features" } },
    }))
    .unwrap()
}

#[actix_rt::test]
async fn what_there_is_becomes_what_shall_be() {
    let world = World::new();
    // Of a party that was here before: not touched until it is known what is wished.
    world.fake.shows(id(1), Seen::Alive);
    foreman::pass(&world.workers).await;
    assert_eq!(world.fake.said(), [""; 0]);

    let handle = world.take_on(2);
    world.wish(Some(2));
    foreman::pass(&world.workers).await;
    assert_eq!(world.fake.said(), ["make 2", "forget 1"]);
    foreman::pass(&world.workers).await;
    assert_eq!(
        world.fake.said(),
        [""; 0],
        "what is there is not made again"
    );

    // Somebody has deleted it.
    world.fake.seen.lock().unwrap().clear();
    foreman::pass(&world.workers).await;
    assert_eq!(world.fake.said(), ["make 2"]);

    // It is paused: its process goes, and what it goes on from stays.
    handle.say(JobEvent::Leave);
    let dismissed = async {
        while !world.workers.wanted().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    soon("its dismissal", dismissed).await;
    for _ in 0..2 {
        foreman::pass(&world.workers).await;
    }
    assert_eq!(world.fake.said(), ["stop 2"]);
    world.wish(None);
    foreman::pass(&world.workers).await;
    assert_eq!(world.fake.said(), ["forget 2"]);
}

/// A party that comes back looks while its coordinator answers.
#[actix_rt::test]
async fn a_worker_that_is_claimed_during_a_look_stays() {
    let world = World::new();
    world.fake.shows(id(1), Seen::Alive);
    let slow = world.fake.slow.lock().await;
    let meanwhile = async {
        let handle = world.take_on(1);
        world.wish(Some(1));
        drop(slow);
        handle
    };
    let looks = foreman::pass(&world.workers);
    let (_, _handle) = futures_util::future::join(looks, meanwhile).await;
    assert_eq!(world.fake.said(), [""; 0]);
}

#[actix_rt::test]
async fn what_a_worker_lacks_is_what_the_job_waits_for() {
    let mut world = World::new();
    let _handle = world.take_on(1);
    let refused = LackKind::Quota.with("exceeded quota: team-a of node secret-node-7");
    *world.fake.refuses.lock().unwrap() = Some(refused);
    foreman::pass(&world.workers).await;
    let waiting = |standing: &Standing| matches!(standing, Standing::Waiting { what, .. } if what.to_string().contains("quota"));
    let told = world.hears("a wait for the quota", waiting).await;
    let text = format!("{told:?}");
    assert!(!text.contains("secret-node-7"), "others read it: {text}");

    *world.fake.refuses.lock().unwrap() = None;
    foreman::pass(&world.workers).await;
    let waiting = |standing: &Standing| matches!(standing, Standing::Waiting { what, .. } if *what == Awaited::Worker(None));
    world.hears("a wait for the worker", waiting).await;
    world.fake.shows(
        id(1),
        Seen::Lacks(LackKind::Unschedulable.with("0/3 nodes")),
    );
    foreman::pass(&world.workers).await;
    let waiting = |standing: &Standing| matches!(standing, Standing::Waiting { what, .. } if what.to_string() == "a worker (no node has room)");
    world.hears("a wait for a node", waiting).await;
}

#[actix_rt::test]
async fn a_worker_that_dies_again_and_again_ends_the_job() {
    let mut world = World::new();
    let _handle = world.take_on(1);
    let failed = async {
        loop {
            world
                .fake
                .shows(id(1), Seen::Ended("out of memory".to_owned()));
            foreman::pass(&world.workers).await;
            if let Ok(Standing::Failed(failure)) = world.told.try_recv() {
                return failure;
            }
            tokio::task::yield_now().await;
        }
    };
    let failure = soon("a failure", failed).await;
    assert_eq!(failure.label, "worker_dies");
    assert_eq!(failure.class, FailureClass::Operator);
    assert!(
        !world.fake.said().contains(&"make 1".to_owned()),
        "it waits first"
    );
}
