//! What becomes of a Job and its pods, by the real controllers; the test is the
//! kubelet, and says of pods what `../exchanges` has.

use super::*;
use crate::workers::LackKind;

macro_rules! said {
    ($name:literal) => {
        include_str!(concat!("../../exchanges/", $name, ".json"))
    };
}

#[actix_rt::test]
async fn what_becomes_of_a_pod_is_seen_and_rung_for() {
    let Some(plane) = ControlPlane::shared("what_becomes_of_a_pod_is_seen_and_rung_for") else {
        return;
    };
    let tenant = plane.tenant();
    let cluster = of(&tenant).await;
    let worker = wanted(1);
    cluster.make(&worker).await.unwrap();
    let pod = its_pod(&tenant.namespace).await;
    for (status, expected) in [
        (said!("pod-unschedulable"), Some(LackKind::Unschedulable)),
        (said!("pod-image"), Some(LackKind::Image)),
        (r#"{ "phase": "Running" }"#, None),
        (said!("pod-unschedulable"), Some(LackKind::Unschedulable)),
        // Another pod follows, from the cluster's own controller.
        (said!("pod-evicted"), None),
    ] {
        tenant
            .namespace
            .set_pod(name_of(&pod), serde_json::from_str(status).unwrap());
        // There may be rings for what was before.
        soon("a ring after which it is seen", async {
            loop {
                cluster.changed().await;
                match (&cluster.look().await.unwrap()[&worker.id], expected) {
                    (Seen::Lacks(lack), Some(kind)) if lack.kind == kind => break,
                    (Seen::Alive, None) => break,
                    _ => {}
                }
            }
        })
        .await;
    }
}

#[actix_rt::test]
async fn a_pod_that_is_evicted_is_replaced_by_the_cluster() {
    let test = "a_pod_that_is_evicted_is_replaced_by_the_cluster";
    let Some(plane) = ControlPlane::shared(test) else {
        return;
    };
    let tenant = plane.tenant();
    let namespace = &tenant.namespace;
    let cluster = of(&tenant).await;
    let worker = wanted(1);
    cluster.make(&worker).await.unwrap();
    let first = name_of(&its_pod(namespace).await).to_owned();
    namespace.bind(&first, "node-1");
    namespace.set_pod(&first, json!({ "phase": "Running" }));
    namespace.evict(&first);
    // It has its grace, and then its kubelet says that it is gone.
    let leaving = |pod: &Value| pod["metadata"]["deletionTimestamp"].is_string();
    assert!(
        namespace
            .list("pods")
            .iter()
            .any(|pod| name_of(pod) == first && leaving(pod))
    );
    namespace.delete_pod(&first, Some(0));
    until("another pod", || {
        let pods = namespace.list("pods");
        pods.len() == 1 && name_of(&pods[0]) != first
    })
    .await;
    assert_eq!(cluster.look().await.unwrap()[&worker.id], Seen::Alive);
}

#[actix_rt::test]
async fn a_job_that_is_over_is_seen_as_that() {
    let Some(plane) = ControlPlane::shared("a_job_that_is_over_is_seen_as_that") else {
        return;
    };
    for (phase, kept, said) in [
        ("Succeeded", "job-complete", "Complete"),
        ("Failed", "job-failed", "backoff limit"),
    ] {
        let tenant = plane.tenant();
        let namespace = &tenant.namespace;
        let cluster = of(&tenant).await;
        let worker = wanted(1);
        cluster.make(&worker).await.unwrap();
        let pod = its_pod(namespace).await;
        // Six times would take minutes: the cluster waits longer each time.
        let name = cluster.shape.name(worker.id);
        let once = json!({ "spec": { "backoffLimit": 0 } });
        namespace.patch(&format!("jobs/{name}"), once);
        namespace.bind(name_of(&pod), "node-1");
        namespace.set_pod(name_of(&pod), json!({ "phase": phase }));
        becomes(
            &cluster,
            &worker,
            said,
            |seen| matches!(seen, Some(Seen::Ended(how)) if how.contains(said)),
        )
        .await;
        keep(kept, &namespace.only("jobs")["status"], &[]);
        // And cleared away like one that goes on.
        cluster.forget(worker.id).await.unwrap();
        becomes(&cluster, &worker, "it is forgotten", |seen| seen.is_none()).await;
    }
}
