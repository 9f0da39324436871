//! A worker from its start to its end.

use std::{future::Future, path::PathBuf, sync::Arc, time::Duration};

use actix::{Actor, AsyncContext};
use entente_he::{Backend, Scheme};
use entente_metrics::Registry;
use entente_tls::Credentials;
use tokio::{
    sync::{Notify, mpsc},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use super::{
    WorkerId,
    gateway::{FAREWELL, Gateway, Parting, PartyAt},
};
use crate::{
    approval::{Desk, Ledger},
    config::PartyConfig,
    journals::Journals,
    party::{Halt, PartyActor},
    policy::Policy,
    process::{Parts, PartyError, take_state_dir},
    sealing::WrapKeys,
    telemetry::Meters,
    transport::{Heartbeat, TransportError},
};

/// Events on their way to the actor.
const EVENTS: usize = 64;

/// What a worker is told, beside the configuration of its party.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// Of whom it is the worker.
    pub id: WorkerId,
    /// Where its party is.
    pub party: PartyAt,
    /// How long it waits for its party; for ever if nothing is said.
    pub patience: Option<Duration>,
    /// Its own directory, and nobody else's: not that of the party.
    pub state_dir: PathBuf,
}

/// Runs a worker until its party needs it no more (how it parted from it), or until
/// `shutdown` is done (nothing), inside an actix system.
///
/// A worker that is stopped or killed goes on from its journal, in another process
/// over the same directory.
///
/// # Errors
/// [`PartyError`], as a party that does not start.
pub async fn work<S: Scheme>(
    mut config: PartyConfig,
    settings: WorkerSettings,
    credentials: Arc<Credentials>,
    sealing: Arc<dyn WrapKeys>,
    backend: Arc<dyn Backend<S>>,
    registry: Registry,
    shutdown: impl Future<Output = ()>,
) -> Result<Option<Parting>, PartyError> {
    config.party.state_dir.clone_from(&settings.state_dir);
    let Parts {
        own,
        config,
        pool,
        launch,
    } = Parts::new(config, &credentials, backend, &registry)?;
    let _alone = take_state_dir(&config)?;
    let journals = Arc::new(Journals::below(&config.party.state_dir, sealing));
    // Its party has asked policy and people. It verifies both signatures again.
    let desk = Desk::new(
        own.clone(),
        config.peers.keys().cloned().collect(),
        Policy::asks_a_person(),
        credentials.clone(),
        Ledger::below(&config.party.state_dir),
    )
    .of_worker();
    let meters = Meters::new(registry.clone());
    meters.seed(config.peers.keys());
    let pool = pool.measured(&meters);
    let news = Arc::new(Notify::new());
    let (events, mut happening) = mpsc::channel(EVENTS);
    let actor = PartyActor::new(
        config.clone(),
        desk,
        launch,
        journals.clone(),
        pool,
        meters,
        news.clone(),
    );
    let party = PartyActor::create(|ctx| {
        let events = futures_util::stream::poll_fn(move |cx| happening.poll_recv(cx));
        ctx.add_stream(events);
        actor
    });
    let stop = CancellationToken::new();
    let gateway = Gateway {
        at: settings.party,
        patience: settings.patience,
        id: settings.id,
        state_dir: config.party.state_dir.clone(),
        credentials,
        heartbeat: Heartbeat::default(),
        spoken: config.party.spoken,
        party: party.clone(),
        news,
        events,
        registry,
        stop: stop.clone(),
    };
    tracing::info!(party = %own, worker = %settings.id, "a worker begins");
    let stopped = async {
        shutdown.await;
        // Not without a last word to its party.
        stop.cancel();
        sleep(FAREWELL).await;
    };
    let parting = tokio::select! {
        parting = gateway.serve() => parting.map_err(TransportError::from)?,
        () = stopped => None,
    };
    tracing::info!(worker = %settings.id, ?parting, "a worker stops");
    // An actor that is gone has stopped already.
    let _ = party.send(Halt).await;
    journals.closed().await;
    Ok(parting)
}
