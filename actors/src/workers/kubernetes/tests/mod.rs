//! Against a server of ours: what is asked of it, and what is understood of answers
//! that a real one has given. `real` has that one itself. See
//! `../exchanges/README.md`.

#![allow(clippy::unwrap_used, clippy::panic)]

mod api;
mod control_plane;
mod pod;
mod real;
mod recording;
mod role;

use std::{net::SocketAddr, time::Duration};

use entente_protocol::job::Resources;
use kube::Config;
use serde_json::{Value, json};

use self::api::{Server, exchange, recorded};
use super::{
    super::{Cluster, LackKind, Seen, Wanted, WorkerId},
    Kubernetes,
};
use crate::{
    config::KubernetesSection,
    testbed::{assignment, soon},
};

fn section() -> KubernetesSection {
    serde_json::from_value(json!({
        "listen": "0.0.0.0:7405",
        "party": "entente-party-workers:7405",
        "image": "entente:0.1.0",
        "service_account": "party-worker",
        "storage_class": "replicated",
    }))
    .unwrap()
}

fn wanted(attempt: u32) -> Wanted {
    let job = assignment(1, "bank-a", "bank-b").job;
    Wanted {
        id: WorkerId { job, attempt },
        resources: Resources {
            threads: 4,
            memory_bytes: 1 << 30,
        },
    }
}

fn of_party(address: SocketAddr, own: &str) -> Kubernetes {
    let mut config = Config::new(format!("http://{address}").parse().unwrap());
    config.default_namespace = "entente".to_owned();
    Kubernetes::over(config, &section(), &own.parse().unwrap()).unwrap()
}

fn cluster(server: &Server) -> Kubernetes {
    of_party(server.address, "bank-a")
}

/// Until so many have begun.
async fn watches(server: &Server, count: usize) {
    while server.store().watches < count {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The one object of a kind.
fn only(server: &Server, plural: &str) -> Value {
    let store = server.store();
    let mut own = store.objects.iter().filter(|((of, _), _)| of == plural);
    let (_, object) = own.next().unwrap();
    assert!(own.next().is_none());
    object.clone()
}

/// A pod of a Job, in this state.
fn pod(job: &Value, status: &str) -> Value {
    let template = &job["spec"]["template"];
    let name = format!("{}-x7f2q", job["metadata"]["name"].as_str().unwrap());
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "labels": template["metadata"]["labels"] },
        "spec": template["spec"],
        "status": serde_json::from_str::<Value>(status).unwrap(),
    })
}

#[actix_rt::test]
async fn a_worker_is_made_once_looked_at_stopped_and_forgotten() {
    let server = Server::start();
    let cluster = cluster(&server);
    let worker = wanted(1);
    for _ in 0..2 {
        // The second time it is there already, and adopted.
        cluster.make(&worker).await.unwrap();
    }
    assert_eq!(
        cluster.look().await.unwrap(),
        [(worker.id, Seen::Alive)].into()
    );
    // Another party's are not seen.
    let other = of_party(server.address, "bank-b");
    assert!(other.look().await.unwrap().is_empty());
    other.make(&worker).await.unwrap();
    assert_eq!(other.look().await.unwrap().len(), 1);
    other.forget(worker.id).await.unwrap();

    for _ in 0..2 {
        cluster.stop(worker.id).await.unwrap();
        assert_eq!(
            cluster.look().await.unwrap(),
            [(worker.id, Seen::AtRest)].into()
        );
    }
    for _ in 0..2 {
        cluster.forget(worker.id).await.unwrap();
        assert!(server.store().objects.is_empty());
    }
    drop((cluster, other));
    server.stop().await;
}

#[actix_rt::test]
async fn what_is_refused_is_told_by_name() {
    let server = Server::start();
    let cluster = cluster(&server);
    let forbidden = exchange!("forbidden").replace("VERB", "create");
    for (asked, refusal, kind) in [
        ("create jobs", forbidden.as_str(), LackKind::Forbidden),
        (
            "create persistentvolumeclaims",
            exchange!("quota"),
            LackKind::Quota,
        ),
        ("create jobs", exchange!("invalid"), LackKind::Template),
        (
            "create jobs",
            exchange!("too-many-requests"),
            LackKind::Unreachable,
        ),
        // Refused like what is there already, and it is not there.
        (
            "create persistentvolumeclaims",
            exchange!("conflict"),
            LackKind::Unreachable,
        ),
    ] {
        let refusals = vec![recorded(refusal, "x")];
        server.store().refusals.insert(asked.to_owned(), refusals);
        let lack = cluster.make(&wanted(1)).await.unwrap_err();
        assert_eq!(lack.kind, kind, "{lack}");
        server.store().refusals.clear();
    }
    let refusals = vec![recorded(&forbidden.replace("create", "list"), "x")];
    server
        .store()
        .refusals
        .insert("list jobs".to_owned(), refusals);
    let lack = cluster.look().await.unwrap_err();
    assert!(lack.detail.contains("may not list jobs.batch"), "{lack}");
    cluster.make(&wanted(1)).await.unwrap();

    // The Job is there, and its controller may make no pod.
    let job = only(&server, "jobs");
    let name = job["metadata"]["name"].as_str().unwrap();
    let mut event = recorded(exchange!("event-quota"), name);
    server.put("events", event.clone());
    let seen = cluster.look().await.unwrap();
    assert!(
        matches!(&seen[&wanted(1).id], Seen::Lacks(lack) if lack.kind == LackKind::Quota),
        "{seen:?}"
    );
    // It has made one since; that it is gone is another matter.
    event["metadata"]["name"] = json!("a later one");
    event["reason"] = json!("SuccessfulCreate");
    event["lastTimestamp"] = json!("2026-11-21T20:00:01Z");
    server.put("events", event);
    assert_eq!(cluster.look().await.unwrap()[&wanted(1).id], Seen::Alive);
    drop(cluster);
    server.stop().await;
}

#[actix_rt::test]
async fn what_becomes_of_a_pod_is_seen_and_rung_for() {
    let server = Server::start();
    let cluster = cluster(&server);
    let worker = wanted(1);
    cluster.make(&worker).await.unwrap();
    let job = only(&server, "jobs");
    for (status, expected) in [
        (
            exchange!("pod-unschedulable"),
            Some(LackKind::Unschedulable),
        ),
        (exchange!("pod-image"), Some(LackKind::Image)),
        (r#"{ "phase": "Running" }"#, None),
        // Another pod follows by itself, from the cluster's own controller.
        (exchange!("pod-evicted"), None),
    ] {
        // Until the watches stand, and what was rung before is heard.
        soon("both watches", watches(&server, 2)).await;
        server.put("pods", pod(&job, status));
        soon("a ring", cluster.changed()).await;
        let seen = cluster.look().await.unwrap();
        match (&seen[&worker.id], expected) {
            (Seen::Lacks(lack), Some(kind)) => assert_eq!(lack.kind, kind),
            (Seen::Alive, None) => {}
            other => panic!("{other:?}"),
        }
    }
    // It has failed so often that the cluster makes no other.
    let mut over = job.clone();
    over["status"] = recorded(exchange!("job-failed"), "x");
    server.put("jobs", over.clone());
    let seen = cluster.look().await.unwrap();
    assert!(matches!(&seen[&worker.id], Seen::Ended(how) if how.contains("backoff limit")));
    // On its way out it is not made a second time.
    over["metadata"]["deletionTimestamp"] = json!("2026-11-21T20:00:00Z");
    server.put("jobs", over);
    assert_eq!(cluster.look().await.unwrap()[&worker.id], Seen::Alive);
    drop(cluster);
    server.stop().await;
}

#[actix_rt::test]
async fn a_watch_whose_place_is_gone_begins_anew() {
    let server = Server::start();
    server.store().expires = true;
    let cluster = cluster(&server);
    cluster.make(&wanted(1)).await.unwrap();
    soon("a watch after the one that expired", watches(&server, 3)).await;
    let job = only(&server, "jobs");
    server.put("jobs", job.clone());
    server.put("pods", pod(&job, exchange!("pod-image")));
    soon("a ring", cluster.changed()).await;
    drop(cluster);
    server.stop().await;
}

/// It takes connections and says nothing; a request is not waited for longer than its
/// own time, so that the party hears of it while the test has patience.
#[actix_rt::test]
async fn a_cluster_that_says_nothing_is_not_waited_for() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let cluster = of_party(silent.local_addr().unwrap(), "bank-a");
    let taken = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((connection, _)) = silent.accept().await {
            held.push(connection);
        }
    });
    let lack = soon("an answer of ours", cluster.look()).await.unwrap_err();
    assert_eq!(lack.kind, LackKind::Unreachable, "{lack}");
    taken.abort();
}
