//! What the party asks of its cluster is what its Role in `deploy/kubernetes` allows.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use super::{api::Server, cluster, wanted, watches};
use crate::{testbed::soon, workers::Cluster};

/// As `VERB plural`.
fn allowed() -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../deploy/kubernetes/components/launcher/rbac.yaml");
    let text = fs::read_to_string(path).unwrap();
    let objects: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
    let role = objects.iter().find(|object| object["kind"] == "Role");
    let words = |list: &Value| -> Vec<String> { serde_json::from_value(list.clone()).unwrap() };
    let mut allowed = BTreeSet::new();
    for rule in role.unwrap()["rules"].as_array().unwrap() {
        for verb in words(&rule["verbs"]) {
            let asked = words(&rule["resources"]).into_iter();
            allowed.extend(asked.map(|plural| format!("{verb} {plural}")));
        }
    }
    allowed
}

#[actix_rt::test]
async fn a_role_allows_what_is_asked_and_no_more() {
    let server = Server::start();
    let cluster = cluster(&server);
    let worker = wanted(1);
    cluster.make(&worker).await.unwrap();
    // Its Job has no pod: the events say why.
    cluster.look().await.unwrap();
    cluster.stop(worker.id).await.unwrap();
    cluster.forget(worker.id).await.unwrap();
    soon("both watches", watches(&server, 2)).await;
    let asked: BTreeSet<String> = server.store().asked.iter().cloned().collect();
    assert_eq!(asked, allowed());
    drop(cluster);
    server.stop().await;
}
