//! What this crate's own tests share.
#![allow(clippy::unwrap_used)]

use entente_protocol::job::{JobId, PartyName, Task};
use uuid::Uuid;

use crate::{clock::Millis, job::JobRecord};

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

/// Identities that sort as their numbers do.
pub(crate) fn id(number: u128) -> JobId {
    JobId::new(Uuid::from_u128(number))
}

pub(crate) fn party(name: &str) -> PartyName {
    name.parse().unwrap()
}

pub(crate) fn record(number: u128) -> JobRecord {
    JobRecord::submitted(
        id(number),
        job(),
        "user/alice".parse().unwrap(),
        Millis(1000),
    )
}
