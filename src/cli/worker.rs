//! The command line of `entente worker`.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::LogFormat;

#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("where").required(true),
    after_help = "\
Parties start their workers by themselves, where their configuration has a [launcher].
A worker is given that same configuration; of it, it does not use [party] listen and
state_dir, [coordinator], [metrics] and the addresses of peers. What it counts, its party
serves.

It ends with 0 when its party needs it no more, and with 130 when it is stopped: then
it goes on from where it is when it is started again over the same directory.

Example:
  entente worker --config bank-a.toml --job 0190a000-0000-7000-8000-000000000000 --attempt 1 \\
      --state-dir /var/lib/entente/worker --party bank-a.example:7405"
)]
pub(crate) struct WorkerArgs {
    /// The party's configuration, in TOML.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// The job that it runs.
    #[arg(long)]
    pub(crate) job: String,
    /// Which attempt at it.
    #[arg(long)]
    pub(crate) attempt: u32,
    /// Its own directory: what it goes on from. Not the party's.
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: PathBuf,
    /// Where its party listens for workers.
    #[arg(long, value_name = "HOST:PORT", group = "where")]
    pub(crate) party: Option<String>,
    /// The file that says where its party listens for workers.
    #[arg(long, value_name = "FILE", group = "where")]
    pub(crate) party_file: Option<PathBuf>,
    /// End after so many seconds without the party; left out: never.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) patience_s: Option<u64>,
    /// How the log is written, to the standard error.
    #[arg(long, value_enum, default_value = "text", env = "ENTENTE_LOG_FORMAT")]
    pub(crate) log_format: LogFormat,
}
