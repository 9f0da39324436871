#![allow(clippy::unwrap_used)]

use std::{future::poll_fn, pin::pin, task::Poll};

use entente_metrics::{JOB_TRANSITIONS, JOB_TRANSITIONS_REFUSED, Registry};
use entente_protocol::control::Sync;
use tokio::{task::JoinHandle, time::timeout};

use super::*;
use crate::{
    engine::{Listing, Order},
    job::{Change, JobState, Priority},
    store::MemoryStore,
    testbed::{SETTINGS, id, job, party},
};

const HERE: &str = "https://here/";
const SOON: Duration = Duration::from_secs(20);

fn submit(number: u128) -> Event {
    Event::Submit {
        id: id(number),
        task: Box::new(job()),
        by: "user/alice".parse().unwrap(),
        submission: None,
        priority: Priority::Normal,
    }
}

fn cancel(number: u128) -> Event {
    Event::Order {
        id: id(number),
        order: Order::Cancel,
        by: "user/alice".parse().unwrap(),
    }
}

fn sync(name: &str) -> Event {
    Event::Sync {
        party: party(name),
        sync: Sync {
            software: "0.1.0".into(),
            datasets: vec!["iris".into()],
            capacity: 2,
            threads: None,
            memory_bytes: None,
            draining: false,
            wire: vec![1],
            jobs: vec![],
            answers: vec![],
            seen_revision: 0,
            wait_ms: 0,
        },
    }
}

async fn states(handle: &Handle) -> Result<Vec<JobState>, RuntimeError> {
    let read = handle.read(|engine, now| {
        let page = engine.list(&Listing::default(), now);
        page.jobs.iter().map(|job| job.state).collect()
    });
    read.await
}

async fn start_with(store: MemoryStore) -> (Handle, JoinHandle<()>, Registry) {
    let registry = Registry::new().unwrap();
    let (handle, task) = start(SETTINGS, store, HERE.into(), &registry)
        .await
        .unwrap();
    (handle, task, registry)
}

#[actix_rt::test]
async fn what_could_not_be_kept_was_not_and_the_rest_goes_on() {
    let store = MemoryStore::default();
    let (handle, _, registry) = start_with(store.clone()).await;
    handle.change(submit(1)).await.unwrap();

    store.break_down(true);
    let outcome = handle.change(submit(2)).await;
    assert!(matches!(
        outcome,
        Err(RuntimeError::Store(StoreError::Unavailable { .. }))
    ));
    assert!(matches!(
        states(&handle).await,
        Err(RuntimeError::Unavailable)
    ));
    assert!(handle.check().await.is_err());

    store.break_down(false);
    handle.check().await.unwrap();
    assert_eq!(states(&handle).await.unwrap(), [JobState::AwaitingApproval]);
    handle.change(submit(3)).await.unwrap();
    assert_eq!(store.load().await.unwrap().len(), 2);
    let refused = registry.family(&JOB_TRANSITIONS_REFUSED);
    assert_eq!(refused.with(["unavailable"]).value(), 1);
    let entered = registry.family(&JOB_TRANSITIONS);
    assert_eq!(entered.with(["awaiting_approval"]).value(), 2);
}

#[actix_rt::test]
async fn who_is_behind_writes_nothing_and_catches_up() {
    let store = MemoryStore::default();
    let (handle, _, registry) = start_with(store.clone()).await;
    handle.change(submit(1)).await.unwrap();
    let kept = store.load().await.unwrap().remove(0);
    let mut elsewhere = kept.clone();
    elsewhere.state = JobState::Cancelled;
    let change = Change::new(&kept, elsewhere).unwrap();
    store.write(&change).await.unwrap();

    let outcome = handle.change(cancel(1)).await;
    assert!(matches!(
        outcome,
        Err(RuntimeError::Store(StoreError::Conflict(job))) if job == id(1)
    ));
    assert_eq!(store.load().await.unwrap(), [change.record().clone()]);
    assert_eq!(states(&handle).await.unwrap(), [JobState::Cancelled]);
    let refused = registry.family(&JOB_TRANSITIONS_REFUSED);
    assert_eq!(refused.with(["conflict"]).value(), 1);

    let again = handle.change(cancel(1)).await;
    assert!(matches!(
        again,
        Err(RuntimeError::Engine(EngineError::Ended { .. }))
    ));
    assert_eq!(refused.with(["ended"]).value(), 1);
    assert_eq!(store.load().await.unwrap(), [change.record().clone()]);
}

#[actix_rt::test]
async fn who_waits_for_a_wish_is_woken_after_it_was_kept() {
    let store = MemoryStore::default();
    let (handle, ..) = start_with(store.clone()).await;
    handle.change(sync("bank-a")).await.unwrap();
    handle.change(sync("bank-b")).await.unwrap();
    let mut news = handle.news(&party("bank-a"));
    handle.change(submit(1)).await.unwrap();
    timeout(SOON, news.changed()).await.unwrap().unwrap();
    let kept = store.load().await.unwrap();
    assert_eq!(kept[0].state, JobState::AwaitingApproval);
}

#[actix_rt::test]
async fn a_caller_that_hangs_up_leaves_nothing_half_done() {
    let store = MemoryStore::default();
    let (handle, ..) = start_with(store.clone()).await;
    {
        let mut change = pin!(handle.change(submit(1)));
        let asked = poll_fn(|context| Poll::Ready(change.as_mut().poll(context))).await;
        assert!(asked.is_pending());
    }
    assert_eq!(states(&handle).await.unwrap(), [JobState::AwaitingApproval]);
    assert_eq!(store.load().await.unwrap().len(), 1);
}

#[actix_rt::test]
async fn it_ends_with_its_last_handle() {
    let (handle, task, _) = start_with(MemoryStore::default()).await;
    let other = handle.clone();
    drop(handle);
    other.check().await.unwrap();
    drop(other);
    timeout(SOON, task).await.unwrap().unwrap();
}

#[actix_rt::test]
async fn refusals_are_put_on_record_and_cannot_fill_the_store() {
    let mut refusals = Refusals::default();
    let at = Millis(5_000_000);
    let kept = (0..10_000).filter(|_| refusals.has_room(at)).count();
    assert_eq!(kept, Refusals::MOST as usize);
    let later = Millis(at.0 + Refusals::PERIOD.0);
    assert!(!refusals.has_room(Millis(later.0 - 1)));
    assert!(refusals.has_room(later));

    let (handle, ..) = start_with(MemoryStore::default()).await;
    let bob: Identity = "user/bob".parse().unwrap();
    handle.change(submit(1)).await.unwrap();
    handle
        .refused(bob.clone(), "DELETE /v1/jobs/{id}".into(), Some(id(1)))
        .await;
    let log = handle.audit(1, 10).await.unwrap();
    assert_eq!(log.len(), 1);
    assert_eq!((log[0].number, &log[0].deed.who), (2, &Some(bob)));
    assert_eq!(log[0].deed.job, Some(id(1)));
}
