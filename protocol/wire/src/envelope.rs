//! A payload with its place: which session, which exchange, which step.

use core::fmt;

use crate::{Decode, DecodeError, Digest, Encode, MAX_FRAME_BYTES, Reader, codec::put_bytes};

/// Names one attempt at one job between its parties: the digest over the job's
/// identity, its specification and the attempt. Two parties that disagree
/// about any of these do not understand each other's messages at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub Digest);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where in a session a message stands. Ordered as the sender sent it.
///
/// With the authenticated sender and the session this is the key under which
/// a delivery is recognised as the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The exchange (set-up, one mini-batch, one batch of inference), from 0.
    pub exchange: u64,
    /// The message within the exchange, of this sender, from 0.
    pub step: u8,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.exchange, self.step)
    }
}

impl Encode for Position {
    fn encode(&self, out: &mut Vec<u8>) {
        self.exchange.encode(out);
        self.step.encode(out);
    }
}

impl Decode for Position {
    fn decode((): &(), input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            exchange: input.u64("exchange")?,
            step: input.u8("step")?,
        })
    }
}

/// A machine's message on its way. The machine writes the payload; the driver
/// adds the place.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The session.
    pub session: SessionId,
    /// The place in it.
    pub position: Position,
    /// Kind and fields, opaque here.
    pub payload: Vec<u8>,
}

impl Envelope {
    /// What makes two deliveries the same one: place and content.
    pub fn digest(&self) -> Digest {
        Digest::of("entente envelope", &[&self.encoded()])
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Envelope({} of {}, {} bytes)",
            self.position,
            self.session,
            self.payload.len()
        )
    }
}

impl Encode for Envelope {
    fn encode(&self, out: &mut Vec<u8>) {
        self.session.0.encode(out);
        self.position.encode(out);
        put_bytes(out, &self.payload);
    }
}

impl Decode for Envelope {
    fn decode((): &(), input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            session: SessionId(Digest::decode(&(), input)?),
            position: Position::decode(&(), input)?,
            payload: input.bytes("payload", MAX_FRAME_BYTES)?.to_vec(),
        })
    }
}
