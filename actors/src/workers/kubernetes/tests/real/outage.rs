//! The API server goes away and comes back.

use super::*;
use crate::workers::LackKind;

/// Its memory of changes begins when it starts. Where a watch was is before that, and
/// the server says so (410); whoever watches begins anew and misses nothing.
#[actix_rt::test]
async fn a_server_that_comes_back_is_looked_at_and_listened_to() {
    let test = "a_server_that_comes_back_is_looked_at_and_listened_to";
    let Some(plane) = ControlPlane::start(test) else {
        return;
    };
    let tenant = plane.tenant();
    let namespace = &tenant.namespace;
    let cluster = of(&tenant).await;
    let worker = wanted(1);
    cluster.make(&worker).await.unwrap();
    its_pod(namespace).await;
    becomes(&cluster, &worker, "it is seen", |seen| {
        seen == Some(&Seen::Alive)
    })
    .await;
    soon("a ring", cluster.changed()).await;

    plane.stop_api();
    let lack = soon("an answer of ours", cluster.look()).await.unwrap_err();
    assert_eq!(lack.kind, LackKind::Unreachable, "{lack}");
    let lack = cluster.make(&worker).await.unwrap_err();
    assert_eq!(lack.kind, LackKind::Unreachable, "{lack}");

    plane.resume_api();
    becomes(&cluster, &worker, "it is seen again", |seen| {
        seen == Some(&Seen::Alive)
    })
    .await;
    // Where the first change of all was is not known any more.
    let expired = tenant.party.ask(
        Method::GET,
        "pods?watch=1&resourceVersion=1&timeoutSeconds=1",
        None,
    );
    assert_eq!(expired.code, 200, "{expired:?}");
    assert_eq!(expired.body["object"]["code"], 410, "{expired:?}");
    keep("expired", &expired.body, &[]);

    // Watches that begin anew ring a few times for that; not for each of so many.
    let pod = name_of(&namespace.only("pods")).to_owned();
    for number in 0..20 {
        let change = json!({ "metadata": { "annotations": { "n": number.to_string() } } });
        namespace.patch(&format!("pods/{pod}"), change);
        soon("a ring for each change", cluster.changed()).await;
    }
}
