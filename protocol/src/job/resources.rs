//! What a job takes of the machines that it runs on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{JobError, check::check};

/// `[resources]`: what a job takes at each of its parties. The coordinator
/// knows no rows and cannot estimate it; it starts the job where both parties
/// have so much left of what they let jobs count on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Resources {
    /// Threads that it counts on, 1 to 1024. Left out: 1.
    pub threads: u32,
    /// Memory in bytes, 1 MiB to 1 PiB. Left out: 256 MiB, enough for a table
    /// of a million numbers.
    pub memory_bytes: u64,
}

impl Default for Resources {
    fn default() -> Self {
        Self {
            threads: 1,
            memory_bytes: 256 << 20,
        }
    }
}

impl Resources {
    pub(super) fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn check(&self) -> Result<(), JobError> {
        check(
            (1..=1024).contains(&self.threads),
            "resources.threads",
            "must be from 1 to 1024",
        )?;
        check(
            (1 << 20..=1 << 50).contains(&self.memory_bytes),
            "resources.memory_bytes",
            "must be from 1 MiB (1048576) to 1 PiB",
        )
    }
}
