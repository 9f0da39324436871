//! The coordinator: which jobs there are, and how far each may go.
//!
//! ```text
//!   users ──submit, list, cancel──▶ ┌──────┐  events  ┌────────┐
//!                                   │ api  │ ───────▶ │ engine │
//!   parties ──sync, long-poll─────▶ └──────┘          └────────┘
//!                                       ▲  views, wishes   │ commands
//!                                       └──── runtime ◀────┘
//!                                                │ compare-and-set
//!                                              store
//! ```
//!
//! It schedules and it keeps the record; it does not compute. All that reaches
//! it are specifications, counts, losses and reasons for failure: no message
//! type that it can read ([`entente_protocol::control`]) has a place for a
//! ciphertext, key, weight, feature or label. It is not in the path of the
//! parties' messages either: it grants exchanges in windows, and while it is
//! away they go on to the end of theirs.
//!
//! Everything is level-triggered: a party tells its whole truth and gets the
//! whole wish for it. So a restart on either side, or a lost answer, needs no
//! replay; [`engine`] works on what is, and [`store`] keeps what was decided.
#![forbid(unsafe_code)]

mod api;
pub mod audit;
pub mod bench;
pub mod client;
pub mod clock;
mod config;
pub mod engine;
pub mod job;
mod runtime;
mod schema;
mod serve;
pub mod store;

#[cfg(test)]
mod testbed;

pub use api::document as api_document;
pub use config::{ConfigError, CoordinatorConfig, CoordinatorSection, RetriesSection};
pub use serve::{Addresses, CoordinatorError, serve};
