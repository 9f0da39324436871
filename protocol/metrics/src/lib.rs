//! The closed list of metric names, and the registry over it.
//!
//! ```text
//!   list.rs      every name: help, labels, buckets     (labels.rs: what they say)
//!       │  one macro makes of each line a constant and a field
//!       ▼
//!   Registry ──family(&STEP_SECONDS)──▶ Family ──with([..])──▶ Histogram
//!       │
//!       └──render(sight)──▶ the text that Prometheus scrapes
//! ```
//!
//! Nothing can be measured that is not in [`ALL`], and nothing in [`ALL`] is
//! missing from a registry: a line of the list *is* both the constant by which
//! code measures and the field that the registry exports. The obvious way, a
//! call `counter!("name", "label" => value)` at the place where something
//! happens, spreads the names over the code, where dashboards and alerts
//! cannot be checked against them and a misspelt name is a series that stays
//! empty. For the same reason there is no global registry: whoever measures
//! was handed one.
//!
//! The kind of a metric is a type, and so is the number of its labels: a
//! counter cannot be set back, a gauge not be observed, and a label cannot be
//! forgotten. Time goes in as [`Duration`](core::time::Duration), so that no
//! caller can confuse milliseconds with seconds.
//!
//! A party serves what its workers count too: [`Registry::counts`] there, a [`Teller`]
//! here. The list says of which metrics ([`OfWorkers`]).
//!
//! Series live longer than jobs, and a store of series that grows with every job is
//! the usual way to lose one. So what adds up over jobs is told without their names;
//! what one job is at (its loss, what it waits for) is told with its id while it runs
//! and no longer, of [`NAMED_JOBS`] at most, and to those alone who may look at all
//! jobs ([`Sight`]).
#![forbid(unsafe_code)]

#[macro_use]
mod listing;

mod buckets;
mod certificates;
mod counts;
mod definition;
mod exposition;
mod kind;
mod labels;
mod list;
mod registry;
mod tellers;
mod values;

pub use certificates::CertificateMeters;
pub use counts::{Counts, Observed, Value};
pub use definition::{Definition, Metric, OfWorkers, Service};
pub use kind::{Counter, Gauge, Histogram, Kind, Level, SecondsCounter};
pub use labels::{LABELS, Label};
pub use list::*;
pub use registry::{Family, MetricsError, Registry, Sight};
pub use tellers::Teller;
pub use values::*;
