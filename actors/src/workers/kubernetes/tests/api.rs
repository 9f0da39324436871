//! A server that answers as a Kubernetes API server does, over HTTP on loopback.
//!
//! It keeps objects, counts versions, filters by labels, streams changes, and lets
//! pods that have a node take their time to go. What it refuses, it refuses in the
//! words of `../exchanges`.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    http::{Method, StatusCode},
    web::{Bytes, Data, Path},
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::sync::broadcast;

/// A file of `../exchanges`.
pub(crate) fn recorded(text: &str, name: &str) -> Value {
    serde_json::from_str(&text.replace("NAME", name)).unwrap()
}

macro_rules! exchange {
    ($name:literal) => {
        include_str!(concat!("../exchanges/", $name, ".json"))
    };
}
pub(crate) use exchange;

/// What it keeps.
#[derive(Default)]
pub(crate) struct Store {
    /// By plural and name.
    pub(crate) objects: BTreeMap<(String, String), Value>,
    version: u64,
    /// Requests, as `VERB plural`.
    pub(crate) asked: Vec<String>,
    /// What the next such requests are answered with.
    pub(crate) refusals: BTreeMap<String, Vec<Value>>,
    /// The next watch is told that its place is gone.
    pub(crate) expires: bool,
    pub(crate) watches: usize,
}

pub(crate) struct Server {
    store: Arc<Mutex<Store>>,
    changes: broadcast::Sender<(String, Value)>,
    handle: ServerHandle,
    pub(crate) address: SocketAddr,
}

struct Shared {
    store: Arc<Mutex<Store>>,
    changes: broadcast::Sender<(String, Value)>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let store: Arc<Mutex<Store>> = Arc::default();
        let (changes, _) = broadcast::channel(256);
        let shared = Data::new(Shared {
            store: store.clone(),
            changes: changes.clone(),
        });
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .route("/{tail:.*}", actix_web::web::route().to(answer))
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(0)
        .bind("127.0.0.1:0")
        .unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        actix_rt::spawn(server);
        Self {
            store,
            changes,
            handle,
            address,
        }
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }

    /// Somebody else changes an object.
    pub(crate) fn put(&self, plural: &str, object: Value) {
        let change = self.store().put(plural, object, "MODIFIED");
        let _ = self.changes.send((plural.to_owned(), change));
    }

    pub(crate) async fn stop(self) {
        self.handle.stop(false).await;
    }
}

impl Store {
    fn put(&mut self, plural: &str, mut object: Value, kind: &str) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        self.objects
            .insert((plural.to_owned(), name), object.clone());
        json!({ "type": kind, "object": object })
    }

    fn list(&self, plural: &str, selector: &str) -> Vec<Value> {
        let selected = |object: &&Value| {
            let mut pairs = selector.split(',').filter(|pair| !pair.is_empty());
            pairs.all(|pair| {
                let (key, value) = pair.split_once('=').unwrap();
                object["metadata"]["labels"][key] == value
            })
        };
        let own = self.objects.iter().filter(|((of, _), _)| of == plural);
        own.map(|(_, object)| object)
            .filter(selected)
            .cloned()
            .collect()
    }
}

fn status(value: &Value) -> HttpResponse {
    let code = value["code"].as_u64().unwrap() as u16;
    let mut response = HttpResponse::build(StatusCode::from_u16(code).unwrap());
    if code == 429 {
        response.insert_header(("Retry-After", "1"));
    }
    response.json(value)
}

/// What becomes of an object that somebody does something to; nothing, if it is gone.
fn changed(mut object: Value, verb: &str, below: Option<&str>, body: &Value) -> Option<Value> {
    match (verb, below) {
        ("create", Some("binding")) => object["spec"]["nodeName"] = body["target"]["name"].clone(),
        ("patch", Some("status")) => merge(&mut object, body),
        // A pod that runs somewhere goes when its kubelet says so.
        ("delete", None) | ("create", Some("eviction"))
            if object["spec"]["nodeName"].is_string() && body["gracePeriodSeconds"] != 0 =>
        {
            object["metadata"]["deletionTimestamp"] = json!("2026-11-21T20:00:00Z");
        }
        ("delete", None) | ("create", Some("eviction")) => return None,
        other => panic!("{other:?}"),
    }
    Some(object)
}

fn merge(into: &mut Value, change: &Value) {
    match (into, change) {
        (Value::Object(fields), Value::Object(changes)) => {
            for (key, change) in changes {
                merge(fields.entry(key).or_insert(Value::Null), change);
            }
        }
        (into, change) => *into = change.clone(),
    }
}

async fn answer(
    request: HttpRequest,
    path: Path<String>,
    body: Bytes,
    shared: Data<Shared>,
) -> HttpResponse {
    let segments: Vec<&str> = path.split('/').collect();
    let at = segments
        .iter()
        .position(|segment| *segment == "namespaces")
        .unwrap();
    assert_eq!(segments[at + 1], "entente");
    let (plural, name) = (segments[at + 2], segments.get(at + 3).copied());
    let below = segments.get(at + 4).copied();
    let query =
        actix_web::web::Query::<BTreeMap<String, String>>::from_query(request.query_string());
    let query = query.unwrap().into_inner();
    let selector = query.get("labelSelector").map_or("", String::as_str);
    let watches = query.contains_key("watch");
    let verb = match (request.method(), watches) {
        (&Method::POST, _) => "create",
        (&Method::DELETE, _) => "delete",
        (&Method::PATCH, _) => "patch",
        (_, true) => "watch",
        (_, false) => "list",
    };
    let mut store = shared.store.lock().unwrap();
    let asked = format!("{verb} {plural}");
    store.asked.push(asked.clone());
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    if let Some(refusals) = store.refusals.get_mut(&asked)
        && !refusals.is_empty()
    {
        return status(&refusals.remove(0));
    }
    if let Some(name) = name {
        let key = (plural.to_owned(), name.to_owned());
        let Some(object) = store.objects.get(&key).cloned() else {
            return status(&recorded(exchange!("not-found"), name));
        };
        let (change, answer) = match changed(object, verb, below, &body) {
            Some(object) => (store.put(plural, object.clone(), "MODIFIED"), object),
            None => {
                let object = store.objects.remove(&key);
                let answer = recorded(exchange!("deleted"), name);
                (json!({ "type": "DELETED", "object": object }), answer)
            }
        };
        let _ = shared.changes.send((plural.to_owned(), change));
        return HttpResponse::Ok().json(answer);
    }
    match verb {
        "create" => {
            let object = body;
            let name = object["metadata"]["name"].as_str().unwrap().to_owned();
            if store
                .objects
                .contains_key(&(plural.to_owned(), name.clone()))
            {
                return status(&recorded(exchange!("already-exists"), &name));
            }
            let change = store.put(plural, object, "ADDED");
            let created = change["object"].clone();
            let _ = shared.changes.send((plural.to_owned(), change));
            HttpResponse::Created().json(created)
        }
        "watch" => {
            store.watches += 1;
            if std::mem::take(&mut store.expires) {
                let gone = format!("{}\n", recorded(exchange!("expired"), ""));
                return HttpResponse::Ok().body(gone);
            }
            let plural = plural.to_owned();
            let changes = shared.changes.subscribe();
            let lines =
                futures_util::stream::unfold((changes, plural), async |(mut changes, plural)| {
                    loop {
                        let (of, change) = changes.recv().await.ok()?;
                        if of == plural {
                            let line = Bytes::from(format!("{change}\n"));
                            return Some((Ok::<_, Infallible>(line), (changes, plural)));
                        }
                    }
                });
            HttpResponse::Ok()
                .content_type("application/json")
                .streaming(lines.boxed())
        }
        _ => {
            let items = store.list(plural, selector);
            HttpResponse::Ok().json(json!({
                "kind": "List", "apiVersion": "v1",
                "metadata": { "resourceVersion": store.version.to_string() },
                "items": items,
            }))
        }
    }
}
