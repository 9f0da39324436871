//! What ends a job at this party.

use std::time::Duration;

use entente_protocol::{Class, ProtocolError, control::Failure, job::PartyName};
use entente_wire::{
    DecodeError, Digest, MAX_FRAME_BYTES, Position, Refusal, WireVersion, listed_versions,
};
use thiserror::Error;

use crate::delivery::JournalError;

/// What ends a job at this party. The text goes into the job's record, which
/// others read: it says what happened and what to do, and quotes no data.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum DriverError {
    /// The machine stopped.
    #[error("{error}")]
    Protocol {
        /// The state that it was in.
        state: &'static str,
        /// Why.
        error: ProtocolError,
    },
    /// A computation panicked. What the panic said may quote data and stays in
    /// this party's log.
    #[error("a computation panicked, which is a defect: see this party's log, and report it")]
    Panicked,
    /// The peer sent two contents for one place.
    #[error("the peer sent two different messages as {position}: {kept} first, then {got}")]
    Equivocation {
        /// The place.
        position: Position,
        /// The digest of the first.
        kept: Digest,
        /// The digest of the second.
        got: Digest,
    },
    /// The peer acknowledges something that was not sent.
    #[error("message {position} was sent as {sent}, and the peer acknowledges {acknowledged}")]
    OtherBytes {
        /// The place.
        position: Position,
        /// The digest of what was sent.
        sent: Digest,
        /// The digest of what was acknowledged.
        acknowledged: Digest,
    },
    /// The peer sent a message that the exchange has no place for.
    #[error("the peer sent message {position}, which its exchange does not have")]
    Extra {
        /// Its place.
        position: Position,
    },
    /// The peer will never take a message of this party.
    #[error("the peer refuses message {position} for good: {}", reason.label())]
    PeerRefuses {
        /// The message's place.
        position: Position,
        /// What the peer says.
        reason: Refusal,
    },
    /// The job failed at the peer.
    #[error("the job ended at the peer; the peer's record says why")]
    PeerEnded,
    /// The peer's certificate was revoked.
    #[error(
        "{peer} was cut off: {revocation}; what it sent since then may be somebody else's, so \
         submit the job again when {peer} has a new certificate"
    )]
    PeerRevoked {
        /// Who.
        peer: PartyName,
        /// Which certificate, by whom, when and why.
        revocation: String,
    },
    /// The session is in an older version than both sides speak.
    #[error(
        "the coordinator named wire version {named} for this attempt, and {peer} and this party \
         both speak {newest}: either one of them was upgraded since, or somebody has struck {newest} \
         out of what a party or the coordinator said. An attempt that follows is in {newest}; if \
         it fails the same way, see that the coordinator is of a release that knows of versions, \
         and who may change it"
    )]
    Downgraded {
        /// Who the peer is.
        peer: PartyName,
        /// The session's version.
        named: WireVersion,
        /// The newest that both speak.
        newest: WireVersion,
    },
    /// The peer does not speak the session's version, and has not for too long.
    #[error(
        "this attempt began in wire version {version}, and {peer} now speaks {}; it was waited \
         for that for {} s, which is the job's stall budget. An attempt that follows is in a \
         version that both speak",
        listed_versions(spoken),
        budget.as_secs()
    )]
    OtherVersions {
        /// Who.
        peer: PartyName,
        /// The session's version.
        version: WireVersion,
        /// What the peer speaks.
        spoken: Vec<u16>,
        /// The budget.
        budget: Duration,
    },
    /// Nothing came from the peer for too long.
    #[error(
        "nothing came from {peer} for {} s, which is the job's stall budget; \
         see that {peer} runs and can be reached, then submit the job again",
        budget.as_secs()
    )]
    Stalled {
        /// Who was waited for.
        peer: PartyName,
        /// The budget.
        budget: Duration,
    },
    /// An exchange has more messages than a position can number.
    #[error("exchange {exchange} has more than 255 messages; this is a defect, please report it")]
    TooManySteps {
        /// Which.
        exchange: u64,
    },
    /// A message that no link would carry.
    #[error(
        "a message {name} of {bytes} bytes is over the limit of {MAX_FRAME_BYTES}; \
         use a smaller batch or a shorter key"
    )]
    TooLarge {
        /// Its kind.
        name: &'static str,
        /// Its size.
        bytes: usize,
    },
    /// What the job leaves here could not be saved.
    #[error("what came of the job cannot be saved: {0}; make room and submit the job again")]
    Save(String),
    /// The records could not be kept.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl DriverError {
    /// A closed set of names, for metrics and logs.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Protocol { error, .. } => error.label(),
            Self::Panicked => "panicked",
            Self::Equivocation { .. } => "equivocation",
            Self::OtherBytes { .. } => "other_bytes",
            Self::Extra { .. } => "extra_message",
            Self::PeerRefuses { .. } => "peer_refuses",
            Self::PeerEnded => "peer_ended",
            Self::PeerRevoked { .. } => "peer_revoked",
            Self::Downgraded { .. } => "wire_downgrade",
            Self::OtherVersions { .. } => "wire_version",
            Self::Stalled { .. } => "stalled",
            Self::TooManySteps { .. } => "too_many_steps",
            Self::TooLarge { .. } => "too_large",
            Self::Save(_) => "save",
            Self::Journal(error) => error.label(),
        }
    }

    /// What is to be done.
    pub fn class(&self) -> Class {
        match self {
            Self::Protocol { error, .. } => error.class(),
            Self::Panicked | Self::TooManySteps { .. } => Class::Bug,
            Self::Equivocation { .. }
            | Self::OtherBytes { .. }
            | Self::Extra { .. }
            | Self::PeerRefuses { .. }
            | Self::PeerRevoked { .. } => Class::Abort,
            Self::PeerEnded
            | Self::Downgraded { .. }
            | Self::OtherVersions { .. }
            | Self::Stalled { .. } => Class::Retry,
            Self::TooLarge { .. } | Self::Save(_) | Self::Journal(_) => Class::Operator,
        }
    }

    /// Whether the peer's message was under another encryption key than the one in
    /// use. It is told so: it may have gone back further than it should have.
    pub(super) fn is_of_another_key(&self) -> bool {
        let Self::Protocol { error, .. } = self else {
            return false;
        };
        matches!(
            error,
            ProtocolError::PeerMessage {
                source: DecodeError::OtherKeyEpoch { .. },
                ..
            }
        )
    }

    /// The state that the machine was in, as far as the error knows.
    pub(super) fn state(&self) -> Option<&'static str> {
        match self {
            Self::Protocol { state, .. } => Some(state),
            _ => None,
        }
    }

    /// As the job's record says it.
    pub(super) fn failure(&self, state: Option<&str>, exchange: u64) -> Failure {
        Failure {
            class: self.class().into(),
            label: self.label().to_owned(),
            message: self.to_string(),
            state: state.map(str::to_owned),
            exchange,
        }
    }
}
