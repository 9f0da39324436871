//! `entente audit`: the log of who did what to which job.

use std::{fs, path::Path};

use entente_coordinator::audit::{Entry, Head, verify};
use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    cli::{AuditArgs, AuditCommand, Format},
    contract,
    exit::Failure,
    job, output, serve,
};

/// Shows the log, or says whether it is as it was written.
pub(crate) fn run(args: AuditArgs) -> Result<(), Failure> {
    match args.command {
        AuditCommand::List => list(&fetch(&args.asking.client)?, args.asking.shown.output),
        AuditCommand::Contract { file, ca } => {
            contract::verify(&file, &ca, args.asking.shown.output)
        }
        AuditCommand::Verify { file, head } => {
            let entries = match file {
                Some(file) => read(&file)?,
                None => fetch(&args.asking.client)?,
            };
            check(&entries, head.as_ref(), args.asking.shown.output)
        }
    }
}

fn fetch(client: &Path) -> Result<Vec<Entry>, Failure> {
    let client = job::connect(client)?;
    serve::runtime().block_on(async { client()?.audit().await.map_err(Failure::runtime) })
}

fn read(file: &Path) -> Result<Vec<Entry>, Failure> {
    let complain =
        |problem: String| Failure::Configuration(format!("{}: {problem}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| complain(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| {
        complain(format!(
            "{error}: this is no log as `entente audit list -o json` writes it"
        ))
    })
}

/// What a program gets to know of a log that is good.
#[derive(Serialize)]
struct Good {
    entries: u64,
    head: String,
}

fn check(entries: &[Entry], known: Option<&Head>, format: Format) -> Result<(), Failure> {
    let head = verify(entries, known).map_err(|error| Failure::Audit(error.to_string()))?;
    if format == Format::Json {
        return output::json(&Good {
            entries: head.number,
            head: head.to_string(),
        });
    }
    println!("{} entries, each as it was written", head.number);
    println!("head {head}  (keep it elsewhere, for --head)");
    Ok(())
}

fn list(entries: &[Entry], format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        return output::json(&entries);
    }
    let rows = entries.iter().map(|entry| {
        let deed = &entry.deed;
        let who = deed.who.as_ref();
        let digest = deed.spec_digest.as_deref();
        let start = |digest: &str| digest.chars().take(12).collect();
        [
            entry.number.to_string(),
            OffsetDateTime::from(deed.at_ms).to_string(),
            who.map_or_else(|| "the coordinator".to_owned(), ToString::to_string),
            match &deed.call {
                Some(call) => format!("{} {call}", deed.what),
                None => deed.what.to_string(),
            },
            deed.job.map(|job| job.to_string()).unwrap_or_default(),
            digest.map(start).unwrap_or_default(),
        ]
    });
    let header = ["entry", "at", "who", "what", "job", "specification"];
    println!("{}", output::table(header, rows));
    Ok(())
}
