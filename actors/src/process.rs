//! A party from its start to its end.

use std::{collections::BTreeMap, future::Future, io, net::SocketAddr, sync::Arc};

use actix::{Actor, AsyncContext};
use entente_he::{Backend, Scheme};
use entente_metrics::Registry;
use entente_protocol::job::PartyName;
use entente_tls::{Credentials, Identity};
use rayon::ThreadPoolBuildError;
use thiserror::Error;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    approval::{Desk, Ledger},
    background::{Background, WorksAhead},
    compute::ComputePool,
    config::{ComputeSection, ConfigError, LauncherSection, PartyConfig},
    journals::Journals,
    launch::{Launch, Launcher},
    party::{self, Coordinator, Halt, PartyActor, SyncError},
    policy::PolicyError,
    rotation::Certified,
    sealing::WrapKeys,
    state_dir::StateDirLock,
    telemetry::{Measured, Meters, MetricsServer, Readiness, ServerError},
    transport::{self, Heartbeat, TransportError},
    workers::{Cluster, Processes, Reception, ReceptionError, Workers},
};

/// Where a party listens, once it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// For other parties.
    pub parties: SocketAddr,
    /// For `/metrics`, if it is served.
    pub metrics: Option<SocketAddr>,
    /// For its workers, if it has any.
    pub workers: Option<SocketAddr>,
}

/// Why a party does not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PartyError {
    /// A setting is out of its range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The certificate is not the one of a party of this name.
    #[error(
        "the certificate is {certificate}'s, and {expected} is expected; see [tls] certificate"
    )]
    Identity {
        /// Whose it is.
        certificate: Identity,
        /// Whose it should be.
        expected: String,
    },
    /// The compute pool cannot be made.
    #[error("cannot start {threads} threads: {problem}; lower [compute] threads")]
    Threads {
        /// How many.
        threads: usize,
        /// Why not.
        problem: String,
    },
    /// The directory for what must last cannot be made.
    #[error("cannot make {path}, which is [party] state_dir: {source}")]
    StateDir {
        /// The path.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// Another process uses it.
    #[error(
        "another party runs over {path}, which is [party] state_dir; stop that one, or give \
         this one a directory of its own"
    )]
    StateDirTaken {
        /// The path.
        path: String,
    },
    /// The policy cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Other parties cannot be reached.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The coordinator cannot be reached, ever.
    #[error("coordinator: {0}")]
    Coordinator(String),
    /// Its workers cannot call.
    #[error(transparent)]
    Workers(#[from] ReceptionError),
    /// Its workers cannot be made, ever.
    #[error("[launcher]: {0}")]
    Launcher(String),
    /// `/metrics` cannot be served.
    #[error(transparent)]
    Metrics(#[from] ServerError),
}

impl PartyError {
    fn threads(threads: usize, problem: &ThreadPoolBuildError) -> Self {
        let problem = problem.to_string();
        Self::Threads { threads, problem }
    }
}

impl From<SyncError> for PartyError {
    fn from(error: SyncError) -> Self {
        Self::Coordinator(error.to_string())
    }
}

/// Runs a party until `shutdown` is done, inside an actix system. Calls `ready`
/// when it listens.
///
/// Jobs that run are stopped at the end wherever they are, and their secrets
/// wiped; their journals are closed, and a party that starts again goes on from
/// them. Finished halves are on disk before anybody hears that they are.
///
/// # Errors
/// [`PartyError`], before `ready` is called. Afterwards nothing ends a party
/// but `shutdown`.
pub async fn run<S: Scheme>(
    config: PartyConfig,
    credentials: Arc<Credentials>,
    sealing: Arc<dyn WrapKeys>,
    backend: Arc<dyn Backend<S>>,
    registry: Registry,
    ready: impl FnOnce(Addresses),
    shutdown: impl Future<Output = ()>,
) -> Result<(), PartyError> {
    let Parts {
        own,
        config,
        pool,
        launch,
    } = Parts::new(config, &credentials, backend, &registry)?;
    let process = Process {
        own,
        config,
        pool,
        credentials,
        sealing,
        registry,
        heartbeat: Heartbeat::default(),
    };
    process.run(launch, ready, shutdown).await
}

/// What every process that runs jobs is made of.
pub(crate) struct Parts {
    pub(crate) own: PartyName,
    pub(crate) config: Arc<PartyConfig>,
    pub(crate) pool: ComputePool,
    pub(crate) launch: Arc<dyn Launch>,
}

impl Parts {
    pub(crate) fn new<S: Scheme>(
        mut config: PartyConfig,
        credentials: &Arc<Credentials>,
        backend: Arc<dyn Backend<S>>,
        registry: &Registry,
    ) -> Result<Self, PartyError> {
        let own = own_name(&config, credentials)?;
        config.party.name = Some(own.clone());
        config.check()?;
        let pool = compute_pool(&config.compute)?;
        let backend = Arc::new(Measured::new(backend, registry.clone()));
        let backend = worked_ahead_for(backend, &config.compute, &pool)?;
        let config = Arc::new(config);
        let launch = Arc::new(Launcher::<S>::new(
            config.clone(),
            own.clone(),
            backend,
            Arc::new(Certified(credentials.clone())),
        ));
        Ok(Self {
            own,
            config,
            pool,
            launch,
        })
    }
}

/// What [`run`] does, whatever is launched.
pub(crate) struct Process {
    pub(crate) own: PartyName,
    pub(crate) config: Arc<PartyConfig>,
    pub(crate) pool: ComputePool,
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) sealing: Arc<dyn WrapKeys>,
    pub(crate) registry: Registry,
    pub(crate) heartbeat: Heartbeat,
}

impl Process {
    pub(crate) async fn run(
        self,
        launch: Arc<dyn Launch>,
        ready: impl FnOnce(Addresses),
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), PartyError> {
        let Self {
            own,
            config,
            pool,
            credentials,
            sealing,
            registry,
            heartbeat,
        } = self;
        if config.weights.dangerously_fixed_seed.is_some() {
            tracing::warn!(
                "[weights] dangerously_fixed_seed is set: whoever guesses it knows this \
                 party's initial weights; never set it where data matters"
            );
        }
        let _alone = take_state_dir(&config)?;
        let journals = Arc::new(Journals::below(&config.party.state_dir, sealing));
        if config.party.policy.is_none() {
            tracing::warn!(
                "no [party] policy: every job waits until a person approves of it (entente \
                 party list, approve, reject)"
            );
        }
        let desk = Desk::new(
            own.clone(),
            config.peers.keys().cloned().collect(),
            config.policy()?,
            credentials.clone(),
            Ledger::below(&config.party.state_dir),
        );
        let meters = Meters::new(registry.clone());
        meters.seed(config.peers.keys());
        let (threads, pool) = (pool.threads(), pool.measured(&meters));
        let coordinator = Coordinator::new(&config.coordinator, &credentials)?;

        let stop = CancellationToken::new();
        let _stopped_in_any_case = stop.clone().drop_guard();
        let peers = config.peers.iter();
        let settings = transport::Settings {
            credentials: credentials.clone(),
            listen: config.party.listen,
            peers: peers
                .map(|(peer, section)| (peer.clone(), section.address.clone()))
                .collect::<BTreeMap<_, _>>(),
            heartbeat,
            spoken: config.party.spoken,
            meters: meters.clone(),
        };
        let (address, mut events) = transport::start(settings, stop.clone()).await?;
        let (reached, answered) = watch::channel(false);
        let (end, ending) = watch::channel(false);
        let metrics = config.metrics.listen;

        let (reception, workers) = match &config.launcher {
            None => (None, None),
            Some(section) => {
                let cluster = cluster(section, &own, &config).await?;
                let workers =
                    Workers::new(cluster, config.party.state_dir.clone(), registry.clone());
                let reception = Reception::open(
                    section.listen(),
                    workers.clone(),
                    credentials.clone(),
                    heartbeat,
                );
                (Some(reception.await?), Some(workers))
            }
        };
        let news = Arc::new(Notify::new());
        let actor = PartyActor::new(
            config,
            desk,
            launch,
            journals.clone(),
            pool,
            meters.clone(),
            news.clone(),
        )
        .with(workers.clone());
        let party = PartyActor::create(|ctx| {
            let events = futures_util::stream::poll_fn(move |cx| events.poll_recv(cx));
            ctx.add_stream(events);
            actor
        });
        // Who is answered here knows that all of the above is done.
        let server = metrics
            .map(|listen| {
                let certificates = meters.certificates().clone();
                let readiness = Readiness::new(party.clone().recipient(), answered, ending);
                MetricsServer::start(listen, &credentials, registry, certificates, readiness)
            })
            .transpose()?;
        let sync = actix_rt::spawn(party::sync(
            coordinator,
            party.clone(),
            news,
            reached,
            meters,
        ));
        tracing::info!(party = %own, listen = %address, threads, "ready");
        ready(Addresses {
            parties: address,
            metrics: server.as_ref().map(MetricsServer::address),
            workers: reception.as_ref().map(|reception| reception.address),
        });

        shutdown.await;
        // Before anything ends: from now on it takes no work.
        end.send_replace(true);
        tracing::info!(party = %own, "stops");
        sync.abort();
        stop.cancel();
        // Nobody makes or ends a worker from here on but who stops them all.
        drop(reception);
        // An actor that is gone has stopped already.
        let _ = party.send(Halt).await;
        if let Some(workers) = workers {
            workers.close().await;
        }
        journals.closed().await;
        if let Some(server) = server {
            server.stop().await;
        }
        Ok(())
    }
}

/// Where the workers of a party are made.
async fn cluster(
    section: &LauncherSection,
    own: &PartyName,
    config: &PartyConfig,
) -> Result<Arc<dyn Cluster>, PartyError> {
    match section {
        LauncherSection::Process(_) => {
            let host = config.host.clone().ok_or_else(|| {
                PartyError::Launcher("it is not known which program workers are".to_owned())
            })?;
            let processes = Processes::new(host, &config.party.state_dir);
            tracing::info!("each job runs in a process of its own");
            Ok(Arc::new(processes))
        }
        #[cfg(feature = "kubernetes")]
        LauncherSection::Kubernetes(section) => {
            let kubernetes = crate::workers::Kubernetes::connect(section, own).await;
            Ok(Arc::new(kubernetes.map_err(|error| {
                PartyError::Launcher(error.to_string())
            })?))
        }
        // The configuration was checked before.
        #[cfg(not(feature = "kubernetes"))]
        LauncherSection::Kubernetes(_) => Err(PartyError::Launcher(format!(
            "{own} was built without --features kubernetes"
        ))),
    }
}

fn compute_pool(section: &ComputeSection) -> Result<ComputePool, PartyError> {
    let threads = section.threads();
    ComputePool::new(threads).map_err(|error| PartyError::threads(threads, &error))
}

/// The same backend, and somebody who works ahead for its ends if the
/// configuration lets them.
fn worked_ahead_for<S: Scheme>(
    backend: Arc<dyn Backend<S>>,
    section: &ComputeSection,
    beside: &ComputePool,
) -> Result<Arc<dyn Backend<S>>, PartyError> {
    if section.pool_values == 0 {
        return Ok(backend);
    }
    let background =
        Background::start(beside).map_err(|error| PartyError::threads(beside.threads(), &error))?;
    Ok(Arc::new(WorksAhead::new(backend, background)))
}

fn own_name(config: &PartyConfig, credentials: &Credentials) -> Result<PartyName, PartyError> {
    let certificate = credentials.identity();
    let wrong = |expected: String| PartyError::Identity {
        certificate: certificate.clone(),
        expected,
    };
    let own = transport::party_name(certificate).ok_or_else(|| wrong("a party".to_owned()))?;
    match &config.party.name {
        Some(name) if *name != own => Err(wrong(format!("party/{name}"))),
        _ => Ok(own),
    }
}

/// Takes the state directory for this process alone.
pub(crate) fn take_state_dir(config: &PartyConfig) -> Result<StateDirLock, PartyError> {
    let path = || config.party.state_dir.display().to_string();
    match StateDirLock::take(&config.party.state_dir) {
        Ok(Some(alone)) => Ok(alone),
        Ok(None) => Err(PartyError::StateDirTaken { path: path() }),
        Err(source) => Err(PartyError::StateDir {
            path: path(),
            source,
        }),
    }
}
