//! Why a job stands where it does: the answer to the question that everybody
//! asks first, in one piece, for people and for programs.

use core::fmt;

use entente_protocol::{
    control::Phase,
    job::{JobId, PartyName},
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{JobState, Sides};
use crate::clock::Span;

/// Why a job stands where it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// The job.
    pub job: JobId,
    /// Its name, for people.
    pub name: String,
    /// Where it stands.
    pub state: JobState,
    /// What it waits for; nothing if it goes on, or has ended.
    pub reasons: Vec<Reason>,
    /// When it will have failed if no exchange is finished before: of a job that
    /// runs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fails_in_ms: Option<u64>,
    /// What is known of its parties.
    pub sides: Sides<Word>,
}

/// What is known of a party of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// Who.
    pub party: PartyName,
    /// Whether it was heard of lately.
    pub connected: bool,
    /// When it was last heard of; nothing if never since the coordinator began.
    #[serde(with = "time::serde::rfc3339::option", default)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// A party is at as many jobs as it can take.
    NoRoom {
        /// Which.
        party: PartyName,
        /// How many it can take.
        capacity: u32,
        /// What it is at.
        running: Behind,
        /// What was submitted before, and waits for it too.
        queued: Behind,
    },
    /// A party has not begun yet.
    NotBegun {
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

/// Jobs that stand in the way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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
            Self::NoRoom {
                party,
                capacity,
                running,
                queued,
            } => {
                write!(f, "room at {party}, which runs {capacity} jobs at most")?;
                if !running.is_empty() {
                    write!(f, "; it is at {running}")?;
                }
                if !queued.is_empty() {
                    write!(f, "; queued before: {queued}")?;
                }
                Ok(())
            }
            Self::NotBegun { party } => write!(f, "{party} to begin"),
            Self::PartyWaits {
                party,
                what,
                for_ms,
            } => write!(f, "{party}, which waits for {what} for {}", Span(*for_ms)),
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
