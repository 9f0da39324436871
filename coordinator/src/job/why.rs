//! Why a job stands where it does: the answer to the question that everybody
//! asks first, in one piece, for people and for programs.

use core::fmt;

use entente_protocol::{
    KeyState,
    control::Phase,
    job::{JobId, PartyName},
};
use entente_wire::listed_versions;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{JobState, Lack, Priority, Sides};
use crate::{clock::Span, schema::Moment};

/// Why a job stands where it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Why {
    /// The job.
    pub job: JobId,
    /// Its name, for people.
    pub name: String,
    /// Where it stands.
    pub state: JobState,
    /// For how long it has.
    #[serde(default)]
    pub in_state_ms: u64,
    /// What it waits for; nothing if it goes on, or has ended.
    pub reasons: Vec<Reason>,
    /// Where it stands among those that wait for places.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<InLine>,
    /// When the attempt will have failed if no exchange is finished before: of a
    /// job that has its places, or had them and stands still.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fails_in_ms: Option<u64>,
    /// Which encryption key it is at, and whether the next one is on its way. It
    /// waits for none: this is to say that none is what it waits for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<KeyState>,
    /// What is known of its parties.
    pub sides: Sides<Word>,
}

/// Where a job stands among those that wait for places at its parties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InLine {
    /// Which it is, from 1, as things stand: one that comes later may come before.
    pub position: usize,
    /// How many wait, it included.
    pub of: usize,
    /// Those that come before it, the first first.
    pub before: Behind,
    /// How much of a hurry it is in.
    pub priority: Priority,
    /// What its submitter has had of late, as it counts now, in milliseconds of
    /// a place: who has had less comes first.
    pub had_ms: u64,
    /// From when on it goes before all that does not wait for longer, and has
    /// places kept for it; nothing if it is one that has begun, which does so
    /// already.
    #[serde(with = "time::serde::rfc3339::option", default)]
    #[schemars(with = "Option<Moment>")]
    pub goes_first_at: Option<OffsetDateTime>,
    /// The parties that keep room for it until it starts, or a party of it goes
    /// away.
    pub kept_at: Vec<PartyName>,
}

/// What is known of a party of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Word {
    /// Who.
    pub party: PartyName,
    /// Whether it was heard of lately.
    pub connected: bool,
    /// When it was last heard of; nothing if never since the coordinator began.
    #[serde(with = "time::serde::rfc3339::option", default)]
    #[schemars(with = "Option<Moment>")]
    pub heard_at: Option<OffsetDateTime>,
    /// How many jobs it is at, all in all.
    pub jobs: u32,
    /// How many it runs at once; nothing if it has not told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub capacity: Option<u32>,
    /// What it last said of the job.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub phase: Option<Phase>,
}

/// Something that a job waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// A party is not connected.
    NotConnected {
        /// Which.
        party: PartyName,
        /// For how long it has been silent; nothing if it may yet speak, since
        /// the coordinator has only begun.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        silent_ms: Option<u64>,
    },
    /// A party does not have the dataset.
    NoDataset {
        /// Which party.
        party: PartyName,
        /// Which dataset.
        dataset: String,
    },
    /// A party does not speak the version of the wire format in which the attempt has
    /// begun.
    NotSpoken {
        /// Which party.
        party: PartyName,
        /// The version in which the attempt has begun.
        begun_in: u16,
        /// What the party speaks, newest first.
        speaks: Vec<u16>,
    },
    /// The parties speak no version of the wire format in common.
    NoWireVersion {
        /// The party with the features.
        active: PartyName,
        /// What it speaks, newest first.
        active_speaks: Vec<u16>,
        /// The party with the labels.
        passive: PartyName,
        /// What it speaks, newest first.
        passive_speaks: Vec<u16>,
    },
    /// Nothing new begins until it is said otherwise.
    Draining {
        /// At which party; nothing if anywhere.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        party: Option<PartyName>,
    },
    /// A party has too little room.
    NoRoom {
        /// Which.
        party: PartyName,
        /// What there is too little of.
        lack: Lack,
        /// What it is at.
        running: Behind,
        /// What waits for it too, and comes before.
        queued: Behind,
    },
    /// A party has room, and keeps it for a job that has waited for longer.
    Kept {
        /// Which.
        party: PartyName,
        /// The job for which it is kept.
        job: Behind,
    },
    /// A party has not answered yet whether it takes part.
    NotApproved {
        /// Which.
        party: PartyName,
        /// Whether a person there has to decide.
        needs_person: bool,
    },
    /// A party has not begun yet.
    NotBegun {
        /// Which.
        party: PartyName,
    },
    /// The last attempt failed, and the next one is not due.
    NotDue {
        /// The next attempt.
        attempt: u32,
        /// When it may begin.
        in_ms: u64,
    },
    /// A party opens data and makes keys.
    NotPrepared {
        /// Which.
        party: PartyName,
    },
    /// A party has not come to rest yet.
    NotAtRest {
        /// Which.
        party: PartyName,
    },
    /// Somebody paused it.
    Paused,
    /// The attempt has failed, and a party has not said why.
    NoWord {
        /// Which.
        party: PartyName,
    },
    /// A party says that it waits.
    PartyWaits {
        /// Which.
        party: PartyName,
        /// For what, in its words.
        what: String,
        /// Since how long.
        for_ms: u64,
    },
    /// A party may still be at a job that is to end.
    StillAtIt {
        /// Which.
        party: PartyName,
    },
}

impl Reason {
    /// A closed set of names, for metrics: those of the API.
    pub const LABELS: [&'static str; 16] = [
        "not_connected",
        "no_dataset",
        "not_spoken",
        "no_wire_version",
        "draining",
        "no_room",
        "kept",
        "not_approved",
        "not_begun",
        "not_due",
        "not_prepared",
        "not_at_rest",
        "paused",
        "no_word",
        "party_waits",
        "still_at_it",
    ];

    /// Its name among [`Reason::LABELS`].
    pub fn label(&self) -> &'static str {
        match self {
            Self::NotConnected { .. } => "not_connected",
            Self::NoDataset { .. } => "no_dataset",
            Self::NotSpoken { .. } => "not_spoken",
            Self::NoWireVersion { .. } => "no_wire_version",
            Self::Draining { .. } => "draining",
            Self::NoRoom { .. } => "no_room",
            Self::Kept { .. } => "kept",
            Self::NotApproved { .. } => "not_approved",
            Self::NotBegun { .. } => "not_begun",
            Self::NotDue { .. } => "not_due",
            Self::NotPrepared { .. } => "not_prepared",
            Self::NotAtRest { .. } => "not_at_rest",
            Self::Paused => "paused",
            Self::NoWord { .. } => "no_word",
            Self::PartyWaits { .. } => "party_waits",
            Self::StillAtIt { .. } => "still_at_it",
        }
    }
}

/// Jobs that stand in the way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Behind {
    /// Those that the asker may see, oldest first.
    pub jobs: Vec<JobId>,
    /// How many more there are, which are others' affair.
    pub others: usize,
}

/// For a person, as the object of "waits for".
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConnected {
                party,
                silent_ms: Some(silent),
            } => write!(f, "{party}, which is away for {}", Span(*silent)),
            Self::NotConnected {
                party,
                silent_ms: None,
            } => write!(f, "{party} to connect"),
            Self::NoDataset { party, dataset } => {
                write!(f, "the dataset {dataset:?}, which {party} does not have")
            }
            Self::NotSpoken {
                party,
                begun_in,
                speaks,
            } => write!(
                f,
                "{party} to speak wire version {begun_in}, in which the attempt has begun (it \
                 speaks {})",
                listed_versions(speaks)
            ),
            Self::NoWireVersion {
                active,
                active_speaks,
                passive,
                passive_speaks,
            } => write!(
                f,
                "a wire version in common: {active} speaks {}, {passive} {}; upgrade the older one",
                listed_versions(active_speaks),
                listed_versions(passive_speaks)
            ),
            Self::Draining { party: Some(party) } => write!(
                f,
                "{party}, which is being drained and begins nothing new (entente party resume)"
            ),
            Self::Draining { party: None } => f.write_str(
                "the coordinator, which is being drained and begins nothing new \
                 (entente coordinator resume)",
            ),
            Self::NoRoom {
                party,
                lack,
                running,
                queued,
            } => {
                write!(f, "room at {party}, which {lack}")?;
                if !running.is_empty() {
                    write!(f, "; it is at {running}")?;
                }
                if !queued.is_empty() {
                    write!(f, "; queued before: {queued}")?;
                }
                Ok(())
            }
            Self::Kept { party, job } => {
                write!(f, "room at {party}, which is kept for {job}")
            }
            Self::NotApproved {
                party,
                needs_person: true,
            } => write!(
                f,
                "a person at {party} to approve it (entente party approve)"
            ),
            Self::NotApproved {
                party,
                needs_person: false,
            } => write!(f, "{party} to approve it"),
            Self::NotBegun { party } => write!(f, "{party} to begin"),
            Self::PartyWaits {
                party,
                what,
                for_ms,
            } => write!(f, "{party}, which waits for {what} for {}", Span(*for_ms)),
            Self::NotDue { attempt, in_ms } => {
                write!(f, "attempt {attempt}, which begins in {}", Span(*in_ms))
            }
            Self::NotPrepared { party } => write!(f, "{party} to prepare"),
            Self::NotAtRest { party } => write!(f, "{party} to come to rest"),
            Self::Paused => f.write_str("somebody to resume it (entente job resume)"),
            Self::NoWord { party } => write!(f, "{party} to say why the attempt failed"),
            Self::StillAtIt { party } => write!(f, "{party} to stop"),
        }
    }
}

impl Behind {
    /// Whether nothing stands in the way.
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.others == 0
    }
}

/// `a, b and 2 others`.
impl fmt::Display for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let jobs: Vec<String> = self.jobs.iter().map(ToString::to_string).collect();
        f.write_str(&jobs.join(", "))?;
        match (self.jobs.is_empty(), self.others) {
            (_, 0) => Ok(()),
            (true, others) => write!(f, "{others} jobs of others"),
            (false, others) => write!(f, " and {others} of others"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn metrics_call_reasons_what_the_api_does() {
        let party: PartyName = "bank-a".parse().unwrap();
        let job = Behind::default();
        let reasons = [
            Reason::NotConnected {
                party: party.clone(),
                silent_ms: None,
            },
            Reason::Draining { party: None },
            Reason::Kept {
                party: party.clone(),
                job,
            },
            Reason::NotBegun {
                party: party.clone(),
            },
            Reason::NotPrepared {
                party: party.clone(),
            },
            Reason::NotAtRest {
                party: party.clone(),
            },
            Reason::Paused,
            Reason::NoWord {
                party: party.clone(),
            },
            Reason::StillAtIt { party },
        ];
        for reason in reasons {
            let json = serde_json::to_value(&reason).unwrap();
            assert_eq!(json["reason"], reason.label());
            assert!(Reason::LABELS.contains(&reason.label()));
        }
    }
}
