//! One link that stands: a reader, a writer, and a handle for whoever sends.

use core::fmt;
use std::{
    io,
    sync::{Arc, OnceLock},
    time::Duration,
};

use entente_protocol::job::PartyName;
use entente_tls::{Credentials, Peer, Revocation};
use entente_wire::{Common, Encode, Frame, Hello, Spoken};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split},
    sync::mpsc,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Arrival, Heartbeat, LinkError, LinkEvent,
    framing::{FrameReader, write_frame},
};
use crate::telemetry::LinkMeters;

/// Frames that wait to be written. Beyond, messages are left to be sent again
/// and pings to the next beat.
const QUEUE: usize = 64;
/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long greetings may take.
const GREETING: Duration = Duration::from_secs(10);

/// An encoded frame.
pub type Packed = Arc<Vec<u8>>;

/// Sends to a peer while the link stands. Cheap to clone.
#[derive(Clone)]
pub struct Link {
    peer: PartyName,
    /// Nobody's certificate, where somebody else holds the line.
    who: Option<Arc<Peer>>,
    revoked: Arc<OnceLock<Revocation>>,
    number: u64,
    common: Arc<Common>,
    queue: mpsc::Sender<Packed>,
    closed: CancellationToken,
    /// Nothing is measured of a line that somebody else holds: they do.
    meters: Option<Arc<LinkMeters>>,
}

impl Link {
    /// Who is at the other end, as its certificate says.
    pub fn peer(&self) -> &PartyName {
        &self.peer
    }

    /// Links are numbered as they come to stand: of two, the higher one is the
    /// newer one.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The versions of the wire format that both ends speak.
    pub fn common(&self) -> &Common {
        &self.common
    }

    /// Queues a frame; `false` when the queue is full or the link gone.
    pub fn send(&self, frame: Packed) -> bool {
        let queued = self.queue.try_send(frame).is_ok();
        let free = self.queue.capacity();
        if let Some(meters) = &self.meters {
            meters.queued(QUEUE.saturating_sub(free));
        }
        queued
    }

    /// Ends the link.
    pub fn close(&self) {
        self.closed.cancel();
    }

    /// Whether the peer's certificate is still good.
    ///
    /// # Errors
    /// Its revocation.
    pub(super) fn standing(&self, credentials: &Credentials) -> Result<(), Box<Revocation>> {
        let who = self.who.as_ref();
        who.map_or(Ok(()), |who| who.standing(credentials))
    }

    /// A link that somebody else holds: what is sent over it goes into `queue`.
    pub(crate) fn held_elsewhere(
        peer: PartyName,
        number: u64,
        common: Arc<Common>,
        queue: mpsc::Sender<Packed>,
    ) -> Self {
        Self {
            peer,
            who: None,
            revoked: Arc::default(),
            number,
            common,
            queue,
            closed: CancellationToken::new(),
            meters: None,
        }
    }

    /// Ends the link since the peer's certificate was revoked; whether it was not
    /// ended for that before.
    pub(super) fn cut(&self, revocation: &Revocation) -> bool {
        let first = self.revoked.set(revocation.clone()).is_ok();
        self.close();
        first
    }

    /// Why somebody has closed it.
    fn why_closed(&self) -> LinkError {
        match self.revoked.get() {
            Some(revocation) => LinkError::Revoked(Box::new(revocation.clone())),
            None => LinkError::Replaced,
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({} to {})", self.number, self.peer)
    }
}

/// The far end of a [`Link`]: the stream, and what is to be written to it.
pub(super) struct Line<T> {
    reader: FrameReader<ReadHalf<T>>,
    writer: WriteHalf<T>,
    heartbeat: Heartbeat,
    common: Arc<Common>,
}

impl<T: AsyncRead + AsyncWrite + Send + 'static> Line<T> {
    /// Greets, and is greeted.
    pub(super) async fn greet(
        stream: T,
        heartbeat: Heartbeat,
        spoken: Spoken,
    ) -> Result<Self, LinkError> {
        let (reader, mut writer) = split(stream);
        let mut reader = FrameReader::new(reader, heartbeat.silence);
        let greeting = async {
            let ours = Frame::Hello(Hello::ours(env!("CARGO_PKG_VERSION"), spoken));
            write_frame(&mut writer, &ours.encoded()).await?;
            writer.flush().await?;
            match reader.next().await? {
                Frame::Hello(theirs) => Ok(theirs.agree(spoken)?),
                frame => Err(LinkError::Unexpected(name(&frame))),
            }
        };
        let common = timeout(GREETING, greeting).await;
        let common = common.map_err(|_| LinkError::Handshake(GREETING))??;
        reader.greeted();
        Ok(Self {
            reader,
            writer,
            heartbeat,
            common: Arc::new(common),
        })
    }

    /// The versions that both ends speak.
    pub(super) fn common(&self) -> Arc<Common> {
        self.common.clone()
    }

    /// Carries frames both ways until the link ends, and says why it did.
    pub(super) async fn run(
        mut self,
        link: &Link,
        mut queue: mpsc::Receiver<Packed>,
        events: &mpsc::Sender<LinkEvent>,
    ) -> LinkError {
        let end = tokio::select! {
            () = link.closed.cancelled() => link.why_closed(),
            Err(error) = read(&mut self.reader, link, events) => error,
            Err(error) = write(&mut self.writer, link, &mut queue, self.heartbeat.every) => {
                error.into()
            }
        };
        // A close_notify where the line still takes one.
        let _ = timeout(FAREWELL, self.writer.shutdown()).await;
        end
    }
}

/// A handle, and the queue behind it.
pub(super) fn handle(
    peer: PartyName,
    who: Peer,
    number: u64,
    common: Arc<Common>,
    closed: CancellationToken,
    meters: LinkMeters,
) -> (Link, mpsc::Receiver<Packed>) {
    let (queue, packed) = mpsc::channel(QUEUE);
    let link = Link {
        peer,
        who: Some(Arc::new(who)),
        revoked: Arc::default(),
        number,
        common,
        queue,
        closed,
        meters: Some(Arc::new(meters)),
    };
    (link, packed)
}

async fn read<R: AsyncRead + Unpin>(
    reader: &mut FrameReader<R>,
    link: &Link,
    events: &mpsc::Sender<LinkEvent>,
) -> Result<(), LinkError> {
    loop {
        let frame = reader.next().await?;
        if let Frame::Data(envelope) = &frame {
            let version = envelope.session().version();
            if !link.common.has(version) {
                return Err(LinkError::OtherVersion(version));
            }
        }
        let arrival = match Arrival::of(frame) {
            Ok(arrival) => arrival,
            Err(Frame::Ping(number)) => {
                link.send(Arc::new(Frame::Pong(number).encoded()));
                continue;
            }
            Err(Frame::Pong(number)) => {
                if let Some(meters) = &link.meters {
                    meters.answered(number);
                }
                continue;
            }
            Err(frame) => return Err(LinkError::Unexpected(name(&frame))),
        };
        let event = LinkEvent::Arrived {
            from: link.peer.clone(),
            arrival,
        };
        if events.send(event).await.is_err() {
            return Err(LinkError::Stopped);
        }
    }
}

async fn write<W: AsyncWrite + Unpin>(
    writer: &mut W,
    link: &Link,
    queue: &mut mpsc::Receiver<Packed>,
    every: Duration,
) -> io::Result<()> {
    let mut beat = interval(every);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut number = 0_u64;
    loop {
        let frame = tokio::select! {
            biased;
            Some(frame) = queue.recv() => frame,
            _ = beat.tick() => {
                number += 1;
                if let Some(meters) = &link.meters {
                    meters.pinged(number);
                }
                Arc::new(Frame::Ping(number).encoded())
            }
        };
        if let Some(meters) = &link.meters {
            meters.queued(queue.len());
        }
        write_frame(writer, &frame).await?;
        if queue.is_empty() {
            writer.flush().await?;
        }
    }
}

/// What a frame is called.
pub(crate) fn name(frame: &Frame) -> &'static str {
    match frame {
        Frame::Hello(_) => "greeting",
        Frame::Data(_) => "message",
        Frame::Ack { .. } => "acknowledgement",
        Frame::Refused { .. } => "refusal",
        Frame::Ping(_) => "ping",
        Frame::Pong(_) => "pong",
    }
}
