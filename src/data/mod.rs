//! `entente data`: public datasets on this machine.

pub(crate) mod declared;
mod known;

use std::path::Path;

use serde::Serialize;

use self::known::State;
use crate::{
    cli::{DataArgs, DataCommand, Format},
    exit::Failure,
    output,
};

/// A file, and what it turned out to be.
#[derive(Debug, Serialize)]
struct Looked {
    dataset: &'static str,
    file: &'static str,
    #[serde(flatten)]
    state: State,
}

/// Does what was asked for.
pub(crate) fn run(args: &DataArgs) -> Result<(), Failure> {
    match &args.command {
        DataCommand::Check { dir } => check(dir, args.shown.output),
    }
}

/// Looks at every known file below `dir`. A file that is not there is said to
/// be missing, and is no failure: nobody needs all of them.
fn check(dir: &Path, format: Format) -> Result<(), Failure> {
    if !dir.is_dir() {
        let problem = format!("{}: there is no such folder", dir.display());
        return Err(Failure::Configuration(problem));
    }
    let files: Vec<Looked> = known::all()
        .map(|known| Looked {
            dataset: known.dataset(),
            file: known.path,
            state: known.look(dir),
        })
        .collect();
    match format {
        Format::Json => output::json(&files)?,
        Format::Table => {
            let rows = files.iter().map(|looked| {
                let file = looked.file.split_once('/').map_or("", |(_, file)| file);
                [
                    looked.dataset.to_owned(),
                    file.to_owned(),
                    text(&looked.state),
                ]
            });
            println!("{}", output::table(["DATASET", "FILE", "STATE"], rows));
        }
    }
    let bad: Vec<&str> = files
        .iter()
        .filter(|looked| !matches!(looked.state, State::Good | State::Missing))
        .map(|looked| looked.file)
        .collect();
    if !bad.is_empty() {
        return Err(Failure::Data(format!(
            "not as published: {}; fetch them again",
            bad.join(", ")
        )));
    }
    if files.iter().all(|looked| looked.state == State::Missing) {
        let problem = format!("{}: has none of the known datasets", dir.display());
        return Err(Failure::Configuration(problem));
    }
    Ok(())
}

fn text(state: &State) -> String {
    match state {
        State::Good => "good".to_owned(),
        State::Missing => "missing".to_owned(),
        State::Truncated {
            bytes,
            expected_bytes,
        } => format!("truncated: {bytes} of {expected_bytes} bytes"),
        State::Altered { .. } => "altered: another SHA-256".to_owned(),
        State::Unreadable { reason } => format!("unreadable: {reason}"),
    }
}
