//! The command line of `entente party sealing-key`.

use std::path::PathBuf;

use clap::Subcommand;

use super::BesideArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum SealingKeyCommand {
    /// Make a key in a new file, for its owner alone.
    #[command(after_help = "\
To put another key in the place of one: make it, name it in [party] sealing_key and
the one before in former_sealing_keys, and start the party again. When the jobs that
ran by then have ended, the former one can go.

Example:
  entente party sealing-key new /etc/entente/bank-a.sealing-key")]
    New {
        /// The file; one that is there is not replaced.
        file: PathBuf,
    },
    /// Say which keys a party has, by their identities alone.
    Show {
        #[command(flatten)]
        at: BesideArgs,
    },
}
