#![allow(clippy::unwrap_used, clippy::panic)]

use entente_metrics::{
    Definition, Gauge, JOBS, JOBS_UNLISTED, LEADER, LEASE_EXPIRY, LEASE_LOST, LEASE_RENEWALS,
    LEASE_RENEWED, LEASE_TAKINGS, NAMED_JOBS, STALE_WRITES, Sight,
};

use std::time::UNIX_EPOCH;

use tokio::sync::oneshot;

use super::*;
use crate::{
    engine::Event,
    job::{JobRecord, JobState, Priority},
    runtime::RuntimeError,
    store::MemoryStore,
    testbed::{SETTINGS, id, job, party, record},
};

const HERE: &str = "https://here/";
const THERE: &str = "https://there/";
const PATIENCE: Duration = Duration::from_secs(120);

/// A lease that nobody loses by being slow, and one that is renewed often.
const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(300);

struct Replica {
    store: MemoryStore,
    handle: Handle,
    running: JoinHandle<()>,
    registry: Registry,
}

impl Replica {
    async fn start(store: MemoryStore) -> Self {
        let registry = Registry::new().unwrap();
        let started = start(SETTINGS, store.clone(), HERE.into(), &registry);
        let (handle, running) = started.await.unwrap();
        Self {
            store,
            handle,
            running,
            registry,
        }
    }

    async fn submit(&self, number: u128) -> Result<(), RuntimeError> {
        let event = Event::Submit {
            id: id(number),
            task: Box::new(job()),
            by: "user/alice".parse().unwrap(),
            submission: None,
            priority: Priority::Normal,
        };
        self.handle.change(event).await
    }

    /// Waits until it answers, or stands by.
    async fn comes_to(&self, what: &str, is: impl Fn(&Result<(), RuntimeError>) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.handle.check().await;
            if is(&answer) {
                return;
            }
            assert!(Instant::now() < deadline, "{what}: {answer:?}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    fn leads(&self) -> i64 {
        self.registry.family(&LEADER).with([]).value()
    }
}

fn led_there(answer: &Result<(), RuntimeError>) -> bool {
    matches!(answer, Err(RuntimeError::Standby { leader: Some(at) }) if at == THERE)
}

fn store(life: Duration) -> MemoryStore {
    MemoryStore::with_leases_of(life)
}

#[actix_rt::test]
async fn who_stands_by_says_who_leads_and_leads_when_nobody_does() {
    let store = store(LONG);
    store.leads(Some(THERE));
    let replica = Replica::start(store.clone()).await;
    assert!(led_there(&replica.submit(1).await));
    assert!(led_there(&replica.handle.check().await));
    assert_eq!(replica.leads(), 0);
    assert!(store.load().await.unwrap().is_empty());

    // What the other one wrote is known to who comes after it.
    store.insert(&record(7)).await.unwrap();
    store.leads(None);
    replica.comes_to("it leads", Result::is_ok).await;
    assert_eq!(replica.leads(), 1);
    let jobs = replica.handle.read(|engine, _| engine.count_jobs());
    let jobs = jobs.await.unwrap();
    assert!(jobs.into_iter().any(|(_, count)| count == 1));
    replica.submit(1).await.unwrap();
    assert_eq!(store.load().await.unwrap().len(), 2);
    assert_eq!(replica.registry.family(&LEASE_TAKINGS).with([]).value(), 1);
}

#[actix_rt::test]
async fn a_lease_is_renewed_and_who_loses_it_steps_down() {
    let store = store(SHORT);
    let replica = Replica::start(store.clone()).await;
    replica.comes_to("it leads", Result::is_ok).await;
    let renewals = replica.registry.family(&LEASE_RENEWALS);
    let deadline = Instant::now() + PATIENCE;
    while renewals.with([LEASE_RENEWED]).value() < 3 {
        assert!(Instant::now() < deadline, "it is not renewed");
        sleep(Duration::from_millis(10)).await;
    }

    // Who waits for news is woken, to be told to go elsewhere.
    let mut news = replica.handle.news(&party("bank-a"));
    news.mark_unchanged();
    store.leads(Some(THERE));
    replica.comes_to("it stands by", led_there).await;
    assert!(news.has_changed().unwrap());
    assert_eq!(replica.leads(), 0);
    assert!(led_there(&replica.submit(1).await));
    assert!(store.load().await.unwrap().is_empty());

    store.leads(None);
    replica.comes_to("it leads again", Result::is_ok).await;
}

/// Renewed once an hour, it does not know; the store does.
#[actix_rt::test]
async fn a_write_of_the_past_is_refused_counted_and_ends_the_reign() {
    let store = store(LONG);
    let replica = Replica::start(store.clone()).await;
    replica.submit(1).await.unwrap();
    store.leads(Some(THERE));
    let outcome = replica.submit(2).await;
    assert!(
        matches!(outcome, Err(RuntimeError::Store(StoreError::Deposed(_)))),
        "{outcome:?}"
    );
    let count = replica.registry.family(&STALE_WRITES).with([]).value();
    assert_eq!(count, 1);
    replica.comes_to("it stands by", led_there).await;
    assert_eq!(store.load().await.unwrap().len(), 1);
    let queued = replica.registry.family(&JOBS).with(["queued"]).value();
    assert_eq!(queued, 0);
    let lost = replica.registry.family(&LEASE_RENEWALS).with([LEASE_LOST]);
    assert_eq!(lost.value(), 0);
}

#[actix_rt::test]
async fn who_cannot_renew_in_time_stops_answering() {
    let store = store(SHORT);
    let replica = Replica::start(store.clone()).await;
    replica.comes_to("it leads", Result::is_ok).await;
    store.break_down(true);
    let nobody_knows = |answer: &Result<(), RuntimeError>| {
        matches!(answer, Err(RuntimeError::Standby { leader: None }))
    };
    replica.comes_to("it stands by", nobody_knows).await;
    assert_eq!(replica.leads(), 0);
    store.break_down(false);
    store.leads(None);
    replica.comes_to("it leads again", Result::is_ok).await;
}

/// A process that was stopped and goes on: what it was asked before it has looked
/// at the clock is not answered from what it knew.
#[actix_rt::test]
async fn after_its_time_it_answers_nothing() {
    for (until, answers) in [(Instant::now() + LONG, true), (Instant::now(), false)] {
        let clock = Clock::start();
        let (_until, leads_until) = watch::channel(Some(until));
        let task = Task {
            engine: Engine::new(SETTINGS, vec![record(1)], jitter(&clock), clock.now()),
            store: MemoryStore::default(),
            clock,
            meters: Meters::new(&Registry::new().unwrap()),
            waiting: Arc::new(Waiting::default()),
            followers: Arc::default(),
            refusals: Refusals::default(),
            stale: false,
            until: leads_until,
            deposed: false,
        };
        let (requests, incoming) = mpsc::channel(1);
        let (answer, answered) = oneshot::channel();
        requests.send(Request::Check(answer)).await.unwrap();
        drop(requests);
        task.run(incoming).await;
        assert_eq!(answered.await.is_ok(), answers);
    }
}

#[actix_rt::test]
async fn who_ends_gives_the_lease_back() {
    let store = store(LONG);
    let first = Replica::start(store.clone()).await;
    let second = Replica::start(store.clone()).await;
    first.submit(1).await.unwrap();
    let asked = second.submit(2).await;
    assert!(
        matches!(&asked, Err(RuntimeError::Standby { leader: Some(at) }) if at == HERE),
        "{asked:?}"
    );
    drop(first.handle);
    first.running.await.unwrap();
    second.comes_to("it leads", Result::is_ok).await;
    second.submit(2).await.unwrap();
    assert_eq!(second.store.load().await.unwrap().len(), 2);
}

/// The series of `registry` that name a job.
fn named(registry: &Registry) -> Vec<String> {
    let text = registry.render(Sight::Everything).unwrap();
    let lines = text.lines().filter(|line| line.contains("job_id="));
    lines.map(str::to_owned).collect()
}

#[actix_rt::test]
async fn series_of_jobs_are_bounded_and_gone_when_it_steps_down() {
    let store = store(LONG);
    let many = NAMED_JOBS as u128 + 3;
    for number in 1..=many {
        let running = JobRecord {
            state: JobState::Running,
            ..record(number)
        };
        store.insert(&running).await.unwrap();
    }
    let replica = Replica::start(store.clone()).await;
    assert!(named(&replica.registry).is_empty(), "nobody has looked");
    replica.handle.measure().await.unwrap();
    let infos = |registry| {
        let named = named(registry).into_iter();
        named
            .filter(|line| line.starts_with("entente_job_info{"))
            .count()
    };
    assert_eq!(infos(&replica.registry), NAMED_JOBS);
    let gauge =
        |definition: &Definition<Gauge, 0>| replica.registry.family(definition).with([]).value();
    assert_eq!(gauge(&JOBS_UNLISTED), 3);
    let now = UNIX_EPOCH.elapsed().unwrap().as_secs() as i64;
    let expires_in = gauge(&LEASE_EXPIRY) - now;
    assert!(
        (1..=LONG.as_secs() as i64).contains(&expires_in),
        "{expires_in}"
    );

    store.leads(Some(THERE));
    let _ = replica.submit(many + 1).await;
    replica.comes_to("it stands by", led_there).await;
    assert!(named(&replica.registry).is_empty());
    assert_eq!((gauge(&JOBS_UNLISTED), gauge(&LEASE_EXPIRY)), (0, 0));
    assert!(matches!(
        replica.handle.measure().await,
        Err(RuntimeError::Standby { .. })
    ));
}

/// An engine whose reign is over may be asked once more before it ends.
#[test]
fn who_stands_by_shows_nothing_of_what_it_knew() {
    let registry = Registry::new().unwrap();
    let meters = Meters::new(&registry);
    let running = JobRecord {
        state: JobState::Running,
        ..record(1)
    };
    let clock = Clock::start();
    let engine = Engine::new(SETTINGS, vec![running], jitter(&clock), clock.now());
    meters.leads(None);
    meters.look_at(&engine, clock.now());
    assert!(!named(&registry).is_empty());
    meters.stands_by();
    meters.look_at(&engine, clock.now());
    assert!(named(&registry).is_empty());
    assert_eq!(registry.family(&JOBS).with(["running"]).value(), 0);
}
