//! Dashboards and alerts ask for what is measured, and get an answer.
//!
//! ```text
//!   dashboards/source ──▶ dashboards/grafana       generated: they are the same
//!          │                     │                 schema:    Grafana would load them
//!          │                     ▼
//!   closed list of metrics ◀── every query         names:     nothing else is asked for
//!                                │                 promtool:  rules fire when they should
//!                                ▼
//!   coordinator, parties ◀── Prometheus            live:      all of it, for real
//! ```
//!
//! A dashboard breaks without a sound: a metric is renamed, and a panel stays
//! empty until the night in which somebody needs it. So nothing is taken on
//! trust here. Names are held against the closed list without any tool;
//! `promtool` and `prometheus`, where they are installed, judge the rest, over
//! real processes and mutual TLS.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod generated;
mod grafana;
#[path = "../house/mod.rs"]
mod house;
mod live;
mod names;
mod picture;
mod prometheus;
mod promql;
mod promtool;
mod rules;
mod schema;
mod source;
mod watched;
