//! `entente coordinator` and `entente party`: the services.

use std::{fs, net::SocketAddr, path::Path, sync::Arc};

use actix_rt::SystemRunner;
use entente_actors::{
    Host, PartyConfig, PartySection,
    sealing::{SealingError, SealingKeys},
};
use entente_coordinator::CoordinatorConfig;
use entente_he::{Backend, Paillier, PaillierBackend, Tier};
use entente_metrics::Registry;
use entente_tls::{Credentials, TlsFiles};
use serde::{Deserialize, Serialize};

use crate::{cli::ServeArgs, exit::Failure, hardening, settings};

/// The runtime of everything that waits.
pub(crate) fn runtime() -> SystemRunner {
    actix_rt::System::new()
}

/// Resolves on Ctrl-C and on SIGTERM.
pub(crate) async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let ended = async |kind| match signal(kind) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(error) => {
            tracing::warn!("signals cannot be waited for: {error}");
            std::future::pending().await
        }
    };
    tokio::select! {
        () = ended(SignalKind::interrupt()) => {}
        () = ended(SignalKind::terminate()) => {}
    }
}

/// Resolves when it is time to end.
async fn time_to_end(until_stdin_closes: bool) {
    tokio::select! {
        () = told_to_stop() => {}
        () = stdin_closes(), if until_stdin_closes => {}
    }
}

/// Resolves when standard input is at its end. On a thread of its own and not
/// the runtime's: a runtime would wait for the read before it ends.
async fn stdin_closes() {
    let (closed, wait) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = closed.send(());
    });
    let _ = wait.await;
}

/// Runs a coordinator until it is told to stop.
pub(crate) fn coordinator(args: &ServeArgs) -> Result<(), Failure> {
    let config: CoordinatorConfig = settings::load(&args.config)?;
    config.check().map_err(Failure::configuration)?;
    let Some(credentials) = checked_credentials(args, &config.tls)? else {
        return Ok(());
    };
    let registry = Registry::new().map_err(Failure::runtime)?;
    let ready = |at: &entente_coordinator::Addresses| {
        announce(
            args,
            &Addresses {
                api: Some(at.api),
                ..Addresses::default()
            },
        );
    };
    let end = time_to_end(args.until_stdin_closes);
    runtime()
        .block_on(entente_coordinator::serve(
            config,
            credentials,
            registry,
            ready,
            end,
        ))
        .map_err(Failure::runtime)
}

/// Runs a party until it is told to stop.
pub(crate) fn party(args: &ServeArgs) -> Result<(), Failure> {
    let mut config: PartyConfig = settings::load(&args.config)?;
    config.check().map_err(Failure::configuration)?;
    config.policy().map_err(Failure::configuration)?;
    if args.check_config {
        checked_sealing(&config.party)?;
        let launcher = config.launcher.as_ref();
        let checked = launcher.map(|launcher| launcher.check_template());
        checked.transpose().map_err(Failure::configuration)?;
    }
    let Some(credentials) = checked_credentials(args, &config.tls)? else {
        return Ok(());
    };
    let Made {
        credentials,
        sealing,
        backend,
        registry,
    } = made_with(&config, credentials)?;
    config.host = Some(Host {
        program: std::env::current_exe().map_err(Failure::runtime)?,
        config: args.config.clone(),
        arguments: ["--log-format", args.log_format.word()]
            .map(str::to_owned)
            .into(),
    });
    let ready = |at: entente_actors::Addresses| {
        let (peers, metrics, workers) = (Some(at.parties), at.metrics, at.workers);
        announce(
            args,
            &Addresses {
                peers,
                metrics,
                workers,
                ..Addresses::default()
            },
        );
    };
    let end = time_to_end(args.until_stdin_closes);
    runtime()
        .block_on(entente_actors::run(
            config,
            credentials,
            sealing,
            backend,
            registry,
            ready,
            end,
        ))
        .map_err(Failure::runtime)
}

/// What every process that runs jobs is made of.
pub(crate) struct Made {
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) sealing: Arc<SealingKeys>,
    pub(crate) backend: Arc<dyn Backend<Paillier>>,
    pub(crate) registry: Registry,
}

/// Of the process that `config` is for.
pub(crate) fn made(config: &PartyConfig) -> Result<Made, Failure> {
    config.check().map_err(Failure::configuration)?;
    let credentials = Credentials::load(&config.tls).map_err(Failure::configuration)?;
    made_with(config, credentials)
}

fn made_with(config: &PartyConfig, credentials: Credentials) -> Result<Made, Failure> {
    if config.party.dangerously_allow_core_dumps {
        tracing::warn!(
            "[party] dangerously_allow_core_dumps is set: a crash may write this party's secret \
             keys to a disk, and other processes of its user can read them"
        );
    } else {
        hardening::forbid_core_dumps();
    }
    let sealing = SealingKeys::open(&config.party).map_err(Failure::configuration)?;
    let tier = Tier::configured().map_err(Failure::configuration)?;
    tracing::info!("homomorphic encryption runs on the {tier} tier");
    // The one place where a scheme is named.
    let backend = PaillierBackend::default().with_pool(config.compute.pool_values);
    Ok(Made {
        credentials: Arc::new(credentials),
        sealing: Arc::new(sealing),
        backend: Arc::new(backend),
        registry: Registry::new().map_err(Failure::runtime)?,
    })
}

/// Reads the sealing keys; one that is made when the party starts need not be
/// there.
fn checked_sealing(section: &PartySection) -> Result<(), Failure> {
    match SealingKeys::read(section) {
        Err(SealingError::Missing { .. }) if is_made(section) => Ok(()),
        outcome => outcome.map(drop).map_err(Failure::configuration),
    }
}

fn is_made(section: &PartySection) -> bool {
    section.sealing_key.is_none() && section.former_sealing_keys.iter().next().is_none()
}

/// Loads certificate and key; nothing when only a check was asked for.
fn checked_credentials(args: &ServeArgs, files: &TlsFiles) -> Result<Option<Credentials>, Failure> {
    let credentials = Credentials::load(files).map_err(Failure::configuration)?;
    if args.check_config {
        println!(
            "{}: good, for {}",
            args.config.display(),
            credentials.identity()
        );
        return Ok(None);
    }
    Ok(Some(credentials))
}

/// What a service announces: the addresses that it listens on.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Addresses {
    /// The coordinator's API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) api: Option<SocketAddr>,
    /// Where a party's peers reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) peers: Option<SocketAddr>,
    /// A party's metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Where a party's workers reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) workers: Option<SocketAddr>,
}

/// Writes the addresses where they were asked for, whole or not at all.
fn announce(args: &ServeArgs, addresses: &Addresses) {
    let Some(path) = &args.announce else { return };
    let write = |path: &Path| -> std::io::Result<()> {
        let partial = path.with_extension("partial");
        fs::write(&partial, serde_json::to_vec(addresses)?)?;
        fs::rename(&partial, path)
    };
    if let Err(error) = write(path) {
        tracing::error!("{}: {error}", path.display());
    }
}
