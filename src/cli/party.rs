//! The command line of `entente party`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Format, SealingKeyCommand, ServeArgs};

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
        at: AtParty,
    },
    /// Show a job that waits, or the contract of one that has begun.
    Show {
        /// Its identity.
        id: String,
        #[command(flatten)]
        at: AtParty,
    },
    /// Have this party sign a job, and take part in it.
    Approve {
        /// Its identity.
        id: String,
        #[command(flatten)]
        at: AtParty,
        /// Why; stays at this party.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Have this party refuse a job, which ends it.
    Reject {
        /// Its identity.
        id: String,
        #[command(flatten)]
        at: AtParty,
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

#[derive(Debug, Args)]
pub(crate) struct AtParty {
    /// The party's configuration, in TOML.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "party.toml",
        env = "ENTENTE_PARTY"
    )]
    pub(crate) config: PathBuf,
    /// How results are shown.
    #[arg(short, long, value_enum, default_value = "table")]
    pub(crate) output: Format,
}
