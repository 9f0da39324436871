//! The `entente` binary: thin. It parses the command line, loads
//! configuration, names the encryption scheme, and hands over.

mod api;
mod audit;
mod bench;
mod ca;
mod cert;
mod cli;
mod completions;
mod contract;
mod coordinator;
mod data;
mod demo;
mod doctor;
mod exit;
mod hardening;
mod job;
mod line;
mod logging;
mod model;
mod output;
mod party;
mod probe;
mod reproduce;
mod sealing;
mod serve;
mod settings;
mod sides;
mod together;
mod wiping;
mod worker;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    cli::{BenchCommand, Cli, Command},
    exit::Failure,
};

#[global_allocator]
static WIPING: wiping::Wiping = wiping::Wiping;

fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::to_stderr(&cli.command);
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
        Command::Coordinator(args) => coordinator::run(args),
        Command::Party(args) => party::run(&args),
        Command::Worker(args) => worker::run(args),
        Command::Job(args) => job::run(args),
        Command::Model(args) => model::run(&args),
        Command::Audit(args) => audit::run(args),
        Command::Api(shown) => api::print(shown.output),
        Command::Doctor(args) => doctor::run(&args),
        Command::Probe(args) => probe::run(&args),
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
