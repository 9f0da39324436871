//! The `entente` binary: thin. It parses the command line, loads
//! configuration, names the encryption scheme, and hands over.

mod audit;
mod bench;
mod ca;
mod cert;
mod cli;
mod completions;
mod contract;
mod data;
mod demo;
mod exit;
mod job;
mod model;
mod output;
mod party;
mod reproduce;
mod serve;
mod settings;
mod sides;
mod together;

use std::{io::IsTerminal, process::ExitCode};

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::{
    cli::{BenchCommand, Cli, Command, PartyArgs},
    exit::Failure,
};

fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr(&cli);
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("entente: {failure}");
            failure.exit_code()
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Coordinator(args) => serve::coordinator(&args),
        Command::Party(args) => party::run(&args),
        Command::Job(args) => job::run(args),
        Command::Model(args) => model::run(&args),
        Command::Audit(args) => audit::run(args),
        Command::Ca(args) => ca::run(args),
        Command::Cert(args) => cert::run(args),
        Command::Data(args) => data::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Reproduce(args) => reproduce::run(&args),
        Command::Bench(args) => match args.command {
            BenchCommand::He(args) => bench::he(&args),
            BenchCommand::Scheduler(args) => bench::scheduler(&args),
        },
        Command::Completions { shell } => completions::print(shell),
    }
}

/// Services log what they do; commands for people stay silent unless asked.
fn log_to_stderr(cli: &Cli) {
    let default = match cli.command {
        Command::Coordinator(_) | Command::Party(PartyArgs { command: None, .. }) => "info",
        _ => "warn",
    };
    let filter = EnvFilter::builder()
        .try_from_env()
        .unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}
