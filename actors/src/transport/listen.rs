//! Taking calls.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use entente_protocol::job::PartyName;
use entente_tls::Peer;
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    LinkError,
    echo::{self, Echoes},
    links::Links,
    party_name,
};

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
    let echoes = Echoes::new(links.peers());
    let welcome = move |address, shaken| {
        let (links, echoes) = (links.clone(), echoes.clone());
        async move {
            match welcome(shaken, &links) {
                Ok((peer, _, stream)) if echo::is_wanted(&stream) => tokio::select! {
                    () = links.stop().cancelled() => {}
                    () = echoes.serve(&peer, stream) => {}
                },
                Ok((peer, who, stream)) => drop(links.carry(&peer, who, stream).await),
                Err(error) => {
                    links.meters().refused(error.label());
                    tracing::warn!(%address, %error, "a caller is refused");
                }
            }
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = take_calls(&listener, tls, welcome) => {}
    }
}

/// Takes calls for ever, and has each welcomed after its handshake.
pub(crate) async fn take_calls<W, F>(listener: &TcpListener, tls: Arc<ServerConfig>, welcome: W)
where
    W: Fn(SocketAddr, Result<TlsStream<TcpStream>, LinkError>) -> F + Clone + Send + 'static,
    F: Future<Output = ()> + Send,
{
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
        let (tls, welcome) = (TlsAcceptor::from(tls.clone()), welcome.clone());
        tokio::spawn(async move {
            let shaken = handshake(stream, tls).await;
            drop(seat);
            welcome(address, shaken).await;
        });
    }
}

async fn handshake(stream: TcpStream, tls: TlsAcceptor) -> Result<TlsStream<TcpStream>, LinkError> {
    stream.set_nodelay(true)?;
    let accepted = timeout(HANDSHAKE, tls.accept(stream)).await;
    Ok(accepted.map_err(|_| LinkError::Handshake(HANDSHAKE))??)
}

/// Whether the caller is a peer.
fn welcome(
    shaken: Result<TlsStream<TcpStream>, LinkError>,
    links: &Links,
) -> Result<(PartyName, Peer, TlsStream<TcpStream>), LinkError> {
    let stream = shaken?;
    let chain = stream.get_ref().1.peer_certificates();
    let who = links.credentials().peer(chain)?;
    match party_name(who.identity()).filter(|peer| links.knows(peer)) {
        Some(peer) => Ok((peer, who, stream)),
        None => Err(LinkError::Stranger(who.identity().clone())),
    }
}
