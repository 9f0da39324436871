//! `entente party`: the party itself, and what people decide beside it.

use std::time::UNIX_EPOCH;

use entente_actors::{
    PartyConfig,
    approval::{Ledger, LedgerError, Waiting, Word, os_user},
    draining::{Drained, Gate},
};
use entente_protocol::{
    contract::Contract,
    job::{JobId, Task, TaskSpec},
};
use serde::Serialize;

use crate::{
    cli::{BesideArgs, Format, PartyArgs, PartyCommand},
    exit::Failure,
    output, sealing, serve, settings,
};

/// Runs the party, or does what was asked for.
pub(crate) fn run(args: &PartyArgs) -> Result<(), Failure> {
    match (&args.command, &args.serve) {
        (Some(PartyCommand::List { at }), _) => list(at),
        (Some(PartyCommand::Show { id, at }), _) => show(parse(id)?, at),
        (Some(PartyCommand::Approve { id, at, reason }), _) => {
            decide(parse(id)?, true, reason.as_deref(), at)
        }
        (Some(PartyCommand::Reject { id, at, reason }), _) => {
            decide(parse(id)?, false, reason.as_deref(), at)
        }
        (Some(PartyCommand::Drain { at }), _) => drain(at),
        (Some(PartyCommand::Resume { at }), _) => resume(at),
        (Some(PartyCommand::SealingKey { command }), _) => sealing::run(command),
        (None, Some(args)) => serve::party(args),
        (None, None) => Err(Failure::Configuration(
            "say which party: --config FILE".to_owned(),
        )),
    }
}

fn parse(id: &str) -> Result<JobId, Failure> {
    id.parse().map_err(|_| {
        Failure::Configuration(format!(
            "{id:?} is no job's identity; `entente party list` shows them"
        ))
    })
}

fn config(at: &BesideArgs) -> Result<PartyConfig, Failure> {
    let config: PartyConfig = settings::load(&at.config)?;
    config.check().map_err(Failure::configuration)?;
    Ok(config)
}

fn ledger(at: &BesideArgs) -> Result<Ledger, Failure> {
    Ok(Ledger::below(&config(at)?.party.state_dir))
}

/// What is wrong with what was asked for, or with the disk.
fn failure(error: LedgerError) -> Failure {
    match error {
        LedgerError::File { .. } => Failure::runtime(error),
        _ => Failure::configuration(error),
    }
}

/// What a program gets to know of a job that waits.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    waiting: Waiting,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<Word>,
}

fn list(at: &BesideArgs) -> Result<(), Failure> {
    let waiting = ledger(at)?.waiting().map_err(failure)?;
    if at.shown.output == Format::Json {
        let shown = waiting.into_iter();
        let shown = shown.map(|(waiting, decision)| Shown { waiting, decision });
        return output::json(&shown.collect::<Vec<_>>());
    }
    let rows = waiting.iter().map(|(waiting, decision)| {
        let task = Task::try_from(waiting.spec.clone());
        let (what, peer) = match &task {
            Ok(task) => (
                format!("{} {}", task.label(), task.name()),
                task.party(waiting.side.other()).to_string(),
            ),
            Err(error) => (error.to_string(), String::new()),
        };
        [
            waiting.job.to_string(),
            what,
            peer,
            waiting.side.label().to_owned(),
            output::moment(waiting.since_ms),
            decision.as_ref().map(decided).unwrap_or_default(),
        ]
    });
    let header = ["job", "what", "with", "our side", "since", "decided"];
    println!("{}", output::table(header, rows));
    Ok(())
}

fn show(job: JobId, at: &BesideArgs) -> Result<(), Failure> {
    let ledger = ledger(at)?;
    let decision = ledger.word(job).map_err(failure)?;
    match ledger.waits(job) {
        Ok(waiting) => show_waiting(waiting, decision, at.shown.output),
        Err(LedgerError::NotWaiting(_)) => match ledger.contract(job).map_err(failure)? {
            Some(contract) => show_contract(&contract, decision.as_ref(), at.shown.output),
            None => Err(failure(LedgerError::NotWaiting(job))),
        },
        Err(error) => Err(failure(error)),
    }
}

fn show_waiting(waiting: Waiting, decision: Option<Word>, format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        return output::json(&Shown { waiting, decision });
    }
    let rows = [
        ["job".to_owned(), waiting.job.to_string()],
        ["our side".to_owned(), waiting.side.label().to_owned()],
        ["waits since".to_owned(), output::moment(waiting.since_ms)],
        ["specification".to_owned(), waiting.specification.clone()],
        [
            "decided".to_owned(),
            decision
                .as_ref()
                .map_or_else(|| "not yet".to_owned(), decided),
        ],
    ];
    println!("{}\n", output::table(["", ""], rows));
    specification(&waiting.spec)
}

fn show_contract(
    contract: &Contract,
    decision: Option<&Word>,
    format: Format,
) -> Result<(), Failure> {
    if format == Format::Json {
        return output::json(contract);
    }
    let mut rows = vec![
        ["job".to_owned(), contract.job.to_string()],
        ["specification".to_owned(), contract.specification.clone()],
    ];
    let (a, b) = (&contract.active, &contract.passive);
    rows.push(["active has signed".to_owned(), output::moment(a.at_ms)]);
    rows.push(["passive has signed".to_owned(), output::moment(b.at_ms)]);
    let by = decision.map_or_else(|| "by the policy".to_owned(), decided);
    rows.push(["decided here".to_owned(), by]);
    println!("{}\n", output::table(["", ""], rows));
    specification(&contract.spec)
}

/// As it was written, or nearly: what was left out has its default.
fn specification(spec: &TaskSpec) -> Result<(), Failure> {
    let text = toml::to_string_pretty(spec).map_err(Failure::runtime)?;
    println!("{text}");
    Ok(())
}

fn drain(at: &BesideArgs) -> Result<(), Failure> {
    let drained = Drained {
        by: os_user(),
        at_ms: now_ms(),
    };
    let gate = Gate::below(&config(at)?.party.state_dir);
    gate.close(&drained).map_err(Failure::runtime)?;
    told(at, true)
}

fn resume(at: &BesideArgs) -> Result<(), Failure> {
    let gate = Gate::below(&config(at)?.party.state_dir);
    gate.open().map_err(Failure::runtime)?;
    told(at, false)
}

fn told(at: &BesideArgs, draining: bool) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Told {
        draining: bool,
    }
    if at.shown.output == Format::Json {
        return output::json(&Told { draining });
    }
    match draining {
        true => println!("nothing new begins here; what has begun goes on to its end"),
        false => println!("jobs begin here again"),
    }
    println!("{TAKEN_IN}");
    Ok(())
}

/// When a running party has heard of it.
const TAKEN_IN: &str = "the party takes it in within a second, or when it starts";

fn now_ms() -> u64 {
    let since = UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn decide(
    job: JobId,
    approves: bool,
    reason: Option<&str>,
    at: &BesideArgs,
) -> Result<(), Failure> {
    let ledger = ledger(at)?;
    let word = ledger.decide(job, approves, os_user(), now_ms(), reason);
    let word = word.map_err(failure)?;
    if at.shown.output == Format::Json {
        return output::json(&word);
    }
    println!("job {job}: {}", decided(&word));
    println!("{TAKEN_IN}");
    Ok(())
}

fn decided(word: &Word) -> String {
    let what = match word.approves {
        true => "approved",
        false => "rejected",
    };
    let (by, at) = (&word.by, output::moment(word.at_ms));
    match &word.reason {
        Some(reason) => format!("{what} by {by}, {at}: {reason}"),
        None => format!("{what} by {by}, {at}"),
    }
}
