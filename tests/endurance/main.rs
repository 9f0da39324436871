//! What jobs must survive: faults, a party that comes and goes, and time.
//!
//! Real processes over real TLS. Each test has a long version, by environment:
//!
//! | variable | what | left out |
//! |---|---|---|
//! | `ENTENTE_FAULTS` | faults that befall jobs | 50 |
//! | `ENTENTE_FAULTS_SEED` | draws other faults, and other moments | 1 |
//! | `ENTENTE_ROTATION_KILLS` | kill -9 of a party while keys change | 10 |
//! | `ENTENTE_SOAK_ROUNDS` | mini-batches of one job, with memory watched | 200 |
//!
//! `ENTENTE_FAULTS=1000 cargo test --test endurance faults -- --nocapture`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fault;
mod faults;
mod flapping;
#[path = "../house/mod.rs"]
mod house;
mod household;
mod proxy;
mod rotation;
mod soak;

/// What the environment says, else `otherwise`.
fn number(name: &str, otherwise: u64) -> u64 {
    let set = std::env::var(name).ok();
    set.map_or(otherwise, |text| text.parse().expect(name))
}

/// The sample job with another passive party, so many epochs, and batches of
/// five. With validation after each epoch and the best one kept, a job has all
/// the state that there is.
fn specification(passive: &str, epochs: u64) -> String {
    include_str!("../../deploy/iris.toml")
        .replace("passive = \"bank-b\"", &format!("passive = \"{passive}\""))
        .replace(
            "test_fraction = 0.2",
            "test_fraction = 0.2\nvalidation_fraction = 0.1",
        )
        .replace(
            "epochs = 30",
            &format!("epochs = {epochs}\nkeep = \"best\""),
        )
        .replace("batch_size = 16", "batch_size = 5")
}

/// Mini-batches of an epoch of [`specification`]: 105 rows, 5 at a time.
const ROUNDS_PER_EPOCH: u64 = 21;
