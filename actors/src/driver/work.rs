//! One computation, as a value that is carried into the pool.

use core::fmt;
use std::sync::Arc;

use entente_protocol::{Machine, Next, Outbox, Rest, Role};
use entente_wire::{MAX_FRAME_BYTES, Position, Secret, Session};

use super::DriverError;
use crate::delivery::{Packet, Received};

/// A step of a machine that waits to be computed, with all that it needs.
pub struct Work<R: Role> {
    step: Step<R>,
    session: Session,
    /// Where the first message that it writes will stand.
    first: Position,
}

enum Step<R: Role> {
    Begin(R, u64),
    Handle(R::Machine, Arc<Received>),
}

/// A step that has been computed.
pub struct Computed<R: Role> {
    pub(super) outcome: Result<(After<R>, Vec<Packet>), DriverError>,
}

/// Where a step has led.
pub(super) enum After<R: Role> {
    /// To the next state.
    Waits(R::Machine),
    /// To the end of its exchange, with the role as it is to be kept: to write
    /// it down is a computation too.
    Rests {
        rest: Rest<R>,
        checkpoint: Secret<Vec<u8>>,
    },
}

impl<R: Role> Work<R> {
    pub(super) fn begin(role: R, session: Session, first: Position) -> Self {
        Self {
            step: Step::Begin(role, first.exchange),
            session,
            first,
        }
    }

    pub(super) fn handle(
        machine: R::Machine,
        message: Arc<Received>,
        session: Session,
        first: Position,
    ) -> Self {
        Self {
            step: Step::Handle(machine, message),
            session,
            first,
        }
    }

    /// The machine's state: what it waited for, or `begin`.
    pub fn state(&self) -> &'static str {
        match &self.step {
            Step::Begin(..) => "begin",
            Step::Handle(machine, _) => machine.state(),
        }
    }

    /// Computes, and puts what was written into envelopes. Long.
    pub fn run(self) -> Computed<R> {
        let state = self.state();
        let mut outbox = Outbox::new();
        let next = match self.step {
            Step::Begin(role, exchange) => role.begin(exchange, &mut outbox),
            Step::Handle(machine, message) => {
                machine.handle(message.envelope.payload(), &mut outbox)
            }
        };
        let outcome = next
            .map_err(|error| DriverError::Protocol { state, error })
            .and_then(|next| Ok((next.into(), packets(outbox, self.session, self.first)?)));
        Computed { outcome }
    }
}

impl<R: Role> From<Next<R::Machine>> for After<R>
where
    R::Machine: Machine<Output = Rest<R>>,
{
    fn from(next: Next<R::Machine>) -> Self {
        match next {
            Next::Continue(machine) => Self::Waits(machine),
            Next::Done(rest) => {
                let checkpoint = rest.role.checkpoint();
                Self::Rests { rest, checkpoint }
            }
        }
    }
}

fn packets(
    mut outbox: Outbox,
    session: Session,
    mut position: Position,
) -> Result<Vec<Packet>, DriverError> {
    let mut packets = Vec::new();
    for sent in outbox.drain() {
        let name = sent.name;
        let packet = Packet::new(session, position, sent);
        let bytes = packet.frame.len();
        if bytes > MAX_FRAME_BYTES {
            return Err(DriverError::TooLarge { name, bytes });
        }
        packets.push(packet);
        let exchange = position.exchange;
        let step = position.step.checked_add(1);
        position.step = step.ok_or(DriverError::TooManySteps { exchange })?;
    }
    Ok(packets)
}

impl<R: Role> fmt::Debug for Work<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Work({})", self.state())
    }
}

impl<R: Role> fmt::Debug for Computed<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Ok((_, packets)) => write!(f, "Computed({packets:?})"),
            Err(error) => write!(f, "Computed({error})"),
        }
    }
}
