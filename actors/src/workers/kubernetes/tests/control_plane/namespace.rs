//! What is in one namespace, by the API's own paths, whoever serves them.

use actix_web::http::Method;
use serde_json::{Value, json};

use super::{Answer, Caller};

/// A namespace, and one who may do everything in it.
#[derive(Clone)]
pub(crate) struct Namespace {
    pub(crate) caller: Caller,
    pub(crate) name: String,
}

impl Namespace {
    /// Where objects of a kind are, and below.
    pub(crate) fn path(&self, tail: &str) -> String {
        let plural = tail.split('/').next();
        let group = match plural {
            Some("jobs") => "apis/batch/v1",
            Some("roles" | "rolebindings") => "apis/rbac.authorization.k8s.io/v1",
            _ => "api/v1",
        };
        format!("/{group}/namespaces/{}/{tail}", self.name)
    }

    /// Asks for something below the namespace.
    pub(crate) fn ask(&self, method: Method, tail: &str, body: Option<Value>) -> Answer {
        self.caller.ask(method, &self.path(tail), body)
    }

    /// Asks for what must succeed.
    fn succeed(&self, method: Method, tail: &str, body: Option<Value>) -> Value {
        let answer = self.ask(method.clone(), tail, body);
        assert!(answer.code < 300, "{method} {tail}: {answer:?}");
        answer.body
    }

    /// All of a kind.
    pub(crate) fn list(&self, plural: &str) -> Vec<Value> {
        let mut list = self.succeed(Method::GET, plural, None);
        match list["items"].take() {
            Value::Array(items) => items,
            other => panic!("{plural}: {other}"),
        }
    }

    /// The one of a kind.
    pub(crate) fn only(&self, plural: &str) -> Value {
        let mut list = self.list(plural);
        assert_eq!(list.len(), 1, "{plural}: {list:#?}");
        list.remove(0)
    }

    /// What must be possible.
    pub(crate) fn create(&self, plural: &str, object: Value) -> Value {
        self.succeed(Method::POST, plural, Some(object))
    }

    /// Changes what is named, as one who may; nothing if it is gone.
    pub(crate) fn patch(&self, tail: &str, change: Value) {
        let answer = self.ask(Method::PATCH, tail, Some(change));
        assert!([200, 404].contains(&answer.code), "{tail}: {answer:?}");
    }

    /// Deletes a pod: within its grace, or at once.
    pub(crate) fn delete_pod(&self, name: &str, grace_s: Option<u32>) {
        let body = grace_s.map(|grace| json!({ "gracePeriodSeconds": grace }));
        let answer = self.ask(Method::DELETE, &format!("pods/{name}"), body);
        // 409: the next one of its name. Whoever looks again sees it.
        let gone = [200, 202, 404, 409];
        assert!(gone.contains(&answer.code), "{name}: {answer:?}");
    }

    /// Gives a pod a node, as a scheduler does.
    pub(crate) fn bind(&self, pod: &str, node: &str) {
        let binding = json!({
            "apiVersion": "v1", "kind": "Binding", "metadata": { "name": pod },
            "target": { "apiVersion": "v1", "kind": "Node", "name": node },
        });
        let answer = self.ask(Method::POST, &format!("pods/{pod}/binding"), Some(binding));
        // Bound, gone, or on its way out.
        let settled = [200, 201, 404, 409];
        assert!(settled.contains(&answer.code), "{pod}: {answer:?}");
    }

    /// Has a pod leave its node, as `kubectl drain` does.
    pub(crate) fn evict(&self, pod: &str) {
        // Servers before 1.22 know this version alone, later ones know `policy/v1`.
        let eviction = json!({
            "apiVersion": "policy/v1beta1", "kind": "Eviction",
            "metadata": { "name": pod, "namespace": self.name },
        });
        self.create(&format!("pods/{pod}/eviction"), eviction);
    }

    /// What a kubelet says of a pod.
    pub(crate) fn set_pod(&self, pod: &str, status: Value) {
        self.patch(&format!("pods/{pod}/status"), json!({ "status": status }));
    }
}
