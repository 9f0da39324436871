//! The launcher against a real API server, as the service account and with the Role
//! that `deploy/kubernetes` gives it. What is answered is held against `../exchanges`.

mod outage;
mod pods;
mod refusals;

use std::time::Duration;

use actix_web::http::Method;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};

use super::{
    super::{
        super::{Cluster, Seen, Wanted},
        Kubernetes,
    },
    control_plane::{ControlPlane, Namespace, Tenant},
    recording::keep,
    section, wanted,
};
use crate::{config::KubernetesSection, testbed::soon};

/// What workers are made from in the samples.
const TEMPLATE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../deploy/kubernetes/components/launcher/worker.yaml"
);

fn sample() -> KubernetesSection {
    KubernetesSection {
        template: Some(TEMPLATE.into()),
        ..section()
    }
}

/// The launcher of a party that finds its cluster like this.
async fn launcher(kubeconfig: &str, section: &KubernetesSection, own: &str) -> Kubernetes {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).unwrap();
    let options = KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await;
    Kubernetes::over(config.unwrap(), section, &own.parse().unwrap()).unwrap()
}

async fn of(tenant: &Tenant) -> Kubernetes {
    launcher(&tenant.kubeconfig(), &sample(), "bank-a").await
}

/// Looks until a worker is as expected.
async fn becomes(
    cluster: &Kubernetes,
    worker: &Wanted,
    what: &str,
    expected: impl Fn(Option<&Seen>) -> bool,
) {
    soon(what, async {
        loop {
            let seen = cluster.look().await;
            if seen.is_ok_and(|seen| expected(seen.get(&worker.id))) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// Waits for somebody else in the cluster.
async fn until(what: &str, ready: impl Fn() -> bool) {
    soon(what, async {
        while !ready() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// The pod that the controller of Jobs has made; others are on their way out.
async fn its_pod(namespace: &Namespace) -> Value {
    until("there is one pod", || namespace.list("pods").len() == 1).await;
    namespace.only("pods")
}

fn name_of(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap()
}

#[actix_rt::test]
async fn a_worker_is_made_once_looked_at_stopped_and_forgotten() {
    let test = "a_worker_is_made_once_looked_at_stopped_and_forgotten";
    let Some(plane) = ControlPlane::shared(test) else {
        return;
    };
    let tenant = plane.tenant();
    let cluster = of(&tenant).await;
    let worker = wanted(1);
    for _ in 0..2 {
        // The second time it is there already, and adopted.
        cluster.make(&worker).await.unwrap();
    }
    let seen = cluster.look().await.unwrap();
    assert_eq!(seen, [(worker.id, Seen::Alive)].into());
    // Another party's are not seen.
    let other = launcher(&tenant.kubeconfig(), &sample(), "bank-b").await;
    assert!(other.look().await.unwrap().is_empty());
    other.make(&worker).await.unwrap();
    assert_eq!(other.look().await.unwrap().len(), 1);
    other.forget(worker.id).await.unwrap();
    becomes(&other, &worker, "another party's is gone", |seen| {
        seen.is_none()
    })
    .await;

    let name = cluster.shape.name(worker.id);
    let again = serde_json::to_value(cluster.shape.job(&worker)).unwrap();
    let taken = tenant.party.ask(Method::POST, "jobs", Some(again));
    assert_eq!(taken.code, 409);
    keep("already-exists", &taken.body, &[(&name, "NAME")]);

    its_pod(&tenant.namespace).await;
    let dry = format!("jobs/{name}?propagationPolicy=Background&dryRun=All");
    let deleted = tenant.party.ask(Method::DELETE, &dry, None);
    assert_eq!(deleted.code, 200);
    keep("deleted", &deleted.body, &[(&name, "NAME")]);
    for _ in 0..2 {
        cluster.stop(worker.id).await.unwrap();
        becomes(&cluster, &worker, "it rests", |seen| {
            seen == Some(&Seen::AtRest)
        })
        .await;
    }
    let gone = tenant
        .party
        .ask(Method::DELETE, &format!("jobs/{name}"), None);
    assert_eq!(gone.code, 404);
    keep("not-found", &gone.body, &[(&name, "NAME")]);

    for _ in 0..2 {
        cluster.forget(worker.id).await.unwrap();
        becomes(&cluster, &worker, "it is forgotten", |seen| seen.is_none()).await;
    }
    until("nothing is left", || {
        ["jobs", "pods", "persistentvolumeclaims"]
            .iter()
            .all(|plural| tenant.namespace.list(plural).is_empty())
    })
    .await;
}

/// Its claim and the mount of it are the launcher's; all else is the sample's.
#[actix_rt::test]
async fn the_sample_of_a_pod_is_taken() {
    let Some(plane) = ControlPlane::shared("the_sample_of_a_pod_is_taken") else {
        return;
    };
    let tenant = plane.tenant();
    let cluster = of(&tenant).await;
    cluster.make(&wanted(2)).await.unwrap();
    let pod = its_pod(&tenant.namespace).await;
    let labels = &pod["metadata"]["labels"];
    assert_eq!(labels["entente/attempt"], "2", "{labels}");
    let spec = &pod["spec"];
    assert_eq!(spec["serviceAccountName"], "party-worker");
    assert_eq!(spec["automountServiceAccountToken"], false);
    assert_eq!(
        spec["containers"][0]["resources"]["limits"]["memory"],
        "1207959552"
    );
    let claims = spec["volumes"].as_array().unwrap().iter();
    let claims: Vec<&Value> = claims
        .map(|volume| &volume["persistentVolumeClaim"]["claimName"])
        .filter(|claim| claim.is_string())
        .collect();
    let claim = tenant.namespace.only("persistentvolumeclaims");
    assert_eq!(claims, [&json!("data"), &claim["metadata"]["name"]]);
    assert_eq!(claim["spec"]["storageClassName"], "replicated");
}
