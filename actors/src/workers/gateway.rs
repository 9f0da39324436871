//! A worker's connection to its party, made again and again.
//!
//! To the worker the party is coordinator and peer in one: orders become wishes, and
//! while the party has a link to the peer, so has the worker.

mod place;
mod speech;

use std::{
    io,
    path::PathBuf,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::Addr;
use entente_metrics::Registry;
use entente_protocol::{
    control::Wish,
    job::{PartyName, Task},
};
use entente_tls::{Credentials, TlsError};
use entente_wire::{Common, Frame, Spoken, decode_exactly};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, split},
    sync::{Notify, mpsc, watch},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

pub use self::place::{Parting, PartyAt};
use self::speech::Said;
use super::{
    Hello, Incoming, Message, Order, Parcel, WorkerId,
    message::{MAX_BYTES, VERSION},
    reception::write,
};
use crate::{
    backoff::{Backoff, Waits},
    entropy,
    party::{PartyActor, Wished},
    transport::{
        Arrival, FrameReader, Heartbeat, Link, LinkError, LinkEvent, Packed, connect, frame_name,
    },
};

/// How long a farewell may take.
pub(super) const FAREWELL: Duration = Duration::from_secs(1);
/// A peer's frames that wait to be written.
const QUEUE: usize = 64;

/// The worker's side of the connection.
pub(super) struct Gateway {
    pub(super) at: PartyAt,
    pub(super) patience: Option<Duration>,
    pub(super) id: WorkerId,
    pub(super) state_dir: PathBuf,
    pub(super) credentials: Arc<Credentials>,
    pub(super) heartbeat: Heartbeat,
    /// The versions of the wire format that the worker speaks.
    pub(super) spoken: Spoken,
    pub(super) party: Addr<PartyActor>,
    /// Rung when the party should hear something at once.
    pub(super) news: Arc<Notify>,
    pub(super) events: mpsc::Sender<LinkEvent>,
    /// What is counted here.
    pub(super) registry: Registry,
    /// The worker is to end.
    pub(super) stop: CancellationToken,
}

/// What is known over connections.
struct Known {
    /// The connection, and the party's link, that the worker's link stands for.
    linked: Option<(u64, u64)>,
    link: Option<Link>,
    links: u64,
    revisions: u64,
    frames: mpsc::Sender<Packed>,
}

/// What the one who speaks must know of what was heard.
#[derive(Clone, Default)]
struct Heard {
    order: Option<Order>,
    kept: u64,
}

impl Gateway {
    /// Connects, and serves its party, until it is told to leave or waits for it no more;
    /// nothing if it is stopped.
    ///
    /// # Errors
    /// [`TlsError`]: no configuration can be made.
    pub(super) async fn serve(self) -> Result<Option<Parting>, TlsError> {
        let tls = self
            .credentials
            .client_config(self.credentials.identity())?;
        let process = rand::RngExt::random(&mut entropy::jitter());
        let (mut jitter, mut backoff) = (entropy::jitter(), Backoff::new(Waits::PARTY));
        let (frames, mut queue) = mpsc::channel(QUEUE);
        let mut known = Known {
            linked: None,
            link: None,
            links: 0,
            revisions: 0,
            frames,
        };
        let mut said = Said::default();
        let mut alone_since = Instant::now();
        for connection in 1.. {
            let conversed = async {
                let address = self.at.address()?;
                let stream = connect(address.trim(), tls.clone()).await?;
                Ok::<_, LinkError>(stream)
            };
            let Some(connected) = self.stop.run_until_cancelled(conversed).await else {
                return Ok(None);
            };
            let end = match connected {
                Ok(stream) => {
                    let hello = self.hello(process);
                    let (end, heard) = self
                        .converse(stream, connection, hello, &mut known, &mut said, &mut queue)
                        .await;
                    if heard {
                        alone_since = Instant::now();
                        backoff.reset();
                    }
                    end
                }
                Err(error) => Err(error),
            };
            self.unlink(&mut known).await;
            match end {
                Ok(parting) => return Ok(parting),
                Err(error) => tracing::warn!(%error, "the party is away"),
            }
            if self
                .patience
                .is_some_and(|patience| alone_since.elapsed() > patience)
            {
                return Ok(Some(Parting::Alone));
            }
            let wait = sleep(backoff.next_wait(&mut jitter));
            if self.stop.run_until_cancelled(wait).await.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(Parting::Alone))
    }

    fn hello(&self, process: u64) -> Hello {
        Hello {
            version: VERSION,
            job: self.id.job,
            attempt: self.id.attempt,
            process,
        }
    }

    /// Over one connection: `Ok` when it is told to leave, or to end; and whether an order
    /// was heard. It parts with a last word on what it has counted.
    async fn converse(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + 'static,
        connection: u64,
        hello: Hello,
        known: &mut Known,
        said: &mut Said,
        queue: &mut mpsc::Receiver<Packed>,
    ) -> (Result<Option<Parting>, LinkError>, bool) {
        let (reader, mut writer) = split(stream);
        let mut reader = FrameReader::new(reader, self.heartbeat.silence);
        reader.allow(MAX_BYTES);
        if let Err(error) = write(&mut writer, Message::Hello(hello)).await {
            return (Err(error), false);
        }
        // Of an earlier link, and sent again over this one.
        while queue.try_recv().is_ok() {}
        let (told, heard) = watch::channel(Heard::default());
        let parts = self.stop.child_token();
        let end = {
            let mut speaks = pin!(self.speak(&mut writer, queue, heard, said, &parts));
            tokio::select! {
                end = self.hear(&mut reader, connection, known, &told) => match end {
                    Ok(()) => {
                        parts.cancel();
                        let _ = timeout(FAREWELL, speaks).await;
                        Ok(Some(Parting::Dismissed))
                    }
                    Err(error) => Err(error),
                },
                end = &mut speaks => end.map(|()| None),
            }
        };
        let _ = timeout(FAREWELL, writer.shutdown()).await;
        let was_heard = told.borrow().order.is_some();
        (end, was_heard)
    }

    async fn hear<R: AsyncRead + Unpin>(
        &self,
        reader: &mut FrameReader<R>,
        connection: u64,
        known: &mut Known,
        told: &watch::Sender<Heard>,
    ) -> Result<(), LinkError> {
        let mut incoming = Incoming::below(&self.state_dir, connection);
        loop {
            match Message::unpacked(reader.next_bytes().await?)? {
                Message::Beat => {}
                Message::Leave => {
                    tracing::info!("is told to leave");
                    return Ok(());
                }
                Message::Kept => told.send_modify(|heard| heard.kept += 1),
                Message::Order(order) => {
                    self.ordered(&order, connection, known).await;
                    told.send_modify(|heard| heard.order = Some(*order));
                }
                Message::Frame(frame) => self.arrived(&frame, known).await?,
                // Models alone, and only such as a job may ask.
                Message::Part(label, bytes)
                    if matches!(label.parcel, Parcel::Half(_) | Parcel::Manifest(_)) =>
                {
                    let taken = tokio::task::spawn_blocking(move || {
                        let kept = incoming.take(label, &bytes);
                        (incoming, kept)
                    });
                    let (taken, kept) = taken.await.map_err(io::Error::other)?;
                    incoming = taken;
                    kept?;
                }
                other => return Err(LinkError::Unexpected(other.label())),
            }
        }
    }

    async fn ordered(&self, order: &Order, connection: u64, known: &mut Known) {
        if (order.assignment.job, order.assignment.attempt) != (self.id.job, self.id.attempt) {
            tracing::error!("the order is for another worker");
            return;
        }
        known.revisions += 1;
        self.party.do_send(Wished(Wish {
            revision: known.revisions,
            jobs: vec![order.assignment.clone()],
            proposals: Vec::new(),
        }));
        let linked = order.linked.as_ref();
        let linked = linked.map(|linked| (connection, linked.number));
        if linked == known.linked {
            return;
        }
        self.unlink(known).await;
        let speaks = order.linked.as_ref();
        let common = speaks.and_then(|linked| Common::of(self.spoken, &linked.peer_speaks));
        if let (Some(peer), Some(common)) = (peer(order), common) {
            known.links += 1;
            let frames = known.frames.clone();
            let link = Link::held_elsewhere(peer, known.links, Arc::new(common), frames);
            known.linked = linked;
            known.link = Some(link.clone());
            self.happens(LinkEvent::Opened(link)).await;
        }
    }

    async fn unlink(&self, known: &mut Known) {
        known.linked = None;
        if let Some(link) = known.link.take() {
            self.happens(LinkEvent::Closed(link)).await;
        }
    }

    async fn arrived(&self, frame: &[u8], known: &Known) -> Result<(), LinkError> {
        let frame: Frame = decode_exactly(&(), frame)?;
        let arrival = Arrival::of(frame);
        let arrival = arrival.map_err(|frame| LinkError::Unexpected(frame_name(&frame)))?;
        if let Some(link) = &known.link {
            let from = link.peer().clone();
            self.happens(LinkEvent::Arrived { from, arrival }).await;
        }
        Ok(())
    }

    async fn happens(&self, event: LinkEvent) {
        // Nobody listens any more when the worker stops.
        let _ = self.events.send(event).await;
    }
}

fn peer(order: &Order) -> Option<PartyName> {
    let task = Task::try_from(order.assignment.spec.clone()).ok()?;
    Some(task.party(order.assignment.side.other()).clone())
}
