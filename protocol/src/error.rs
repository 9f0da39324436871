//! What can end an exchange, cut by who must act.

use entente_he::HeError;
use entente_wire::DecodeError;
use thiserror::Error;

use crate::{
    CheckpointError, acml::KeyFault, fixed::RangeError, network::NetworkError, rows::RowsDiffer,
};

/// What is to be done about an error. Read in one place, the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Try again: the other side or the line may recover.
    Retry,
    /// End the job: the peer broke the protocol.
    Abort,
    /// A person must change the job, the data or the machine.
    Operator,
    /// A defect of this software.
    Bug,
}

impl Class {
    /// A closed set of names, for metrics and logs.
    pub fn label(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Abort => "abort",
            Self::Operator => "operator",
            Self::Bug => "bug",
        }
    }
}

/// Why a machine stopped.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The peer's bytes are not the message that the state waits for.
    #[error("in state {state}: the peer's message cannot be read: {source}")]
    PeerMessage {
        /// The state.
        state: &'static str,
        /// What is wrong with the bytes.
        source: DecodeError,
    },
    /// The parties do not hold the same rows.
    #[error(transparent)]
    Rows(#[from] RowsDiffer),
    /// A value left its fixed-point range.
    #[error(transparent)]
    Range(#[from] RangeError),
    /// The encryption scheme refused.
    #[error("homomorphic encryption: {0}")]
    He(#[from] HeError),
    /// The bottom network refused.
    #[error("bottom network: {0}")]
    Network(#[from] NetworkError),
    /// The gradients tell more about labels than the job allows.
    #[error(
        "the gradients of epoch {epoch} (the first is 0) let an attack find labels with an area \
         under its curve of {auc:.3}, more than privacy.max_leak_auc = {bound}: choose a \
         privacy.defence, or more noise, or agree on a larger bound"
    )]
    LeakBound {
        /// The epoch, from 0.
        epoch: u32,
        /// What the better attack reached.
        auc: f64,
        /// What was agreed.
        bound: f64,
    },
    /// Epochs cannot be compared.
    #[error(
        "no row is set apart to compare epochs by: data.validation_fraction = {fraction} of these \
         rows is less than one; set it higher, or leave training.early_stopping and training.keep \
         out"
    )]
    NoValidationRows {
        /// What was asked for.
        fraction: f64,
    },
    /// The halves of the model that is asked belong to two trainings.
    #[error(
        "the two halves of the model do not belong together: each was saved by another run of its \
         training, and joined they would answer noise; train the model again, or name a version \
         whose halves both parties kept"
    )]
    ModelsDiffer,
    /// A role cannot go on from what was kept of it.
    #[error("the job cannot go on from its checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// A key of the peer is not taken, or is taken no longer.
    #[error("key {epoch} of the peer is refused: {fault}")]
    KeyRefused {
        /// Its number; the one of the set-up is 1.
        epoch: u32,
        /// What is wrong with it.
        fault: KeyFault,
    },
    /// A key cannot be announced.
    #[error(
        "this party cannot sign the announcement of its encryption key: {why}; look after the \
         certificate's key"
    )]
    NotSigned {
        /// What the key says.
        why: String,
    },
    /// The driver asked for an exchange that the schedule does not have here.
    #[error(
        "exchange {index} is not the one that follows here; this is a defect, please report it"
    )]
    OutOfOrder {
        /// The exchange asked for.
        index: u64,
    },
}

impl ProtocolError {
    /// A closed set of names, for metrics and logs.
    pub fn label(&self) -> &'static str {
        match self {
            Self::PeerMessage { source, .. } => source.label(),
            Self::Rows(_) => "rows_differ",
            Self::Range(_) => "range",
            Self::He(error) => error.label(),
            Self::Network(_) => "network",
            Self::LeakBound { .. } => "leak_bound",
            Self::NoValidationRows { .. } => "no_validation_rows",
            Self::ModelsDiffer => "models_differ",
            Self::Checkpoint(_) => "checkpoint",
            Self::KeyRefused { fault, .. } => fault.label(),
            Self::NotSigned { .. } => "not_signed",
            Self::OutOfOrder { .. } => "out_of_order",
        }
    }

    /// What is to be done.
    pub fn class(&self) -> Class {
        match self {
            Self::PeerMessage { .. } | Self::KeyRefused { .. } => Class::Abort,
            Self::Rows(_)
            | Self::Range(_)
            | Self::Network(_)
            | Self::LeakBound { .. }
            | Self::NoValidationRows { .. }
            | Self::ModelsDiffer
            | Self::NotSigned { .. }
            | Self::Checkpoint(_) => Class::Operator,
            Self::He(HeError::Shape { .. }) | Self::OutOfOrder { .. } => Class::Bug,
            Self::He(HeError::BadKey { .. }) => Class::Abort,
            Self::He(_) => Class::Operator,
        }
    }

    /// What the peer is told: its own class of fault and no details.
    pub fn for_peer(&self) -> &'static str {
        match self.class() {
            Class::Abort => "your message was refused",
            Class::Retry | Class::Operator | Class::Bug => "failed on this side",
        }
    }
}

/// Names the state in which a peer's message could not be read.
pub(crate) fn unreadable(state: &'static str) -> impl FnOnce(DecodeError) -> ProtocolError {
    move |source| ProtocolError::PeerMessage { state, source }
}

/// As [`unreadable`], of a message with key `epoch`: a number that cannot be a
/// modulus is a fault of the key.
pub(crate) fn unacceptable(
    state: &'static str,
    epoch: u32,
) -> impl FnOnce(DecodeError) -> ProtocolError {
    move |source| match source {
        DecodeError::Invalid {
            what: "public key",
            why,
        } => ProtocolError::KeyRefused {
            epoch,
            fault: KeyFault::Modulus(why),
        },
        source => ProtocolError::PeerMessage { state, source },
    }
}
