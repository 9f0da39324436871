//! Where a job stands, and where it may go from there: the one table.

use core::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a job stands.
///
/// ```text
///   awaiting_approval ──▶ rejected
///           │
///           ▼
///                 ┌──────────── failing ──────────▶ failed
///                 ▼                ▲
///   ┌───▶ queued ───▶ reserved ────┼───▶ running ──▶ succeeded
///   │       │   ◀──────┘  │        │      │  ▲
///   │       ▼             ▼        │      ▼  │
///   └──── paused ◀────────┴────────┴─── parked
///
///   from each that has not ended: cancelling ──▶ cancelled
/// ```
///
/// | from | to | when |
/// |---|---|---|
/// | awaiting_approval | queued | both parties have signed it |
/// | awaiting_approval | rejected | a party does not take part: its policy or a person there says so |
/// | awaiting_approval | cancelled | it is cancelled |
/// | queued | reserved | both parties are there, have the data, and have room: it is taken at both at once |
/// | queued | paused | somebody pauses it |
/// | queued | cancelling | it is cancelled, and a party may hold its checkpoint |
/// | queued | cancelled | it is cancelled before any party was told of it |
/// | reserved | running | both parties have prepared |
/// | reserved | queued | a party went away before it had prepared |
/// | reserved | paused | somebody pauses it |
/// | reserved | failing | a party says that it failed, or did not prepare within the stall budget |
/// | reserved | cancelling | it is cancelled |
/// | running | parked | a party is away, or waits for its peer or for space: its places are lent to others |
/// | running | paused | somebody pauses it |
/// | running | succeeded | both parties have finished |
/// | running | failing | a party says that it failed, or no exchange was finished for its stall budget |
/// | running | cancelling | it is cancelled |
/// | parked | running | both parties are there, neither waits, and places were taken again |
/// | parked | paused | somebody pauses it |
/// | parked | succeeded | both parties have finished |
/// | parked | failing | a party says that it failed, or no exchange was finished for its stall budget |
/// | parked | cancelling | it is cancelled |
/// | paused | queued | somebody resumes it |
/// | paused | succeeded | both parties had finished before they heard of the pause |
/// | paused | cancelling | it is cancelled, and a party may hold its checkpoint |
/// | paused | cancelled | it is cancelled before any party was told of it |
/// | failing | queued | both parties' reasons are known, or waited for long enough, and another attempt may help |
/// | failing | failed | the same, and no attempt is left |
/// | failing | cancelling | it is cancelled |
/// | cancelling | cancelled | neither party is at it any more, or those that may be are away |
///
/// Each is a compare-and-set on state and version in the store. Nothing leads
/// out of an end, so what comes after one changes nothing: of a cancellation
/// and a party's last word, whichever the store has first stands. Whoever wants
/// a failed job again gets another job of the same specification
/// ([`retry_of`](super::JobRecord::retry_of)): were there a way out of `failed`,
/// a late word could take it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Is proposed to both parties, which sign it or refuse.
    AwaitingApproval,
    /// Waits until both parties can take it.
    Queued,
    /// Has its place at both parties, which prepare it.
    Reserved,
    /// Both parties are wished to run it.
    Running,
    /// Stands still: a party is away or waits. Others have its places.
    Parked,
    /// Rests since somebody said so; the parties keep their checkpoints.
    Paused,
    /// An attempt has failed; the parties' reasons are gathered.
    Failing,
    /// Is to end; a party may still be at it.
    Cancelling,
    /// Both parties have finished.
    Succeeded,
    /// Its attempts are used up, or none would help.
    Failed,
    /// Ended because a user said so.
    Cancelled,
    /// Ended because a party does not take part.
    Rejected,
}

use JobState::{
    AwaitingApproval, Cancelled, Cancelling, Failed, Failing, Parked, Paused, Queued, Rejected,
    Reserved, Running, Succeeded,
};

impl JobState {
    /// All of them.
    pub const ALL: [Self; 12] = [
        AwaitingApproval,
        Queued,
        Reserved,
        Running,
        Parked,
        Paused,
        Failing,
        Cancelling,
        Succeeded,
        Failed,
        Cancelled,
        Rejected,
    ];

    /// The table: from where to where. What is not here does not happen.
    pub const TRANSITIONS: &[(Self, Self)] = &[
        (AwaitingApproval, Queued),
        (AwaitingApproval, Rejected),
        (AwaitingApproval, Cancelled),
        (Queued, Reserved),
        (Queued, Paused),
        (Queued, Cancelling),
        (Queued, Cancelled),
        (Reserved, Running),
        (Reserved, Queued),
        (Reserved, Paused),
        (Reserved, Failing),
        (Reserved, Cancelling),
        (Running, Parked),
        (Running, Paused),
        (Running, Succeeded),
        (Running, Failing),
        (Running, Cancelling),
        (Parked, Running),
        (Parked, Paused),
        (Parked, Succeeded),
        (Parked, Failing),
        (Parked, Cancelling),
        (Paused, Queued),
        (Paused, Succeeded),
        (Paused, Cancelling),
        (Paused, Cancelled),
        (Failing, Queued),
        (Failing, Failed),
        (Failing, Cancelling),
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

    /// Whether it takes a place at both parties, whatever they say.
    pub fn has_places(self) -> bool {
        matches!(self, Reserved | Running)
    }

    /// Its name, in the API, the store and metrics.
    pub const fn label(self) -> &'static str {
        match self {
            AwaitingApproval => "awaiting_approval",
            Queued => "queued",
            Reserved => "reserved",
            Running => "running",
            Parked => "parked",
            Paused => "paused",
            Failing => "failing",
            Cancelling => "cancelling",
            Succeeded => "succeeded",
            Failed => "failed",
            Cancelled => "cancelled",
            Rejected => "rejected",
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
    "this is no state of a job: use awaiting_approval, queued, reserved, running, parked, paused, failing, cancelling, \
     succeeded, failed, cancelled or rejected"
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
        let mut reached = BTreeSet::from([AwaitingApproval]);
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
        assert_eq!(ends, [Succeeded, Failed, Cancelled, Rejected].into());
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
