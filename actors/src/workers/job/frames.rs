//! What the peer and the worker say to each other, handed on unopened.

use std::sync::Arc;

use entente_wire::{Encode, Frame, Position, Refusal, SessionId};

use super::{super::Message, RemoteJob};
use crate::{delivery::Received, driver::Standing};

impl RemoteJob {
    /// A message of the peer, on its way to the worker.
    pub(super) fn arrived(&self, received: &Arc<Received>) {
        let frame = Frame::of_message(&received.envelope);
        let refused = match &self.line {
            // Nobody else is there who would say so.
            None if matches!(self.told.standing, Standing::Failed(_)) => Refusal::Ended,
            None => Refusal::UnknownSession,
            Some(line) => match line.queue.try_send(Message::Frame(frame)) {
                Ok(()) => return,
                Err(_) => Refusal::Busy,
            },
        };
        self.meters.refused(refused.label());
        if let Some(link) = &self.link {
            let refused = refusal(self.session, received.envelope.position(), refused);
            link.send(Arc::new(refused));
        }
    }

    pub(super) fn answered(&self, frame: &Frame) {
        if let Some(line) = &self.line {
            // The peer says it again if it is asked again.
            let _ = line.queue.try_send(Message::Frame(frame.encoded()));
        }
    }

    /// A frame of the worker, on its way to the peer.
    pub(super) fn leaves(&self, frame: Vec<u8>) {
        let address = match Frame::address(&frame) {
            Ok(address) if address.session == self.session => address,
            _ => {
                tracing::error!("the worker sends what is not of its session: not handed on");
                return;
            }
        };
        let Some(link) = &self.link else { return };
        if !link.send(Arc::new(frame)) && address.is_message {
            let busy = refusal(self.session, address.position, Refusal::Busy);
            if let Some(line) = &self.line {
                let _ = line.queue.try_send(Message::Frame(busy));
            }
        }
    }
}

fn refusal(session: SessionId, position: Position, reason: Refusal) -> Vec<u8> {
    Frame::Refused {
        session,
        position,
        reason,
    }
    .encoded()
}
