//! A party whose jobs run as Jobs of Kubernetes: real processes and real TLS, with the
//! test for scheduler and kubelet. It runs what the Job says, moves it to another node,
//! and deletes what is deleted.
//!
//! ```text
//!   party ──makes Jobs──▶ API server ◀──makes pods── controller of Jobs
//!     ▲                       ▲
//!     │                       └──binds, runs, reports── kubelet (this test)
//!     └─────────calls────── worker ◀──────runs────────────┘
//! ```
//!
//! Each case is gone through twice. Once over a server of ours, always. And over a
//! real one, with its own controllers, with the Role that `deploy/kubernetes` has and
//! with the token of that service account: `.ci/kube-apiserver` makes the programs,
//! and without them it is skipped by name.
//!
//! # What the real one does not know
//! It is Kubernetes 1.20, the newest whose source a Debian has. It drops what came
//! later: without `podFailurePolicy` (1.25) a pod that fails when it is evicted counts
//! against `backoffLimit`, and without `podReplacementPolicy` (1.28) the next pod is
//! there while the one before still ends. That one gets its volume when the other has
//! left it, as volumes are that one node mounts; the server of ours does both as later
//! ones do.
#![cfg(feature = "kubernetes")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../actors/src/workers/kubernetes/tests/api.rs"]
#[allow(dead_code, unused_imports)]
mod api;
#[path = "../../actors/src/workers/kubernetes/tests/control_plane/mod.rs"]
mod control_plane;
#[path = "../house/mod.rs"]
mod house;
mod jobs;
mod kubelet;
mod site;

use std::{fs, net::TcpListener, path::Path};

use house::{House, Service, eventually, succeed};
use kubelet::{Kubelet, entries};
use serde_json::Value;
use site::Site;

/// What workers are made from in the samples.
const TEMPLATE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/deploy/kubernetes/components/launcher/worker.yaml"
);

fn done(job: &Value) -> u64 {
    let done = &job["sides"]["active"]["progress"]["exchanges_done"];
    done.as_u64().unwrap_or(0)
}

fn reached(house: &House, id: &str, exchanges: u64) {
    eventually("the job goes on", || {
        (done(&house.show(id)) >= exchanges).then_some(())
    });
}

/// A house whose active party launches there.
fn house(site: &Site) -> House {
    // Where workers call must be known beforehand, as a Service's name is.
    let reserved = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = reserved.local_addr().unwrap().port();
    drop(reserved);
    let launcher = format!(
        "[launcher]\nkind = \"kubernetes\"\nlisten = \"127.0.0.1:{port}\"\n\
         party = \"localhost:{port}\"\nimage = \"entente:test\"\ntemplate = {TEMPLATE:?}\n"
    );
    let prepare = |folder: &Path| {
        let key = ["party", "sealing-key", "new", "bank-a.sealing"];
        succeed(folder, &key);
        fs::write(folder.join("kubeconfig"), &site.kubeconfig).unwrap();
        let environment =
            "KUBECONFIG=kubeconfig\nENTENTE__PARTY__SEALING_KEY__FILE=bank-a.sealing\n";
        fs::write(folder.join("bank-a.env"), environment).unwrap();
    };
    House::with_datasets(|port| port, [&launcher, ""], prepare)
}

/// Waits for the end, of the job and of all that was made for it.
fn ends_well(site: &Site, house: &House, id: &str) {
    let job = house.end_of(id);
    assert_eq!(job["state"], "succeeded", "{job:#}");
    assert_eq!(job["attempt"], 1, "{job:#}");
    assert!(!house.half("bank-a", id).is_empty());
    eventually("nothing is left in the cluster", || {
        let plurals = ["jobs", "pods", "persistentvolumeclaims"];
        let left = plurals
            .iter()
            .any(|plural| !site.namespace.list(plural).is_empty());
        let volumes = entries(&house.path().join("volumes"));
        (!left && volumes.is_empty()).then_some(())
    });
}

fn goes_on_on_another_node(site: &Site) {
    let house = house(site);
    let kubelet = Kubelet::start(site.namespace.clone(), house.path());
    let id = house.submit(&[]);
    reached(&house, &id, 10);
    let first = kubelet.running();
    site.namespace.evict(&first);
    eventually("another pod", || {
        (kubelet.started().len() == 2).then_some(())
    });
    assert_eq!(kubelet.ended()[..1], [Some(130)], "it is not done");
    ends_well(site, &house, &id);
    let started = kubelet.started();
    assert!(started.len() == 2 && started[0] == first, "{started:?}");
}

fn finds_its_worker(site: &Site) {
    let mut house = house(site);
    let kubelet = Kubelet::start(site.namespace.clone(), house.path());
    let id = house.submit(&[]);
    reached(&house, &id, 10);
    let worker = kubelet.running();
    house.active.kill();
    let path = house.path().to_owned();
    house.active = Service::start(&path, "party", "bank-a");
    reached(&house, &id, 30);
    assert_eq!(kubelet.started(), [worker.as_str()]);
    ends_well(site, &house, &id);
    assert_eq!(kubelet.started(), [worker]);
}

#[test]
fn a_job_that_is_evicted_goes_on_on_another_node() {
    goes_on_on_another_node(&Site::ours());
}

#[test]
fn a_job_that_is_evicted_goes_on_on_another_node_of_a_real_cluster() {
    let test = "a_job_that_is_evicted_goes_on_on_another_node_of_a_real_cluster";
    if let Some(site) = Site::real(test) {
        goes_on_on_another_node(&site);
    }
}

#[test]
fn a_party_that_is_killed_finds_its_worker() {
    finds_its_worker(&Site::ours());
}

#[test]
fn a_party_that_is_killed_finds_its_worker_in_a_real_cluster() {
    let test = "a_party_that_is_killed_finds_its_worker_in_a_real_cluster";
    if let Some(site) = Site::real(test) {
        finds_its_worker(&site);
    }
}
