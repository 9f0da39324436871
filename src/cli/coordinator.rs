//! The command line of `entente coordinator`.

use clap::{Args, Subcommand};

use super::{AskingArgs, ServeArgs};

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
        at: AskingArgs,
    },
    /// Begin nothing new, at any party, until it is resumed: before an upgrade. What has
    /// begun goes on to its end, what is submitted waits in the queue.
    Drain {
        #[command(flatten)]
        at: AskingArgs,
        /// Wait until everything that has begun has ended.
        #[arg(short, long)]
        wait: bool,
    },
    /// Begin jobs again.
    Resume {
        #[command(flatten)]
        at: AskingArgs,
    },
}
