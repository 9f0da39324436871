//! A payload with its place: which session, which exchange, which step.
//!
//! ```text
//!   version 1   session (32) | exchange (8) | step (1) | length (4) | payload
//!   version 2   session (32) | exchange (8) | step (1) | digest (32) | length (4) | payload
//! ```
//!
//! The digest of version 2 is what makes two deliveries the same one, and what
//! an acknowledgement repeats. In version 1 the receiver computes it of whatever
//! came; a bit that fell over in the sender's memory or on its disk, which TLS
//! then carried faithfully, was taken, journalled and computed with, and the
//! sender learnt of it by an acknowledgement of other bytes: the job was lost,
//! and the peer was blamed. In version 2 such a message is not taken: the link
//! ends, and the message is sent again.

use core::fmt;

use crate::{
    Decode, DecodeError, Digest, Encode, MAX_FRAME_BYTES, Reader, Session, SessionId, WireVersion,
    codec::put_bytes,
};

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
    session: Session,
    position: Position,
    payload: Vec<u8>,
    digest: Digest,
}

impl Envelope {
    /// A payload (kind and fields, opaque here) at a place of a session.
    pub fn new(session: Session, position: Position, payload: Vec<u8>) -> Self {
        let digest = digest(session, position, &payload);
        Self {
            session,
            position,
            payload,
            digest,
        }
    }

    /// The session.
    pub fn session(&self) -> Session {
        self.session
    }

    /// The place in it.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Kind and fields.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// What makes two deliveries the same one: place and content.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The bytes of its encoding.
    pub fn encoded_bytes(&self) -> usize {
        let digest = match self.session.version() {
            WireVersion::V1 => 0,
            WireVersion::V2 => 32,
        };
        32 + 9 + digest + 4 + self.payload.len()
    }

    /// Reads one of a session of this version.
    pub(crate) fn decode_as(
        version: WireVersion,
        input: &mut Reader<'_>,
    ) -> Result<Self, DecodeError> {
        let id = SessionId(Digest::decode(&(), input)?);
        let position = Position::decode(&(), input)?;
        let said = match version {
            WireVersion::V1 => None,
            WireVersion::V2 => Some(Digest::decode(&(), input)?),
        };
        let payload = input.bytes("payload", MAX_FRAME_BYTES)?.to_vec();
        let envelope = Self::new(Session::claimed(id, version), position, payload);
        match said.is_none_or(|said| said == envelope.digest) {
            true => Ok(envelope),
            false => Err(DecodeError::Altered { what: "a message" }),
        }
    }
}

fn digest(session: Session, position: Position, payload: &[u8]) -> Digest {
    match session.version() {
        // Over its encoding as one part, as it always was.
        WireVersion::V1 => {
            let mut encoded = Vec::with_capacity(32 + 9 + 4 + payload.len());
            session.id().0.encode(&mut encoded);
            position.encode(&mut encoded);
            put_bytes(&mut encoded, payload);
            Digest::of("entente envelope", &[&encoded])
        }
        // The same without a copy of the payload.
        WireVersion::V2 => {
            let (SessionId(session), position) = (session.id(), position.encoded());
            let parts: [&[u8]; 3] = [session.as_bytes(), &position, payload];
            Digest::of("entente envelope of version 2", &parts)
        }
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Envelope({} of {}, version {}, {} bytes)",
            self.position,
            self.session,
            self.session.version(),
            self.payload.len()
        )
    }
}

impl Encode for Envelope {
    fn encode(&self, out: &mut Vec<u8>) {
        self.session.id().0.encode(out);
        self.position.encode(out);
        match self.session.version() {
            WireVersion::V1 => {}
            WireVersion::V2 => self.digest.encode(out),
        }
        put_bytes(out, &self.payload);
    }
}
