//! `entente ca`: arguments.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ShownArgs;

#[derive(Debug, Args)]
pub(crate) struct CaArgs {
    #[command(subcommand)]
    pub(crate) command: CaCommand,
    #[command(flatten)]
    pub(crate) shown: ShownArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CaCommand {
    /// Make an authority: a root, or one below a root.
    #[command(after_help = "\
Writes ca.pem, ca.key (mode 0600) and an empty revocation list, crl.pem, into the
folder; nothing is overwritten. One below a root has root.pem, too: that is what
members trust, and so what goes to [tls] ca.

Examples:
  entente ca init --out root --name \"Consortium root\"
  entente ca init --out issuing --intermediate-of root --days 180")]
    Init {
        /// The folder for its files.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Its name, for people and revocation lists; no other authority may have it.
        /// Left out: one that none has.
        #[arg(long)]
        name: Option<String>,
        /// The folder of the root that it stands below. Left out: it is a root.
        #[arg(long, value_name = "DIR")]
        intermediate_of: Option<PathBuf>,
        /// Days until it ends. Left out: 3650 for a root, 365 for another one.
        #[arg(long)]
        days: Option<u16>,
        /// It signs spiffe://TRUST_DOMAIN/KIND/NAME alone. Left out: entente, or as
        /// the root has it.
        #[arg(long, value_name = "TRUST_DOMAIN", conflicts_with = "intermediate_of")]
        trust_domain: Option<String>,
        /// Days until its first revocation list ends.
        #[arg(long, default_value_t = 30)]
        crl_days: u16,
    },
    /// Make its revocation list anew, with what was revoked and a later end.
    #[command(after_help = "\
A list that has ended shuts the authority's members out, so make a new one in
time, and bring it to wherever [tls] crls says.

Example:
  entente ca crl --ca issuing --days 30")]
    Crl {
        /// The folder of the authority.
        #[arg(long, value_name = "DIR")]
        ca: PathBuf,
        /// Days until it ends.
        #[arg(long, default_value_t = 30)]
        days: u16,
    },
    /// List what it has signed, and what of it was revoked.
    List {
        /// The folder of the authority.
        #[arg(long, value_name = "DIR")]
        ca: PathBuf,
    },
}
