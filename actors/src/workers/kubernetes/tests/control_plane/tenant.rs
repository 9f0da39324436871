//! A party's namespace, as `deploy/kubernetes/components/launcher` makes it.

use std::{
    fs,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use actix_web::http::Method;
use serde_json::{Value, json};

use super::{ADMINISTRATOR, ControlPlane, Namespace, PATIENCE, repository};

/// Whom the party is, by that component.
const ACCOUNT: &str = "party-launcher";

/// A namespace, as its administrator and as its party.
pub(crate) struct Tenant {
    pub(crate) namespace: Namespace,
    /// What the party's service account may, it may here.
    pub(crate) party: Namespace,
    /// Of the party's service account.
    token: String,
    pub(crate) plane: Arc<ControlPlane>,
}

impl Tenant {
    pub(super) fn settle(
        plane: Arc<ControlPlane>,
        name: String,
        may: impl Fn(&str, &str) -> bool,
    ) -> Self {
        let caller = plane.administrator().clone();
        let own = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name },
        });
        let made = caller.ask(Method::POST, "/api/v1/namespaces", Some(own));
        assert_eq!(made.code, 201, "{made:?}");
        let namespace = Namespace { caller, name };
        let mut asked = None;
        for mut object in access() {
            let plural = format!("{}s", object["kind"].as_str().unwrap().to_lowercase());
            match plural.as_str() {
                "roles" => asked = Some(restrict(&mut object, &may)),
                // As kustomize writes it.
                "rolebindings" => object["subjects"][0]["namespace"] = json!(namespace.name),
                _ => {}
            }
            namespace.create(&plural, object);
        }
        // Whoever decides has heard of it a moment later.
        let (verb, plural) = asked.unwrap();
        let over = Instant::now() + PATIENCE;
        while !may_by_now(&namespace, &verb, &plural) {
            assert!(Instant::now() < over, "{ACCOUNT} may not {verb} {plural}");
            thread::sleep(Duration::from_millis(20));
        }
        let request = json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": { "audiences": null, "expirationSeconds": 7200 },
        });
        let answer = namespace.create(&format!("serviceaccounts/{ACCOUNT}/token"), request);
        let token = answer["status"]["token"].as_str().unwrap().to_owned();
        let party = Namespace {
            caller: plane.bearer(&token),
            name: namespace.name.clone(),
        };
        Self {
            namespace,
            party,
            token,
            plane,
        }
    }

    /// Whoever does something else at the same time.
    pub(crate) fn another_administrator(&self) -> Namespace {
        Namespace {
            caller: self.plane.bearer(ADMINISTRATOR),
            name: self.namespace.name.clone(),
        }
    }

    /// How the party finds its cluster.
    pub(crate) fn kubeconfig(&self) -> String {
        self.plane.kubeconfig(&self.namespace.name, &self.token)
    }

    /// The same for one whom the server does not know.
    pub(crate) fn stranger(&self) -> String {
        self.plane.kubeconfig(&self.namespace.name, "somebody's")
    }
}

/// The objects of the component's `rbac.yaml`.
fn access() -> Vec<Value> {
    let path = "deploy/kubernetes/components/launcher/rbac.yaml";
    let text = fs::read_to_string(repository().join(path)).unwrap();
    serde_saphyr::from_multiple(&text).unwrap()
}

/// Takes verbs from a Role; one that stays, as `VERB`, `plural`.
fn restrict(role: &mut Value, may: impl Fn(&str, &str) -> bool) -> (String, String) {
    let mut stays = None;
    for rule in role["rules"].as_array_mut().unwrap() {
        let plural = rule["resources"][0].as_str().unwrap().to_owned();
        let verbs = rule["verbs"].as_array_mut().unwrap();
        verbs.retain(|verb| may(verb.as_str().unwrap(), &plural));
        if let Some(verb) = verbs.first() {
            stays = Some((verb.as_str().unwrap().to_owned(), plural));
        }
    }
    let rules = role["rules"].as_array_mut().unwrap();
    rules.retain(|rule| rule["verbs"] != json!([]));
    stays.unwrap()
}

fn may_by_now(namespace: &Namespace, verb: &str, plural: &str) -> bool {
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {
            "user": format!("system:serviceaccount:{}:{ACCOUNT}", namespace.name),
            "resourceAttributes": {
                "namespace": namespace.name, "verb": verb, "resource": plural,
            },
        },
    });
    let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    let answer = namespace.caller.ask(Method::POST, path, Some(review));
    answer.body["status"]["allowed"] == true
}
