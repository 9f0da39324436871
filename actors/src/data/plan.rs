//! Which columns of a table are features, and how a cell becomes a number.

use std::collections::HashMap;

use super::{
    config::{
        Categories, ColumnRef, Encoding, Missing, MissingRule, Selection, SelectionTable,
        TableConfig,
    },
    error::{Fault, Names},
    source::Value,
};

/// More values than a categorical column has.
const MAX_CATEGORIES: usize = 10_000;

/// A column that is a feature.
pub(super) struct Planned {
    /// Its place in a row of the file, from 0.
    pub(super) index: usize,
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// What is declared of it.
pub(super) enum Kind {
    Number {
        missing: Missing,
        /// What stands for a missing number.
        blanks: Vec<String>,
    },
    Category {
        dictionary: Dictionary,
        encoding: Encoding,
    },
}

/// Categories, and the number of each.
pub(super) struct Dictionary {
    names: Vec<String>,
    numbers: HashMap<String, usize>,
    /// Whether more may come.
    fitted: bool,
}

impl Dictionary {
    fn new(categories: &Categories) -> Self {
        let (names, fitted) = match categories {
            Categories::Declared(names) => (names.clone(), false),
            Categories::Fitted(_) => (Vec::new(), true),
        };
        let numbers = names.iter().cloned().zip(0..).collect();
        Self {
            names,
            numbers,
            fitted,
        }
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn is_fitted(&self) -> bool {
        self.fitted
    }

    fn number(&mut self, text: &str) -> Result<usize, Fault> {
        if let Some(number) = self.numbers.get(text) {
            return Ok(*number);
        }
        if !self.fitted {
            return Err(Fault::Category {
                value: text.to_owned(),
                categories: Names(self.names.clone()),
            });
        }
        let number = self.names.len();
        if number == MAX_CATEGORIES {
            return Err(Fault::TooManyCategories {
                limit: MAX_CATEGORIES,
            });
        }
        self.names.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        Ok(number)
    }
}

impl Planned {
    /// The number that stands for a cell: its own, NaN if it is missing and
    /// may be, or that of its category.
    pub(super) fn number(&mut self, value: Value<'_>) -> Result<f64, Fault> {
        match &mut self.kind {
            Kind::Category { dictionary, .. } => {
                let number = dictionary.number(value.unwrap_or_default())?;
                Ok(number as f64)
            }
            Kind::Number { missing, blanks } => {
                let text = value.filter(|text| blanks.iter().all(|blank| blank != text));
                match (text, *missing) {
                    (Some(text), _) => finite(text),
                    (None, Missing::Rule(MissingRule::Refuse)) => Err(Fault::MissingValue),
                    (None, _) => Ok(f64::NAN),
                }
            }
        }
    }
}

fn finite(text: &str) -> Result<f64, Fault> {
    let value = || text.to_owned();
    let number: f64 = text
        .parse()
        .map_err(|_| Fault::NotANumber { value: value() })?;
    if number.is_finite() {
        return Ok(number);
    }
    Err(Fault::NotFinite { value: value() })
}

/// The place of a column in a row, from 0.
pub(super) fn find(columns: &[String], column: &ColumnRef) -> Result<usize, (String, Fault)> {
    let found = match column {
        ColumnRef::Number(number) => number.checked_sub(1).filter(|index| *index < columns.len()),
        ColumnRef::Name(name) => columns.iter().position(|known| known == name),
    };
    found.ok_or_else(|| {
        let known = Names(columns.to_vec());
        (column.to_string(), Fault::MissingColumn { known })
    })
}

/// The features of a table with these columns, in the order of the
/// configuration.
pub(super) fn plan(
    config: &TableConfig,
    columns: &[String],
) -> Result<Vec<Planned>, (String, Fault)> {
    let mut taken: Vec<usize> = Vec::new();
    if let Some(id) = &config.id {
        taken.push(find(columns, id)?);
    }
    let mut planned = Vec::new();
    let mut take = |index: usize, declared: Option<&SelectionTable>| {
        let name = columns.get(index).cloned().unwrap_or_default();
        if taken.contains(&index) {
            let problem = "the column is taken twice, as a feature or as the id: name it once";
            let problem = problem.to_owned();
            return Err((name, Fault::Configuration { problem }));
        }
        taken.push(index);
        let kind = kind_of(declared);
        planned.push(Planned { index, name, kind });
        Ok(())
    };
    for selection in &config.features {
        match selection {
            Selection::Column(column) => take(find(columns, column)?, None)?,
            Selection::Table(table) => match (&table.column, &table.from, &table.to) {
                (Some(column), ..) => take(find(columns, column)?, Some(table))?,
                (None, Some(from), Some(to)) => {
                    let (first, last) = (find(columns, from)?, find(columns, to)?);
                    if first > last {
                        let problem = format!("the range from {from} to {to} stands backwards");
                        return Err((from.to_string(), Fault::Configuration { problem }));
                    }
                    for index in first..=last {
                        take(index, Some(table))?;
                    }
                }
                // Refused where the configuration is checked.
                _ => {}
            },
        }
    }
    Ok(planned)
}

fn kind_of(declared: Option<&SelectionTable>) -> Kind {
    let categories = declared.and_then(|table| table.categories.as_ref());
    match categories {
        Some(categories) => Kind::Category {
            dictionary: Dictionary::new(categories),
            encoding: declared.and_then(|table| table.encode).unwrap_or_default(),
        },
        None => Kind::Number {
            missing: declared
                .and_then(|table| table.missing)
                .unwrap_or(Missing::Rule(MissingRule::Refuse)),
            blanks: declared
                .and_then(|table| table.missing_values.clone())
                .unwrap_or_else(|| vec![String::new()]),
        },
    }
}
