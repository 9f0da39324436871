//! `entente job`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use entente_coordinator::job::Priority;

use super::AskingArgs;

#[derive(Debug, Args)]
pub(crate) struct JobArgs {
    #[command(subcommand)]
    pub(crate) command: JobCommand,
    #[command(flatten)]
    pub(crate) asking: AskingArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobCommand {
    /// Submit a job specification.
    #[command(after_help = "\
A specification says what is done: task = \"train\" (or nothing), \"evaluate\" or \"predict\".

Examples:
  entente job submit iris.toml --client client.toml --watch
  entente job submit iris-evaluate.toml --client client.toml --watch
  entente job submit iris.toml --priority low")]
    Submit {
        /// The specification, in TOML.
        spec: PathBuf,
        /// Follow it to its end.
        #[arg(short, long)]
        watch: bool,
        /// What to call this submission: the same specification under the same
        /// key is one job, however often it is submitted. Left out: a new one.
        #[arg(long, value_name = "KEY")]
        idempotency_key: Option<String>,
        /// How much of a hurry it is in: low, normal, or high, which operators
        /// alone may ask for.
        #[arg(long, default_value_t)]
        priority: Priority,
    },
    /// List jobs, newest first.
    #[command(after_help = "Example:\n  entente job list --state running --limit 20")]
    List {
        /// Only those in this state: awaiting_approval, queued, reserved, running,
        /// parked, paused, failing, cancelling, succeeded, failed, cancelled or
        /// rejected.
        #[arg(long)]
        state: Option<String>,
        /// The newest so many. Left out: all.
        #[arg(long, value_name = "COUNT")]
        limit: Option<usize>,
    },
    /// Show a job: where it stands and why, and what became of each attempt.
    Show {
        /// Its identity.
        id: String,
    },
    /// Say what a job waits for: parties, room, other jobs.
    #[command(
        after_help = "Example:\n  entente job why 0190a000-0000-7000-8000-000000000000 -o json"
    )]
    Why {
        /// Its identity.
        id: String,
    },
    /// Tell what happened to a job, oldest first: states and why, attempts, what each
    /// side said of a failure, who approved.
    #[command(after_help = "\
With --follow it goes on to the job's end, and with -o json prints an entry a line.

Examples:
  entente job logs 0190a000-0000-7000-8000-000000000000
  entente job logs 0190a000-0000-7000-8000-000000000000 --follow -o json")]
    Logs {
        /// Its identity.
        id: String,
        /// Go on until the job has ended.
        #[arg(short, long)]
        follow: bool,
    },
    /// Show what both parties have signed before a job could run.
    #[command(after_help = "Example:\n  entente job contract \
0190a000-0000-7000-8000-000000000000 -o json > contract.json")]
    Contract {
        /// The job's identity.
        id: String,
    },
    /// Follow a job to its end; exit code 4 if it does not succeed.
    Watch {
        /// Its identity.
        id: String,
    },
    /// End a job.
    #[command(after_help = "Example:\n  entente job cancel 0190a000-0000-7000-8000-000000000000")]
    Cancel {
        /// Its identity.
        id: String,
    },
    /// Have a job rest: both parties finish the exchange that they are in, keep
    /// their checkpoints, and have room for others.
    #[command(after_help = "Example:\n  entente job pause 0190a000-0000-7000-8000-000000000000")]
    Pause {
        /// Its identity.
        id: String,
    },
    /// Have a paused job go on from where it rested, as soon as there is room.
    #[command(after_help = "Example:\n  entente job resume 0190a000-0000-7000-8000-000000000000")]
    Resume {
        /// Its identity.
        id: String,
    },
    /// Have a job that runs go on under another encryption key, from one of its
    /// next rounds on: asked for again before that, it is asked for once.
    #[command(
        after_help = "Example:\n  entente job rotate-key 0190a000-0000-7000-8000-000000000000"
    )]
    RotateKey {
        /// Its identity.
        id: String,
    },
    /// Do what failed or was cancelled again, from the beginning, as another job:
    /// the same one however often it is asked for.
    #[command(
        after_help = "Example:\n  entente job retry 0190a000-0000-7000-8000-000000000000 --watch"
    )]
    Retry {
        /// Its identity.
        id: String,
        /// Follow the new job to its end.
        #[arg(short, long)]
        watch: bool,
    },
}
