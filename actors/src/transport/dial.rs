//! Dialling a peer, again and again.

use std::{sync::Arc, time::Duration};

use entente_protocol::job::PartyName;
use entente_tls::{Credentials, Identity, Peer};
use rand_chacha::ChaCha20Rng;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{LinkError, TransportError, links::Links};
use crate::{
    backoff::{Backoff, Waits},
    entropy,
};

/// How long a connection and its handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A link that has lasted for this long was a success.
const STANDS: Duration = Duration::from_secs(1);

/// Dials one peer whenever there is no link to it. Does not give up: the job's
/// stall budget decides when a peer is gone.
pub(super) struct Dialler {
    peer: PartyName,
    address: String,
    tls: Arc<ClientConfig>,
    links: Arc<Links>,
}

impl Dialler {
    pub(super) fn new(
        peer: PartyName,
        address: String,
        credentials: &Credentials,
        links: Arc<Links>,
    ) -> Result<Self, TransportError> {
        let name = peer
            .as_str()
            .parse()
            .map_err(|error: entente_tls::NameError| TransportError::PeerName {
                peer: peer.clone(),
                problem: error.to_string(),
            })?;
        Ok(Self {
            tls: credentials.client_config(&Identity::party(name))?,
            peer,
            address,
            links,
        })
    }

    pub(super) async fn run(self) {
        let stop = self.links.stop().clone();
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.dial_for_ever(entropy::jitter()) => {}
        }
    }

    async fn dial_for_ever(&self, mut jitter: ChaCha20Rng) {
        let mut backoff = Backoff::new(Waits::DIAL);
        loop {
            self.links.unlinked(&self.peer).await;
            match self.connect().await {
                Ok((who, stream)) => {
                    let (stood, _) = self.links.carry(&self.peer, who, stream).await;
                    // A link that falls at once is no success: two parties
                    // that dial each other would chase each other's links.
                    if stood > STANDS {
                        backoff.reset();
                    }
                }
                Err(error) => {
                    self.links.meters().dialled_again();
                    let (peer, address) = (&self.peer, &self.address);
                    let attempts = backoff.attempts() + 1;
                    tracing::warn!(%peer, %address, attempts, %error, "cannot link");
                }
            }
            tokio::time::sleep(backoff.next_wait(&mut jitter)).await;
        }
    }

    async fn connect(&self) -> Result<(Peer, TlsStream<TcpStream>), LinkError> {
        let stream = connect(&self.address, self.tls.clone()).await?;
        let chain = stream.get_ref().1.peer_certificates();
        Ok((self.links.credentials().peer(chain)?, stream))
    }
}

/// Connects to whom `tls` expects at an address.
pub(crate) async fn connect(
    address: &str,
    tls: Arc<ClientConfig>,
) -> Result<TlsStream<TcpStream>, LinkError> {
    let connecting = async {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        // The address carries no weight: who is at the other end is said
        // by its certificate, and `tls` accepts one name only.
        let address = ServerName::IpAddress(stream.peer_addr()?.ip().into());
        let connector = TlsConnector::from(tls);
        Ok(connector.connect(address, stream).await?)
    };
    let connected = timeout(HANDSHAKE, connecting).await;
    connected.map_err(|_| LinkError::Handshake(HANDSHAKE))?
}
