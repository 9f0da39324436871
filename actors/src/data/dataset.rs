//! A dataset that a job names: what every way to read one has in common.

use std::path::Path;

use entente_protocol::{
    job::RowOrder,
    rows::{Duplicate, RowId, RowIds},
};

use super::{
    DataError, DatasetConfig,
    config::{Scaling, TableConfig},
    error::{Fault, Place},
    plan::Planned,
    preparation::{Fitting, Unfit},
    reading::{
        ReadIds, WantedId, array_features, array_labels, table_features, table_ids, table_labels,
    },
    source::{Form, Found},
    store::Store,
};

/// A dataset of this party, as a job names it.
#[derive(Clone, Copy)]
pub(super) struct Dataset<'a> {
    /// Its name in the job.
    pub(super) name: &'a str,
    /// What the party's configuration says of it.
    pub(super) config: &'a DatasetConfig,
    /// By which identifier rows are matched, and in which order they stand.
    pub(super) matching: Option<(&'a str, RowOrder)>,
    /// Where rows go that do not fit into memory.
    pub(super) spool: &'a Path,
}

/// Features as they are stored, before anything is done with them.
pub(super) struct Raw {
    pub(super) columns: RawColumns,
    pub(super) store: Store,
    pub(super) ids: ReadIds,
}

/// What the columns of raw features are.
pub(super) enum RawColumns {
    Table(Vec<Planned>, Scaling),
    Array(Form, Scaling),
}

impl RawColumns {
    pub(super) fn fitting(&self) -> Fitting<'_> {
        match self {
            Self::Table(planned, scaling) => Fitting::Table(planned, *scaling),
            Self::Array(form, scaling) => Fitting::Array(form, *scaling),
        }
    }

    fn name(&self, column: usize) -> String {
        match self {
            Self::Table(planned, _) => planned
                .get(column)
                .map_or_else(String::new, |column| column.name.clone()),
            Self::Array(..) => (column + 1).to_string(),
        }
    }
}

/// The rows of a dataset in the order in which the parties count them.
pub(super) struct Ordered {
    pub(super) ids: RowIds,
    /// Where each is stored; as it is counted, if there is no list.
    pub(super) order: Option<Vec<usize>>,
}

impl Ordered {
    /// Where these rows are stored.
    pub(super) fn stored(&self, rows: &[usize]) -> Vec<usize> {
        match &self.order {
            None => rows.to_vec(),
            Some(order) => rows
                .iter()
                .filter_map(|row| order.get(*row).copied())
                .collect(),
        }
    }
}

impl<'a> Dataset<'a> {
    pub(super) fn features(&self, texts: bool) -> Result<Raw, DataError> {
        match self.config {
            DatasetConfig::Csv(table) | DatasetConfig::Parquet(table) => {
                let id = self.wanted_id(texts)?;
                let read = table_features(self.config, table, self.spool, id);
                let (planned, store, ids) = self.found(read)?;
                let scaling = table.standardise.unwrap_or(Scaling::Each);
                Ok(Raw {
                    columns: RawColumns::Table(planned, scaling),
                    store,
                    ids,
                })
            }
            _ => {
                self.wanted_id(texts)?;
                let (form, store) = self.found(array_features(self.config, self.spool))?;
                Ok(Raw {
                    columns: RawColumns::Array(form, self.config.array_scaling()),
                    store,
                    ids: ReadIds::default(),
                })
            }
        }
    }

    /// The class of every row, each of them one of `classes`.
    pub(super) fn labels(&self, classes: usize) -> Result<(Vec<u16>, ReadIds), DataError> {
        let id = self.wanted_id(false)?;
        match self.config {
            DatasetConfig::Csv(table) | DatasetConfig::Parquet(table) => {
                let (declared, job) = (table.classes.len(), classes);
                if declared != job {
                    return self.fault(Place::default(), Fault::Classes { declared, job });
                }
                self.found(table_labels(self.config, table, id))
            }
            _ => {
                let labels = self.found(array_labels(self.config, classes))?;
                Ok((labels, ReadIds::default()))
            }
        }
    }

    /// The ids alone, whatever else the dataset has.
    pub(super) fn ids(&self) -> Result<ReadIds, DataError> {
        let id = self.wanted_id(true)?;
        match self.config {
            DatasetConfig::Csv(table) | DatasetConfig::Parquet(table) => {
                self.found(table_ids(self.config, table, id))
            }
            // None of them has ids: `wanted_id` has said so.
            _ => Ok(ReadIds::default()),
        }
    }

    pub(super) fn fault<T>(&self, place: Place, fault: Fault) -> Result<T, DataError> {
        Err(DataError::new(self.name, place, fault))
    }

    fn found<T>(&self, found: Found<T>) -> Result<T, DataError> {
        found.map_err(|found| {
            let (place, fault) = *found;
            DataError::new(self.name, place, fault)
        })
    }

    /// What could not be prepared, and where it stands.
    pub(super) fn unfit<T>(
        &self,
        columns: &RawColumns,
        (row, column, fault): Unfit,
    ) -> Result<T, DataError> {
        let name = column.map(|column| columns.name(column));
        self.fault(self.stored_place(row, name), fault)
    }

    /// A place in the whole of the dataset, by the row as it is stored.
    fn stored_place(&self, row: Option<usize>, column: Option<String>) -> Place {
        let path = match self.config.paths() {
            [one] => Some(one.clone()),
            _ => None,
        };
        Place {
            path,
            row: row.map(|row| row as u64 + 1),
            column,
            ..Place::default()
        }
    }

    /// The column of the identifier by which the job matches rows, if it does;
    /// with the texts that stand in it, or what is compared of them alone.
    fn wanted_id(&self, texts: bool) -> Result<WantedId<'a>, DataError> {
        let Some((wanted, _)) = self.matching else {
            return Ok(WantedId::none());
        };
        let table = match self.config {
            DatasetConfig::Csv(table) | DatasetConfig::Parquet(table) => Some(table),
            _ => None,
        };
        let has = table.and_then(TableConfig::identifier);
        match (has, table.and_then(|table| table.id.as_ref())) {
            (Some(has), Some(column)) if has == wanted => Ok(WantedId::of(column, texts)),
            (has, _) => {
                let has = has.map_or_else(|| "no id".to_owned(), |has| format!("'{has}'"));
                let wanted = wanted.to_owned();
                self.fault(Place::default(), Fault::NoIdentifier { wanted, has })
            }
        }
    }

    /// Puts `rows` rows in the order that the job says.
    pub(super) fn order(&self, rows: usize, ids: Vec<RowId>) -> Result<Ordered, DataError> {
        let twice = |Duplicate { first, second }| {
            let place = self.stored_place(Some(second), None);
            let first = first as u64 + 1;
            DataError::new(self.name, place, Fault::DuplicateId { first })
        };
        let (ids, order) = match self.matching {
            None => (RowIds::numbered(rows), None),
            Some((_, RowOrder::AsStored)) => (RowIds::as_stored(ids).map_err(twice)?, None),
            Some((_, RowOrder::ById)) => {
                let (ids, order) = RowIds::by_id(&ids).map_err(twice)?;
                (ids, Some(order))
            }
        };
        Ok(Ordered { ids, order })
    }
}
