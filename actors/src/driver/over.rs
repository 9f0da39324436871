//! A session whose role is gone.

use entente_protocol::{
    Machine, Next, Outbox, Product, ProtocolError, Rest, Role, schedule::Schedule,
};
use entente_wire::{Kind, Secret};

/// The role of a session that has ended before its process did: there is none.
///
/// What such a session does is answer: the peer may still need its last
/// message, or the word that it has ended. That is the driver's part alone, and
/// so the driver is made for a role of which no value exists. Nothing can be
/// begun, computed or saved a second time.
#[derive(Debug)]
pub enum Over {}

impl Role for Over {
    type Machine = Self;
    const PROTOCOL: &'static str = "none";
    const ROLE: &'static str = "none";

    fn schedule(&self) -> &Schedule {
        match *self {}
    }

    fn begin(self, _: u64, _: &mut Outbox) -> Result<Next<Self>, ProtocolError> {
        match self {}
    }

    fn message_name(_: Kind) -> Option<&'static str> {
        None
    }

    fn checkpoint(&self) -> Secret<Vec<u8>> {
        match *self {}
    }

    fn product(self) -> Product {
        match self {}
    }
}

impl Machine for Over {
    type Output = Rest<Self>;

    fn state(&self) -> &'static str {
        match *self {}
    }

    fn handle(self, _: &[u8], _: &mut Outbox) -> Result<Next<Self>, ProtocolError> {
        match self {}
    }
}
