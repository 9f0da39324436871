//! The compact source of the dashboards: what a person decides, without what
//! Grafana wants to be told besides.

use std::{fs, path::PathBuf};

use serde::Deserialize;

/// The dashboards, by file name and last part of their identity.
pub(crate) const DASHBOARDS: [&str; 5] = ["overview", "job", "he", "parties", "coordinator"];

/// `dashboards/` of the project.
pub(crate) fn room() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("dashboards")
}

pub(crate) fn read(file: &str) -> String {
    let path = room().join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dashboard {
    pub(crate) title: String,
    pub(crate) description: String,
    /// Names of those in `variables.toml`.
    pub(crate) variables: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// A question.
    pub(crate) title: String,
    /// Of its panels, in units of Grafana's grid.
    pub(crate) height: u32,
    pub(crate) panels: Vec<Panel>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Stat,
    Timeseries,
    Table,
    Bargauge,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stat => "stat",
            Self::Timeseries => "timeseries",
            Self::Table => "table",
            Self::Bargauge => "bargauge",
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) kind: Kind,
    /// Of 24.
    pub(crate) width: u32,
    /// As Grafana calls it.
    pub(crate) unit: String,
    pub(crate) description: String,
    /// A table: its columns of labels; the first is what queries are joined by.
    #[serde(default)]
    pub(crate) columns: Vec<String>,
    pub(crate) queries: Vec<Query>,
    /// Lines stand on each other.
    #[serde(default)]
    pub(crate) stack: bool,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    pub(crate) decimals: Option<u32>,
    /// Colours, and from which value on; the first holds below all others.
    #[serde(default)]
    pub(crate) thresholds: Vec<Threshold>,
    /// A table: a job's identity leads to its dashboard.
    #[serde(default)]
    pub(crate) open_job: bool,
}

/// `["green"]`, or `["red", 1.0]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Threshold {
    First([String; 1]),
    From(String, f64),
}

impl Threshold {
    pub(crate) fn colour(&self) -> &str {
        match self {
            Self::First([colour]) | Self::From(colour, _) => colour,
        }
    }

    pub(crate) fn from(&self) -> Option<f64> {
        match self {
            Self::First(_) => None,
            Self::From(_, value) => Some(*value),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Query {
    /// How a line is called, with `{{label}}` for a label's value; in a table
    /// the heading of the column of values, or nothing for none.
    pub(crate) legend: String,
    pub(crate) expr: String,
    /// A table: of this column; else the panel's.
    pub(crate) unit: Option<String>,
}

impl Dashboard {
    pub(crate) fn read(name: &str) -> Self {
        let text = read(&format!("source/{name}.toml"));
        toml::from_str(&text).unwrap_or_else(|error| panic!("{name}.toml: {error}"))
    }

    pub(crate) fn panels(&self) -> impl Iterator<Item = &Panel> {
        self.rows.iter().flat_map(|row| &row.panels)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Variable {
    pub(crate) name: String,
    /// For people.
    pub(crate) label: String,
    pub(crate) description: String,
    /// Series whose label is asked for.
    pub(crate) matches: String,
    pub(crate) values_of: String,
    /// Whether several may be chosen, and all are if nothing is.
    #[serde(default)]
    pub(crate) all: bool,
    #[serde(default)]
    pub(crate) hidden: bool,
}

/// All of them, each behind those that it hangs on.
pub(crate) fn variables() -> Vec<Variable> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        variables: Vec<Variable>,
    }
    let file: File = toml::from_str(&read("source/variables.toml")).unwrap();
    file.variables
}
