//! Where a party's workers call.
//!
//! An address of its own, beside the one for peers: who may reach it is somebody
//! else, and a cluster's network policy says so. Over mutual TLS, as everything; both
//! ends show the party's certificate, and whoever shows another one is refused.

use std::{io, net::SocketAddr, path::Path, time::Duration};

use actix::Addr;
use entente_tls::{Credentials, TlsError};
use std::sync::Arc;
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, split},
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Hello, Incoming, Message, Order, Outgoing, Parcel, Workers, foreman,
    job::{Came, Gone, Heard, Line, RemoteJob},
    message::{MAX_BYTES, VERSION},
    posts::Caller,
};
use crate::{
    private_file,
    transport::{FrameReader, Heartbeat, LinkError, take_calls, write_frame_of},
};

/// Where workers of this machine find out where to call.
const ADDRESS: &str = "address";
/// How long a greeting may take.
const GREETING: Duration = Duration::from_secs(10);
/// Messages that wait to be written. Beyond, a peer's are left to be sent again.
const QUEUE: usize = 64;

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

/// Serves a caller that has shown the party's certificate, until it is gone.
async fn attend(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    workers: &Workers,
    heartbeat: Heartbeat,
) -> Result<(), LinkError> {
    let (reader, mut writer) = split(stream);
    let mut reader = FrameReader::new(reader, heartbeat.silence);
    let greeting = timeout(GREETING, reader.next_bytes()).await;
    let greeting = greeting.map_err(|_| LinkError::Handshake(GREETING))??;
    let hello = match Message::unpacked(greeting)? {
        Message::Hello(hello) => hello,
        other => return Err(LinkError::Unexpected(other.label())),
    };
    let id = hello.worker();
    let caller = match hello.version {
        VERSION => workers.caller(id),
        // It is made again, of this version.
        _ => Caller::Unwanted,
    };
    let (job, number, needs, makes) = match caller {
        Caller::Wanted {
            job,
            number,
            needs,
            makes,
        } => (job, number, needs, makes),
        Caller::TooEarly => {
            tracing::debug!(worker = %id, "calls before the coordinator was heard");
            return Ok(writer.shutdown().await?);
        }
        Caller::Unwanted => {
            tracing::info!(worker = %id, "is told to leave");
            write(&mut writer, Message::Leave).await?;
            // Until it has heard.
            let _ = timeout(GREETING, reader.next_bytes()).await;
            return Ok(());
        }
    };
    reader.allow(MAX_BYTES);
    let (orders, wished) = watch::channel(None);
    let (queue, out) = mpsc::channel(QUEUE);
    let leave = CancellationToken::new();
    let line = Line {
        number,
        orders,
        queue: queue.clone(),
        leave: leave.clone(),
    };
    let Hello { process, .. } = hello;
    if job.send(Came { line, process }).await.is_err() {
        return Ok(());
    }
    tracing::info!(worker = %id, connection = number, "a worker is there");
    let incoming = Incoming::below(workers.state_dir(), number);
    let end = tokio::select! {
        biased;
        // Before the end of its job ends the connection without a word.
        () = leave.cancelled() => write(&mut writer, Message::Leave).await,
        end = hear(&mut reader, &job, incoming, makes, &queue) => end,
        end = speak(&mut writer, workers, needs, wished, out, heartbeat) => end,
    };
    job.do_send(Gone(number));
    let _ = timeout(GREETING, writer.shutdown()).await;
    end
}

async fn hear<R: AsyncRead + Unpin>(
    reader: &mut FrameReader<R>,
    job: &Addr<RemoteJob>,
    mut incoming: Incoming,
    makes: [Parcel; 2],
    queue: &mpsc::Sender<Message>,
) -> Result<(), LinkError> {
    loop {
        match Message::unpacked(reader.next_bytes().await?)? {
            Message::Beat => {}
            message @ (Message::Report(_) | Message::Frame(_)) => {
                // Waits until the job has taken it: who sends too much waits too.
                if job.send(Heard(message)).await.is_err() {
                    return Ok(());
                }
            }
            Message::Part(label, bytes) if makes.contains(&label.parcel) => {
                let taken = tokio::task::spawn_blocking(move || {
                    let kept = incoming.take(label, &bytes);
                    (incoming, kept)
                });
                let (taken, kept) = taken.await.map_err(io::Error::other)?;
                incoming = taken;
                if kept? && queue.send(Message::Kept).await.is_err() {
                    return Ok(());
                }
            }
            other => return Err(LinkError::Unexpected(other.label())),
        }
    }
}

async fn speak<W: AsyncWrite + Unpin>(
    writer: &mut W,
    workers: &Workers,
    needs: Vec<Parcel>,
    mut wished: watch::Receiver<Option<Order>>,
    mut out: mpsc::Receiver<Message>,
    heartbeat: Heartbeat,
) -> Result<(), LinkError> {
    for parcel in needs {
        send_file(writer, workers.state_dir(), parcel).await?;
    }
    let mut beat = interval(heartbeat.every);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            biased;
            changed = wished.changed() => match changed {
                Ok(()) => match wished.borrow_and_update().clone() {
                    Some(order) => Message::Order(Box::new(order)),
                    None => continue,
                },
                // The job is gone.
                Err(_) => return Ok(()),
            },
            Some(message) = out.recv() => message,
            _ = beat.tick() => Message::Beat,
        };
        write(writer, message).await?;
    }
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
