//! What came in: each position once, in order, early ones kept for later.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use entente_wire::{Digest, Envelope, MAX_FRAME_BYTES, Position};

use super::Messages;

/// How far a peer may be ahead of this side, in exchanges: it may have ended
/// an exchange whose last message is still on its way to us.
const AHEAD: u64 = 1;
/// Exchanges at rest whose digests are kept. A peer behind by more has had
/// everything of ours, or this side would not be where it is.
const BEHIND: u64 = 2;
/// Messages that wait for the machine at most, beside the one that it wants.
const MAX_WAITING: usize = 8;
/// Bytes that wait for the machine at most, beside the one that it wants.
const MAX_WAITING_BYTES: usize = 2 * MAX_FRAME_BYTES;

/// A message with its digest, as the link has read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The message.
    pub envelope: Envelope,
    /// The digest of place and content.
    pub digest: Digest,
}

impl Received {
    /// The bytes that it took on the stream: length, frame type, envelope.
    pub fn wire_bytes(&self) -> usize {
        4 + 1 + self.envelope.encoded_bytes()
    }
}

impl From<Envelope> for Received {
    fn from(envelope: Envelope) -> Self {
        let digest = envelope.digest();
        Self { envelope, digest }
    }
}

/// What a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// New: kept, and to be acknowledged.
    Fresh,
    /// Delivered before: to be acknowledged again, without effect.
    Known,
    /// No room for it now, or too far ahead.
    Busy,
    /// Other bytes at a place that was filled before.
    Equivocation {
        /// The digest of the first delivery.
        kept: Digest,
    },
    /// At a place of an exchange at rest where no message was due.
    Extra,
}

/// The messages of one session from one peer.
#[derive(Debug, Default)]
pub struct Inbound {
    digests: BTreeMap<Position, Digest>,
    waiting: BTreeMap<Position, Arc<Received>>,
    waiting_bytes: usize,
}

impl Inbound {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// As a journal has kept it, for a machine that goes on with `exchange`.
    pub fn restored(messages: &Messages, exchange: u64) -> Self {
        let accepted = messages.accepted.iter();
        let waiting: BTreeMap<_, _> = accepted
            .filter(|(position, _)| position.exchange >= exchange)
            .map(|(position, received)| (*position, received.clone()))
            .collect();
        let bytes = |received: &Arc<Received>| received.envelope.payload().len();
        Self {
            digests: messages.heard.clone(),
            waiting_bytes: waiting.values().map(bytes).sum(),
            waiting,
        }
    }

    /// Takes in a delivery, while `next` is what the machine wants (or will,
    /// once its exchange has begun).
    pub fn accept(&mut self, next: Position, received: &Arc<Received>) -> Verdict {
        let position = received.envelope.position();
        let bytes = received.envelope.payload().len();
        let room = position == next
            || (self.waiting.len() < MAX_WAITING
                && self.waiting_bytes.saturating_add(bytes) <= MAX_WAITING_BYTES
                && position.exchange <= next.exchange.saturating_add(AHEAD));
        match self.digests.entry(position) {
            Entry::Occupied(kept) if *kept.get() == received.digest => Verdict::Known,
            Entry::Occupied(kept) => Verdict::Equivocation { kept: *kept.get() },
            Entry::Vacant(_) if position.exchange.saturating_add(BEHIND) < next.exchange => {
                Verdict::Known
            }
            Entry::Vacant(_) if position.exchange < next.exchange => Verdict::Extra,
            Entry::Vacant(_) if !room => Verdict::Busy,
            Entry::Vacant(place) => {
                place.insert(received.digest);
                self.waiting.insert(position, received.clone());
                self.waiting_bytes += bytes;
                Verdict::Fresh
            }
        }
    }

    /// The message at `position`, once.
    pub fn take(&mut self, position: Position) -> Option<Arc<Received>> {
        let received = self.waiting.remove(&position)?;
        self.waiting_bytes -= received.envelope.payload().len();
        Some(received)
    }

    /// An exchange has come to rest: digests that are too old are forgotten.
    ///
    /// # Errors
    /// A position of that exchange that the machine had no use for.
    pub fn rest(&mut self, exchange: u64) -> Result<(), Position> {
        self.digests
            .retain(|position, _| position.exchange.saturating_add(BEHIND) > exchange);
        let first = self.waiting.keys().next().copied();
        match first.filter(|position| position.exchange <= exchange) {
            Some(position) => Err(position),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use entente_wire::{Encode, Frame, Session, WireVersion};

    use super::*;

    fn at(exchange: u64, step: u8) -> Position {
        Position { exchange, step }
    }

    fn message(position: Position, content: &[u8]) -> Arc<Received> {
        message_of(WireVersion::NEWEST, position, content)
    }

    fn message_of(version: WireVersion, position: Position, content: &[u8]) -> Arc<Received> {
        let session = Session::new(Digest::of("test", &[]), version);
        let envelope = Envelope::new(session, position, content.to_vec());
        Arc::new(Received::from(envelope))
    }

    #[test]
    fn bytes_are_counted_as_they_are_framed() {
        for version in WireVersion::ALL {
            let message = message_of(version, at(7, 2), b"content");
            let frame = Frame::Data(message.envelope.clone()).encoded();
            assert_eq!(message.wire_bytes(), 4 + frame.len(), "{version}");
        }
    }

    #[test]
    fn a_message_is_fresh_once_and_taken_once() {
        let mut inbound = Inbound::new();
        let first = message(at(0, 0), b"a");
        assert_eq!(inbound.accept(at(0, 0), &first), Verdict::Fresh);
        assert_eq!(inbound.accept(at(0, 0), &first), Verdict::Known);
        assert_eq!(inbound.take(at(0, 0)), Some(first.clone()));
        assert_eq!(inbound.take(at(0, 0)), None);
        assert_eq!(inbound.accept(at(0, 1), &first), Verdict::Known);
        assert_eq!(
            inbound.accept(at(0, 1), &message(at(0, 0), b"b")),
            Verdict::Equivocation { kept: first.digest }
        );
    }

    #[test]
    fn the_peer_may_be_one_exchange_ahead_and_no_more() {
        let mut inbound = Inbound::new();
        assert_eq!(
            inbound.accept(at(3, 0), &message(at(4, 0), b"early")),
            Verdict::Fresh
        );
        assert_eq!(
            inbound.accept(at(3, 0), &message(at(5, 0), b"far")),
            Verdict::Busy
        );
        assert_eq!(
            inbound.accept(at(3, 0), &message(at(u64::MAX, 0), b"absurd")),
            Verdict::Busy
        );
    }

    #[test]
    fn a_flood_leaves_room_for_the_message_that_is_wanted() {
        let mut inbound = Inbound::new();
        for step in 1..=MAX_WAITING as u8 {
            assert_eq!(
                inbound.accept(at(0, 0), &message(at(0, step), b"junk")),
                Verdict::Fresh
            );
        }
        assert_eq!(
            inbound.accept(at(0, 0), &message(at(0, 100), b"junk")),
            Verdict::Busy
        );
        assert_eq!(
            inbound.accept(at(0, 0), &message(at(0, 0), b"wanted")),
            Verdict::Fresh
        );
    }

    #[test]
    fn digests_outlive_two_exchanges_and_older_deliveries_have_no_effect() {
        let mut inbound = Inbound::new();
        let old = message(at(0, 0), b"old");
        inbound.accept(at(0, 0), &old);
        inbound.take(at(0, 0)).unwrap();
        let forged = message(at(0, 0), b"forged");
        for exchange in 0..2 {
            inbound.rest(exchange).unwrap();
            assert_eq!(inbound.accept(at(exchange + 1, 0), &old), Verdict::Known);
            assert!(matches!(
                inbound.accept(at(exchange + 1, 0), &forged),
                Verdict::Equivocation { .. }
            ));
        }
        inbound.rest(2).unwrap();
        assert_eq!(inbound.accept(at(3, 0), &forged), Verdict::Known);
        assert_eq!(inbound.take(at(0, 0)), None);
    }

    #[test]
    fn a_message_that_nobody_wanted_is_noticed() {
        let mut inbound = Inbound::new();
        inbound.accept(at(0, 0), &message(at(0, 1), b"extra"));
        assert_eq!(inbound.rest(0), Err(at(0, 1)));

        let mut inbound = Inbound::new();
        assert_eq!(
            inbound.accept(at(1, 0), &message(at(0, 1), b"extra")),
            Verdict::Extra
        );
    }
}
