//! What is refused, by whoever refuses it there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use super::*;
use crate::workers::LackKind;

fn quota(hard: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": { "name": "training" }, "spec": { "hard": hard },
    })
}

/// Makes a quota that counts.
async fn counted(namespace: &Namespace, hard: Value) {
    namespace.create("resourcequotas", quota(hard));
    until("the quota is counted", || {
        namespace.only("resourcequotas")["status"]["used"].is_object()
    })
    .await;
}

fn lacks(seen: Option<&Seen>, kind: LackKind) -> bool {
    matches!(seen, Some(Seen::Lacks(lack)) if lack.kind == kind)
}

#[actix_rt::test]
async fn a_verb_that_the_role_lacks_is_named() {
    let Some(plane) = ControlPlane::shared("a_verb_that_the_role_lacks_is_named") else {
        return;
    };
    let worker = wanted(1);
    for (verb, plural, called) in [
        ("create", "jobs", "create jobs.batch"),
        (
            "create",
            "persistentvolumeclaims",
            "create persistentvolumeclaims",
        ),
        ("delete", "jobs", "delete jobs.batch"),
        (
            "delete",
            "persistentvolumeclaims",
            "delete persistentvolumeclaims",
        ),
        ("list", "jobs", "list jobs.batch"),
        ("list", "pods", "list pods"),
    ] {
        let tenant = plane.tenant_who_may(|one, of| (one, of) != (verb, plural));
        let cluster = of(&tenant).await;
        let lack = match verb {
            "create" => cluster.make(&worker).await.unwrap_err(),
            "delete" => cluster.forget(worker.id).await.unwrap_err(),
            _ => cluster.look().await.unwrap_err(),
        };
        assert_eq!(lack.kind, LackKind::Forbidden, "{lack}");
        assert!(
            lack.detail.contains(&format!("may not {called}:")),
            "{lack}"
        );
        if (verb, plural) == ("create", "jobs") {
            let job = serde_json::to_value(cluster.shape.job(&worker)).unwrap();
            let refused = tenant.party.ask(Method::POST, "jobs", Some(job));
            assert_eq!(refused.code, 403);
            let calls = [
                (tenant.namespace.name.as_str(), "entente"),
                ("create", "VERB"),
            ];
            keep("forbidden", &refused.body, &calls);
        }
    }
    // Without events nothing is known of pods that cannot be made, and all else is.
    let tenant = plane.tenant_who_may(|_, of| of != "events");
    let cluster = of(&tenant).await;
    cluster.make(&worker).await.unwrap();
    assert_eq!(cluster.look().await.unwrap()[&worker.id], Seen::Alive);
    // Nobody's token.
    let stranger = launcher(&tenant.stranger(), &sample(), "bank-a").await;
    let lack = stranger.look().await.unwrap_err();
    assert_eq!(lack.kind, LackKind::Forbidden, "{lack}");
}

#[actix_rt::test]
async fn a_quota_that_is_used_up_is_named() {
    let Some(plane) = ControlPlane::shared("a_quota_that_is_used_up_is_named") else {
        return;
    };
    let worker = wanted(1);
    let tenant = plane.tenant();
    counted(&tenant.namespace, json!({ "persistentvolumeclaims": "0" })).await;
    let cluster = of(&tenant).await;
    let lack = cluster.make(&worker).await.unwrap_err();
    assert_eq!(lack.kind, LackKind::Quota, "{lack}");
    let claim = serde_json::to_value(cluster.shape.claim(&worker)).unwrap();
    let refused = tenant
        .party
        .ask(Method::POST, "persistentvolumeclaims", Some(claim));
    assert_eq!(refused.code, 403);
    let name = cluster.shape.name(worker.id);
    keep("quota", &refused.body, &[(&name, "NAME")]);

    // Here the Job may be made, and its controller may make no pod.
    let tenant = plane.tenant();
    counted(&tenant.namespace, json!({ "pods": "0" })).await;
    let cluster = of(&tenant).await;
    cluster.make(&worker).await.unwrap();
    becomes(&cluster, &worker, "its controller says so", |seen| {
        lacks(seen, LackKind::Quota)
    })
    .await;
    let events = tenant.namespace.list("events");
    let of_quota = events
        .iter()
        .find(|event| event["reason"] == "FailedCreate");
    let calls = [(name.as_str(), "NAME"), (&tenant.namespace.name, "entente")];
    keep("event-quota", of_quota.unwrap(), &calls);
    // There is room again: it becomes a pod by itself, and what was said is no more.
    let room = json!({ "spec": { "hard": { "pods": "1" } } });
    tenant.namespace.patch("resourcequotas/training", room);
    becomes(&cluster, &worker, "it is made", |seen| {
        seen == Some(&Seen::Alive)
    })
    .await;
}

/// Admission refuses in the words of a missing permission (403), and no Role helps.
#[actix_rt::test]
async fn what_admission_refuses_is_no_missing_permission() {
    let test = "what_admission_refuses_is_no_missing_permission";
    let Some(plane) = ControlPlane::shared(test) else {
        return;
    };
    let worker = wanted(1);
    // A volume that is larger than any may be.
    let tenant = plane.tenant();
    let limit = json!({
        "apiVersion": "v1", "kind": "LimitRange", "metadata": { "name": "small" },
        "spec": { "limits": [{
            "type": "PersistentVolumeClaim", "max": { "storage": "1Gi" },
        }] },
    });
    tenant.namespace.create("limitranges", limit);
    let cluster = of(&tenant).await;
    let claim = serde_json::to_value(cluster.shape.claim(&worker)).unwrap();
    until("the limit counts", || {
        let path = "persistentvolumeclaims?dryRun=All";
        let refused = tenant.party.ask(Method::POST, path, Some(claim.clone()));
        refused.code == 403
    })
    .await;
    let lack = cluster.make(&worker).await.unwrap_err();
    assert_eq!(lack.kind, LackKind::Template, "{lack}");
    assert!(!lack.detail.contains("Role"), "{lack}");

    // A quota of something that the template does not say.
    let tenant = plane.tenant();
    counted(&tenant.namespace, json!({ "limits.cpu": "8" })).await;
    let cluster = of(&tenant).await;
    cluster.make(&worker).await.unwrap();
    becomes(&cluster, &worker, "pods are to have a limit", |seen| {
        lacks(seen, LackKind::Template)
    })
    .await;

    // A service account that is none.
    let tenant = plane.tenant();
    let mut section = sample();
    section.service_account = Some("nobody".to_owned());
    let cluster = launcher(&tenant.kubeconfig(), &section, "bank-a").await;
    cluster.make(&worker).await.unwrap();
    becomes(&cluster, &worker, "nobody is nobody", |seen| {
        lacks(seen, LackKind::Template)
    })
    .await;
}

#[actix_rt::test]
async fn a_template_that_is_none_is_named() {
    let Some(plane) = ControlPlane::shared("a_template_that_is_none_is_named") else {
        return;
    };
    let worker = wanted(1);
    let tenant = plane.tenant();
    let mut section = sample();
    section.image = String::new();
    let cluster = launcher(&tenant.kubeconfig(), &section, "bank-a").await;
    let lack = cluster.make(&worker).await.unwrap_err();
    assert_eq!(lack.kind, LackKind::Template, "{lack}");
    let job = serde_json::to_value(cluster.shape.job(&worker)).unwrap();
    let refused = tenant.party.ask(Method::POST, "jobs", Some(job));
    assert_eq!(refused.code, 422);
    let name = cluster.shape.name(worker.id);
    keep("invalid", &refused.body, &[(&name, "NAME")]);
}

/// Those who change a quota again and again, until this is dropped.
struct Busy {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Busy {
    fn with_quota(tenant: &Tenant) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let threads = (0..4).map(|writer| {
            let (tenant, until) = (tenant.another_administrator(), over.clone());
            thread::spawn(move || {
                let mut number = 0;
                while !until.load(Ordering::Relaxed) {
                    number += 1;
                    let note = format!("{writer}-{number}");
                    let change = json!({ "metadata": { "annotations": { "n": note } } });
                    // Of these too one may be too late.
                    tenant.ask(Method::PATCH, "resourcequotas/training", Some(change));
                }
            })
        });
        Self {
            threads: threads.collect(),
            over,
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Quotas are counted by one who writes at the same time: a claim that could not be
/// counted is refused with 409, like one that is there already. Whoever took it for
/// that made a Job over a claim that is not there, which waits for ever.
#[actix_rt::test]
async fn a_claim_that_could_not_be_counted_is_not_there() {
    let test = "a_claim_that_could_not_be_counted_is_not_there";
    let Some(plane) = ControlPlane::shared(test) else {
        return;
    };
    let tenant = plane.tenant();
    let many = json!({ "persistentvolumeclaims": "100000" });
    counted(&tenant.namespace, many).await;
    let cluster = of(&tenant).await;
    let busy = Busy::with_quota(&tenant);
    soon("one that is not counted", async {
        for attempt in 1.. {
            let worker = wanted(attempt);
            let made = cluster.make(&worker).await;
            let claim = format!("persistentvolumeclaims/{}", cluster.shape.name(worker.id));
            let is_there = tenant.namespace.ask(Method::GET, &claim, None).code == 200;
            assert_eq!(made.is_ok(), is_there, "{made:?}");
            if let Err(lack) = made {
                assert_eq!(lack.kind, LackKind::Unreachable, "{lack}");
                break;
            }
        }
    })
    .await;
    let claim = cluster.shape.claim(&wanted(1));
    let refused = soon("another one", async {
        for number in 1.. {
            let mut claim = serde_json::to_value(&claim).unwrap();
            claim["metadata"]["name"] = json!(format!("claim-{number}"));
            let path = "persistentvolumeclaims";
            let answer = tenant.party.ask(Method::POST, path, Some(claim));
            if answer.code == 409 {
                return answer.body;
            }
            tokio::task::yield_now().await;
        }
        unreachable!()
    })
    .await;
    drop(busy);
    keep("conflict", &refused, &[]);
}
