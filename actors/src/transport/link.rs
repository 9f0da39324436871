//! One link that stands: a reader, a writer, and a handle for whoever sends.

use core::fmt;
use std::{
    io,
    sync::{Arc, OnceLock},
    time::Duration,
};

use entente_protocol::job::PartyName;
use entente_tls::{Credentials, Peer, Revocation};
use entente_wire::{Encode, Frame, Hello};
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
    queue: mpsc::Sender<Packed>,
    closed: CancellationToken,
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

    /// Queues a frame; `false` when the queue is full or the link gone.
    pub fn send(&self, frame: Packed) -> bool {
        self.queue.try_send(frame).is_ok()
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
        queue: mpsc::Sender<Packed>,
    ) -> Self {
        Self {
            peer,
            who: None,
            revoked: Arc::default(),
            number,
            queue,
            closed: CancellationToken::new(),
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
}

impl<T: AsyncRead + AsyncWrite + Send + 'static> Line<T> {
    /// Greets, and is greeted.
    pub(super) async fn greet(stream: T, heartbeat: Heartbeat) -> Result<Self, LinkError> {
        let (reader, mut writer) = split(stream);
        let mut reader = FrameReader::new(reader, heartbeat.silence);
        let greeting = async {
            let ours = Frame::Hello(Hello::ours(env!("CARGO_PKG_VERSION")));
            write_frame(&mut writer, &ours.encoded()).await?;
            writer.flush().await?;
            match reader.next().await? {
                Frame::Hello(theirs) => Ok(theirs.agree()?),
                frame => Err(LinkError::Unexpected(name(&frame))),
            }
        };
        let version = timeout(GREETING, greeting).await;
        let version = version.map_err(|_| LinkError::Handshake(GREETING))??;
        tracing::debug!(version, "greeted");
        reader.greeted();
        Ok(Self {
            reader,
            writer,
            heartbeat,
        })
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
            Err(error) = write(&mut self.writer, &mut queue, self.heartbeat.every) => error.into(),
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
    closed: CancellationToken,
) -> (Link, mpsc::Receiver<Packed>) {
    let (queue, packed) = mpsc::channel(QUEUE);
    let link = Link {
        peer,
        who: Some(Arc::new(who)),
        revoked: Arc::default(),
        number,
        queue,
        closed,
    };
    (link, packed)
}

async fn read<R: AsyncRead + Unpin>(
    reader: &mut FrameReader<R>,
    link: &Link,
    events: &mpsc::Sender<LinkEvent>,
) -> Result<(), LinkError> {
    loop {
        let arrival = match Arrival::of(reader.next().await?) {
            Ok(arrival) => arrival,
            Err(Frame::Ping(number)) => {
                link.send(Arc::new(Frame::Pong(number).encoded()));
                continue;
            }
            // That something came is all there is to know.
            Err(Frame::Pong(_)) => continue,
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
                Arc::new(Frame::Ping(number).encoded())
            }
        };
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
