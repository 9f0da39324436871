//! A job that is followed: each change is told, over restarts, and to its end.
#![allow(clippy::unwrap_used, clippy::panic)]

mod house;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use entente_coordinator::{
    client::Client,
    job::{Happened, JobState, JobView},
};
use house::{DEADLINE, House, problem, spec};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// One address for whichever coordinator is behind it: who calls there is cut off
/// with it, and gets to the next.
struct Door {
    address: SocketAddr,
    behind: Arc<Mutex<SocketAddr>>,
}

impl Door {
    async fn to(behind: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let behind = Arc::new(Mutex::new(behind));
        let target = behind.clone();
        actix_rt::spawn(async move {
            while let Ok((mut caller, _)) = listener.accept().await {
                let target = *target.lock().unwrap();
                actix_rt::spawn(async move {
                    if let Ok(mut coordinator) = TcpStream::connect(target).await {
                        let _ = copy_bidirectional(&mut caller, &mut coordinator).await;
                    }
                });
            }
        });
        Self { address, behind }
    }
}

async fn until(
    watch: &mut entente_coordinator::client::Watch<'_>,
    expected: impl Fn(&JobView) -> bool,
) -> JobView {
    let told = timeout(DEADLINE, async {
        loop {
            let view = watch.next().await.unwrap();
            if expected(&view) {
                return view;
            }
        }
    });
    told.await.unwrap()
}

#[actix_rt::test]
async fn whoever_follows_a_job_is_told_of_it_over_a_restart_and_to_its_end() {
    let house = House::new();
    let first = house.start().await;
    let door = Door::to(first.addresses.api).await;
    let client: Client = house.client(door.address);
    let id = client.submit(&spec()).await.unwrap().id;
    let mut watch = client.watch(id);
    until(&mut watch, |view| view.state == JobState::AwaitingApproval).await;

    first.stop().await;
    let second = house.start().await;
    *door.behind.lock().unwrap() = second.addresses.api;
    let mut bank_a = house.party("bank-a", second.addresses.api);
    let mut bank_b = house.party("bank-b", second.addresses.api);
    bank_a.wait_ms = 0;
    bank_b.wait_ms = 0;
    let parties = async {
        loop {
            bank_a.step().await;
            bank_b.step().await;
        }
    };
    let view = tokio::select! {
        view = until(&mut watch, |view| view.state.is_ended()) => view,
        () = parties => panic!("parties do not end"),
    };
    assert_eq!(view.state, JobState::Succeeded);
    assert_eq!(view, client.show(id).await.unwrap());

    // What led there stands in the log, over the restart too, without gaps.
    let log = client.log(id, 0).await.unwrap();
    let numbers: Vec<u64> = log.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, Vec::from_iter(1..=log.len() as u64));
    let entered: Vec<JobState> = log
        .iter()
        .filter_map(|entry| match entry.happening.what {
            Happened::Entered { to, .. } => Some(to),
            _ => None,
        })
        .collect();
    let course = [
        JobState::Queued,
        JobState::Reserved,
        JobState::Running,
        JobState::Succeeded,
    ];
    assert_eq!(entered, course);
    let signed = log
        .iter()
        .filter(|entry| matches!(entry.happening.what, Happened::Approved { .. }));
    assert_eq!(signed.count(), 2);
    let same = |entry: &&_| {
        let entry: &&entente_coordinator::job::LogEntry = entry;
        entry.happening.correlation == view.correlation
    };
    assert_eq!(log.iter().filter(same).count(), log.len());
    assert_eq!(client.log(id, 3).await.unwrap(), log[3..]);
    second.stop().await;
}

#[actix_rt::test]
async fn who_comes_back_is_not_told_what_they_know() {
    let house = House::new();
    let running = house.start().await;
    let client = house.client(running.addresses.api);
    let id = client.submit(&spec()).await.unwrap().id;
    client.cancel(id).await.unwrap();
    let alice = house.caller("user/alice", running.addresses.api);
    let path = format!("/v1/jobs/{id}/events");
    let (status, told) = alice.get(&path).await;
    assert_eq!(status, 200);
    let event = told.strip_prefix("id: ").unwrap();
    let (name, rest) = event.split_once('\n').unwrap();
    assert!(rest.starts_with("event: job\ndata: {"), "{told}");
    assert!(rest.ends_with("}\n\n"), "{told}");

    for (seen, tells) in [(name, false), ("0-00000000", true)] {
        let request = alice.request("GET", &path);
        let request = request.insert_header(("Last-Event-ID", seen));
        let mut response = request.send().await.unwrap();
        let kind = response.headers().get("content-type").unwrap();
        assert_eq!(kind, "text/event-stream");
        let body = response.body().await.unwrap();
        assert_eq!(body.is_empty(), !tells, "{body:?}");
    }
    // Nor are others' jobs told to parties that have nothing to do with them.
    let stranger = house.caller("party/bank-c", running.addresses.api);
    for path in [path, format!("/v1/jobs/{id}/log")] {
        let refused = problem(stranger.request("GET", &path).send()).await;
        assert_eq!(refused.kind, "urn:entente:problem:no-job");
    }
    running.stop().await;
}

#[actix_rt::test]
async fn a_coordinator_that_ends_ends_its_streams() {
    let house = House::new();
    let running = house.start().await;
    let id = house
        .client(running.addresses.api)
        .submit(&spec())
        .await
        .unwrap()
        .id;
    let alice = house.caller("user/alice", running.addresses.api);
    let request = alice.request("GET", &format!("/v1/jobs/{id}/events"));
    let mut response = request.send().await.unwrap();
    let told = actix_rt::spawn(async move { response.body().await });
    running.stop().await;
    let told = timeout(DEADLINE, told).await.unwrap().unwrap().unwrap();
    assert!(told.starts_with(b"id: "), "{told:?}");
}
