//! The command line of `entente probe`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
#[command(after_help = "\
For supervisors that start processes and have no certificate (Kubernetes, systemd): it reads
the service's own configuration, shows the service's own certificate, and asks the service on
this machine. One line; exit code 0 for yes, 1 for no, at the latest after two seconds.

            party                                  coordinator
  live      what everything goes through answers   the process answers
  started   live; state directory, sealing key     live; the store is migrated and its jobs
            and certificate are good; it listens   are loaded, or another one leads
  serving   live, and not ending                   it leads, or another one is known to
  ready     takes new work: serving, not drained,  the same: it leads itself, is not drained
            and the coordinator has answered       and not ending

An expired or revoked certificate makes a service unready, and does not make it dead.

Examples:
  entente probe ready --config bank-a.toml
  entente probe live --config coordinator.toml")]
pub(crate) struct ProbeArgs {
    /// What is asked.
    #[arg(value_enum)]
    pub(crate) question: Question,
    /// The service's configuration, in TOML.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
}

/// What is asked of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Question {
    /// Whether it should be left alone; if not, it is to be started anew.
    Live,
    /// Whether its start is over.
    Started,
    /// Whether those who need it now are answered.
    Serving,
    /// Whether it takes new work.
    Ready,
}
