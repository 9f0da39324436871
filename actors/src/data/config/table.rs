//! What is declared of a table.

use serde::Deserialize;

use super::{ColumnRef, Columns, Paths, Scaling, Selection, default_memory_mb};

/// Tables: rows of named columns.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableConfig {
    /// `path`: a file, or a list of files that are read one after the other.
    pub path: Paths,
    /// `columns`: the half that is held here, "features" or "labels"; or "ids",
    /// for rows of which this party holds neither.
    pub columns: Columns,
    /// `header`: whether the first line of a CSV file names the columns; true
    /// if left out. Without it columns go by number, from 1.
    #[serde(default = "yes")]
    pub header: bool,
    /// `delimiter`: what stands between the cells of a CSV file; a comma if
    /// left out.
    #[serde(default = "comma")]
    pub delimiter: char,
    /// `id`: the column that identifies a row.
    pub id: Option<ColumnRef>,
    /// `identifier`: what jobs call that identity; as its column if left out.
    pub identifier: Option<String>,
    /// `features`: the columns that a network is shown, in this order: names,
    /// numbers from 1, or tables that say more (see [`SelectionTable`](super::SelectionTable)).
    #[serde(default)]
    pub features: Vec<Selection>,
    /// `label`: the column with the classes.
    pub label: Option<ColumnRef>,
    /// `classes`: what stands in it, in the order in which classes are counted.
    #[serde(default)]
    pub classes: Vec<String>,
    /// `standardise`: "each" (the default), "together" or "none".
    pub standardise: Option<Scaling>,
    /// `rows`: only so many, the first; all if left out.
    pub rows: Option<u64>,
    /// `memory_mb`: what is larger is kept in the state directory while a job
    /// runs, and not in memory; 1024 if left out.
    #[serde(default = "default_memory_mb")]
    pub memory_mb: u64,
}

fn yes() -> bool {
    true
}

pub(super) fn comma() -> char {
    ','
}

impl TableConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        let refuse = |problem: &str| Err(problem.to_owned());
        if self.identifier.is_some() && self.id.is_none() {
            return refuse("identifier names an id, but there is no id = COLUMN");
        }
        match self.columns {
            Columns::Features if self.features.is_empty() => {
                return refuse("say which columns are the features: features = [...]");
            }
            Columns::Features if self.label.is_some() || !self.classes.is_empty() => {
                return refuse("label and classes are for columns = \"labels\"");
            }
            Columns::Labels if self.label.is_none() => {
                return refuse("say which column has the classes: label = COLUMN");
            }
            Columns::Labels if self.classes.len() < 2 => {
                return refuse("declare what stands in the label's column: classes = [...]");
            }
            Columns::Labels if !self.features.is_empty() => {
                return refuse("features are for columns = \"features\"");
            }
            Columns::Ids if self.id.is_none() => {
                return refuse("say which column has the ids: id = COLUMN");
            }
            Columns::Ids
                if self.label.is_some()
                    || !self.classes.is_empty()
                    || !self.features.is_empty() =>
            {
                return refuse("with columns = \"ids\" leave features, label and classes out");
            }
            _ => {}
        }
        let mut classes = self.classes.clone();
        classes.sort_unstable();
        classes.dedup();
        if classes.len() != self.classes.len() {
            return refuse("classes names one twice");
        }
        let refs = self.features.iter().flat_map(Selection::refs);
        for column in refs.chain(self.id.iter()).chain(self.label.iter()) {
            match column {
                ColumnRef::Number(0) => return refuse("columns are counted from 1"),
                ColumnRef::Name(name) if !self.header => {
                    return Err(format!(
                        "column '{name}' cannot be found by name with header = false: use its \
                         number, from 1"
                    ));
                }
                _ => {}
            }
        }
        self.features.iter().try_for_each(Selection::check)
    }

    /// What jobs call the identity of a row.
    pub(in crate::data) fn identifier(&self) -> Option<String> {
        let column = self.id.as_ref()?;
        Some(
            self.identifier
                .clone()
                .unwrap_or_else(|| column.to_string()),
        )
    }
}
