//! The command line.

mod audit;
mod ca;
mod cert;
mod coordinator;
mod demo;
mod doctor;
mod job;
mod model;
mod party;
mod probe;
mod reproduce;
mod sealing;
mod shared;
mod unless_there;
mod worker;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(crate) use self::{
    audit::{AuditArgs, AuditCommand},
    ca::{CaArgs, CaCommand},
    cert::{CertArgs, CertCommand, RenewArgs, RevokeArgs, SignArgs},
    coordinator::{CoordinatorArgs, CoordinatorCommand},
    demo::{DemoArgs, DemoDataset},
    doctor::{DoctorArgs, DoctorCommand},
    job::{JobArgs, JobCommand},
    model::{ModelArgs, ModelCommand},
    party::{PartyArgs, PartyCommand},
    probe::{ProbeArgs, Question},
    reproduce::{Experiment, ReproduceArgs},
    sealing::SealingKeyCommand,
    shared::{AskingArgs, BesideArgs, Format, ShownArgs},
    unless_there::UnlessThereArgs,
    worker::WorkerArgs,
};

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed while running
  2    the command line is not understood
  3    a configuration, specification, certificate or argument is wrong
  4    the job that was waited for failed, was cancelled or rejected
  5    demo, reproduce: weights differ from the plaintext reference
  6    data check: a file is truncated, altered or unreadable
  7    audit verify, audit contract: what was written or signed was altered
  8    doctor: something is not well
  130  interrupted

Examples:
  entente demo                                  see it work, on this machine
  entente cert ca --out pki                     a CA for development
  entente cert issue party bank-a --ca pki --out pki
  entente party --config bank-a.toml --check-config
  entente doctor party --config bank-a.toml
  entente probe ready --config bank-a.toml
  entente job submit iris.toml --client client.toml --watch
  entente job logs 0190a000-0000-7000-8000-000000000000
  entente api -o json > openapi.json
  entente model list --config bank-a.toml";

/// Organisations train one model together without showing each other their
/// data.
#[derive(Debug, Parser)]
#[command(name = "entente", version, about, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Schedule jobs between parties; see the parties, drain it.
    Coordinator(CoordinatorArgs),
    /// Take part in jobs: the process beside an organisation's data; approve of them.
    Party(PartyArgs),
    /// Run one job for a party that runs elsewhere; parties start these themselves.
    Worker(WorkerArgs),
    /// Submit and follow jobs.
    Job(JobArgs),
    /// Look after the halves of models at one party.
    Model(ModelArgs),
    /// See who did what to which job, and whether that record was altered.
    Audit(AuditArgs),
    /// Print what the coordinator can be asked for.
    #[command(after_help = "\
With -o json it is an OpenAPI 3.1 document, as GET /v1/openapi.json answers it. Nobody is
asked: it is what this version does.

Example:
  entente api -o json > openapi.json")]
    Api(ShownArgs),
    /// Examine a party or a coordinator: what is not well, and what to do about it.
    Doctor(DoctorArgs),
    /// Ask the service on this machine whether it is live, started, serving or ready.
    Probe(ProbeArgs),
    /// Make an authority, and its revocation list.
    Ca(CaArgs),
    /// Ask for certificates, sign, renew, show and revoke them.
    Cert(CertArgs),
    /// Look at public datasets on this machine.
    Data(DataArgs),
    /// Train on a public dataset (Iris, if nothing is said): three processes on
    /// this machine, under encryption, compared with plaintext training at the
    /// end.
    Demo(DemoArgs),
    /// Run the paper's experiments again, and write a report.
    Reproduce(ReproduceArgs),
    /// Measure what encryption costs on this machine.
    Bench(BenchArgs),
    /// Print completions for a shell.
    #[command(after_help = "Example:\n  entente completions bash > /etc/bash_completion.d/entente")]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// A service.
#[derive(Debug, Args)]
#[command(after_help = "Every setting can also come from the environment, as \
ENTENTE__SECTION__KEY; it then overrides the file.")]
pub(crate) struct ServeArgs {
    /// The configuration, in TOML.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Check configuration and certificates, and end.
    #[arg(long)]
    pub(crate) check_config: bool,
    /// When ready, write the addresses that are listened on to this file (as
    /// JSON): for supervisors, and for port 0.
    #[arg(long, value_name = "FILE")]
    pub(crate) announce: Option<PathBuf>,
    /// End when standard input is closed, so that no process outlives the one
    /// that started it.
    #[arg(long)]
    pub(crate) until_stdin_closes: bool,
    /// How the log is written, to the standard error: lines for people, or one JSON
    /// object a line, each with the job, attempt, correlation and request that it is
    /// about.
    #[arg(long, value_enum, default_value = "text", env = "ENTENTE_LOG_FORMAT")]
    pub(crate) log_format: LogFormat,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl LogFormat {
    /// As it is asked for.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    #[command(subcommand)]
    pub(crate) command: DataCommand,
    #[command(flatten)]
    pub(crate) shown: ShownArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Say which of the known public datasets are in a folder, and hold every
    /// file against its published SHA-256.
    #[command(
        after_help = "A file that is missing is no failure; one that is truncated or altered \
is (exit code 6).\n\nExample:\n  entente data check data"
    )]
    Check {
        /// The folder that has one folder for each dataset: mnist, cifar10,
        /// pima, kr_vs_kp, ...
        dir: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    pub(crate) command: BenchCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// The encryption scheme: every operation of a round, and whole rounds.
    He(BenchHeArgs),
    /// The coordinator: many jobs in its queue, many parties that speak.
    Scheduler(BenchSchedulerArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  entente bench scheduler                          10,000 jobs, 1,000 parties
  entente bench scheduler --jobs 100 --parties 10  is it all there?")]
pub(crate) struct BenchSchedulerArgs {
    /// Jobs that are submitted, each for two of the parties.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) jobs: u32,
    /// Parties that speak.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pub(crate) parties: u32,
    /// Halves of jobs that the parties bring to their end.
    #[arg(long, default_value_t = 2000)]
    pub(crate) finished: u32,
    #[command(flatten)]
    pub(crate) shown: ShownArgs,
}

/// What to measure against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Against {
    /// The constant-time exponentiation of OpenSSL's libcrypto.
    Openssl,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  entente bench he                                         every tier, 2048 and 3072 bits
  entente bench he --key-bits 2048 --against openssl       with ratios, and what was promised
  entente bench he --key-bits 4096 --tier portable -o json for a program
  entente bench he --timing 100000 --key-bits 2048         is decryption constant time?
  entente bench he --estimate iris.toml --rows 150         what a job will take
  entente bench he --quick                                 does all of it work?

Operations are measured on one thread, rounds on all that the process may use.
Figures are the least of a few repetitions. Progress goes to the standard error.")]
pub(crate) struct BenchHeArgs {
    /// Key sizes.
    #[arg(long, value_delimiter = ',', default_values_t = [2048, 3072])]
    pub(crate) key_bits: Vec<u32>,
    /// One tier of the engine alone: ifma, adx or portable. Left out: each that
    /// this machine has.
    #[arg(long)]
    pub(crate) tier: Option<String>,
    /// Measure a yardstick in the same run, for honest ratios.
    #[arg(long, value_enum)]
    pub(crate) against: Option<Against>,
    /// Decrypt so many ciphertexts of two classes, in four ways, and say whether
    /// the time tells which (Reparaz, Balasch and Verbauwhede, 2017), in place
    /// of the table.
    #[arg(
        long,
        value_name = "DECRYPTIONS",
        num_args = 0..=1,
        default_missing_value = "10000",
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(100..=10_000_000),
        conflicts_with = "estimate"
    )]
    pub(crate) timing: Option<usize>,
    /// A small cut and no repetitions: shows that it works, and little else.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Forecast what this job will cost in place of the table.
    #[arg(long, value_name = "JOB.toml", requires = "rows")]
    pub(crate) estimate: Option<PathBuf>,
    /// With --estimate: rows of the dataset, which only its parties know.
    #[arg(long)]
    pub(crate) rows: Option<usize>,
    #[command(flatten)]
    pub(crate) shown: ShownArgs,
    /// Measure in this process alone; for this command's own use.
    #[arg(long, hide = true)]
    pub(crate) this_process: bool,
}
