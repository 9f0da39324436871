//! A coordinator on loopback, over real mutual TLS, and those who call it.
#![allow(dead_code, unreachable_pub)]

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant, UNIX_EPOCH},
};

use actix_rt::task::JoinHandle;
use entente_coordinator::{
    Addresses, CoordinatorConfig, CoordinatorError,
    client::{Client, Problem},
    job::JobView,
    serve,
};
use entente_metrics::Registry;
use entente_protocol::{
    contract::{Signed, Terms},
    control::{
        Answer, Assignment, Decision, JobReport, Phase, Progress, Proposal, Sync, Validation, Wish,
    },
    job::{JobId, Task, TaskSpec},
};
use entente_tls::{Credentials, DevelopmentCa, Identity, Validity};
use tempfile::TempDir;
use tokio::sync::oneshot;

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
        FakeParty {
            caller: self.caller(&format!("party/{name}"), address),
            credentials: self.credentials(&format!("party/{name}")),
            answers: Vec::new(),
            seen_revision: 0,
            wait_ms: 200,
            jobs: BTreeMap::new(),
            exchanges: 50,
            fails_at: None,
        }
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

/// A party that computes nothing: every job goes as far as it is granted, at
/// every sync.
pub struct FakeParty {
    pub caller: Caller,
    /// Signs whatever is proposed.
    pub credentials: Credentials,
    pub answers: Vec<Answer>,
    pub seen_revision: u64,
    pub wait_ms: u64,
    pub jobs: BTreeMap<JobId, (Assignment, Phase, u64)>,
    /// Of every job.
    pub exchanges: u64,
    /// The exchange in which every job fails.
    pub fails_at: Option<entente_protocol::control::Failure>,
}

impl FakeParty {
    pub fn truth(&self) -> Sync {
        let report = |(id, (assignment, phase, done)): (&JobId, &(Assignment, Phase, u64))| {
            let loss = Some(1.0 / (1.0 + *done as f64));
            JobReport {
                job: *id,
                attempt: assignment.attempt,
                phase: phase.clone(),
                progress: Progress {
                    exchanges_done: *done,
                    exchanges: self.exchanges,
                    rounds_done: *done,
                    rounds: self.exchanges,
                    loss: loss.filter(|_| assignment.side.label() == "passive"),
                    validation: (assignment.side.label() == "passive").then_some(VALIDATION),
                    best: (assignment.side.label() == "passive").then_some(VALIDATION),
                    stopped_early: *phase == Phase::Finished,
                    test_accuracy: (*phase == Phase::Finished).then_some(0.96),
                    ..Progress::default()
                },
            }
        };
        Sync {
            software: "fake".into(),
            datasets: vec!["iris".into()],
            capacity: 2,
            threads: None,
            memory_bytes: None,
            draining: false,
            wire: vec![2, 1],
            jobs: self.jobs.iter().map(report).collect(),
            answers: self.answers.clone(),
            seen_revision: self.seen_revision,
            wait_ms: self.wait_ms,
        }
    }

    /// Has signed what is proposed.
    pub fn sign(&self, proposal: &Proposal) -> Answer {
        let task = Task::try_from(proposal.spec.clone()).unwrap();
        let at_ms = UNIX_EPOCH.elapsed().unwrap().as_millis() as u64;
        let text = Terms::of(proposal.job, &task).text(proposal.side, at_ms);
        let signature = self.credentials.sign(text.as_bytes()).unwrap().to_string();
        Answer {
            job: proposal.job,
            decision: Decision::Approved(Signed { at_ms, signature }),
        }
    }

    /// Asks for the wish and does nothing about it.
    pub async fn ask(&self) -> Wish {
        let request = self.caller.request("POST", "/v1/sync");
        let mut response = request.send_json(&self.truth()).await.unwrap();
        assert!(response.status().is_success(), "{response:?}");
        response.json().limit(16 << 20).await.unwrap()
    }

    /// Asks for the wish and follows it.
    pub async fn step(&mut self) {
        let wish = self.ask().await;
        self.seen_revision = wish.revision;
        self.answers = wish
            .proposals
            .iter()
            .map(|proposal| self.sign(proposal))
            .collect();
        let wished: Vec<JobId> = wish.jobs.iter().map(|job| job.job).collect();
        self.jobs.retain(|id, _| wished.contains(id));
        for assignment in wish.jobs {
            let before = self.jobs.get(&assignment.job);
            let before = before.filter(|(known, ..)| known.attempt == assignment.attempt);
            let done = before.map_or(0, |(_, _, done)| *done);
            if assignment.hold && done < self.exchanges {
                self.jobs
                    .insert(assignment.job, (assignment, Phase::Held, done));
                continue;
            }
            let done = assignment.granted.min(self.exchanges).max(done);
            let phase = match &self.fails_at {
                Some(failure) if done > failure.exchange => Phase::Failed {
                    failure: failure.clone(),
                },
                _ if done == self.exchanges => Phase::Finished,
                _ => Phase::Running,
            };
            self.jobs.insert(assignment.job, (assignment, phase, done));
        }
    }
}

/// Lets parties go on until a job is as it should be.
pub async fn go_on(
    client: &Client,
    id: JobId,
    parties: &mut [&mut FakeParty],
    until: impl Fn(&JobView) -> bool,
) -> JobView {
    let deadline = Instant::now() + DEADLINE;
    loop {
        for party in parties.iter_mut() {
            party.step().await;
        }
        let view = client.show(id).await.unwrap();
        if until(&view) {
            return view;
        }
        assert!(Instant::now() < deadline, "{view:#?}");
    }
}
