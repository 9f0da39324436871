//! The command line of `entente model`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::BesideArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
A trained model is at two parties: each has a half, under the same name and
version, and each half is useless alone. These commands work on one party's
state directory, beside its running process or without it.

A model is said as NAME (the newest of it), NAME@VERSION, or VERSION, where the
first or last digits do if no other version has them.

Examples:
  entente model list --config bank-a.toml
  entente model show credit --config bank-b.toml -o json
  entente model export credit --out credit.safetensors --config bank-a.toml
  entente model delete credit@9a8057 --yes --config bank-a.toml")]
pub(crate) struct ModelArgs {
    #[command(subcommand)]
    pub(crate) command: ModelCommand,
    #[command(flatten)]
    pub(crate) beside: BesideArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// List the models that this party has a half of, newest first.
    List,
    /// Show a model: who trained it, how it went, and what evaluations found.
    Show {
        /// The model.
        model: String,
    },
    /// Write the network below the cut to a file, at the party that has it.
    #[command(
        after_help = "The network is written as safetensors, by PyTorch's names. What is above \
the cut cannot be exported: nobody has it. With --half this party's half is written as it is \
kept, at either party; it is useless alone, and with the other party's half it is the model.\n\n\
No file is overwritten."
    )]
    Export {
        /// The model.
        model: String,
        /// The file to write, readable by its owner alone.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Write this party's half in place of the network.
        #[arg(long)]
        half: bool,
    },
    /// Delete this party's half. There is no way back: the other party's half
    /// is useless from then on.
    Delete {
        /// The model.
        model: String,
        /// Yes, delete it.
        #[arg(long)]
        yes: bool,
    },
}
