//! The command line of `entente coordinator`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Format, ServeArgs};

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
Without a command the coordinator runs. With one, the coordinator that runs is asked,
with a certificate of --client; to drain it and have it resume is for operators.

Every setting can also come from the environment, as ENTENTE__SECTION__KEY; it then
overrides the file.

Examples:
  entente coordinator --config coordinator.toml
  entente coordinator parties --client client.toml
  entente coordinator drain --client operator.toml --wait
  entente coordinator resume --client operator.toml"
)]
pub(crate) struct CoordinatorArgs {
    #[command(flatten)]
    pub(crate) serve: Option<ServeArgs>,
    #[command(subcommand)]
    pub(crate) command: Option<CoordinatorCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CoordinatorCommand {
    /// List the parties: who is connected, with which data, how much room, how many jobs.
    Parties {
        #[command(flatten)]
        at: AtCoordinator,
    },
    /// Begin nothing new, at any party, until it is resumed: before an upgrade. What has
    /// begun goes on to its end, what is submitted waits in the queue.
    Drain {
        #[command(flatten)]
        at: AtCoordinator,
        /// Wait until everything that has begun has ended.
        #[arg(short, long)]
        wait: bool,
    },
    /// Begin jobs again.
    Resume {
        #[command(flatten)]
        at: AtCoordinator,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AtCoordinator {
    /// Where the coordinator is and which certificate to show it, in TOML.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "client.toml",
        env = "ENTENTE_CLIENT"
    )]
    pub(crate) client: PathBuf,
    /// How results are shown.
    #[arg(short, long, value_enum, default_value = "table")]
    pub(crate) output: Format,
}
