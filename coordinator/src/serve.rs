//! A coordinator from start to end.

use std::{
    fs, io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use actix_web::{App, HttpServer, dev::Server, middleware::from_fn, web};
use entente_metrics::{CertificateMeters, MetricsError, REVOKED_HANDSHAKE, Registry};
use entente_tls::{Credentials, Identity, IdentityKind, Look, TlsError, Watch};
use entente_wire::WireVersion;
use serde::Serialize;
use thiserror::Error;
use tokio::sync::watch;

use crate::{
    api::{self, Api, Meters},
    config::{ConfigError, CoordinatorConfig},
    runtime,
    store::{Database, Location, StoreError},
};

/// The longest that a party's question is held back, whatever it asks for:
/// what stands between (gateways, NAT) forgets connections that are silent for
/// longer.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// For requests that are under way when the coordinator ends; they take
/// milliseconds, and parties that wait are answered. The server does not tell
/// idle HTTP/2 connections to go, so they are there until then, and are cut.
const LAST_REQUESTS_S: u64 = 2;
/// Threads that answer requests. The work is done by the store's disk.
const WORKERS: usize = 2;

/// Where a coordinator can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Addresses {
    /// The API.
    pub api: SocketAddr,
}

/// Why a coordinator does not run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CoordinatorError {
    /// A setting is out of its range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The certificate is somebody else's.
    #[error(
        "the certificate is {found}'s, and the configuration wants {expected}: \
         put a coordinator's certificate under [tls], or change coordinator.name"
    )]
    WrongCertificate {
        /// Whose it is.
        found: Identity,
        /// Whose it should be.
        expected: String,
    },
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The directory for what must last cannot be made.
    #[error("coordinator.state_dir {} cannot be made: {source}", path.display())]
    StateDir {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The store cannot be used.
    #[error("{location}: {source}")]
    Store {
        /// Where it is.
        location: String,
        /// Why.
        source: StoreError,
    },
    /// The store's password cannot be read.
    #[error("coordinator.store_password_file cannot be read: {0}")]
    Password(io::Error),
    /// The address cannot be listened at.
    #[error("coordinator.listen {address} cannot be listened at: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The server ended by itself.
    #[error("the server ended: {0}")]
    Server(io::Error),
    /// A defect of the metrics.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
}

/// Runs a coordinator until `shutdown` resolves; under an actix system.
///
/// `ready` is told the addresses once requests are answered. At the end
/// parties that wait for a wish are answered, requests under way finished, and
/// the store closed; the parties' jobs go on within their grants.
///
/// # Errors
/// [`CoordinatorError`], before `ready` is called in most cases.
pub async fn serve(
    config: CoordinatorConfig,
    credentials: Credentials,
    registry: Registry,
    ready: impl FnOnce(&Addresses),
    shutdown: impl Future<Output = ()>,
) -> Result<(), CoordinatorError> {
    config.check()?;
    check_identity(&config, credentials.identity())?;
    registry.runs(env!("CARGO_PKG_VERSION"), WireVersion::NEWEST.number());

    let credentials = Arc::new(credentials);
    let certificates = CertificateMeters::new(registry.clone(), Look::LABELS.into_iter());
    let _watch = watch(&credentials, &certificates)?;

    let location = make_state(&config)?;
    let in_store = |source| CoordinatorError::Store {
        location: location.to_string(),
        source,
    };
    let database = Database::open(&location, config.lease());
    let database = database.await.map_err(in_store)?;
    let (listener, addresses) = bind(&config)?;
    let address = match &config.coordinator.advertise {
        Some(url) => url.to_string(),
        None => format!("https://{}/", addresses.api),
    };
    let settings = config.settings();
    let (coordinator, leading) = runtime::start(settings, database, address, &registry)
        .await
        .map_err(in_store)?;
    let (end, ending) = watch::channel(false);
    let api = Api {
        coordinator,
        meters: Meters::new(&registry),
        authorities: credentials.authorities(),
        credentials: credentials.clone(),
        certificates,
        registry,
        streams: Default::default(),
        // A party that waits must not look away.
        longest_wait: LONGEST_WAIT.min(Duration::from_millis(settings.party_timeout.0 / 2)),
        ending,
    };
    let server = answer(listener, &config, &credentials, api)?;
    let handle = server.handle();
    let mut server = actix_rt::spawn(server);
    tracing::info!(api = %addresses.api, identity = %credentials.identity(), "listening");
    ready(&addresses);

    let ended = tokio::select! {
        () = shutdown => None,
        ended = &mut server => Some(ended),
    };
    tracing::info!("ending");
    end.send_replace(true);
    let outcome = match ended {
        Some(ended) => ended,
        None => {
            handle.stop(true).await;
            server.await
        }
    };
    // The server's workers held the last handles: it leads no more now, gives
    // its lease back, and closes the store.
    if leading.await.is_err() {
        tracing::error!("leading ended with a panic; this is a defect, please report it");
    }
    outcome
        .unwrap_or_else(|error| Err(io::Error::other(error)))
        .map_err(CoordinatorError::Server)
}

/// Looks after the certificates. Connections of whoever is revoked are not looked for:
/// each request asks whether its caller [still may](api::turn_away_the_revoked).
fn watch(
    credentials: &Arc<Credentials>,
    certificates: &CertificateMeters,
) -> Result<Watch, CoordinatorError> {
    certificates.in_force(
        credentials.not_after_unix_s(),
        credentials.lists_end_unix_s(),
    );
    let (watched, certificates) = (credentials.clone(), certificates.clone());
    let watch = Watch::start(credentials.clone(), move |seen| {
        certificates.in_force(watched.not_after_unix_s(), watched.lists_end_unix_s());
        if let Some(outcome) = seen.look.label() {
            certificates.reloaded(outcome);
        }
        for _ in &seen.turned_away {
            certificates.revoked(REVOKED_HANDSHAKE);
        }
    });
    Ok(watch?)
}

fn check_identity(config: &CoordinatorConfig, found: &Identity) -> Result<(), CoordinatorError> {
    let name = config.coordinator.name.as_ref();
    let right_name = name.is_none_or(|name| *name == found.name);
    if found.kind == IdentityKind::Coordinator && right_name {
        return Ok(());
    }
    Err(CoordinatorError::WrongCertificate {
        found: found.clone(),
        expected: match name {
            Some(name) => Identity::coordinator(name.clone()).to_string(),
            None => "a coordinator's".into(),
        },
    })
}

/// Makes the directory for what must last; where the store is.
fn make_state(config: &CoordinatorConfig) -> Result<Location, CoordinatorError> {
    let state_dir = &config.coordinator.state_dir;
    fs::create_dir_all(state_dir).map_err(|source| CoordinatorError::StateDir {
        path: state_dir.clone(),
        source,
    })?;
    config.store().map_err(CoordinatorError::Password)
}

/// Listens; who calls is answered later.
fn bind(config: &CoordinatorConfig) -> Result<(TcpListener, Addresses), CoordinatorError> {
    let address = config.coordinator.listen;
    let failed = |source| CoordinatorError::Listen { address, source };
    let listener = TcpListener::bind(address).map_err(failed)?;
    let api = listener.local_addr().map_err(failed)?;
    Ok((listener, Addresses { api }))
}

fn answer(
    listener: TcpListener,
    config: &CoordinatorConfig,
    credentials: &Arc<Credentials>,
    api: Api,
) -> Result<Server, CoordinatorError> {
    let tls = Arc::unwrap_or_clone(credentials.server_config()?);
    let address = config.coordinator.listen;
    let failed = |source| CoordinatorError::Listen { address, source };
    let api = web::Data::new(api);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(api.clone())
            // The first is the innermost: what it refuses is observed and recorded.
            .wrap(from_fn(api::refuse_unknown_queries))
            .wrap(from_fn(api::turn_away_the_revoked))
            .wrap(from_fn(api::put_refusals_on_record))
            .wrap(from_fn(api::observe))
            .wrap(from_fn(api::name_requests))
            .configure(api::register)
    })
    .on_connect(api::remember_peer(credentials.clone()))
    .workers(WORKERS)
    .shutdown_timeout(LAST_REQUESTS_S)
    .disable_signals()
    .listen_rustls_0_23(listener, tls)
    .map_err(failed)?
    .run();
    Ok(server)
}
