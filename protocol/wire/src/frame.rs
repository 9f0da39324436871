//! What two parties' links say to each other.
//!
//! ```text
//!   dialler                          listener
//!   Hello ────────────────────────▶
//!         ◀──────────────────────── Hello
//!   Data(envelope) ───────────────▶           at least once: resent until
//!         ◀──────────────────────── Ack        acknowledged, on any connection
//!         ◀──────────────────────── Refused    not now, or never
//!   Ping ─────────────────────────▶
//!         ◀──────────────────────── Pong       a half-open link is found out
//! ```
//!
//! On the stream each frame stands behind a u32 length, held against
//! [`MAX_FRAME_BYTES`] before anything is allocated.
//!
//! A frame says by its type which version it is of: 2 is a message of a session
//! of version 1, 7 one of version 2, and the others are the same in both. So a
//! link carries sessions of every version that its ends have in common.

use crate::{
    Common, Decode, DecodeError, Digest, Encode, Envelope, Position, Reader, SessionId, Spoken,
    WireVersion, codec::put_bytes,
};

/// The largest frame that is read or written: 256 MiB, room for a batch of
/// 1,000 samples over a cut of 250 at 4096-bit keys, unpacked.
pub const MAX_FRAME_BYTES: usize = 256 << 20;

/// The type of a message of a session of version 1.
const MESSAGE_V1: u8 = 2;
/// The type of a message of a session of version 2.
const MESSAGE_V2: u8 = 7;
/// Longest software version text that is read.
const MAX_SOFTWARE_BYTES: usize = 64;
/// Most wire versions that a peer may list.
const MAX_VERSIONS: usize = 16;

/// The first frame in each direction. Who the peer is stands in its
/// certificate, not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// Wire versions that the sender speaks, newest first.
    pub versions: Vec<u16>,
    /// The sender's software version, for people.
    pub software: String,
}

impl Hello {
    /// What a party says that speaks these.
    pub fn ours(software: &str, spoken: Spoken) -> Self {
        Self {
            versions: spoken.numbers(),
            software: software.to_owned(),
        }
    }

    /// What both speak, when this came from the peer of one that speaks `ours`.
    ///
    /// # Errors
    /// [`DecodeError::UnsupportedVersion`] with what each of them speaks.
    pub fn agree(&self, ours: Spoken) -> Result<Common, DecodeError> {
        let common = Common::of(ours, &self.versions);
        common.ok_or_else(|| DecodeError::UnsupportedVersion {
            got: self.versions.clone(),
            spoken: ours,
        })
    }
}

/// Why a delivery was not taken. Generic on purpose: details stay in the
/// receiver's own log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// No such session here yet; try again later.
    UnknownSession,
    /// The session is busy beyond its buffer; try again later.
    Busy,
    /// The session ended here with a failure; stop sending.
    Ended,
    /// The same place was filled with other bytes before.
    Equivocation,
    /// The session does not belong to the sender.
    NotYours,
    /// It is under another encryption key than the one in use; it was not
    /// decrypted, and the session has ended.
    OtherKeyEpoch,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::UnknownSession,
        Self::Busy,
        Self::Ended,
        Self::Equivocation,
        Self::NotYours,
        Self::OtherKeyEpoch,
    ];

    /// Whether sending the same bytes again may succeed.
    pub fn is_temporary(self) -> bool {
        matches!(self, Self::UnknownSession | Self::Busy)
    }

    /// A closed set of names, for metrics and logs.
    pub fn label(self) -> &'static str {
        match self {
            Self::UnknownSession => "unknown_session",
            Self::Busy => "busy",
            Self::Ended => "ended",
            Self::Equivocation => "equivocation",
            Self::NotYours => "not_yours",
            Self::OtherKeyEpoch => "other_key_epoch",
        }
    }
}

/// One frame on a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// The greeting.
    Hello(Hello),
    /// A machine's message.
    Data(Envelope),
    /// The message at this place, with this digest, is safely kept.
    Ack {
        /// Its session.
        session: SessionId,
        /// Its place.
        position: Position,
        /// The digest of the envelope.
        digest: Digest,
    },
    /// The message at this place was not taken.
    Refused {
        /// Its session.
        session: SessionId,
        /// Its place.
        position: Position,
        /// Why.
        reason: Refusal,
    },
    /// Are you there?
    Ping(u64),
    /// Yes, with the number of the question.
    Pong(u64),
}

/// What an encoded frame is about, without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// The session.
    pub session: SessionId,
    /// The place in it.
    pub position: Position,
    /// Whether it is a message, and not an answer to one.
    pub is_message: bool,
}

impl Frame {
    /// What an encoded frame is about, for whoever hands it on unopened.
    ///
    /// # Errors
    /// [`DecodeError`]: it is about no session.
    pub fn address(encoded: &[u8]) -> Result<Address, DecodeError> {
        let mut input = Reader::new(encoded);
        let is_message = match input.u8("frame type")? {
            MESSAGE_V1 | MESSAGE_V2 => true,
            3 | 4 => false,
            _ => {
                return Err(DecodeError::Invalid {
                    what: "frame type",
                    why: "it is about no session",
                });
            }
        };
        Ok(Address {
            session: SessionId(Digest::decode(&(), &mut input)?),
            position: Position::decode(&(), &mut input)?,
            is_message,
        })
    }

    /// The frame of a message, encoded.
    pub fn of_message(envelope: &Envelope) -> Vec<u8> {
        let mut out = Vec::new();
        put_message(envelope, &mut out);
        out
    }
}

fn put_message(envelope: &Envelope, out: &mut Vec<u8>) {
    out.push(match envelope.session().version() {
        WireVersion::V1 => MESSAGE_V1,
        WireVersion::V2 => MESSAGE_V2,
    });
    envelope.encode(out);
}

impl Encode for Frame {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Hello(hello) => {
                out.push(1);
                out.push(hello.versions.len().min(MAX_VERSIONS) as u8);
                for version in hello.versions.iter().take(MAX_VERSIONS) {
                    version.encode(out);
                }
                let software = hello.software.as_bytes();
                put_bytes(out, &software[..software.len().min(MAX_SOFTWARE_BYTES)]);
            }
            Self::Data(envelope) => put_message(envelope, out),
            Self::Ack {
                session,
                position,
                digest,
            } => {
                out.push(3);
                session.0.encode(out);
                position.encode(out);
                digest.encode(out);
            }
            Self::Refused {
                session,
                position,
                reason,
            } => {
                out.push(4);
                session.0.encode(out);
                position.encode(out);
                let code = Refusal::ALL.iter().position(|r| r == reason);
                out.push(code.map_or(0, |code| code as u8 + 1));
            }
            Self::Ping(number) => {
                out.push(5);
                number.encode(out);
            }
            Self::Pong(number) => {
                out.push(6);
                number.encode(out);
            }
        }
    }
}

impl Decode for Frame {
    fn decode((): &(), input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match input.u8("frame type")? {
            1 => {
                let count = usize::from(input.u8("wire versions")?);
                if count > MAX_VERSIONS {
                    return Err(DecodeError::OverLimit {
                        what: "wire versions",
                        limit: MAX_VERSIONS as u64,
                        got: count as u64,
                    });
                }
                let versions = (0..count)
                    .map(|_| input.u16("wire version"))
                    .collect::<Result<_, _>>()?;
                let software = input.bytes("software version", MAX_SOFTWARE_BYTES)?;
                let software = core::str::from_utf8(software)
                    .ok()
                    .filter(|text| text.chars().all(|c| c.is_ascii_graphic() || c == ' '))
                    .ok_or(DecodeError::Invalid {
                        what: "software version",
                        why: "not printable ASCII",
                    })?
                    .to_owned();
                Ok(Self::Hello(Hello { versions, software }))
            }
            MESSAGE_V1 => Envelope::decode_as(WireVersion::V1, input).map(Self::Data),
            3 => Ok(Self::Ack {
                session: SessionId(Digest::decode(&(), input)?),
                position: Position::decode(&(), input)?,
                digest: Digest::decode(&(), input)?,
            }),
            4 => Ok(Self::Refused {
                session: SessionId(Digest::decode(&(), input)?),
                position: Position::decode(&(), input)?,
                reason: usize::from(input.u8("refusal")?)
                    .checked_sub(1)
                    .and_then(|code| Refusal::ALL.get(code).copied())
                    .ok_or(DecodeError::Invalid {
                        what: "refusal",
                        why: "unknown code",
                    })?,
            }),
            5 => input.u64("ping").map(Self::Ping),
            6 => input.u64("pong").map(Self::Pong),
            MESSAGE_V2 => Envelope::decode_as(WireVersion::V2, input).map(Self::Data),
            _ => Err(DecodeError::Invalid {
                what: "frame type",
                why: "unknown number",
            }),
        }
    }
}
