//! The engine in the world: what time it is, what is on disk, who waits, and
//! whether this coordinator is the one that leads.
//!
//! One task owns the engine and the store, and takes requests one by one. A
//! lock around both would do the same until the first client hangs up while
//! its request is half written: the future that held the lock is dropped, and
//! the engine thinks what the store does not know. Nobody can drop this task's.
//!
//! ```text
//!   handle ──change(event)──▶ engine ──commands──▶ store, then wake
//!          ──read(f)────────▶ f(engine)
//!          ──news(party)────▶ is woken when the party's wish has changed
//! ```
//!
//! There is an engine only where the lease is ([`leading`]); elsewhere a handle
//! answers who leads.
//!
//! A write comes before everything that others could see of it. When one
//! fails, the engine is loaded anew from the store before anything else is
//! answered: what was not kept was not.

mod leading;
mod meters;
mod refusals;
mod report;
#[cfg(test)]
mod tests;
mod waiting;

use std::{sync::Arc, time::Duration};

use entente_protocol::job::{JobId, PartyName};
use entente_tls::Identity;
use thiserror::Error;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, MissedTickBehavior, interval},
};
use tracing::{Instrument, Span};

use self::{leading::Seat, meters::Meters, refusals::Refusals, waiting::Waiting};
use crate::{
    audit::{Deed, Entry},
    clock::{Clock, Millis},
    engine::{Command, Engine, EngineError, Event},
    job::LogEntry,
    store::{Store, StoreError},
};

pub(crate) use leading::start;

/// How often time passes for the engine. Its limits are seconds and more.
const TICK: Duration = Duration::from_millis(250);
/// Requests that may wait for their turn; more wait before they are taken.
const QUEUE: usize = 256;

type Read = Box<dyn FnOnce(&Engine, Millis) + Send>;

enum Request {
    /// With the span of who asks, so that the log says what came of which request.
    Change(Box<Event>, Span, oneshot::Sender<Result<(), RuntimeError>>),
    Read(Read),
    /// Brings the gauges up to date.
    Measure(oneshot::Sender<()>),
    Check(oneshot::Sender<Result<(), RuntimeError>>),
    Refused(Box<dyn FnOnce(Millis) -> Deed + Send>),
    Audit(u64, u32, oneshot::Sender<Result<Vec<Entry>, RuntimeError>>),
    Log(
        JobId,
        u64,
        u32,
        oneshot::Sender<Result<Vec<LogEntry>, RuntimeError>>,
    ),
}

/// Why a request came to nothing.
#[derive(Debug, Error)]
pub(crate) enum RuntimeError {
    /// The engine refused; nothing has changed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store failed; nothing has changed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another coordinator leads.
    #[error("this coordinator stands by")]
    Standby {
        /// Where the one that leads can be reached, if that is known.
        leader: Option<String>,
    },
    /// The coordinator is ending, or its store cannot be read.
    #[error("the coordinator cannot answer now: it is ending, or its store cannot be read")]
    Unavailable,
}

/// The way to the engine; clones lead to the same.
#[derive(Clone)]
pub(crate) struct Handle {
    seat: watch::Receiver<Seat>,
    waiting: Arc<Waiting<PartyName>>,
    followers: Arc<Waiting<JobId>>,
}

impl Handle {
    /// Has an event taken in; what it led to is on disk then.
    pub(crate) async fn change(&self, event: Event) -> Result<(), RuntimeError> {
        let (answer, answered) = oneshot::channel();
        self.ask(Request::Change(Box::new(event), Span::current(), answer))
            .await?;
        answered.await.map_err(|_| RuntimeError::Unavailable)?
    }

    /// Looks at the engine.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Engine, Millis) -> T + Send + 'static,
    ) -> Result<T, RuntimeError> {
        let (answer, answered) = oneshot::channel();
        let read: Read = Box::new(move |engine, now| {
            // Whoever asked may have gone.
            let _ = answer.send(look(engine, now));
        });
        self.ask(Request::Read(read)).await?;
        answered.await.map_err(|_| RuntimeError::Unavailable)
    }

    /// Brings the gauges up to date. Asked for when somebody looks at them, and not with
    /// every change: between two looks nobody can tell.
    pub(crate) async fn measure(&self) -> Result<(), RuntimeError> {
        let (answer, answered) = oneshot::channel();
        self.ask(Request::Measure(answer)).await?;
        answered.await.map_err(|_| RuntimeError::Unavailable)
    }

    /// Has the audit log tell that somebody was refused.
    pub(crate) async fn refused(&self, who: Identity, call: String, job: Option<JobId>) {
        let deed = move |now| Deed::refused(who, call, job, now);
        // A coordinator that is ending refuses for the last time.
        let _ = self.ask(Request::Refused(Box::new(deed))).await;
    }

    /// The audit log behind an entry, so many entries at most.
    pub(crate) async fn audit(&self, after: u64, limit: u32) -> Result<Vec<Entry>, RuntimeError> {
        let (answer, answered) = oneshot::channel();
        self.ask(Request::Audit(after, limit, answer)).await?;
        answered.await.map_err(|_| RuntimeError::Unavailable)?
    }

    /// A job's log behind an entry, so many entries at most.
    pub(crate) async fn log(
        &self,
        job: JobId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<LogEntry>, RuntimeError> {
        let (answer, answered) = oneshot::channel();
        self.ask(Request::Log(job, after, limit, answer)).await?;
        answered.await.map_err(|_| RuntimeError::Unavailable)?
    }

    /// Whether engine and store answer.
    pub(crate) async fn check(&self) -> Result<(), RuntimeError> {
        let (answer, answered) = oneshot::channel();
        self.ask(Request::Check(answer)).await?;
        answered.await.map_err(|_| RuntimeError::Unavailable)?
    }

    /// Changes whenever the party's wish has.
    pub(crate) fn news(&self, party: &PartyName) -> watch::Receiver<()> {
        self.waiting.subscribe(party)
    }

    /// Changes whenever something has happened to the job, or may have.
    pub(crate) fn job_news(&self, job: &JobId) -> watch::Receiver<()> {
        self.followers.subscribe(job)
    }

    async fn ask(&self, request: Request) -> Result<(), RuntimeError> {
        // Not held while it waits: it must be able to change.
        let seat = self.seat.borrow().clone();
        match seat {
            Seat::Leads(requests) => {
                let sent = requests.send(request).await;
                sent.map_err(|_| RuntimeError::Unavailable)
            }
            Seat::StandsBy { leader } => Err(RuntimeError::Standby { leader }),
        }
    }
}

struct Task<S> {
    engine: Engine,
    store: S,
    clock: Clock,
    meters: Meters,
    waiting: Arc<Waiting<PartyName>>,
    followers: Arc<Waiting<JobId>>,
    refusals: Refusals,
    /// The engine may think what the store does not know.
    stale: bool,
    /// Until when nobody else leads.
    until: watch::Receiver<Option<Instant>>,
    /// The store said that somebody else leads.
    deposed: bool,
}

impl<S: Store> Task<S> {
    async fn run(mut self, mut incoming: mpsc::Receiver<Request>) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.deposed {
            tokio::select! {
                request = incoming.recv() => match request {
                    // What is not answered is asked of who leads.
                    Some(request) if self.still_leads() => self.serve(request).await,
                    _ => break,
                },
                _ = ticks.tick() => {
                    if self.still_leads() && let Err(error) = self.change(Event::Tick).await {
                        tracing::error!(%error, "time passes and cannot be acted upon");
                    }
                }
            }
        }
    }

    /// What is known here may be wrong from a moment on. Asked before each
    /// answer: the process may have been stopped since the last.
    fn still_leads(&self) -> bool {
        self.until
            .borrow()
            .is_none_or(|until| Instant::now() < until)
    }

    /// Whoever asked may have gone; what was asked for is done all the same.
    async fn serve(&mut self, request: Request) {
        match request {
            Request::Change(event, span, answer) => {
                let outcome = self.change(*event).instrument(span).await;
                let _ = answer.send(outcome);
            }
            Request::Read(read) => {
                if self.refresh().await.is_ok() {
                    read(&self.engine, self.clock.now());
                }
            }
            Request::Measure(answer) => {
                if self.refresh().await.is_ok() {
                    self.meters.look_at(&self.engine, self.clock.now());
                    let _ = answer.send(());
                }
            }
            Request::Refused(deed) => {
                let now = self.clock.now();
                let deed = deed(now);
                if self.refusals.has_room(now)
                    && let Err(error) = self.store.append(&deed).await
                {
                    self.failed(&error);
                    tracing::error!(%error, ?deed, "a refusal could not be put on record");
                }
            }
            Request::Audit(after, limit, answer) => {
                let entries = self.store.audit(after, limit).await;
                let _ = answer.send(entries.map_err(RuntimeError::from));
            }
            Request::Log(job, after, limit, answer) => {
                let entries = self.store.log(job, after, limit).await;
                let _ = answer.send(entries.map_err(RuntimeError::from));
            }
            Request::Check(answer) => {
                let outcome = match self.refresh().await {
                    Ok(()) => self.store.check().await.map_err(RuntimeError::from),
                    Err(error) => Err(error.into()),
                };
                let _ = answer.send(outcome);
            }
        }
    }

    async fn change(&mut self, event: Event) -> Result<(), RuntimeError> {
        self.refresh().await?;
        let now = self.clock.now();
        report::asked(&self.engine, &event);
        // Counts are told of in no command: they are written with the next grant.
        let reported: Vec<JobId> = match &event {
            Event::Sync { sync, .. } => sync.jobs.iter().map(|report| report.job).collect(),
            _ => Vec::new(),
        };
        let outcome = self.engine.handle(event, now);
        for job in &reported {
            self.followers.wake(job);
        }
        match &outcome {
            Err(EngineError::Transition(_)) => {
                self.stale = true;
                self.meters.refused.with(["illegal"]).increment();
            }
            Err(EngineError::Ended { .. } | EngineError::Retried { .. }) => {
                self.meters.refused.with(["ended"]).increment();
            }
            Err(EngineError::NotNow { .. }) => self.meters.refused.with(["not_now"]).increment(),
            _ => {}
        }
        for command in outcome? {
            if let Err(error) = self.perform(command).await {
                self.stale = true;
                self.failed(&error);
                self.meters.refused.with([error.label()]).increment();
                tracing::error!(%error, "a write failed; the jobs are loaded anew");
                return Err(error.into());
            }
        }
        Ok(())
    }

    async fn perform(&mut self, command: Command) -> Result<(), StoreError> {
        match command {
            Command::Insert(record) => {
                self.store.insert(&record).await?;
                report::submitted(&record);
                self.meters.entered(record.state);
            }
            Command::Write(change) => {
                self.store.write(&change).await?;
                report::changed(&change);
                self.meters.changed(&change);
                self.followers.wake(&change.record().id);
            }
            Command::Drain(draining, deed) => {
                self.store.drain(draining.as_ref(), &deed).await?;
                report::drained(&deed);
            }
            Command::Wake(party) => self.waiting.wake(&party),
            Command::Refuse(late) => {
                report::late(&late);
                self.meters.refused.with(["late"]).increment();
            }
        }
        Ok(())
    }

    fn failed(&mut self, error: &StoreError) {
        if matches!(error, StoreError::Deposed(_)) {
            self.meters.stale_writes.increment();
            self.deposed = true;
        }
    }

    /// Makes the engine think what the store knows.
    async fn refresh(&mut self) -> Result<(), StoreError> {
        if self.stale {
            let (jobs, draining) = (self.store.load().await?, self.store.draining().await?);
            self.engine.reload(jobs, draining, self.clock.now());
            self.stale = false;
        }
        Ok(())
    }
}
