//! Whether this coordinator leads: takes the lease, renews it, steps down.
//!
//! ```text
//!                     held by another, or the store is away
//!                          ┌────┐
//!                          ▼    │ ask again
//!   start ──take──▶ stands by ──┘
//!                    ▲     │ taken: load the jobs, a new engine
//!                    │     ▼
//!        lost, or    └── leads ──▶ end: what is under way is done, the lease
//!        not renewed       │ ▲          is given back, the store closed
//!        in time           └─┘ renew, at a third of its life
//! ```
//!
//! When to renew and when to stop says this machine's steady clock, counted from
//! before the store was asked: so it stops before the store gives the lease to
//! another, and neither side's wall clock matters. (A steady clock that stands
//! still while the whole machine sleeps may let it answer once from memory
//! afterwards; it writes nothing, for the store goes by the token.)
//!
//! Whoever steps down forgets the engine. What it knew may be wrong by the time
//! that it leads again, and the store has all of it.

use std::{sync::Arc, time::Duration};

use entente_metrics::Registry;
use entente_protocol::job::{JobId, PartyName};
use rand::{SeedableRng, rngs::SysRng};
use rand_chacha::ChaCha20Rng;
use tokio::{
    sync::{mpsc, watch},
    task::{JoinError, JoinHandle},
    time::{Instant, sleep, sleep_until, timeout_at},
};

use super::{Handle, Meters, QUEUE, Refusals, Request, Task, Waiting};
use crate::{
    clock::Clock,
    engine::{Engine, Settings},
    store::{Lead, Leases, Store as _, StoreError, Taking},
};

/// How often who stands by asks for the lease. The lease's own life is what a
/// takeover takes; this is what comes on top.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Whether there is an engine here.
#[derive(Clone)]
pub(super) enum Seat {
    /// There is, and this is the way to it.
    Leads(mpsc::Sender<Request>),
    /// There is not.
    StandsBy { leader: Option<String> },
}

/// Starts to lead, or to stand by; `address` is where others are sent while this
/// one leads. It ends when the last handle is gone, gives the lease back and
/// closes the store.
///
/// # Errors
/// [`StoreError`] when the store does not answer, or cannot be read.
pub(crate) async fn start<L: Leases>(
    settings: Settings,
    leases: L,
    address: String,
    registry: &Registry,
) -> Result<(Handle, JoinHandle<()>), StoreError> {
    let waiting = Arc::new(Waiting::default());
    let followers = Arc::new(Waiting::default());
    let (seat, handles) = watch::channel(Seat::StandsBy { leader: None });
    let mut candidate = Candidate {
        settings,
        leases,
        address,
        meters: Meters::new(registry),
        waiting: waiting.clone(),
        followers: followers.clone(),
        seat,
    };
    let reign = candidate.take().await?;
    let running = tokio::spawn(candidate.run(reign));
    let seat = handles;
    let handle = Handle {
        seat,
        waiting,
        followers,
    };
    Ok((handle, running))
}

struct Candidate<L> {
    settings: Settings,
    leases: L,
    address: String,
    meters: Meters,
    waiting: Arc<Waiting<PartyName>>,
    followers: Arc<Waiting<JobId>>,
    seat: watch::Sender<Seat>,
}

/// One taking of the lease, from its beginning to its end.
struct Reign<S> {
    store: S,
    life: Option<Duration>,
    renew_at: Option<Instant>,
    until: watch::Sender<Option<Instant>>,
    task: JoinHandle<()>,
}

/// Why a reign is over.
enum Over {
    /// The coordinator ends.
    Ending,
    /// The lease is another's, or may be.
    SteppedDown,
}

impl<L: Leases> Candidate<L> {
    async fn run(mut self, first: Option<Reign<L::Lead>>) {
        let mut reign = first;
        loop {
            match reign.take() {
                Some(leading) => match self.lead(leading).await {
                    Over::Ending => break,
                    Over::SteppedDown => self.stand_by(None),
                },
                None => tokio::select! {
                    () = self.seat.closed() => break,
                    () = sleep(ASK_AGAIN) => {
                        reign = self.take().await.unwrap_or_else(|error| {
                            tracing::warn!(%error, "whether this coordinator leads is not known");
                            self.stand_by(None);
                            None
                        });
                    }
                },
            }
        }
        self.leases.close().await;
    }

    async fn take(&mut self) -> Result<Option<Reign<L::Lead>>, StoreError> {
        let asked = Instant::now();
        let (store, life) = match self.leases.take(&self.address).await? {
            Taking::Taken { store, life } => (store, life),
            Taking::Held { by } => {
                self.stand_by(by);
                return Ok(None);
            }
        };
        let kept = async { Ok((store.load().await?, store.draining().await?)) };
        let (jobs, draining) = match kept.await {
            Ok(kept) => kept,
            Err(error) => {
                // Whoever can read them may lead.
                give_back(&store).await;
                return Err(error);
            }
        };
        let clock = Clock::start();
        let engine = Engine::new(self.settings, jobs, jitter(&clock), clock.now());
        let (requests, incoming) = mpsc::channel(QUEUE);
        let (until, leads_until) = watch::channel(life.map(|life| asked + lasts(life)));
        let task = Task {
            engine: engine.with_draining(draining),
            store: store.clone(),
            clock,
            meters: self.meters.clone(),
            waiting: self.waiting.clone(),
            followers: self.followers.clone(),
            refusals: Refusals::default(),
            stale: false,
            until: leads_until,
            deposed: false,
        };
        let task = tokio::spawn(task.run(incoming));
        tracing::info!(token = store.token().0, "this coordinator leads");
        self.meters.leads(life.map(|life| asked + lasts(life)));
        self.seat.send_replace(Seat::Leads(requests));
        Ok(Some(Reign {
            store,
            life,
            renew_at: life.map(|life| asked + life / 3),
            until,
            task,
        }))
    }

    async fn lead(&mut self, mut reign: Reign<L::Lead>) -> Over {
        loop {
            tokio::select! {
                () = self.seat.closed() => {
                    // The sender within is the task's last.
                    self.seat.send_replace(Seat::StandsBy { leader: None });
                    tell_of_panics(&reign.task.await);
                    give_back(&reign.store).await;
                    return Over::Ending;
                }
                ended = &mut reign.task => {
                    tell_of_panics(&ended);
                    tracing::error!("this coordinator leads no more");
                    give_back(&reign.store).await;
                    return Over::SteppedDown;
                }
                () = due(reign.renew_at) => {
                    if !self.renew(&mut reign).await {
                        self.stand_by(None);
                        // Its request under way may wait for a store that is away;
                        // what of it was not committed is rolled back.
                        reign.task.abort();
                        return Over::SteppedDown;
                    }
                }
            }
        }
    }

    /// Whether this coordinator still leads.
    async fn renew(&self, reign: &mut Reign<L::Lead>) -> bool {
        let Some((life, until)) = reign.life.zip(*reign.until.borrow()) else {
            return true;
        };
        let asked = Instant::now();
        let outcome = timeout_at(until, reign.store.renew()).await;
        let outcome = outcome.unwrap_or_else(|late| {
            Err(StoreError::Unavailable {
                action: "renew the lease in time",
                source: Box::new(late),
            })
        });
        self.meters.renewed(&outcome);
        match outcome {
            Ok(()) => {
                let until = Some(asked + lasts(life));
                self.meters.leads_until(until);
                reign.until.send_replace(until);
                reign.renew_at = Some(asked + life / 3);
                true
            }
            Err(error @ StoreError::Deposed(_)) => {
                tracing::error!(%error, "this coordinator leads no more");
                false
            }
            Err(error) if Instant::now() < until => {
                tracing::warn!(%error, "the lease was not renewed");
                reign.renew_at = Some(Instant::now() + life / 10);
                true
            }
            Err(error) => {
                tracing::error!(%error, "this coordinator leads no more: its lease is running out");
                false
            }
        }
    }

    fn stand_by(&mut self, leader: Option<String>) {
        self.meters.stands_by();
        self.seat.send_replace(Seat::StandsBy { leader });
        self.waiting.wake_all();
        self.followers.wake_all();
    }
}

/// A part of the lease's life less, for clocks that do not run alike.
fn lasts(life: Duration) -> Duration {
    life - life / 10
}

async fn due(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn tell_of_panics(ended: &Result<(), JoinError>) {
    if ended.is_err() {
        tracing::error!("the engine ended with a panic; this is a defect, please report it");
    }
}

/// Nobody need wait for the end of a lease that is not used.
async fn give_back(store: &impl Lead) {
    if let Err(error) = store.release().await {
        tracing::warn!(%error, "the lease was not given back, and ends by itself");
    }
}

#[cfg(test)]
mod tests;

/// Spreads waits and no secret depends on it: without randomness from the
/// operating system it takes the clock.
fn jitter(clock: &Clock) -> ChaCha20Rng {
    ChaCha20Rng::try_from_rng(&mut SysRng)
        .unwrap_or_else(|_| ChaCha20Rng::seed_from_u64(clock.now().0))
}
