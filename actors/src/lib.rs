//! The party: what runs beside an organisation's data.
//!
//! ```text
//!   bank-a's process                                       bank-b's process
//!   ┌─────────────────────────────────────────┐
//!   │ data, network ──▶ role ──▶ driver ──────┼── mutual TLS ──▶ ...
//!   │                              │          │
//!   │                         compute pool ◀┐ │
//!   │        background, while that is idle ┘ │
//!   │ counts and loss ────────────────────────┼── mutual TLS ──▶ coordinator
//!   └─────────────────────────────────────────┘
//! ```
//!
//! [`driver`] and [`delivery`] know no runtime and hold all that matters;
//! [`transport`] and the actors carry it. The binary calls [`run`] with a
//! configuration, credentials and a backend of an encryption scheme; no scheme
//! is named here.

pub mod approval;
mod background;
pub mod backoff;
pub mod compute;
pub mod config;
pub mod data;
pub mod delivery;
pub mod draining;
pub mod driver;
mod entropy;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod journals;
mod keeping;
mod launch;
pub mod models;
pub mod network;
mod party;
pub mod policy;
mod private_file;
mod process;
pub mod results;
mod rotation;
pub mod sealing;
mod spans;
mod state_dir;
mod telemetry;
pub mod transport;
pub mod workers;

#[cfg(test)]
mod testbed;

pub use config::{ConfigError, CoordinatorSection, Host, PartyConfig, PartySection, Urls};
pub use launch::fixed_weight_seed;
pub use process::{Addresses, PartyError, run};
