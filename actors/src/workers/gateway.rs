//! A worker's connection to its party, made again and again.
//!
//! To the worker the party is coordinator and peer in one: orders become wishes, and
//! while the party has a link to the peer, so has the worker.

use std::{
    fs, io,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::Addr;
use entente_protocol::{
    control::{JobReport, Phase, Wish},
    job::{PartyName, Task},
};
use entente_tls::{Credentials, TlsError};
use entente_wire::{Common, Frame, Spoken, decode_exactly};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, split},
    sync::{Notify, mpsc, watch},
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use super::{
    Hello, Incoming, Message, Order, Parcel, WorkerId,
    message::{MAX_BYTES, VERSION},
    reception::{send_file, write},
};
use crate::{
    backoff::{Backoff, Waits},
    entropy,
    party::{Distrusted, PartyActor, Truth, Wished},
    transport::{
        Arrival, FrameReader, Heartbeat, Link, LinkError, LinkEvent, Packed, connect, frame_name,
        write_frame_of,
    },
};

/// How often a worker says where it stands, if nothing happens.
const REPORTS: Duration = Duration::from_secs(1);
/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// A peer's frames that wait to be written.
const QUEUE: usize = 64;

/// Where a worker's party is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartyAt {
    /// At `host:port`.
    Address(String),
    /// Where this file says, each time anew.
    File(PathBuf),
}

impl PartyAt {
    fn address(&self) -> io::Result<String> {
        match self {
            Self::Address(address) => Ok(address.clone()),
            Self::File(path) => fs::read_to_string(path),
        }
    }
}

/// Why a worker ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parting {
    /// Its party has told it to.
    Dismissed,
    /// Its party was not there for as long as it was to wait.
    Alone,
}

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
}

/// What is known over connections.
struct Known {
    /// The connection, and the party's link, that the worker's link stands for.
    linked: Option<(u64, u64)>,
    link: Option<Link>,
    links: u64,
    revisions: u64,
    /// The party has all that came of the job.
    delivered: bool,
    frames: mpsc::Sender<Packed>,
}

/// What the one who speaks must know of what was heard.
#[derive(Clone, Default)]
struct Heard {
    order: Option<Order>,
    kept: u64,
}

impl Gateway {
    /// Connects, and serves its party, until it is told to leave.
    ///
    /// # Errors
    /// [`TlsError`]: no configuration can be made.
    pub(super) async fn serve(self) -> Result<Parting, TlsError> {
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
            delivered: false,
            frames,
        };
        let mut alone_since = Instant::now();
        for connection in 1.. {
            let conversed = async {
                let address = self.at.address()?;
                let stream = connect(address.trim(), tls.clone()).await?;
                Ok::<_, LinkError>(stream)
            };
            let end = match conversed.await {
                Ok(stream) => {
                    let (end, heard) = self
                        .converse(stream, connection, process, &mut known, &mut queue)
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
                Ok(()) => return Ok(Parting::Dismissed),
                Err(error) => tracing::warn!(%error, "the party is away"),
            }
            if self
                .patience
                .is_some_and(|patience| alone_since.elapsed() > patience)
            {
                return Ok(Parting::Alone);
            }
            sleep(backoff.next_wait(&mut jitter)).await;
        }
        Ok(Parting::Alone)
    }

    /// Over one connection: `Ok` when it is told to leave; and whether an order was
    /// heard.
    async fn converse(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + 'static,
        connection: u64,
        process: u64,
        known: &mut Known,
        queue: &mut mpsc::Receiver<Packed>,
    ) -> (Result<(), LinkError>, bool) {
        let (reader, mut writer) = split(stream);
        let mut reader = FrameReader::new(reader, self.heartbeat.silence);
        reader.allow(MAX_BYTES);
        let hello = Message::Hello(Hello {
            version: VERSION,
            job: self.id.job,
            attempt: self.id.attempt,
            process,
        });
        if let Err(error) = write(&mut writer, hello).await {
            return (Err(error), false);
        }
        // Of an earlier link, and sent again over this one.
        while queue.try_recv().is_ok() {}
        let (told, heard) = watch::channel(Heard::default());
        let mut delivered = known.delivered;
        let end = tokio::select! {
            end = self.hear(&mut reader, connection, known, &told) => end,
            Err(error) = self.speak(&mut writer, queue, heard, &mut delivered) => Err(error),
        };
        known.delivered |= delivered;
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

    async fn speak<W: AsyncWrite + Unpin>(
        &self,
        writer: &mut W,
        queue: &mut mpsc::Receiver<Packed>,
        mut heard: watch::Receiver<Heard>,
        delivered: &mut bool,
    ) -> Result<(), LinkError> {
        let mut reports = interval(REPORTS);
        reports.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut beat = interval(self.heartbeat.every);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = None;
        loop {
            tokio::select! {
                biased;
                Some(frame) = queue.recv() => {
                    let kind = Message::Frame(Vec::new()).packed().1;
                    write_frame_of(writer, [&frame, &[kind]]).await?;
                    if queue.is_empty() {
                        writer.flush().await?;
                    }
                    continue;
                }
                () = self.news.notified() => {}
                _ = reports.tick() => {}
                _ = beat.tick() => {
                    write(writer, Message::Beat).await?;
                    continue;
                }
            }
            let order = heard.borrow().order.clone();
            let Some(order) = order else { continue };
            if let (Some(why), Some(peer)) = (&order.revoked, peer(&order)) {
                let why = why.clone();
                self.party.do_send(Distrusted { peer, why });
            }
            let Some(report) = self.truth().await else {
                continue;
            };
            if report.phase == Phase::Finished && !*delivered {
                self.deliver(writer, &order, &mut heard).await?;
                *delivered = true;
            }
            if last.as_ref() != Some(&report) {
                last = Some(report.clone());
                write(writer, Message::Report(Box::new(report))).await?;
            }
        }
    }

    async fn truth(&self) -> Option<JobReport> {
        let truth = self.party.send(Truth).await.ok()?;
        let is_this =
            |report: &JobReport| (report.job, report.attempt) == (self.id.job, self.id.attempt);
        truth.jobs.into_iter().find(is_this)
    }

    /// Hands over what has come of the job: before it is said that it is finished.
    async fn deliver<W: AsyncWrite + Unpin>(
        &self,
        writer: &mut W,
        order: &Order,
        heard: &mut watch::Receiver<Heard>,
    ) -> Result<(), LinkError> {
        let Ok(task) = Task::try_from(order.assignment.spec.clone()) else {
            return Ok(());
        };
        let mut sent = 0;
        for parcel in Parcel::made_by(&task, self.id.job) {
            sent += u64::from(send_file(writer, &self.state_dir, parcel).await?);
        }
        // The other end of the channel lives as long as the connection.
        let _ = heard.wait_for(|heard| heard.kept >= sent).await;
        tracing::info!(files = sent, "the party has what came of the job");
        Ok(())
    }
}

fn peer(order: &Order) -> Option<PartyName> {
    let task = Task::try_from(order.assignment.spec.clone()).ok()?;
    Some(task.party(order.assignment.side.other()).clone())
}
