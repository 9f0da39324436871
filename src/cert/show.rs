//! `entente cert show`: what certificates and revocation lists say.

use std::{
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use entente_tls::{CertificateFacts, Facts, Naming, facts, revocation::ListFacts};
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{cli::Format, exit::Failure, output};

/// A certificate as it is shown.
#[derive(Serialize)]
pub(crate) struct View {
    #[serde(flatten)]
    facts: CertificateFacts,
    /// RFC 3339.
    not_before: String,
    /// RFC 3339.
    pub(crate) not_after: String,
    /// Seconds until then; less than nothing afterwards.
    pub(crate) remaining_s: i64,
}

/// What is in a file, as programs read it.
#[derive(Serialize)]
struct File {
    file: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    certificates: Vec<View>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    revocation_lists: Vec<ListFacts>,
}

impl View {
    pub(crate) fn of(facts: CertificateFacts) -> Self {
        Self {
            not_before: moment(facts.not_before_unix_s),
            not_after: moment(facts.not_after_unix_s),
            remaining_s: facts.not_after_unix_s - now_unix_s(),
            facts,
        }
    }

    /// For whom it speaks, or what it is instead.
    pub(crate) fn identity(&self) -> &str {
        match &self.facts.identity {
            Some(identity) => identity,
            None if self.facts.authority => "an authority",
            None => "nobody",
        }
    }

    pub(crate) fn serial(&self) -> &str {
        &self.facts.serial
    }

    fn rows(&self) -> [[String; 2]; 9] {
        let facts = &self.facts;
        let row = |name: &str, value: &str| [name.to_owned(), value.to_owned()];
        [
            row("speaks for", self.identity()),
            row("subject", &facts.subject),
            row("issuer", &facts.issuer),
            row("serial", &facts.serial),
            row("from", &self.not_before),
            row(
                "until",
                &format!("{} ({})", self.not_after, days_left(self.remaining_s)),
            ),
            row("names", &facts.names.join(" ")),
            row("key", &facts.key),
            row("SHA-256", &facts.fingerprint),
        ]
    }
}

/// Shows what the files hold.
pub(crate) fn run(paths: &[PathBuf], naming: &Naming, format: Format) -> Result<(), Failure> {
    let mut files = Vec::new();
    for path in paths {
        let mut file = File {
            file: path.display().to_string(),
            certificates: Vec::new(),
            revocation_lists: Vec::new(),
        };
        match facts(path, naming).map_err(Failure::configuration)? {
            Facts::Certificates(found) => {
                file.certificates = found.into_iter().map(View::of).collect();
            }
            Facts::Lists(found) => file.revocation_lists = found,
        }
        files.push(file);
    }
    if format == Format::Json {
        return output::json(&files);
    }
    for (place, file) in files.iter().enumerate() {
        if place > 0 {
            println!();
        }
        println!("{}", file.file);
        for certificate in &file.certificates {
            println!("{}", output::table(["", ""], certificate.rows()));
        }
        for list in &file.revocation_lists {
            println!("{}", output::table(["", ""], rows(list)));
        }
    }
    Ok(())
}

/// Shows certificates that were made just now.
pub(crate) fn certificates(facts: Vec<CertificateFacts>, format: Format) -> Result<(), Failure> {
    let views: Vec<View> = facts.into_iter().map(View::of).collect();
    if format == Format::Json {
        return output::json(&views);
    }
    for view in &views {
        println!("{}", output::table(["", ""], view.rows()));
    }
    Ok(())
}

fn rows(list: &ListFacts) -> Vec<[String; 2]> {
    let row = |name: &str, value: String| [name.to_owned(), value];
    let end = list.next_update_unix_s.map_or_else(
        || "without an end".to_owned(),
        |end| format!("{} ({})", moment(end), days_left(end - now_unix_s())),
    );
    let mut rows = vec![
        row("revocation list of", list.issuer.clone()),
        row("number", list.number.clone()),
        row("from", moment(list.this_update_unix_s)),
        row("until", end),
    ];
    for (serial, since, why) in &list.revoked {
        rows.push(row(
            "revoked",
            format!("{serial} at {}: {why}", moment(*since)),
        ));
    }
    rows
}

/// `6 days 3 h left`, `over`.
pub(crate) fn days_left(seconds: i64) -> String {
    match seconds {
        ..=0 => "over".to_owned(),
        1..86_400 => format!("{} left", output::duration(seconds as f64)),
        _ => format!(
            "{} days {} h left",
            seconds / 86_400,
            seconds % 86_400 / 3600
        ),
    }
}

pub(super) fn now_unix_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

fn moment(unix_s: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(unix_s).ok();
    at.and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("{unix_s} s since 1970"))
}
