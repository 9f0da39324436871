//! `entente doctor`: what an operator would look at first, looked at in one go.
//!
//! ```text
//!   configuration ─▶ certificate, keys ─▶ machine ─▶ coordinator ─▶ peers
//!        │                  │                             │           │
//!        └ unreadable: ends └ unusable: nobody is called  └── the service's own
//!                                                             credentials
//! ```
//!
//! What is measured is measured the way the service does it: with its
//! configuration, its certificate, its TLS settings. A check by other means,
//! `openssl s_client` or `ping`, would answer another question.
//!
//! It changes nothing and disturbs nobody. In particular it does not greet a
//! peer: of two links the newest counts, so a greeting would take the running
//! party's link away. It listens to the peer's greeting and hangs up, and has a
//! protocol of its own for throughput ([`throughput`]).
//!
//! Judgements are functions of what was seen (`judge_*`), and tested as such.

mod coordinator;
mod finding;
mod machine;
mod own;
mod party;
mod peer;
mod refused;
mod service;
mod speed;
mod throughput;

#[cfg(test)]
mod tests;

use std::{path::Path, time::Duration};

use serde::de::DeserializeOwned;

use self::finding::Finding;
use crate::{
    cli::{DoctorArgs, DoctorCommand},
    exit::Failure,
    settings,
};

/// How long a connection with its handshake may take, and an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Examines, and prints what was found.
pub(crate) fn run(args: &DoctorArgs) -> Result<(), Failure> {
    let (findings, format) = match &args.of {
        DoctorCommand::Party(patient) => (party::examine(&patient.config), patient.shown.output),
        DoctorCommand::Coordinator(patient) => {
            (coordinator::examine(&patient.config), patient.shown.output)
        }
    };
    finding::report(&findings, format)
}

/// A configuration, or why it is none.
fn configuration<T: DeserializeOwned, E: ToString>(
    path: &Path,
    check: impl FnOnce(&T) -> Result<(), E>,
) -> Result<(T, Finding), Finding> {
    let bad = |seen: String| {
        let remedy = format!(
            "correct {}; the samples in deploy/ have every key",
            path.display()
        );
        Finding::failure("configuration", seen, remedy)
    };
    let config: T = settings::load(path).map_err(|error| bad(error.to_string()))?;
    check(&config).map_err(|error| bad(error.to_string()))?;
    Ok((config, Finding::ok("configuration", path.display())))
}
