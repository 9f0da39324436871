//! The driver of one job: machine, delivery and grant, without a runtime.
//!
//! ```text
//!          Granted, Arrived, Acknowledged, Linked, Computed, Tick
//!                                  │
//!                              ┌───▼────┐
//!   Inbound ── next message ──▶│ Driver │── packets ──▶ Outbound
//!                              └───┬────┘
//!                               Effects ── commit(journal) ──▶ Compute, Send,
//!                                                              Answer, Tell, Save
//! ```
//!
//! Events go in with the time, effects come out; no socket, clock, thread or
//! mailbox is known here. So a test compares the exact list of commands, and a
//! property test plays a lossy network between two drivers in microseconds.
//!
//! An exchange `k` begins only while `k < granted`. A job that is paused begins
//! none, and waits for no peer either: once nothing is left to compute it is
//! [`Standing::Held`], wherever in an exchange it is, and may be let go. To hold
//! it until the exchange is at rest would be the obvious design; but the two
//! sides come to rest at different times, and one that has let go would be what
//! the other waits for. Its journal has the exchange, which costs its
//! computation a second time at most.
//!
//! A driver that is restored from a journal begins the exchange that ran again
//! from its checkpoint, and is handed the peer's messages again. What it writes
//! at a place where an earlier process wrote is dropped, since the bytes of that
//! time are what the peer may have seen. A computation is a value
//! ([`Work`]) that is carried into the pool and comes back as an event; there is
//! one at a time, since a machine waits for one message at a time.

mod awaited;
mod effects;
mod error;
mod event;
mod exchange;
mod over;
mod progress;
mod reaction;
mod standing;
mod work;

#[cfg(test)]
pub(crate) mod tests;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use entente_protocol::{
    Role,
    control::{Failure, Progress},
    job::PartyName,
};
use entente_wire::{Position, Session};
use rand_chacha::ChaCha20Rng;

use crate::delivery::{
    Checkpoint, Ended, Inbound, JournalError, Messages, Outbound, Record, Restored,
};

pub use awaited::Awaited;
pub use effects::{Command, Effects, Unkept};
pub use error::DriverError;
pub use event::{Event, Standing, Status};
pub use over::Over;
use progress::Tally;
pub use work::{Computed, Work};

/// What a driver is told when it is made.
#[derive(Debug)]
pub struct Setting {
    /// The session.
    pub session: Session,
    /// The other party of it.
    pub peer: PartyName,
    /// Without progress for this long while the peer is waited for, the job
    /// fails.
    pub stall_budget: Duration,
    /// Spreads resends.
    pub jitter: ChaCha20Rng,
}

/// Drives one role through its exchanges.
pub struct Driver<R: Role> {
    session: Session,
    peer: PartyName,
    stall_budget: Duration,
    place: Place<R>,
    /// The next message that the machine takes, in the exchange that runs or
    /// begins next.
    next_in: Position,
    /// Messages written in this exchange.
    written: u8,
    /// Messages that an earlier process wrote, by exchange.
    before: BTreeMap<u64, u8>,
    granted: u64,
    hold: bool,
    /// Why records wait to be kept, while they do.
    unkept: Option<JournalError>,
    /// Why it has no use for the link that there is: what the peer speaks, without
    /// the session's version.
    other_versions: Option<Vec<u16>>,
    /// Whether an earlier process has begun it.
    restored: bool,
    /// From where the session is to go on if it ends here, until it is among
    /// the records.
    beginning: Option<Checkpoint>,
    inbound: Inbound,
    outbound: Outbound,
    tally: Tally,
    /// Since when the job is where it is.
    since: Instant,
    told: Option<Status>,
}

/// Where the role is.
enum Place<R: Role> {
    Resting(R),
    Waiting(R::Machine),
    Computing,
    Saving,
    Finished,
    Failed(Failure),
}

impl Driver<Over> {
    /// For a session that has ended before its process did.
    pub fn ended(now: Instant, setting: Setting, ended: Ended, messages: Messages) -> Self {
        let place = ended.failure.map_or(Place::Finished, Place::Failed);
        let tally = Tally::ended(ended.progress);
        let mut driver = Self::at(now, place, tally, setting, messages);
        if matches!(driver.place, Place::Failed(_)) {
            driver.outbound.clear();
        }
        driver
    }
}

impl<R: Role> Driver<R> {
    /// For a role at the beginning of its schedule.
    pub fn new(now: Instant, role: R, setting: Setting) -> Self {
        let tally = Tally::new(role.schedule());
        let beginning = Checkpoint {
            exchanges_done: 0,
            counts: tally.counts(),
            role: role.checkpoint(),
        };
        let mut driver = Self::at(
            now,
            Place::Resting(role),
            tally,
            setting,
            Messages::default(),
        );
        driver.beginning = Some(beginning);
        driver.restored = false;
        driver
    }

    /// For a role that was made anew from a checkpoint, with the messages that
    /// were kept with it.
    pub fn restore(now: Instant, role: R, setting: Setting, restored: Restored) -> Self {
        let Restored {
            checkpoint,
            messages,
        } = restored;
        let tally = Tally::going_on(checkpoint.counts);
        Self::at(now, Place::Resting(role), tally, setting, messages)
    }

    fn at(
        now: Instant,
        place: Place<R>,
        tally: Tally,
        setting: Setting,
        messages: Messages,
    ) -> Self {
        let exchange = tally.progress().exchanges_done;
        Self {
            session: setting.session,
            peer: setting.peer,
            stall_budget: setting.stall_budget,
            tally,
            place,
            next_in: Position { exchange, step: 0 },
            written: 0,
            granted: 0,
            hold: false,
            unkept: None,
            other_versions: None,
            restored: true,
            beginning: None,
            inbound: Inbound::restored(&messages, exchange),
            outbound: Outbound::restored(now, setting.jitter, messages.sent),
            before: messages.written,
            since: now,
            told: None,
        }
    }

    /// Takes in an event.
    pub fn on(&mut self, now: Instant, event: Event<R>) -> Effects<R> {
        let mut effects = Effects::new();
        if let Some(beginning) = self.beginning.take() {
            effects.keep(Record::Rest(Arc::new(beginning)));
        }
        let outcome = self.react(now, event, &mut effects);
        let outcome = outcome.and_then(|()| self.advance(now, &mut effects));
        if let Err(error) = outcome {
            self.fail(&error, &mut effects);
        }
        self.tell(&mut effects);
        effects
    }

    /// When it wants an [`Event::Tick`].
    pub fn next_tick(&self) -> Option<Instant> {
        [self.outbound.next_due(), self.stall_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        self.tally.progress()
    }

    /// Whether the peer has had a part in it: then it goes on as it is, whatever
    /// both speak by now.
    pub fn has_begun(&self) -> bool {
        let first = Position {
            exchange: 0,
            step: 0,
        };
        self.restored || self.next_in != first
    }

    /// Whether it may be let go, and goes on from its journal later.
    pub fn is_held(&self) -> bool {
        self.standing() == Standing::Held
    }

    /// Whether a linked peer is to say something, and nothing else is missing.
    pub fn awaits_message(&self) -> bool {
        let peers_turn = matches!(self.place, Place::Waiting(_)) && !self.hold;
        peers_turn && self.unkept.is_none() && self.outbound.is_linked()
    }

    /// Messages that the peer has not acknowledged.
    pub fn unacknowledged(&self) -> usize {
        self.outbound.len()
    }
}
