//! What both parties sign before a job may run.
//!
//! ```text
//!   specification ──canonical bytes──▶ digest ─┐
//!   job, task, who takes which side ───────────┴─▶ Terms
//!                                                    │ text(signer, moment)
//!                     bank-a's key ──▶ Signed ◀──────┤
//!                     bank-b's key ──▶ Signed ◀──────┘
//!                                        └─▶ Contract: the specification, both signatures
//! ```
//!
//! A party signs a text that a person can read:
//!
//! ```text
//!   entente contract, version 1
//!   job: 0190a000-0000-7000-8000-000000000000
//!   task: train
//!   specification: 5f3c...  (the digest over the canonical bytes)
//!   active: bank-a
//!   passive: bank-b
//!   signed by: party/bank-a
//!   signed at: 1763733600123 ms since 1970-01-01 UTC
//! ```
//!
//! One line for each, in this order, each ended by a line feed. No value can
//! contain one, so one text has one meaning. The version is the text's first line:
//! a later version is another text, and no signature of one is one of the other.
//!
//! **Why the job's identity.** Without it one agreement would hold for every job
//! of the same specification, as often as somebody likes. Attempts are not in it:
//! they are one job's.
//!
//! **Why the signer and the moment.** What is not signed can be altered by whoever
//! keeps the contract. Both parties so sign texts of their own, and neither's
//! signature is of any use in the other's place.
//!
//! This module knows texts and not keys: who verifies is handed in, with the
//! identity, the text, the signature as it is written, and the second at which the
//! certificate must have been in date.

mod signed;
#[cfg(test)]
mod tests;

use entente_wire::Digest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::job::{JobError, JobId, Parties, PartyName, Side, Task, TaskSpec};

pub use self::signed::{Moment, Signatures, Signed};

/// The version of the text, and of the contract around it.
pub const VERSION: u32 = 1;

/// What two parties agree upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    job: JobId,
    task: &'static str,
    specification: Digest,
    parties: Parties,
}

impl Terms {
    /// Of a job.
    pub fn of(job: JobId, task: &Task) -> Self {
        Self {
            job,
            task: task.label(),
            specification: task.digest(),
            parties: task.parties().clone(),
        }
    }

    /// The job.
    pub fn job(&self) -> JobId {
        self.job
    }

    /// The digest of its specification.
    pub fn specification(&self) -> Digest {
        self.specification
    }

    /// The party on a side.
    pub fn party(&self, side: Side) -> &PartyName {
        self.parties.party(side)
    }

    /// Whom the certificate of the party on a side must name.
    pub fn signer(&self, side: Side) -> String {
        format!("party/{}", self.party(side))
    }

    /// What the party on a side signs at a moment.
    pub fn text(&self, side: Side, at_ms: u64) -> String {
        let Self {
            job,
            task,
            specification,
            parties: Parties { active, passive },
        } = self;
        let signer = self.signer(side);
        format!(
            "entente contract, version {VERSION}\n\
             job: {job}\n\
             task: {task}\n\
             specification: {specification}\n\
             active: {active}\n\
             passive: {passive}\n\
             signed by: {signer}\n\
             signed at: {at_ms} ms since 1970-01-01 UTC\n"
        )
    }
}

/// A job that both parties have signed: all that is needed to verify it, but for
/// the authority's certificate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// [`VERSION`].
    pub contract: u32,
    /// The job.
    pub job: JobId,
    /// The digest over the canonical bytes of the specification, in hexadecimal.
    pub specification: String,
    /// What is to be computed, and by whom.
    pub spec: TaskSpec,
    /// What the party that owns the features has signed.
    pub active: Signed,
    /// What the party that owns the labels has signed.
    pub passive: Signed,
}

/// Why a contract counts for nothing. `E` is what is wrong with a signature.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ContractError<E: std::error::Error + 'static> {
    /// A later text than this software knows.
    #[error("the contract is of version {0}, and this software knows {VERSION}: use a newer one")]
    Version(u32),
    /// What is to be computed is not legal.
    #[error(transparent)]
    Specification(#[from] JobError),
    /// The specification in it is not the one that was signed.
    #[error("the contract is about specification {signed}, and the one in it is {found}")]
    OtherSpecification {
        /// The digest of the one that was signed.
        signed: String,
        /// The digest of the one in it.
        found: Digest,
    },
    /// A party has not signed.
    #[error("{0} has not signed this job")]
    Unsigned(PartyName),
    /// A party has signed at a moment that has not come.
    #[error("{party} says that it signed {ahead_s} s from now: compare the clocks of the machines")]
    Future {
        /// Which.
        party: PartyName,
        /// How far from now.
        ahead_s: u64,
    },
    /// A party's signature is not good.
    #[error("{party}'s signature is not good: {error}")]
    Signature {
        /// Which.
        party: PartyName,
        /// Why not.
        #[source]
        error: E,
    },
}

impl<E: std::error::Error + 'static> ContractError<E> {
    /// A closed set of names, for metrics and logs.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Version(_) => "contract_version",
            Self::Specification(_) => "job_specification",
            Self::OtherSpecification { .. } => "contract_other_specification",
            Self::Unsigned(_) => "contract_unsigned",
            Self::Future { .. } => "contract_future",
            Self::Signature { .. } => "contract_signature",
        }
    }
}

impl Contract {
    /// A job with what has been signed of it. Verified by nobody yet.
    ///
    /// # Errors
    /// The party that has not signed.
    pub fn of(job: JobId, task: &Task, signatures: &Signatures) -> Result<Self, PartyName> {
        let of = |side| {
            let signed = signatures.of(side).cloned();
            signed.ok_or_else(|| task.party(side).clone())
        };
        Ok(Self {
            contract: VERSION,
            job,
            specification: task.digest().to_string(),
            spec: task.spec(),
            active: of(Side::Active)?,
            passive: of(Side::Passive)?,
        })
    }

    /// What the party on a side has signed.
    pub fn signed(&self, side: Side) -> &Signed {
        match side {
            Side::Active => &self.active,
            Side::Passive => &self.passive,
        }
    }

    /// Whether both parties have signed this job: what they agreed upon.
    /// `verify` is told signer, text, signature and the second at which the
    /// signer's certificate must have been in date.
    ///
    /// # Errors
    /// [`ContractError`]
    pub fn verify<E: std::error::Error + 'static>(
        &self,
        moment: Moment,
        mut verify: impl FnMut(&str, &str, &str, u64) -> Result<(), E>,
    ) -> Result<Task, ContractError<E>> {
        if self.contract != VERSION {
            return Err(ContractError::Version(self.contract));
        }
        let task = Task::try_from(self.spec.clone())?;
        let found = task.digest();
        if self.specification != found.to_string() {
            return Err(ContractError::OtherSpecification {
                signed: self.specification.clone(),
                found,
            });
        }
        let terms = Terms::of(self.job, &task);
        for side in [Side::Active, Side::Passive] {
            self.signed(side)
                .verify(&terms, side, moment, &mut verify)?;
        }
        Ok(task)
    }
}
