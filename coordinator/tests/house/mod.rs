//! A coordinator on loopback, over real mutual TLS, and those who call it.
#![allow(dead_code, unreachable_pub, unused_imports)]

mod field;
mod party;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use actix_rt::task::JoinHandle;
use entente_coordinator::{
    Addresses, CoordinatorConfig, CoordinatorError,
    client::{Client, Problem},
    serve,
};
use entente_metrics::Registry;
use entente_protocol::{control::Validation, job::TaskSpec};
use entente_tls::{Credentials, DevelopmentCa, Identity, Validity};
use tempfile::TempDir;
use tokio::sync::oneshot;

pub use field::Field;
pub use party::{FakeParty, go_on};

pub const SPEC: &str = include_str!("../../src/testbed.toml");
pub const DEADLINE: Duration = Duration::from_secs(30);
/// What the side with the labels tells.
pub const VALIDATION: Validation = Validation {
    epoch: 1,
    loss: 0.25,
    accuracy: 0.9,
};

pub fn spec() -> TaskSpec {
    TaskSpec::from_toml(SPEC).unwrap()
}

/// A folder with certificates, and a coordinator's state.
pub struct House {
    folder: TempDir,
    ca: DevelopmentCa,
    /// Left out: a file.
    store: Option<String>,
}

/// A coordinator that runs.
pub struct Running {
    pub addresses: Addresses,
    shutdown: oneshot::Sender<()>,
    served: JoinHandle<Result<(), CoordinatorError>>,
}

impl Running {
    /// Tells it to end, and waits until it has.
    pub async fn stop(self) {
        self.shutdown.send(()).unwrap();
        let served = tokio::time::timeout(DEADLINE, self.served).await;
        served.unwrap().unwrap().unwrap();
    }
}

impl House {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            ca: DevelopmentCa::create("test CA").unwrap(),
            store: None,
        }
    }

    /// The same with a store that several coordinators may share.
    pub fn on(store: &str) -> Self {
        Self {
            store: Some(store.to_owned()),
            ..Self::new()
        }
    }

    /// Credentials of `kind/name`, made anew.
    pub fn credentials(&self, identity: &str) -> Credentials {
        let identity: Identity = identity.parse().unwrap();
        let folder = tempfile::tempdir_in(self.folder.path()).unwrap();
        let issued = self.ca.issue(&identity, &[], Validity::days(1)).unwrap();
        let files = issued.save(folder.path(), "own").unwrap();
        let credentials = Credentials::load(&files).unwrap();
        drop(folder);
        credentials
    }

    pub fn config(&self) -> CoordinatorConfig {
        let path = self.folder.path().display();
        let store = self.store.as_ref();
        let store = store.map_or_else(String::new, |url| format!("store = {url:?}\n"));
        let text = format!(
            "[coordinator]\n{store}listen = \"127.0.0.1:0\"\nstate_dir = \"{path}/state\"\nwindow = 8\n\
             [retries]\nfirst_wait_s = 1\n[tls]\nca = \"ca.pem\"\ncertificate = \"c.pem\"\nkey = \"c.key\"\n"
        );
        toml::from_str(&text).unwrap()
    }

    /// Starts the coordinator, on the state that the last one left.
    pub async fn start(&self) -> Running {
        let credentials = self.credentials("coordinator/main");
        let registry = Registry::new().unwrap();
        let (announce, announced) = oneshot::channel();
        let (shutdown, told) = oneshot::channel::<()>();
        let config = self.config();
        let served = actix_rt::spawn(async move {
            let ready = |addresses: &Addresses| announce.send(*addresses).unwrap();
            let told = async { told.await.unwrap_or(()) };
            serve(config, credentials, registry, ready, told).await
        });
        let addresses = announced.await.unwrap();
        Running {
            addresses,
            shutdown,
            served,
        }
    }

    pub fn client(&self, address: SocketAddr) -> Client {
        self.client_as("user/alice", address)
    }

    pub fn client_as(&self, identity: &str, address: SocketAddr) -> Client {
        let url = format!("https://{address}").parse().unwrap();
        let credentials = self.credentials(identity);
        Client::new(&credentials, url, &"coordinator/main".parse().unwrap()).unwrap()
    }

    pub fn caller(&self, identity: &str, address: SocketAddr) -> Caller {
        let expected = "coordinator/main".parse().unwrap();
        let tls = self.credentials(identity).client_config(&expected).unwrap();
        let mut tls = Arc::unwrap_or_clone(tls);
        if identity.starts_with("party/") {
            // As parties call, over HTTP/2; users use HTTP/1.1.
            tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        }
        let connector = awc::Connector::new().rustls_0_23(Arc::new(tls));
        let http = awc::Client::builder()
            .connector(connector)
            .timeout(DEADLINE)
            .finish();
        Caller {
            http,
            base: format!("https://{address}"),
        }
    }

    pub fn party(&self, name: &str, address: SocketAddr) -> FakeParty {
        let identity = format!("party/{name}");
        FakeParty::new(self.caller(&identity, address), self.credentials(&identity))
    }
}

/// Somebody with a certificate who sends what they like.
pub struct Caller {
    http: awc::Client,
    base: String,
}

impl Caller {
    pub fn request(&self, method: &str, path: &str) -> awc::ClientRequest {
        let url = format!("{}{path}", self.base);
        self.http.request(method.parse().unwrap(), url)
    }

    /// Status and body.
    pub async fn get(&self, path: &str) -> (u16, String) {
        let mut response = self.request("GET", path).send().await.unwrap();
        let body = response.body().limit(16 << 20).await.unwrap();
        (
            response.status().as_u16(),
            String::from_utf8(body.to_vec()).unwrap(),
        )
    }
}

/// The problem that a request is answered with, and its status.
pub async fn problem(request: awc::SendClientRequest) -> Problem {
    let mut response = request.await.unwrap();
    let kind = response.headers().get("content-type").cloned();
    assert_eq!(kind.unwrap(), "application/problem+json");
    let problem: Problem = response.json().await.unwrap();
    assert_eq!(problem.status, response.status().as_u16());
    assert!(
        !problem.title.is_empty() && problem.detail.len() > 10,
        "{problem:?}"
    );
    problem
}
