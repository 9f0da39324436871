//! What was looked at, what was seen, and what to do about it.

use std::{collections::BTreeMap, io::IsTerminal};

use serde::Serialize;

use crate::{cli::Format, exit::Failure, output};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Ok,
    Warning,
    Failure,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failure => "FAILURE",
        }
    }

    /// For terminals.
    fn coloured(self) -> String {
        let colour = match self {
            Self::Ok => 32,
            Self::Warning => 33,
            Self::Failure => 31,
        };
        format!("\x1b[{colour}m{}\x1b[0m", self.word())
    }
}

/// One line of a report. What is not well has a remedy: there is no way to make
/// one without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    check: String,
    status: Status,
    seen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    /// What was measured, for programs; the unit is in the name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    measured: BTreeMap<&'static str, u64>,
}

impl Finding {
    pub(super) fn ok(check: impl Into<String>, seen: impl ToString) -> Self {
        Self {
            check: check.into(),
            status: Status::Ok,
            seen: seen.to_string(),
            remedy: None,
            measured: BTreeMap::new(),
        }
    }

    pub(super) fn warning(
        check: impl Into<String>,
        seen: impl ToString,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            status: Status::Warning,
            remedy: Some(remedy.into()),
            ..Self::ok(check, seen)
        }
    }

    pub(super) fn failure(
        check: impl Into<String>,
        seen: impl ToString,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            status: Status::Failure,
            remedy: Some(remedy.into()),
            ..Self::ok(check, seen)
        }
    }

    /// With a number that was measured.
    pub(super) fn measured(mut self, name: &'static str, value: u64) -> Self {
        self.measured.insert(name, value);
        self
    }

    #[cfg(test)]
    pub(super) fn status(&self) -> Status {
        self.status
    }
}

/// All that was found, as a program gets it.
#[derive(Serialize)]
struct Report<'a> {
    status: Status,
    findings: &'a [Finding],
}

/// Prints what was found.
///
/// # Errors
/// [`Failure::Unwell`] if something failed, so that the exit code says it too.
pub(super) fn report(findings: &[Finding], format: Format) -> Result<(), Failure> {
    let status = findings.iter().map(|finding| finding.status).max();
    let status = status.unwrap_or(Status::Ok);
    if format == Format::Json {
        output::json(&Report { status, findings })?;
    } else {
        let on_terminal = std::io::stdout().is_terminal();
        let rows = findings.iter().map(|finding| {
            let status = match on_terminal {
                true => finding.status.coloured(),
                false => finding.status.word().to_owned(),
            };
            let seen = match &finding.remedy {
                Some(remedy) => format!("{}\n-> {remedy}", finding.seen),
                None => finding.seen.clone(),
            };
            [status, finding.check.clone(), seen]
        });
        println!("{}", output::table(["", "check", "seen"], rows));
    }
    match status {
        Status::Failure => {
            let failed = findings.iter().filter(|one| one.status == Status::Failure);
            let (failed, all) = (failed.count(), findings.len());
            Err(Failure::Unwell(format!("{failed} of {all} checks failed")))
        }
        Status::Ok | Status::Warning => Ok(()),
    }
}
