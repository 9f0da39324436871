//! `entente job contract` and `entente audit contract`: what both parties have
//! signed, shown and verified.

use std::{fs, path::Path, time::UNIX_EPOCH};

use entente_protocol::{
    contract::{Contract, Moment},
    job::Side,
};
use entente_tls::Authorities;
use serde::Serialize;

use crate::{cli::Format, exit::Failure, output};

/// Prints a contract. For people it says who has signed; the whole of it is JSON.
pub(crate) fn show(contract: &Contract, format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        return output::json(contract);
    }
    println!("{}", summary(contract));
    println!("\nthe whole of it: -o json; hold it against the authority: entente audit contract");
    Ok(())
}

/// What a program gets to know of a contract that is good.
#[derive(Serialize)]
struct Good<'a> {
    job: String,
    specification: &'a str,
    active: String,
    passive: String,
}

/// Verifies a contract in a file against the certificates of the authorities, and
/// nothing else: no coordinator, no party is asked.
pub(crate) fn verify(file: &Path, ca: &Path, format: Format) -> Result<(), Failure> {
    let authorities = Authorities::load(ca).map_err(Failure::configuration)?;
    let complain =
        |problem: String| Failure::Configuration(format!("{}: {problem}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| complain(error.to_string()))?;
    let contract: Contract = serde_json::from_str(&text).map_err(|error| {
        complain(format!(
            "{error}: this is no contract as `entente job contract -o json` writes it"
        ))
    })?;
    let since = UNIX_EPOCH.elapsed().unwrap_or_default();
    let now_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    let verified = contract.verify(
        Moment::Later { now_ms },
        |signer, text, signature, at_unix_s| {
            authorities.verify_written(signer, text, signature, at_unix_s)
        },
    );
    let task = verified.map_err(|error| {
        Failure::Audit(format!("{}: {} ({error})", file.display(), error.label()))
    })?;
    if format == Format::Json {
        return output::json(&Good {
            job: contract.job.to_string(),
            specification: &contract.specification,
            active: task.party(Side::Active).to_string(),
            passive: task.party(Side::Passive).to_string(),
        });
    }
    println!("{}", summary(&contract));
    println!(
        "\nboth signatures are good; each certificate was in date when its party says that it signed"
    );
    Ok(())
}

fn summary(contract: &Contract) -> String {
    use entente_protocol::job::TaskSpec;
    let parties = match &contract.spec {
        TaskSpec::Train(spec) => &spec.parties,
        TaskSpec::Infer(spec) => &spec.parties,
    };
    let mut rows = vec![
        ["job".to_owned(), contract.job.to_string()],
        ["specification".to_owned(), contract.specification.clone()],
    ];
    for side in [Side::Active, Side::Passive] {
        let at = output::moment(contract.signed(side).at_ms);
        let party = parties.party(side);
        rows.push([
            format!("{party} ({})", side.label()),
            format!("signed {at}"),
        ]);
    }
    output::table(["", ""], rows)
}
