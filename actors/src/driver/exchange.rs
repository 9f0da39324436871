//! What a driver does in the course of an exchange: take messages in, have
//! steps computed, take their results.

use std::{mem, sync::Arc, time::Instant};

use entente_protocol::{Rest, Role};
use entente_wire::{Frame, Position, Refusal};

use super::{Command, Computed, Driver, DriverError, Effects, Place, Work, work::After};
use crate::delivery::{Checkpoint, Received, Record, Verdict};

impl<R: Role> Driver<R> {
    pub(super) fn arrived(
        &mut self,
        now: Instant,
        received: Arc<Received>,
        effects: &mut Effects<R>,
    ) -> Result<(), DriverError> {
        let (position, digest) = (received.envelope.position(), received.digest);
        if matches!(self.place, Place::Failed(_)) {
            self.refuse(position, Refusal::Ended, effects);
            return Ok(());
        }
        match self.inbound.accept(self.next_in, &received) {
            Verdict::Fresh => {
                self.since = now;
                effects.keep(Record::Accepted(received));
            }
            Verdict::Known => {}
            Verdict::Busy => {
                self.refuse(position, Refusal::Busy, effects);
                return Ok(());
            }
            Verdict::Equivocation { kept } => {
                self.refuse(position, Refusal::Equivocation, effects);
                return Err(DriverError::Equivocation {
                    position,
                    kept,
                    got: digest,
                });
            }
            Verdict::Extra => return Err(DriverError::Extra { position }),
        }
        effects.then(Command::Answer(Frame::Ack {
            session: self.session.id(),
            position,
            digest,
        }));
        Ok(())
    }

    pub(super) fn computed(
        &mut self,
        now: Instant,
        computed: Computed<R>,
        effects: &mut Effects<R>,
    ) -> Result<(), DriverError> {
        if !matches!(self.place, Place::Computing) {
            // The job ended meanwhile; the result is dropped, and wiped.
            return Ok(());
        }
        self.since = now;
        let (after, packets) = computed.outcome?;
        for packet in packets {
            let Position { exchange, step } = packet.position;
            self.written = step.saturating_add(1);
            if step < self.before.get(&exchange).copied().unwrap_or_default() {
                // An earlier process wrote here, and what it wrote counts: the
                // peer may have it, and these bytes are not the same.
                continue;
            }
            effects.keep(Record::Sent(packet.clone()));
            if let Some(leaving) = self.outbound.push(now, packet) {
                effects.then(Command::Send(leaving));
            }
        }
        match after {
            After::Waits(machine) => self.place = Place::Waiting(machine),
            After::Rests { rest, checkpoint } => {
                let Rest { role, report } = rest;
                let exchange = self.next_in.exchange;
                self.inbound
                    .rest(exchange)
                    .map_err(|position| DriverError::Extra { position })?;
                self.tally.add(role.schedule(), exchange, &report);
                self.next_in = Position {
                    exchange: exchange + 1,
                    step: 0,
                };
                self.written = 0;
                self.before.remove(&exchange);
                self.place = Place::Resting(role);
                effects.keep(Record::Rest(Arc::new(Checkpoint {
                    exchanges_done: exchange + 1,
                    counts: self.tally.counts(),
                    role: checkpoint,
                })));
            }
        }
        Ok(())
    }

    /// Does whatever can be done without anything from outside.
    pub(super) fn advance(
        &mut self,
        now: Instant,
        effects: &mut Effects<R>,
    ) -> Result<(), DriverError> {
        if self.unkept.is_some() {
            return Ok(());
        }
        let (session, exchange) = (self.session, self.next_in.exchange);
        let first = Position {
            exchange,
            step: self.written,
        };
        let work = match mem::replace(&mut self.place, Place::Computing) {
            Place::Resting(role) if exchange >= self.tally.exchanges() => {
                let product = role.product();
                self.tally.close(&product);
                effects.then(Command::Save(product));
                self.place = Place::Saving;
                return Ok(());
            }
            Place::Resting(role) if exchange < self.granted && !self.hold => {
                Work::begin(role, session, first)
            }
            Place::Waiting(machine) => match self.inbound.take(self.next_in) {
                Some(message) => {
                    let step = self.next_in.step.checked_add(1);
                    self.next_in.step = step.ok_or(DriverError::TooManySteps { exchange })?;
                    Work::handle(machine, message, session, first)
                }
                None => {
                    self.place = Place::Waiting(machine);
                    return Ok(());
                }
            },
            place => {
                self.place = place;
                return Ok(());
            }
        };
        self.since = now;
        effects.then(Command::Compute(work));
        Ok(())
    }
}
