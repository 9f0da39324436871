//! When the encryption key of a job gives way to another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{JobError, check::check};

/// `[keys]`: how long an encryption key is used. Left out: for the whole job,
/// unless somebody asks for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeyPolicy {
    /// Rounds under one key, 2 to 1,000,000. Both parties hold each other to it:
    /// one that is late by as many rounds again stops the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotate_every_rounds: Option<u32>,
    /// Hours under one key, 1 to 8,760 (a year), by the clock of the party that
    /// makes the keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotate_every_hours: Option<u32>,
}

impl KeyPolicy {
    pub(super) fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn check(&self) -> Result<(), JobError> {
        let rounds = self.rotate_every_rounds;
        check(
            rounds.is_none_or(|rounds| (2..=1_000_000).contains(&rounds)),
            "keys.rotate_every_rounds",
            "must be from 2 to 1,000,000, or left out",
        )?;
        let hours = self.rotate_every_hours;
        check(
            hours.is_none_or(|hours| (1..=8760).contains(&hours)),
            "keys.rotate_every_hours",
            "must be from 1 to 8,760 (a year), or left out",
        )
    }
}
