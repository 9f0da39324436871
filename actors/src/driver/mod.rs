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
//! An exchange `k` begins only while `k < granted`. A computation is a value
//! ([`Work`]) that is carried into the pool and comes back as an event; there is
//! one at a time, since a machine waits for one message at a time.

mod effects;
mod error;
mod event;
mod exchange;
mod progress;
mod work;

#[cfg(test)]
pub(crate) mod tests;

use std::time::{Duration, Instant};

use entente_protocol::{
    Machine, Role,
    control::{Failure, Progress},
    job::PartyName,
};
use entente_wire::{Frame, Position, Refusal, SessionId};
use rand_chacha::ChaCha20Rng;

use crate::delivery::{Acknowledgement, Inbound, Outbound, Record};

pub use effects::{Command, Effects};
pub use error::DriverError;
pub use event::{Event, Standing, Status};
use progress::Tally;
pub use work::{Computed, Work};

/// What a driver is told when it is made.
#[derive(Debug)]
pub struct Setting {
    /// The session.
    pub session: SessionId,
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
    session: SessionId,
    peer: PartyName,
    stall_budget: Duration,
    place: Place<R>,
    /// The next message that the machine takes, in the exchange that runs or
    /// begins next.
    next_in: Position,
    /// Messages written in this exchange.
    written: u8,
    granted: u64,
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

impl<R: Role> Driver<R> {
    /// For a role at the beginning of its schedule.
    pub fn new(now: Instant, role: R, setting: Setting) -> Self {
        Self {
            session: setting.session,
            peer: setting.peer,
            stall_budget: setting.stall_budget,
            tally: Tally::new(role.schedule()),
            place: Place::Resting(role),
            next_in: Position {
                exchange: 0,
                step: 0,
            },
            written: 0,
            granted: 0,
            inbound: Inbound::new(),
            outbound: Outbound::new(setting.jitter),
            since: now,
            told: None,
        }
    }

    /// Takes in an event.
    pub fn on(&mut self, now: Instant, event: Event<R>) -> Effects<R> {
        let mut effects = Effects::new();
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
                Refusal::Equivocation | Refusal::NotYours => {
                    return Err(DriverError::PeerRefuses { position, reason });
                }
            },
            Event::Linked => {
                for leaving in self.outbound.linked(now) {
                    effects.then(Command::Send(leaving));
                }
                if matches!(self.place, Place::Failed(_)) {
                    self.refuse(self.next_in, Refusal::Ended, effects);
                }
            }
            Event::Unlinked => self.outbound.unlinked(),
            Event::Computed(computed) => return self.computed(now, computed, effects),
            Event::Panicked => return Err(DriverError::Panicked),
            Event::Tick => {
                if self
                    .stall_deadline()
                    .is_some_and(|deadline| deadline <= now)
                {
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
                }
            }
            Event::CannotSave(problem) => return Err(DriverError::Save(problem)),
            Event::CannotKeep(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn fail(&mut self, error: &DriverError, effects: &mut Effects<R>) {
        if matches!(self.place, Place::Failed(_)) {
            return;
        }
        let state = match &self.place {
            Place::Waiting(machine) => Some(machine.state()),
            _ => error.state(),
        };
        // With the machine go its secrets; a computation that is under way
        // drops its own when it comes back.
        self.place = Place::Failed(error.failure(state, self.next_in.exchange));
        self.outbound.clear();
        if !matches!(error, DriverError::PeerEnded) {
            self.refuse(self.next_in, Refusal::Ended, effects);
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
            session: self.session,
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
            effects.then(Command::Tell(status));
        }
    }

    fn standing(&self) -> Standing {
        let waiting = |what: String| Standing::Waiting {
            what,
            since: self.since,
        };
        match &self.place {
            Place::Resting(_) => waiting("a grant of rounds".to_owned()),
            Place::Waiting(_) if !self.outbound.is_linked() => waiting(self.peer.to_string()),
            Place::Waiting(_) | Place::Computing | Place::Saving => Standing::Running,
            Place::Finished => Standing::Finished,
            Place::Failed(failure) => Standing::Failed(failure.clone()),
        }
    }

    fn stall_deadline(&self) -> Option<Instant> {
        let waits = matches!(self.place, Place::Waiting(_));
        waits.then(|| self.since.checked_add(self.stall_budget))?
    }
}
