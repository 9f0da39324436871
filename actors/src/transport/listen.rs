//! Taking calls.

use std::{sync::Arc, time::Duration};

use entente_protocol::job::PartyName;
use entente_tls::Peer;
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{LinkError, links::Links, party_name};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Handshakes at once: callers are strangers until theirs is over.
const STRANGERS: usize = 64;
/// Before the next call is taken when one could not be, such as for want of
/// file descriptors.
const REST: Duration = Duration::from_millis(100);

/// Takes calls until everything stops.
pub(super) async fn run(listener: TcpListener, tls: Arc<ServerConfig>, links: Arc<Links>) {
    let stop = links.stop().clone();
    tokio::select! {
        () = stop.cancelled() => {}
        () = accept_for_ever(&listener, tls, &links) => {}
    }
}

async fn accept_for_ever(listener: &TcpListener, tls: Arc<ServerConfig>, links: &Arc<Links>) {
    let strangers = Arc::new(Semaphore::new(STRANGERS));
    loop {
        // Never closed.
        let Ok(seat) = strangers.clone().acquire_owned().await else {
            return;
        };
        let (stream, address) = match listener.accept().await {
            Ok(call) => call,
            Err(error) => {
                tracing::warn!(%error, "cannot take a call");
                sleep(REST).await;
                continue;
            }
        };
        let (tls, links) = (TlsAcceptor::from(tls.clone()), links.clone());
        tokio::spawn(async move {
            let welcomed = welcome(stream, tls, &links).await;
            drop(seat);
            match welcomed {
                Ok((peer, who, stream)) => drop(links.carry(&peer, who, stream).await),
                Err(error) => {
                    links.meters().refused(error.label());
                    tracing::warn!(%address, %error, "a caller is refused");
                }
            }
        });
    }
}

/// The handshake, and the question whether the caller is a peer.
async fn welcome(
    stream: TcpStream,
    tls: TlsAcceptor,
    links: &Links,
) -> Result<(PartyName, Peer, TlsStream<TcpStream>), LinkError> {
    stream.set_nodelay(true)?;
    let accepted = timeout(HANDSHAKE, tls.accept(stream)).await;
    let stream = accepted.map_err(|_| LinkError::Handshake(HANDSHAKE))??;
    let chain = stream.get_ref().1.peer_certificates();
    let who = links.credentials().peer(chain)?;
    match party_name(who.identity()).filter(|peer| links.knows(peer)) {
        Some(peer) => Ok((peer, who, stream)),
        None => Err(LinkError::Stranger(who.identity().clone())),
    }
}
