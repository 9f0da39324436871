//! `entente coordinator`: the coordinator itself, and what operators want of it.

use std::time::Duration;

use entente_coordinator::{
    client::Client,
    job::{DrainView, PartyView},
};
use entente_wire::listed_versions;
use tokio::time::sleep;

use crate::{
    cli::{AskingArgs, CoordinatorArgs, CoordinatorCommand, Format},
    exit::Failure,
    job, output, serve,
};

/// How often it is looked whether everything has ended.
const LOOKS: Duration = Duration::from_secs(1);

/// Runs the coordinator, or does what was asked for.
pub(crate) fn run(args: CoordinatorArgs) -> Result<(), Failure> {
    match (args.command, args.serve) {
        (Some(CoordinatorCommand::Parties { at }), _) => {
            parties(&at, &ask(&at, async |client| client.parties().await)?)
        }
        (Some(CoordinatorCommand::Drain { at, wait }), _) => drain(&at, wait),
        (Some(CoordinatorCommand::Resume { at }), _) => {
            show(&at, &ask(&at, async |client| client.undrain().await)?)
        }
        (None, Some(args)) => serve::coordinator(&args),
        (None, None) => Err(Failure::Configuration(
            "say which coordinator: --config FILE".to_owned(),
        )),
    }
}

fn ask<T>(
    at: &AskingArgs,
    ask: impl AsyncFnOnce(&Client) -> Result<T, entente_coordinator::client::ClientError>,
) -> Result<T, Failure> {
    let client = job::connect(&at.client)?;
    serve::runtime().block_on(async { ask(&client()?).await.map_err(Failure::runtime) })
}

fn drain(at: &AskingArgs, wait: bool) -> Result<(), Failure> {
    let client = job::connect(&at.client)?;
    let drained = serve::runtime().block_on(async {
        let client = client()?;
        let mut view = client.drain().await.map_err(Failure::runtime)?;
        let mut told = None;
        while wait && view.draining && view.begun > 0 {
            if at.shown.output == Format::Table && told.replace(view.begun) != Some(view.begun) {
                eprintln!("{} jobs have begun and go on", view.begun);
            }
            tokio::select! {
                () = sleep(LOOKS) => {}
                () = serve::told_to_stop() => return Err(Failure::Interrupted),
            }
            view = client.drained().await.map_err(Failure::runtime)?;
        }
        Ok(view)
    })?;
    if wait && !drained.draining {
        return Err(Failure::runtime(std::io::Error::other(
            "somebody has resumed it meanwhile",
        )));
    }
    show(at, &drained)
}

fn show(at: &AskingArgs, view: &DrainView) -> Result<(), Failure> {
    if at.shown.output == Format::Json {
        return output::json(view);
    }
    let stands = match (&view.since, &view.by) {
        (Some(since), Some(by)) => format!("drained since {since}, by {by}: nothing new begins"),
        _ => "begins jobs".to_owned(),
    };
    let rows = [
        ["the coordinator".to_owned(), stands],
        ["have begun and go on".to_owned(), view.begun.to_string()],
        ["paused".to_owned(), view.paused.to_string()],
        ["have not begun".to_owned(), view.waiting.to_string()],
    ];
    println!("{}", output::table(["", ""], rows));
    Ok(())
}

fn parties(at: &AskingArgs, parties: &[PartyView]) -> Result<(), Failure> {
    if at.shown.output == Format::Json {
        return output::json(&parties);
    }
    let rows = parties.iter().map(|party| {
        let stands = match (party.connected, party.draining) {
            (false, _) => format!("away, last heard of {}", party.heard_at),
            (true, true) => "connected, drained: nothing new begins".to_owned(),
            (true, false) => "connected".to_owned(),
        };
        [
            party.name.to_string(),
            stands,
            format!("{} of {}", party.jobs, party.capacity),
            party.datasets.join(", "),
            party.software.clone(),
            listed_versions(&party.wire),
        ]
    });
    println!(
        "{}",
        output::table(["party", "", "jobs", "datasets", "version", "wire"], rows)
    );
    Ok(())
}
