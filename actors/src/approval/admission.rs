//! That a job which is to begin was agreed upon.
//!
//! The last thing before data is opened, and the only way to it: what the policy
//! said, what the coordinator says and what this party remembers do not matter here,
//! both signatures do. A contract that was verified when it arrived is kept, and
//! holds from then on for every attempt, also when a certificate has ended meanwhile.

use entente_protocol::{
    Class,
    contract::{Contract, ContractError, Moment},
    control::Assignment,
    job::{JobId, Task},
};
use entente_tls::SignatureError;
use thiserror::Error;

use super::{Desk, LedgerError};

/// Why a job does not begin, though the coordinator says that it was agreed upon.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum NoContract {
    /// It was not agreed upon.
    #[error("this job must not run here: {0}")]
    Contract(#[from] ContractError<SignatureError>),
    /// Another specification was agreed upon under the same identity.
    #[error(
        "this party has a contract for job {0} with another specification, so somebody has changed \
         the job after it was signed; have it submitted again"
    )]
    Changed(JobId),
    /// The contract cannot be kept.
    #[error("the contract cannot be kept: make room in [party] state_dir, or make it writable")]
    NotKept(#[source] LedgerError),
}

impl NoContract {
    /// A closed set of names, for metrics and logs.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Contract(error) => error.label(),
            Self::Changed(_) => "contract_changed",
            Self::NotKept(_) => "contract_not_kept",
        }
    }

    /// Who must act.
    pub(crate) fn class(&self) -> Class {
        match self {
            Self::Contract(_) | Self::Changed(_) => Class::Abort,
            Self::NotKept(_) => Class::Operator,
        }
    }
}

impl Desk {
    /// Whether a job may begin: both parties have signed it. Keeps the contract.
    ///
    /// # Errors
    /// [`NoContract`]
    pub(crate) fn admit(&self, assignment: &Assignment, now_ms: u64) -> Result<(), NoContract> {
        let task = Task::try_from(assignment.spec.clone()).map_err(ContractError::from)?;
        let contract = Contract::of(assignment.job, &task, &assignment.signatures)
            .map_err(ContractError::Unsigned)?;
        let kept = self.ledger.contract(assignment.job);
        // One that cannot be read is as good as none: it is verified anew.
        let kept = kept.inspect_err(|error| tracing::error!(%error, "a contract"));
        let kept = kept.ok().flatten();
        if let Some(kept) = &kept
            && kept.specification != contract.specification
        {
            return Err(NoContract::Changed(assignment.job));
        }
        let moment = match self.arrived_before || kept.as_ref() == Some(&contract) {
            true => Moment::Later { now_ms },
            false => Moment::Arrival { now_ms },
        };
        let authorities = self.credentials.authorities();
        contract.verify(moment, |signer, text, signature, at_s| {
            authorities.verify_written(signer, text, signature, at_s)
        })?;
        if kept.as_ref() != Some(&contract) {
            self.ledger.keep(&contract).map_err(NoContract::NotKept)?;
        }
        Ok(())
    }
}
