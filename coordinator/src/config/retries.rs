//! `[retries]`

use serde::Deserialize;

use crate::{clock::Span, engine::Retries};

/// `[retries]`: how often a job is tried again, and after how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetriesSection {
    /// `transient`, `ENTENTE__RETRIES__TRANSIENT`: attempts that may follow
    /// failures that need not happen again (a lost link, a stall, a party that
    /// lost its state), in all, 0 to 20. 5 if nothing is said.
    pub transient: u32,
    /// `bug`, `ENTENTE__RETRIES__BUG`: attempts that may follow defects of the
    /// software, in all, 0 to 5. 1 if nothing is said.
    pub bug: u32,
    /// `first_wait_s`, `ENTENTE__RETRIES__FIRST_WAIT_S`: the most seconds before
    /// the second attempt, 1 to 3600; before each later one twice as many. 5 if
    /// nothing is said.
    pub first_wait_s: u64,
    /// `longest_wait_s`, `ENTENTE__RETRIES__LONGEST_WAIT_S`: the most seconds
    /// before any attempt, from `first_wait_s` to 86,400. 600 if nothing is
    /// said.
    pub longest_wait_s: u64,
}

impl Default for RetriesSection {
    fn default() -> Self {
        Self {
            transient: 5,
            bug: 1,
            first_wait_s: 5,
            longest_wait_s: 600,
        }
    }
}

impl RetriesSection {
    /// Every range: the setting, whether it is kept, and what it should be.
    pub(super) fn ranges(&self) -> [(bool, &'static str, &'static str); 4] {
        let waits = self.first_wait_s..=86_400;
        [
            (
                self.transient <= 20,
                "retries.transient",
                "must be from 0 to 20 attempts",
            ),
            (self.bug <= 5, "retries.bug", "must be from 0 to 5 attempts"),
            (
                (1..=3600).contains(&self.first_wait_s),
                "retries.first_wait_s",
                "must be from 1 to 3600 seconds",
            ),
            (
                waits.contains(&self.longest_wait_s),
                "retries.longest_wait_s",
                "must be from retries.first_wait_s to 86,400 seconds",
            ),
        ]
    }

    /// What the engine is told.
    pub(super) fn settings(&self) -> Retries {
        Retries {
            transient: self.transient,
            bug: self.bug,
            first_wait: Span::seconds(self.first_wait_s),
            longest_wait: Span::seconds(self.longest_wait_s),
        }
    }
}
