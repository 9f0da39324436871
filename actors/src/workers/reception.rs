//! Where a party's workers call.
//!
//! An address of its own, beside the one for peers: who may reach it is somebody
//! else, and a cluster's network policy says so. Over mutual TLS, as everything; both
//! ends show the party's certificate, and whoever shows another one is refused.

use std::{io, net::SocketAddr, path::Path, sync::Arc};

use entente_tls::{Credentials, TlsError};
use thiserror::Error;
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

use super::{Message, Outgoing, Parcel, Workers, attendance::attend, foreman};
use crate::{
    private_file,
    transport::{Heartbeat, LinkError, take_calls, write_frame_of},
};

/// Where workers of this machine find out where to call.
const ADDRESS: &str = "address";

/// Why workers cannot call.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReceptionError {
    /// The address to listen on cannot be had.
    #[error("cannot listen on {address} for workers: {source}; choose another [launcher] listen")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// No configuration can be made.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Where to call cannot be written down.
    #[error("cannot write down where workers call: {0}")]
    Address(io::Error),
}

/// Takes calls of workers, and sees to it that there are any.
pub(crate) struct Reception {
    tasks: [JoinHandle<()>; 2],
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Reception {
    /// Listens, and writes down where.
    pub(crate) async fn open(
        listen: SocketAddr,
        workers: Workers,
        credentials: Arc<Credentials>,
        heartbeat: Heartbeat,
    ) -> Result<Self, ReceptionError> {
        let bind = |source| ReceptionError::Bind {
            address: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let folder = workers.state_dir().join(super::FOLDER);
        write_address(&folder, address).map_err(ReceptionError::Address)?;
        let tls = credentials.server_config()?;
        let looks = tokio::spawn(foreman::run(workers.clone()));
        let welcome = move |caller: SocketAddr, shaken| {
            let (workers, credentials) = (workers.clone(), credentials.clone());
            async move {
                let attended = async {
                    let stream: tokio_rustls::server::TlsStream<_> = shaken?;
                    let chain = stream.get_ref().1.peer_certificates();
                    let who = credentials.peer(chain)?;
                    if who.identity() != credentials.identity() {
                        return Err(LinkError::Stranger(who.identity().clone()));
                    }
                    attend(stream, &workers, heartbeat).await
                };
                if let Err(error) = attended.await {
                    tracing::warn!(%caller, %error, "a worker's connection ends");
                }
            }
        };
        let calls = tokio::spawn(async move { take_calls(&listener, tls, welcome).await });
        Ok(Self {
            tasks: [looks, calls],
            address,
        })
    }
}

impl Drop for Reception {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Where workers of this machine find out where to call.
pub(crate) fn address_file(state_dir: &Path) -> std::path::PathBuf {
    state_dir.join(super::FOLDER).join(ADDRESS)
}

fn write_address(folder: &Path, address: SocketAddr) -> io::Result<()> {
    private_file::make_directory(folder)?;
    private_file::write(folder, ADDRESS, address.to_string().as_bytes())
}

/// Sends a file; whether there is one.
pub(super) async fn send_file<W: AsyncWrite + Unpin>(
    writer: &mut W,
    state_dir: &Path,
    parcel: Parcel,
) -> Result<bool, LinkError> {
    let Some(mut file) = Outgoing::open(state_dir, parcel)? else {
        return Ok(false);
    };
    while let Some((label, bytes)) = file.next()? {
        write(writer, Message::Part(label, bytes)).await?;
    }
    Ok(true)
}

/// Writes a message.
pub(super) async fn write<W: AsyncWrite + Unpin>(
    writer: &mut W,
    message: Message,
) -> Result<(), LinkError> {
    let (bytes, kind) = message.packed();
    write_frame_of(writer, [&bytes, &[kind]]).await?;
    Ok(writer.flush().await?)
}
