//! One party's signature, and the two of a job.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ContractError, Terms};
use crate::job::Side;

/// That a party agrees to [`Terms`], and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// When it signed: milliseconds since 1970-01-01 UTC, by its own clock. Part
    /// of what is signed.
    pub at_ms: u64,
    /// The signature as it is written, with the certificates of the signer.
    pub signature: String,
}

/// When a signature is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It has just arrived. The certificate must be in date now, too: the
    /// moment that a signature names is its signer's word alone.
    Arrival {
        /// Milliseconds since 1970-01-01 UTC.
        now_ms: u64,
    },
    /// It was kept since it arrived. The certificate may have ended.
    Later {
        /// Milliseconds since 1970-01-01 UTC.
        now_ms: u64,
    },
}

impl Moment {
    fn now_ms(self) -> u64 {
        match self {
            Self::Arrival { now_ms } | Self::Later { now_ms } => now_ms,
        }
    }
}

/// How far the clocks of two machines may differ.
const MAX_AHEAD_MS: u64 = 5 * 60 * 1000;

impl Signed {
    /// Whether the party on `side` has signed `terms`. `verify` as in
    /// [`Contract::verify`](super::Contract::verify).
    ///
    /// # Errors
    /// [`ContractError::Future`] and [`ContractError::Signature`].
    pub fn verify<E: std::error::Error + 'static>(
        &self,
        terms: &Terms,
        side: Side,
        moment: Moment,
        mut verify: impl FnMut(&str, &str, &str, u64) -> Result<(), E>,
    ) -> Result<(), ContractError<E>> {
        let party = || terms.party(side).clone();
        let ahead_ms = self.at_ms.saturating_sub(moment.now_ms());
        if ahead_ms > MAX_AHEAD_MS {
            return Err(ContractError::Future {
                party: party(),
                ahead_s: ahead_ms / 1000,
            });
        }
        let text = terms.text(side, self.at_ms);
        let signer = terms.signer(side);
        let now_ms = match moment {
            Moment::Arrival { now_ms } => Some(now_ms),
            Moment::Later { .. } => None,
        };
        // A signer's clock that is ahead by less than that is no lie about its
        // certificate: as of its own moment and as of ours it must be in date.
        for at_ms in [Some(self.at_ms), now_ms].into_iter().flatten() {
            verify(&signer, &text, &self.signature, at_ms / 1000).map_err(|error| {
                ContractError::Signature {
                    party: party(),
                    error,
                }
            })?;
        }
        Ok(())
    }
}

/// What the two parties have signed of a job so far.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signatures {
    /// The party that owns the features.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub active: Option<Signed>,
    /// The party that owns the labels.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub passive: Option<Signed>,
}

impl Signatures {
    /// Of the party on a side.
    pub fn of(&self, side: Side) -> Option<&Signed> {
        match side {
            Side::Active => self.active.as_ref(),
            Side::Passive => self.passive.as_ref(),
        }
    }
}
