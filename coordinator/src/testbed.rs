//! What this crate's own tests share.
#![allow(clippy::unwrap_used)]

use entente_protocol::contract::Signed;
use entente_protocol::job::{JobId, PartyName, Task};
use uuid::Uuid;

use crate::{
    clock::{Millis, Span},
    engine::{Retries, Settings},
    job::{JobRecord, JobState},
};

pub(crate) const SPEC: &str = include_str!("testbed.toml");

pub(crate) fn job() -> Task {
    Task::from_toml(SPEC).unwrap()
}

pub(crate) fn job_between(active: &str, passive: &str) -> Task {
    let spec = SPEC
        .replace("active = \"bank-a\"", &format!("active = \"{active}\""))
        .replace("passive = \"bank-b\"", &format!("passive = \"{passive}\""));
    Task::from_toml(&spec).unwrap()
}

/// What a party has signed; no test of the engine reads it.
pub(crate) fn signed() -> Signed {
    Signed {
        at_ms: 7,
        signature: "signed".into(),
    }
}

/// Identities that sort as their numbers do.
pub(crate) fn id(number: u128) -> JobId {
    JobId::new(Uuid::from_u128(number))
}

pub(crate) fn party(name: &str) -> PartyName {
    name.parse().unwrap()
}

pub(crate) fn record(number: u128) -> JobRecord {
    JobRecord {
        state: JobState::Queued,
        ..JobRecord::submitted(
            id(number),
            job(),
            "user/alice".parse().unwrap(),
            Millis(1000),
        )
    }
}

/// Of engines behind a runtime.
pub(crate) const SETTINGS: Settings = Settings {
    window: 8,
    party_timeout: Span::seconds(30),
    retries: Retries {
        transient: 2,
        bug: 1,
        first_wait: Span::seconds(4),
        longest_wait: Span::seconds(60),
    },
    patience: Span::seconds(7200),
};
