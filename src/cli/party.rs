//! The command line of `entente party`.

use clap::{Args, Subcommand};

use super::{BesideArgs, SealingKeyCommand, ServeArgs};

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
Without a command the party runs. With one, it is said at this party, beside its
running process or without it, which jobs it takes part in: where its policy
([party] policy) says that a person decides. Run the commands as the user that the
party runs as; that user, and who became it by sudo, is put down with the decision.

Every setting can also come from the environment, as ENTENTE__SECTION__KEY; it then
overrides the file.

Examples:
  entente party --config bank-b.toml
  entente party sealing-key new bank-b.sealing-key
  entente party list --config bank-b.toml
  entente party show 0190a000-0000-7000-8000-000000000000 --config bank-b.toml
  entente party approve 0190a000-0000-7000-8000-000000000000 --config bank-b.toml
  entente party drain --config bank-b.toml
  entente party reject 0190a000-0000-7000-8000-000000000000 --config bank-b.toml --reason 'after the audit'"
)]
pub(crate) struct PartyArgs {
    #[command(flatten)]
    pub(crate) serve: Option<ServeArgs>,
    #[command(subcommand)]
    pub(crate) command: Option<PartyCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PartyCommand {
    /// List the jobs that wait for a person at this party, oldest first.
    List {
        #[command(flatten)]
        at: BesideArgs,
    },
    /// Show a job that waits, or the contract of one that has begun.
    Show {
        /// Its identity.
        id: String,
        #[command(flatten)]
        at: BesideArgs,
    },
    /// Have this party sign a job, and take part in it.
    Approve {
        /// Its identity.
        id: String,
        #[command(flatten)]
        at: BesideArgs,
        /// Why; stays at this party.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Begin nothing new at this party until it is resumed, also if it is started
    /// anew meanwhile: before its machine is taken away. What has begun goes on to its
    /// end; `entente coordinator parties` says how many jobs are there.
    Drain {
        #[command(flatten)]
        at: BesideArgs,
    },
    /// Begin jobs again at this party.
    Resume {
        #[command(flatten)]
        at: BesideArgs,
    },
    /// Have this party refuse a job, which ends it.
    Reject {
        /// Its identity.
        id: String,
        #[command(flatten)]
        at: BesideArgs,
        /// Why; goes into the job's record, which others read.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Make and name the keys that what running jobs go on from is sealed with.
    SealingKey {
        #[command(subcommand)]
        command: SealingKeyCommand,
    },
}
