//! What processes say of what they do, on the standard error.
//!
//! A line is for a person or for a program, and in both a thing is said once: what a
//! line is about (the job, attempt and correlation; the request) comes from the span
//! that it stands in, or from the line itself, and not from both.

mod json;

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{
    EnvFilter, Layer, Registry, filter::LevelFilter, layer::SubscriberExt, util::SubscriberInitExt,
};

use self::json::Json;
use crate::cli::{Command, CoordinatorArgs, LogFormat, PartyArgs};

/// Services log what they do; commands for people stay silent unless asked.
pub(crate) fn to_stderr(command: &Command) {
    let (default, format) = match service(command) {
        Some(format) => (LevelFilter::INFO, format),
        None => (LevelFilter::WARN, LogFormat::Text),
    };
    let filter = EnvFilter::builder()
        .try_from_env()
        .unwrap_or_else(|_| EnvFilter::new(default.to_string()));
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Json => Box::new(Json.with_filter(filter)),
        LogFormat::Text => Box::new(
            tracing_subscriber::fmt::layer()
                .with_writer(stderr)
                .with_ansi(stderr().is_terminal())
                .with_filter(filter),
        ),
    };
    tracing_subscriber::registry().with(layer).init();
}

/// How a service logs.
fn service(command: &Command) -> Option<LogFormat> {
    match command {
        Command::Coordinator(CoordinatorArgs {
            command: None,
            serve,
        })
        | Command::Party(PartyArgs {
            command: None,
            serve,
        }) => serve.as_ref().map(|args| args.log_format),
        Command::Worker(args) => Some(args.log_format),
        _ => None,
    }
}
