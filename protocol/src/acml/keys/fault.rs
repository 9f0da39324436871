//! Why a key is not taken.

use thiserror::Error;

/// Why a peer's key is not taken, or is taken no longer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyFault {
    /// The modulus is none that may be encrypted under, or there is no proof.
    #[error("{0}")]
    Modulus(&'static str),
    /// The modulus had its time in this session.
    #[error("it is the one of an earlier key of this session")]
    Reused,
    /// It is not the key that follows, or not from the exchange that follows.
    #[error(
        "key {expected} from exchange {expected_from} is what could follow, and it is key {got} \
         from exchange {from}"
    )]
    OutOfTurn {
        /// The number of the key that could follow.
        expected: u32,
        /// From when.
        expected_from: u64,
        /// The number that came.
        got: u32,
        /// From when.
        from: u64,
    },
    /// Nobody who counts has signed it.
    #[error("its announcement is not signed as it should be: {0}")]
    Signature(String),
    /// The job gives a key so many rounds, and as many again.
    #[error(
        "it is still in use in round {round} (the first is 0), and keys.rotate_every_rounds had it \
         gone by round {due}"
    )]
    Overdue {
        /// The round.
        round: u64,
        /// The last one in which another would have been in time.
        due: u64,
    },
}

impl KeyFault {
    /// All that [`KeyFault::label`] says.
    pub const LABELS: [&'static str; 5] = [
        "key_modulus",
        "key_reused",
        "key_out_of_turn",
        "key_signature",
        "key_overdue",
    ];

    /// A closed set of names, for metrics and logs.
    pub fn label(&self) -> &'static str {
        let [modulus, reused, out_of_turn, signature, overdue] = Self::LABELS;
        match self {
            Self::Modulus(_) => modulus,
            Self::Reused => reused,
            Self::OutOfTurn { .. } => out_of_turn,
            Self::Signature(_) => signature,
            Self::Overdue { .. } => overdue,
        }
    }
}
