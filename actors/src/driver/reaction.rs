//! What an event comes to: the table of what may happen to a job, and its end by
//! an error.
//!
//! An event changes what is known and begins nothing: what can be done then is
//! seen [afterwards](Driver::advance), whatever the event was.

use std::time::Instant;

use entente_protocol::{Machine, Role};
use entente_wire::{Frame, Position, Refusal};

use super::{Command, Driver, DriverError, Effects, Event, Place};
use crate::delivery::{Acknowledgement, Ended, Record};

impl<R: Role> Driver<R> {
    /// What each event comes to by itself; what can go on then is another matter.
    pub(super) fn react(
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

    /// The job ends here: what is told to whom, and what is kept of it.
    pub(super) fn fail(&mut self, error: &DriverError, effects: &mut Effects<R>) {
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

    pub(super) fn refuse(&self, position: Position, reason: Refusal, effects: &mut Effects<R>) {
        effects.then(Command::Answer(Frame::Refused {
            session: self.session.id(),
            position,
            reason,
        }));
    }
}
