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
mod work;

#[cfg(test)]
pub(crate) mod tests;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use entente_protocol::{
    Machine, Role,
    control::{Failure, Progress},
    job::PartyName,
};
use entente_wire::{Frame, Position, Refusal, Session};
use rand_chacha::ChaCha20Rng;

use crate::delivery::{
    Acknowledgement, Checkpoint, Ended, Inbound, JournalError, Messages, Outbound, Record, Restored,
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

    fn react(
        &mut self,
        now: Instant,
        event: Event<R>,
        effects: &mut Effects<R>,
    ) -> Result<(), DriverError> {
        match event {
            Event::Granted(granted) => {
                if granted != self.granted && matches!(self.place, Place::Resting(_)) {
                    self.since = now;
                }
                self.granted = granted;
            }
            Event::Hold(hold) => {
                if hold != self.hold {
                    self.since = now;
                }
                self.hold = hold;
            }
            Event::Arrived(received) => return self.arrived(now, received, effects),
            Event::Acknowledged { position, digest } => {
                match self.outbound.acknowledged(position, digest) {
                    Acknowledgement::Taken => effects.keep(Record::Acknowledged(position)),
                    Acknowledgement::Known => {}
                    Acknowledgement::Other { sent } => {
                        return Err(DriverError::OtherBytes {
                            position,
                            sent,
                            acknowledged: digest,
                        });
                    }
                }
            }
            Event::Refused { position, reason } => match reason {
                Refusal::UnknownSession | Refusal::Busy => {
                    self.outbound.refused_for_now(now, position);
                }
                Refusal::Ended if matches!(self.place, Place::Finished | Place::Saving) => {
                    self.outbound.clear();
                }
                Refusal::Ended => return Err(self.peer_ended()),
                Refusal::Equivocation | Refusal::NotYours | Refusal::OtherKeyEpoch => {
                    return Err(DriverError::PeerRefuses { position, reason });
                }
            },
            Event::Linked => {
                self.other_versions = None;
                for leaving in self.outbound.linked(now) {
                    effects.then(Command::Send(leaving));
                }
                if matches!(self.place, Place::Failed(_)) {
                    self.refuse(self.next_in, Refusal::Ended, effects);
                }
            }
            Event::Unlinked => {
                self.other_versions = None;
                self.outbound.unlinked();
            }
            Event::OtherVersions(spoken) => {
                self.other_versions = Some(spoken);
                self.outbound.unlinked();
            }
            Event::Downgraded(newest) => {
                return Err(DriverError::Downgraded {
                    peer: self.peer.clone(),
                    named: self.session.version(),
                    newest,
                });
            }
            Event::PeerRevoked(_) if matches!(self.place, Place::Finished | Place::Saving) => {}
            Event::PeerRevoked(revocation) => {
                let peer = self.peer.clone();
                return Err(DriverError::PeerRevoked { peer, revocation });
            }
            Event::Computed(computed) => return self.computed(now, computed, effects),
            Event::Panicked => return Err(DriverError::Panicked),
            Event::Tick => {
                if self
                    .stall_deadline()
                    .is_some_and(|deadline| deadline <= now)
                {
                    if let Some(error) = self.unkept.take() {
                        return Err(error.into());
                    }
                    if let Some(spoken) = self.other_versions.take() {
                        return Err(DriverError::OtherVersions {
                            peer: self.peer.clone(),
                            version: self.session.version(),
                            spoken,
                            budget: self.stall_budget,
                        });
                    }
                    return Err(DriverError::Stalled {
                        budget: self.stall_budget,
                        peer: self.peer.clone(),
                    });
                }
                for leaving in self.outbound.due(now) {
                    effects.then(Command::Send(leaving));
                }
            }
            Event::Saved => {
                if matches!(self.place, Place::Saving) {
                    self.place = Place::Finished;
                    effects.keep(Record::Ended(Box::new(Ended {
                        progress: self.progress(),
                        failure: None,
                    })));
                }
            }
            Event::CannotSave(problem) => return Err(DriverError::Save(problem)),
            Event::CannotKeep(error)
                if error.waits_for().is_none() || matches!(self.place, Place::Failed(_)) =>
            {
                self.unkept = None;
                return Err(error.into());
            }
            Event::CannotKeep(error) => {
                if self.unkept.replace(error).is_none() {
                    self.since = now;
                }
                effects.come_before();
            }
            Event::KeptAgain => {
                self.unkept = None;
                self.since = now;
            }
        }
        Ok(())
    }

    fn fail(&mut self, error: &DriverError, effects: &mut Effects<R>) {
        if matches!(error, DriverError::Journal(_)) {
            effects.come_instead();
            // What was told may be among what is dropped.
            self.told = None;
        }
        if matches!(self.place, Place::Failed(_)) {
            return;
        }
        let state = match &self.place {
            Place::Waiting(machine) => Some(machine.state()),
            _ => error.state(),
        };
        // With the machine go its secrets; a computation that is under way
        // drops its own when it comes back.
        let failure = error.failure(state, self.next_in.exchange);
        self.place = Place::Failed(failure.clone());
        self.outbound.clear();
        if !matches!(error, DriverError::Journal(_)) {
            effects.keep(Record::Ended(Box::new(Ended {
                progress: self.progress(),
                failure: Some(failure),
            })));
        }
        if !matches!(error, DriverError::PeerEnded) {
            let reason = match error.is_of_another_key() {
                true => Refusal::OtherKeyEpoch,
                false => Refusal::Ended,
            };
            self.refuse(self.next_in, reason, effects);
        }
    }

    /// Why the job ends here when it has ended at the peer: the same reason,
    /// where this side knows it already.
    fn peer_ended(&self) -> DriverError {
        let Place::Waiting(machine) = &self.place else {
            return DriverError::PeerEnded;
        };
        let state = machine.state();
        let certain = machine.certain_end();
        certain.map_or(DriverError::PeerEnded, |error| DriverError::Protocol {
            state,
            error,
        })
    }

    fn refuse(&self, position: Position, reason: Refusal, effects: &mut Effects<R>) {
        effects.then(Command::Answer(Frame::Refused {
            session: self.session.id(),
            position,
            reason,
        }));
    }

    fn tell(&mut self, effects: &mut Effects<R>) {
        let status = Status {
            standing: self.standing(),
            progress: self.progress(),
            granted: self.granted,
        };
        if self.told.as_ref() != Some(&status) {
            self.told = Some(status.clone());
            effects.then(Command::Tell(Box::new(status)));
        }
    }

    fn standing(&self) -> Standing {
        let waiting = |what| Standing::Waiting {
            what,
            since: self.since,
        };
        if let Some(what) = self.unkept.as_ref().and_then(JournalError::waits_for) {
            return waiting(Awaited::Disk(what));
        }
        match &self.place {
            Place::Resting(_) | Place::Waiting(_) if self.hold => Standing::Held,
            Place::Resting(_) => waiting(Awaited::Grant),
            Place::Waiting(_) if !self.outbound.is_linked() => waiting(self.link_wanted()),
            Place::Waiting(_) | Place::Computing | Place::Saving => Standing::Running,
            Place::Finished => Standing::Finished,
            Place::Failed(failure) => Standing::Failed(failure.clone()),
        }
    }

    /// What is waited for where there is no link of any use.
    fn link_wanted(&self) -> Awaited {
        let peer = self.peer.clone();
        match &self.other_versions {
            None => Awaited::Link(peer),
            Some(spoken) => Awaited::Version {
                peer,
                wanted: self.session.version(),
                spoken: spoken.clone(),
            },
        }
    }

    fn stall_deadline(&self) -> Option<Instant> {
        let for_peer = matches!(self.place, Place::Waiting(_)) && !self.hold;
        let waits = for_peer || self.unkept.is_some();
        waits.then(|| self.since.checked_add(self.stall_budget))?
    }
}
