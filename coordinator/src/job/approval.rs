//! What a party has answered to a job that was proposed to it.

use entente_protocol::contract::{Signatures, Signed};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::Sides;
use crate::schema::Moment;

/// What a party has answered. It stays: an approval holds for every attempt, and
/// a rejection ends the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Approval {
    /// It takes part, and has signed. Verified when it arrived.
    Signed(Signed),
    /// It does not take part.
    Rejected(Rejection),
}

/// Why a party does not take part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rejection {
    /// When it became known.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "Moment")]
    pub at: OffsetDateTime,
    /// The rule of its policy, or `person`.
    pub rule: String,
    /// For a person, in the party's words.
    pub reason: String,
}

/// A party's words are kept up to this length: it must not fill the store.
const MAX_RULE_CHARS: usize = 64;
const MAX_REASON_CHARS: usize = 2000;

impl Rejection {
    /// What a party says.
    pub fn new(at: impl Into<OffsetDateTime>, rule: &str, reason: &str) -> Self {
        let start = |text: &str, chars| text.chars().take(chars).collect::<String>();
        Self {
            at: at.into(),
            rule: start(rule, MAX_RULE_CHARS),
            reason: start(reason, MAX_REASON_CHARS),
        }
    }
}

impl Sides<Option<Approval>> {
    /// Whether both parties have signed.
    pub fn is_agreed(&self) -> bool {
        self.iter()
            .all(|approval| matches!(approval, Some(Approval::Signed(_))))
    }

    /// What has been signed so far.
    pub fn signatures(&self) -> Signatures {
        let signed = |approval: &Option<Approval>| match approval {
            Some(Approval::Signed(signed)) => Some(signed.clone()),
            Some(Approval::Rejected(_)) | None => None,
        };
        Signatures {
            active: signed(&self.active),
            passive: signed(&self.passive),
        }
    }
}
