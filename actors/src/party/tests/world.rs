//! Two parties, a line between them, and a coordinator.

use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use actix_rt::task::JoinHandle;
use awc::{Client, Connector};
use entente_he::{Transparent, TransparentBackend};
use entente_metrics::Registry;
use entente_protocol::{
    control::Assignment,
    job::{JobId, PartyName, Side, Task},
};
use entente_tls::Credentials;
use entente_wire::Secret;
use serde_json::json;
use tokio::sync::oneshot;

use super::coordinator::FakeCoordinator;
use crate::{
    compute::ComputePool,
    config::PartyConfig,
    driver::tests::pingpong::Player,
    keeping::{Keeper, Keeps},
    launch::{Launch, LaunchError, Launcher, Plan, Prepared, Ready},
    models::Models,
    process::{Addresses, PartyError, Process},
    rotation::{Certified, KeyWish},
    sealing::testing::keys,
    testbed::{Consortium, Line, assignment, soon},
    transport::Heartbeat,
};

/// Of every party's weights.
pub(super) const FIXED_SEED: u64 = 5;

/// What parties launch.
#[derive(Clone, Copy)]
pub(super) enum Launches {
    Balls(Balls),
    /// Over the scheme that hides nothing.
    Acml,
}

impl From<Balls> for Launches {
    fn from(balls: Balls) -> Self {
        Self::Balls(balls)
    }
}

/// Launches the dummy protocol.
#[derive(Clone, Copy, Default)]
pub(super) struct Balls {
    pub(super) rounds: usize,
    pub(super) panics_at: Option<u64>,
    pub(super) panics_before: bool,
}

/// The dummy protocol at a party that keeps what comes of it here.
struct BallsAt {
    balls: Balls,
    state_dir: PathBuf,
}

impl Launch for BallsAt {
    fn prepare(
        &self,
        plan: &Plan,
        checkpoint: Option<&Secret<Vec<u8>>>,
    ) -> Result<Box<dyn Ready>, LaunchError> {
        let Balls {
            rounds,
            panics_at,
            panics_before,
        } = self.balls;
        assert!(!panics_before, "as asked for");
        let serves = plan.side == Side::Active;
        let mut role = Player::new(serves, rounds, plan.side as u64);
        if let Some(checkpoint) = checkpoint {
            role = role.resume(checkpoint);
        }
        role.panics_at = panics_at;
        let Task::Train(job) = plan.task.clone() else {
            panic!("players learn nothing else")
        };
        let keeper = Keeper {
            state_dir: self.state_dir.clone(),
            job: plan.id,
            of: Keeps::Model {
                job,
                side: plan.side,
                classes: None,
            },
        };
        Ok(Box::new(Prepared {
            role,
            keeper,
            key_wish: KeyWish::default(),
        }))
    }
}

pub(super) struct Party {
    pub(super) addresses: Addresses,
    credentials: Arc<Credentials>,
    pub(super) state_dir: PathBuf,
    shutdown: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), PartyError>>,
}

impl Party {
    pub(super) async fn start(
        consortium: &Consortium,
        name: &str,
        peer: (&str, Option<SocketAddr>),
        coordinator: SocketAddr,
        launches: impl Into<Launches>,
    ) -> Self {
        let credentials = consortium.party(name);
        let state_dir = consortium.path().join(format!("state-{name}"));
        let columns = if name == "bank-a" {
            "features"
        } else {
            "labels"
        };
        let address = peer.1.map(|address| address.to_string());
        let config = json!({
            "party": { "listen": "127.0.0.1:0", "state_dir": state_dir },
            "tls": { "ca": "", "certificate": "", "key": "" },
            "coordinator": {
                "url": format!("https://{coordinator}/{name}"),
                "name": "coordinator"
            },
            "peers": { peer.0: { "address": address } },
            "metrics": { "listen": "127.0.0.1:0" },
            "datasets": { "iris": { "source": "iris", "columns": columns } },
            "weights": { "dangerously_fixed_seed": FIXED_SEED },
        });
        let own: PartyName = name.parse().unwrap();
        let config: Arc<PartyConfig> = Arc::new(serde_json::from_value(config).unwrap());
        let launch: Arc<dyn Launch> = match launches.into() {
            Launches::Balls(balls) => Arc::new(BallsAt {
                balls,
                state_dir: state_dir.clone(),
            }),
            Launches::Acml => {
                let backend = Arc::new(TransparentBackend);
                let launcher = Launcher::<Transparent>::new(
                    config.clone(),
                    own.clone(),
                    backend,
                    Arc::new(Certified(credentials.clone())),
                );
                Arc::new(launcher)
            }
        };
        let process = Process {
            own,
            config,
            pool: ComputePool::new(1).unwrap(),
            credentials: credentials.clone(),
            sealing: keys(b"a"),
            registry: Registry::new().unwrap(),
            heartbeat: Heartbeat {
                every: Duration::from_millis(50),
                silence: Duration::from_secs(2),
            },
        };
        let (shutdown, stopped) = oneshot::channel();
        let (bound, addresses) = oneshot::channel();
        let ended = actix_rt::spawn(process.run(
            launch,
            move |addresses| bound.send(addresses).unwrap(),
            async move { drop(stopped.await) },
        ));
        let addresses = soon("the start of a party", addresses).await.unwrap();
        Self {
            addresses,
            credentials,
            state_dir,
            shutdown,
            ended,
        }
    }

    pub(super) fn half(&self, job: JobId) -> Vec<u8> {
        fs::read(Models::below(&self.state_dir).half_path(job)).unwrap()
    }

    pub(super) async fn stop(self) {
        self.shutdown.send(()).unwrap();
        soon("the end of a party", self.ended)
            .await
            .unwrap()
            .unwrap();
    }

    /// What is served beside the jobs: status and text.
    pub(super) async fn scrape(&self, path: &str) -> (u16, String) {
        let tls = self
            .credentials
            .client_config(self.credentials.identity())
            .unwrap();
        let connector = Connector::new().rustls_0_23(tls);
        let client = Client::builder().connector(connector).finish();
        let url = format!("https://{}{path}", self.addresses.metrics.unwrap());
        let mut response = client.get(url).send().await.unwrap();
        let text = String::from_utf8(response.body().await.unwrap().to_vec()).unwrap();
        (response.status().as_u16(), text)
    }
}

/// Two parties, a line between them, and a coordinator.
pub(super) struct World {
    consortium: Consortium,
    launches: Launches,
    pub(super) coordinator: FakeCoordinator,
    pub(super) line: Line,
    pub(super) bank_a: Party,
    pub(super) bank_b: Party,
}

impl World {
    pub(super) async fn new(launches: impl Into<Launches>) -> Self {
        Self::over(u64::MAX, launches).await
    }

    /// Over a line that breaks after so many bytes from bank-a.
    pub(super) async fn over(bytes: u64, launches: impl Into<Launches>) -> Self {
        let launches = launches.into();
        let consortium = Consortium::new();
        let coordinator = FakeCoordinator::start(&consortium);
        let hub = coordinator.address;
        let bank_b = Party::start(&consortium, "bank-b", ("bank-a", None), hub, launches).await;
        let line = Line::worn(bank_b.addresses.parties, bytes).await;
        let peer = ("bank-b", Some(line.address));
        let bank_a = Party::start(&consortium, "bank-a", peer, hub, launches).await;
        Self {
            consortium,
            launches,
            coordinator,
            line,
            bank_a,
            bank_b,
        }
    }

    /// Another process goes on as bank-a, over the same state directory.
    pub(super) async fn restart_a(self) -> Self {
        self.restart_a_after(|| ()).await
    }

    /// The same, after something has happened to the directory.
    pub(super) async fn restart_a_after(self, meanwhile: impl FnOnce()) -> Self {
        self.bank_a.stop().await;
        meanwhile();
        let (hub, peer) = (self.coordinator.address, Some(self.line.address));
        // What the last one has told is not what this one tells.
        self.coordinator.forget_truth("bank-a");
        let peer = ("bank-b", peer);
        let bank_a = Party::start(&self.consortium, "bank-a", peer, hub, self.launches).await;
        Self { bank_a, ..self }
    }

    /// Another process goes on as bank-b, over the same state directory.
    pub(super) async fn restart_b(self) -> Self {
        self.bank_b.stop().await;
        self.coordinator.forget_truth("bank-b");
        let (hub, peer) = (self.coordinator.address, ("bank-a", None));
        let bank_b = Party::start(&self.consortium, "bank-b", peer, hub, self.launches).await;
        self.line.lead_to(bank_b.addresses.parties);
        Self { bank_b, ..self }
    }

    /// Wishes the job at both parties.
    pub(super) fn wish(&self, granted: u64) -> JobId {
        self.wish_for(Assignment {
            granted,
            ..assignment(1, "bank-a", "bank-b")
        })
    }

    pub(super) fn wish_for(&self, mut job: Assignment) -> JobId {
        self.coordinator.wish("bank-a", std::slice::from_ref(&job));
        job.side = Side::Passive;
        self.coordinator.wish("bank-b", std::slice::from_ref(&job));
        job.job
    }

    pub(super) async fn finish(&self, job: JobId) -> [Vec<u8>; 2] {
        self.coordinator.finished("bank-a").await;
        self.coordinator.finished("bank-b").await;
        [self.bank_a.half(job), self.bank_b.half(job)]
    }

    pub(super) async fn stop(self) {
        self.bank_a.stop().await;
        self.bank_b.stop().await;
        self.coordinator.stop().await;
        drop(self.consortium);
    }
}
