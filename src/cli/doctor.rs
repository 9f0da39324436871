//! The command line of `entente doctor`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ShownArgs;

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(subcommand)]
    pub(crate) of: DoctorCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DoctorCommand {
    /// Examine a party: its configuration, keys and machine, and whether it reaches
    /// its coordinator and its peers.
    #[command(after_help = EXAMPLES)]
    Party(Patient),
    /// Examine a coordinator: its configuration, certificate and machine, and whether
    /// one runs there.
    #[command(after_help = EXAMPLES)]
    Coordinator(Patient),
}

#[derive(Debug, Args)]
pub(crate) struct Patient {
    /// The configuration, in TOML.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    #[command(flatten)]
    pub(crate) shown: ShownArgs,
}

const EXAMPLES: &str = "\
Examples:
  entente doctor party --config bank-a.toml
  entente doctor coordinator --config coordinator.toml -o json

Works beside a running service and without one; changes nothing, and takes no link
away from a party that runs. Exit code 8 if something failed, 0 if there is nothing
worse than a warning.";
