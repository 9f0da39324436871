//! Columns of a table, and what is declared of them.

use core::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

/// A column, by its name or by its number from 1.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a column: its name, or its number from 1"
)]
pub enum ColumnRef {
    /// By number, from 1.
    Number(usize),
    /// By name.
    Name(String),
}

impl fmt::Display for ColumnRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// Columns that are features: one, or a table that says more.
#[derive(Debug, Clone, PartialEq)]
pub enum Selection {
    /// A numeric column without missing values.
    Column(ColumnRef),
    /// Columns, and what is declared of them.
    Table(Box<SelectionTable>),
}

/// `{ column = "age", missing = "mean" }`, or for a range, both ends included,
/// in the file's order: `{ from = "x0", to = "x9" }`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelectionTable {
    /// `column`: one.
    pub column: Option<ColumnRef>,
    /// `from`: the first of a range.
    pub from: Option<ColumnRef>,
    /// `to`: the last of it.
    pub to: Option<ColumnRef>,
    /// `categories`: the columns are categorical: what stands in them, or
    /// "fitted" to take what the rows that are learnt from have.
    pub categories: Option<Categories>,
    /// `encode`: of categorical columns, "one_hot" (the default) or "index".
    pub encode: Option<Encoding>,
    /// `missing`: of numeric columns, "refuse" (the default), "mean", or a
    /// number to put in.
    pub missing: Option<Missing>,
    /// `missing_values`: what stands for a missing number; the empty cell if
    /// left out. (A missing category is a category: declare it as one.)
    pub missing_values: Option<Vec<String>>,
}

/// What stands in a categorical column.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "expected a list of categories, or \"fitted\"")]
pub enum Categories {
    /// These.
    Declared(Vec<String>),
    /// What is found.
    Fitted(Fitted),
}

/// The word for categories that are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fitted {
    /// In the rows that are learnt from.
    Fitted,
}

/// How a category becomes numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// A column of 0 and 1 for each.
    #[default]
    OneHot,
    /// One column: its number in the list, from 0. For two categories, or for
    /// categories that have an order.
    Index,
}

/// What to do where a number is missing.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(untagged, expecting = "expected \"refuse\", \"mean\", or a number")]
pub enum Missing {
    /// Put this in.
    Constant(f64),
    /// By a rule.
    Rule(MissingRule),
}

/// What to do where a number is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingRule {
    /// Refuse the dataset.
    Refuse,
    /// Put in the mean over the rows that are learnt from.
    Mean,
}

impl Selection {
    /// The columns that it names.
    pub(super) fn refs(&self) -> Vec<&ColumnRef> {
        match self {
            Self::Column(column) => vec![column],
            Self::Table(table) => [&table.column, &table.from, &table.to]
                .into_iter()
                .flatten()
                .collect(),
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let Self::Table(table) = self else {
            return Ok(());
        };
        let refuse = |problem: &str| Err(format!("features: {problem}"));
        match (&table.column, &table.from, &table.to) {
            (Some(_), None, None) | (None, Some(_), Some(_)) => {}
            _ => return refuse("give either column, or from and to"),
        }
        if matches!(table.missing, Some(Missing::Constant(x)) if !x.is_finite()) {
            return refuse("missing must be a finite number");
        }
        match &table.categories {
            Some(_) if table.missing.is_some() || table.missing_values.is_some() => {
                refuse("a missing category is a category: declare it as one")
            }
            Some(Categories::Declared(list)) if list.len() < 2 => {
                refuse("declare at least two categories")
            }
            Some(Categories::Declared(list)) => {
                let mut sorted = list.clone();
                sorted.sort_unstable();
                sorted.dedup();
                if sorted.len() == list.len() {
                    Ok(())
                } else {
                    refuse("categories names one twice")
                }
            }
            None if table.encode.is_some() => refuse("encode is for columns with categories"),
            _ => Ok(()),
        }
    }
}

/// By hand, so that a misspelt key of the table is named in the error.
impl<'de> Deserialize<'de> for Selection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Selection;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column (its name, or its number from 1), or a table")
            }

            fn visit_str<E>(self, name: &str) -> Result<Selection, E> {
                Ok(Selection::Column(ColumnRef::Name(name.to_owned())))
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Selection, E> {
                let number = usize::try_from(number).map_err(E::custom)?;
                Ok(Selection::Column(ColumnRef::Number(number)))
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Selection, E> {
                let number = usize::try_from(number).map_err(E::custom)?;
                Ok(Selection::Column(ColumnRef::Number(number)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Selection, A::Error> {
                SelectionTable::deserialize(MapAccessDeserializer::new(map))
                    .map(|table| Selection::Table(Box::new(table)))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
