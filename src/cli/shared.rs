//! Options that several commands have.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// How results are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// Of every command that prints something.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct ShownArgs {
    /// How results are shown.
    #[arg(short, long, global = true, value_enum, default_value = "table")]
    pub(crate) output: Format,
}

/// Of every command that asks a coordinator.
#[derive(Debug, Args)]
pub(crate) struct AskingArgs {
    /// Where the coordinator is and which certificate to show it, in TOML.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "client.toml",
        env = "ENTENTE_CLIENT"
    )]
    pub(crate) client: PathBuf,
    #[command(flatten)]
    pub(crate) shown: ShownArgs,
}

/// Of every command that works beside a party, on its state.
#[derive(Debug, Args)]
pub(crate) struct BesideArgs {
    /// The party's configuration, in TOML.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "party.toml",
        env = "ENTENTE_PARTY"
    )]
    pub(crate) config: PathBuf,
    #[command(flatten)]
    pub(crate) shown: ShownArgs,
}
