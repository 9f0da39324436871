//! What goes out: kept as bytes until it is acknowledged.

use std::{collections::BTreeMap, fmt, mem, sync::Arc, time::Instant};

use entente_protocol::Sent;
use entente_wire::{
    Digest, Encode, Envelope, Frame, Kind, Position, Session, decode_exactly, read_kind,
};
use rand_chacha::ChaCha20Rng;

use crate::backoff::{Backoff, Waits};

/// A message in the bytes in which it leaves, as often as it takes.
#[derive(Clone, PartialEq, Eq)]
pub struct Packet {
    /// Its place in the session.
    pub position: Position,
    /// The digest of the envelope, which an acknowledgement repeats.
    pub digest: Digest,
    /// Its kind, for logs and metrics.
    pub kind: Kind,
    /// The encoded frame.
    pub frame: Arc<Vec<u8>>,
}

impl Packet {
    /// Puts a machine's message at its place.
    pub fn new(session: Session, position: Position, sent: Sent) -> Self {
        let envelope = Envelope::new(session, position, sent.payload);
        Self {
            position,
            digest: envelope.digest(),
            kind: sent.kind,
            frame: Arc::new(Frame::Data(envelope).encoded()),
        }
    }

    /// From the frame of an earlier process; nothing for bytes that are none.
    pub(crate) fn from_frame(frame: Vec<u8>) -> Option<Self> {
        let Ok(Frame::Data(envelope)) = decode_exactly::<(), Frame>(&(), &frame) else {
            return None;
        };
        Some(Self {
            position: envelope.position(),
            digest: envelope.digest(),
            kind: read_kind(envelope.payload()).ok()?,
            frame: Arc::new(frame),
        })
    }

    /// The bytes that it takes on the stream, with the length in front.
    pub fn wire_bytes(&self) -> usize {
        4 + self.frame.len()
    }
}

impl fmt::Debug for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.frame.len();
        let Self { position, kind, .. } = self;
        write!(f, "Packet({position} of kind {}, {bytes} bytes)", kind.0)
    }
}

/// A packet that is to be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// What.
    pub packet: Packet,
    /// Whether it has left before.
    pub again: bool,
}

/// What an acknowledgement was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledgement {
    /// The peer has it; it will not be sent again.
    Taken,
    /// It was acknowledged before.
    Known,
    /// The peer says that it has other bytes.
    Other {
        /// The digest of what was sent.
        sent: Digest,
    },
}

struct Pending {
    packet: Packet,
    /// Whether it has left at all.
    left: bool,
    due: Instant,
    resends: Backoff,
    refusals: Backoff,
}

/// The messages of one session to one peer that are not acknowledged.
pub struct Outbound {
    pending: BTreeMap<Position, Pending>,
    linked: bool,
    jitter: ChaCha20Rng,
}

impl Outbound {
    /// Nothing yet, and no link. `jitter` spreads resends.
    pub fn new(jitter: ChaCha20Rng) -> Self {
        Self {
            pending: BTreeMap::new(),
            linked: false,
            jitter,
        }
    }

    /// With messages that an earlier process has sent, or was about to.
    pub fn restored(now: Instant, jitter: ChaCha20Rng, sent: BTreeMap<Position, Packet>) -> Self {
        let mut outbound = Self::new(jitter);
        for packet in sent.into_values() {
            let position = packet.position;
            outbound.push(now, packet);
            if let Some(pending) = outbound.pending.get_mut(&position) {
                pending.left = true;
            }
        }
        outbound
    }

    /// Whether there is a link to the peer.
    pub fn is_linked(&self) -> bool {
        self.linked
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Takes in a message. It comes back when it can be sent at once.
    pub fn push(&mut self, now: Instant, packet: Packet) -> Option<Leaving> {
        let mut resends = Backoff::new(Waits::UNACKNOWLEDGED);
        let due = now + resends.next_wait(&mut self.jitter);
        let refusals = Backoff::new(Waits::REFUSED);
        let pending = Pending {
            packet: packet.clone(),
            left: self.linked,
            due,
            resends,
            refusals,
        };
        self.pending.insert(packet.position, pending);
        let again = false;
        self.linked.then_some(Leaving { packet, again })
    }

    /// The peer has what stands at `position`.
    pub fn acknowledged(&mut self, position: Position, digest: Digest) -> Acknowledgement {
        match self.pending.get(&position) {
            None => Acknowledgement::Known,
            Some(pending) if pending.packet.digest != digest => Acknowledgement::Other {
                sent: pending.packet.digest,
            },
            Some(_) => {
                self.pending.remove(&position);
                Acknowledgement::Taken
            }
        }
    }

    /// The peer cannot take `position` now: it is sent again after a while.
    pub fn refused_for_now(&mut self, now: Instant, position: Position) {
        if let Some(pending) = self.pending.get_mut(&position) {
            pending.due = now + pending.refusals.next_wait(&mut self.jitter);
        }
    }

    /// A new link: everything is sent again, in order.
    pub fn linked(&mut self, now: Instant) -> Vec<Leaving> {
        self.linked = true;
        for pending in self.pending.values_mut() {
            pending.due = now;
        }
        self.due(now)
    }

    /// The link is gone: nothing can be sent.
    pub fn unlinked(&mut self) {
        self.linked = false;
    }

    /// What is to be sent again now, in order.
    pub fn due(&mut self, now: Instant) -> Vec<Leaving> {
        if !self.linked {
            return Vec::new();
        }
        let due = self.pending.values_mut().filter(|one| one.due <= now);
        due.map(|one| {
            one.due = now + one.resends.next_wait(&mut self.jitter);
            let packet = one.packet.clone();
            let again = mem::replace(&mut one.left, true);
            Leaving { packet, again }
        })
        .collect()
    }

    /// When [`Outbound::due`] has something next.
    pub fn next_due(&self) -> Option<Instant> {
        let due = self.pending.values().map(|pending| pending.due);
        due.min().filter(|_| self.linked)
    }

    /// Forgets everything: the session has ended.
    pub fn clear(&mut self) {
        self.pending.clear();
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound")
            .field("linked", &self.linked)
            .field("pending", &self.pending.keys())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use entente_wire::WireVersion;
    use rand::SeedableRng;

    use super::*;

    fn outbound() -> Outbound {
        Outbound::new(ChaCha20Rng::seed_from_u64(1))
    }

    fn packet(step: u8) -> Packet {
        let session = Session::new(Digest::of("test", &[]), WireVersion::NEWEST);
        let position = Position { exchange: 0, step };
        let sent = Sent {
            kind: Kind(7),
            name: "ping",
            payload: vec![0, 7, step],
        };
        Packet::new(session, position, sent)
    }

    fn first(step: u8) -> Leaving {
        let packet = packet(step);
        Leaving {
            packet,
            again: false,
        }
    }

    fn again(step: u8) -> Leaving {
        let packet = packet(step);
        Leaving {
            packet,
            again: true,
        }
    }

    #[test]
    fn without_a_link_messages_wait_for_one() {
        let (mut outbound, now) = (outbound(), Instant::now());
        assert_eq!(outbound.push(now, packet(0)), None);
        assert_eq!(outbound.push(now, packet(1)), None);
        assert_eq!(outbound.next_due(), None);
        assert_eq!(outbound.linked(now), [first(0), first(1)]);
        assert_eq!(outbound.push(now, packet(2)), Some(first(2)));
        assert_eq!(outbound.linked(now), [again(0), again(1), again(2)]);
    }

    #[test]
    fn the_same_bytes_go_out_until_they_are_acknowledged() {
        let (mut outbound, now) = (outbound(), Instant::now());
        outbound.linked(now);
        let Packet {
            position, digest, ..
        } = outbound.push(now, packet(0)).unwrap().packet;
        let due = outbound.next_due().unwrap();
        assert!(due >= now + Waits::UNACKNOWLEDGED.least);
        assert_eq!(outbound.due(now), []);
        assert_eq!(outbound.due(due), [again(0)]);
        assert_eq!(outbound.linked(now), [again(0)]);
        assert_eq!(
            outbound.acknowledged(position, digest),
            Acknowledgement::Taken
        );
        assert_eq!(outbound.linked(now), []);
        assert_eq!(
            outbound.acknowledged(position, digest),
            Acknowledgement::Known
        );
    }

    #[test]
    fn an_acknowledgement_of_other_bytes_is_none() {
        let (mut outbound, now) = (outbound(), Instant::now());
        let Packet {
            position, digest, ..
        } = packet(0);
        outbound.push(now, packet(0));
        assert_eq!(
            outbound.acknowledged(position, packet(1).digest),
            Acknowledgement::Other { sent: digest }
        );
        assert_eq!(outbound.linked(now), [first(0)]);
    }

    #[test]
    fn a_refusal_for_now_brings_the_message_back_soon() {
        let (mut outbound, now) = (outbound(), Instant::now());
        outbound.linked(now);
        outbound.push(now, packet(0));
        outbound.refused_for_now(now, packet(0).position);
        let due = outbound.next_due().unwrap();
        assert!(due <= now + Waits::REFUSED.first);
        assert_eq!(outbound.due(due), [again(0)]);
    }
}
