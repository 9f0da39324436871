//! `entente audit ...`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use entente_coordinator::audit::Head;

use super::AskingArgs;

#[derive(Debug, Args)]
#[command(
    after_help = "The coordinator shows its log to operators: --client names an operator's certificate."
)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    pub(crate) command: AuditCommand,
    #[command(flatten)]
    pub(crate) asking: AskingArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// List who did what to which job, oldest first.
    #[command(after_help = "Example:\n  entente audit list -o json > audit.json")]
    List,
    /// Check that both parties have signed a contract; exit code 7 if they have not.
    /// Asks nobody: the authorities' certificates are all that is needed.
    #[command(after_help = "\
Each certificate must have been in date at the moment that its party says it signed:
that is the party's word, and the log's (audit list: approved).

Example:
  entente job contract ID -o json > contract.json
  entente audit contract --file contract.json --ca pki/ca.pem")]
    Contract {
        /// The contract, as `entente job contract -o json` writes it, or as a party
        /// keeps it in STATE_DIR/contracts.
        #[arg(long)]
        file: PathBuf,
        /// The certificates of the authorities, in PEM.
        #[arg(long, value_name = "FILE")]
        ca: PathBuf,
    },
    /// Check that the log is as it was written; exit code 7 if it is not.
    #[command(after_help = "\
A log that was made anew or cut short shows only to who knows its head: keep what this
prints, elsewhere.

Examples:
  entente audit verify --client operator.toml
  entente audit verify --file audit.json --head 41:0ab3...")]
    Verify {
        /// A log that was exported with list -o json, in place of the
        /// coordinator's.
        #[arg(long)]
        file: Option<PathBuf>,
        /// The head that an earlier verification printed: the log must still
        /// have it.
        #[arg(long, value_name = "NUMBER:HASH")]
        head: Option<Head>,
    },
}
