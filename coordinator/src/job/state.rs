//! Where a job stands, and where it may go from there: the one table.

use core::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a job stands.
///
/// ```text
///              ┌────────────────────────────────────▶ cancelled
///              │                                          ▲
///   queued ────┴───▶ running ───┬───▶ cancelling ─────────┘
///                               ├───▶ succeeded
///                               └───▶ failed
/// ```
///
/// | from | to | when |
/// |---|---|---|
/// | queued | running | both parties are there, have the data, and have room |
/// | queued | cancelled | it is cancelled |
/// | running | succeeded | both parties have finished |
/// | running | failed | a party says that it failed, or no exchange was finished for its stall budget |
/// | running | cancelling | it is cancelled |
/// | cancelling | cancelled | neither party is at it any more, or those that may be are away |
///
/// Each is a compare-and-set on state and version in the store. Nothing leads
/// out of an end, so what comes after one changes nothing: of a cancellation
/// and a party's last word, whichever the store has first stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits until both parties can take it.
    Queued,
    /// Both parties are wished to run it.
    Running,
    /// Is to end; a party may still be at it.
    Cancelling,
    /// Both parties have finished.
    Succeeded,
    /// A party failed, or nothing went on for too long.
    Failed,
    /// Ended because a user said so.
    Cancelled,
}

use JobState::{Cancelled, Cancelling, Failed, Queued, Running, Succeeded};

impl JobState {
    /// All of them.
    pub const ALL: [Self; 6] = [Queued, Running, Cancelling, Succeeded, Failed, Cancelled];

    /// The table: from where to where. What is not here does not happen.
    pub const TRANSITIONS: &[(Self, Self)] = &[
        (Queued, Running),
        (Queued, Cancelled),
        (Running, Succeeded),
        (Running, Failed),
        (Running, Cancelling),
        (Cancelling, Cancelled),
    ];

    /// Whether the table has it.
    pub fn may_become(self, next: Self) -> bool {
        Self::TRANSITIONS.contains(&(self, next))
    }

    /// Whether nothing follows.
    pub fn is_ended(self) -> bool {
        !Self::TRANSITIONS.iter().any(|(from, _)| *from == self)
    }

    /// Its name, in the API, the store and metrics.
    pub fn label(self) -> &'static str {
        match self {
            Queued => "queued",
            Running => "running",
            Cancelling => "cancelling",
            Succeeded => "succeeded",
            Failed => "failed",
            Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

/// Not the name of a state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no state of a job: use queued, running, cancelling, succeeded, failed or cancelled"
)]
pub struct UnknownState;

impl FromStr for JobState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL
            .into_iter()
            .find(|state| state.label() == text)
            .ok_or(UnknownState)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_state_is_reached_and_leads_to_an_end() {
        let mut reached = BTreeSet::from([Queued]);
        for _ in JobState::ALL {
            for (from, to) in JobState::TRANSITIONS {
                if reached.contains(from) {
                    reached.insert(*to);
                }
            }
        }
        assert_eq!(reached, JobState::ALL.into());

        let mut ends: BTreeSet<_> = JobState::ALL
            .into_iter()
            .filter(|state| state.is_ended())
            .collect();
        assert_eq!(ends, [Succeeded, Failed, Cancelled].into());
        for _ in JobState::ALL {
            for (from, to) in JobState::TRANSITIONS {
                if ends.contains(to) {
                    ends.insert(*from);
                }
            }
        }
        assert_eq!(ends, JobState::ALL.into());
    }

    #[test]
    fn nothing_goes_on_after_an_end_and_nothing_stays_by_a_transition() {
        for from in JobState::ALL {
            assert!(!from.may_become(from));
            for to in JobState::ALL {
                assert!(!(from.is_ended() && from.may_become(to)), "{from} {to}");
            }
        }
    }

    #[test]
    fn what_is_published_is_the_table() {
        let transitions: BTreeSet<_> = JobState::TRANSITIONS.iter().copied().collect();
        for (file, text) in [
            ("README.md", include_str!("../../../README.md")),
            ("state.rs", include_str!("state.rs")),
        ] {
            let row = |line: &str| {
                let mut cells = line.trim_start_matches("/// ").split('|').map(str::trim);
                let start = cells.next()?;
                let states = (cells.next()?.parse().ok()?, cells.next()?.parse().ok()?);
                start.is_empty().then_some(states)
            };
            let published: Vec<(JobState, JobState)> = text.lines().filter_map(row).collect();
            assert_eq!(published.len(), transitions.len(), "{file}");
            assert_eq!(BTreeSet::from_iter(published), transitions, "{file}");
        }
    }

    #[test]
    fn names_are_the_same_everywhere() {
        for state in JobState::ALL {
            assert_eq!(state.label().parse(), Ok(state));
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(json, format!("\"{state}\""));
        }
        assert_eq!("Running".parse::<JobState>(), Err(UnknownState));
    }
}
