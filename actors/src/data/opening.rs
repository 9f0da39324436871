//! From a dataset's configuration to the features or labels of a job.

use std::path::Path;

use entente_protocol::{
    job::{Job, RowOrder, Side},
    network::{Features, Labels},
    rows::{Duplicate, RowId, RowIds},
    split::Split,
};

use super::{
    DataError, DatasetConfig,
    classes::Classes,
    config::{ColumnRef, Scaling, TableConfig},
    error::{Fault, Place},
    features::Prepared,
    preparation::{Fitting, fit},
    reading::{array_features, array_labels, table_features, table_labels},
    source::Found,
    store::Store,
};

/// A dataset that a job needs.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'a> {
    /// What the party's configuration says of it.
    pub config: &'a DatasetConfig,
    /// The job.
    pub job: &'a Job,
    /// Where rows go that do not fit into memory.
    pub spool: &'a Path,
}

/// The rows of a dataset as the parties count them.
struct Counted {
    ids: RowIds,
    /// Where each is stored; as it is counted, if there is no list.
    order: Option<Vec<usize>>,
    split: Split,
}

impl Opening<'_> {
    /// Opens the features of the job at its active party: `rows x inputs`.
    ///
    /// # Errors
    /// [`DataError`] when this party does not hold them, or they do not fit the
    /// job.
    pub fn features(&self) -> Result<Box<dyn Features>, DataError> {
        self.config.columns().serve(Side::Active, self.dataset())?;
        let prepared = match self.config {
            DatasetConfig::Csv(table) | DatasetConfig::Parquet(table) => {
                let id = self.wanted_id()?;
                let read = table_features(self.config, table, self.spool, id);
                let (planned, store, ids) = self.found(read)?;
                let scaling = table.standardise.unwrap_or(Scaling::Each);
                self.prepared(&Fitting::Table(&planned, scaling), store, ids)?
            }
            _ => {
                self.wanted_id()?;
                let (form, store) = self.found(array_features(self.config, self.spool))?;
                let scaling = self.config.array_scaling();
                self.prepared(&Fitting::Array(&form, scaling), store, Vec::new())?
            }
        };
        let inputs = self.job.spec().network.input.values();
        let columns = prepared.preparation.width();
        if columns != inputs {
            return self.fault(Place::default(), Fault::Inputs { columns, inputs });
        }
        Ok(Box::new(prepared))
    }

    /// Opens the labels of the job at its passive party: a class of the job for
    /// every row.
    ///
    /// # Errors
    /// [`DataError`] when this party does not hold them, or they do not fit the
    /// job.
    pub fn labels(&self) -> Result<Box<dyn Labels>, DataError> {
        self.config.columns().serve(Side::Passive, self.dataset())?;
        let (id, job) = (self.wanted_id()?, self.job.spec().network.classes);
        let (classes, ids) = match self.config {
            DatasetConfig::Csv(table) | DatasetConfig::Parquet(table) => {
                let declared = table.classes.len();
                if declared != job {
                    return self.fault(Place::default(), Fault::Classes { declared, job });
                }
                self.found(table_labels(self.config, table, id))?
            }
            _ => (self.found(array_labels(self.config, job))?, Vec::new()),
        };
        let counted = self.count(classes.len(), ids)?;
        Ok(Box::new(Classes {
            ids: counted.ids,
            order: counted.order,
            classes,
        }))
    }

    fn dataset(&self) -> &str {
        &self.job.spec().data.dataset
    }

    fn fault<T>(&self, place: Place, fault: Fault) -> Result<T, DataError> {
        Err(DataError::new(self.dataset(), place, fault))
    }

    fn found<T>(&self, found: Found<T>) -> Result<T, DataError> {
        found.map_err(|found| {
            let (place, fault) = *found;
            DataError::new(self.dataset(), place, fault)
        })
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

    /// The column of the identifier by which the job matches rows, if it does.
    fn wanted_id(&self) -> Result<Option<&ColumnRef>, DataError> {
        let Some((wanted, _)) = self.job.matching() else {
            return Ok(None);
        };
        let table = match self.config {
            DatasetConfig::Csv(table) | DatasetConfig::Parquet(table) => Some(table),
            _ => None,
        };
        let has = table.and_then(TableConfig::identifier);
        match (has, table.and_then(|table| table.id.as_ref())) {
            (Some(has), Some(column)) if has == wanted => Ok(Some(column)),
            (has, _) => {
                let has = has.map_or_else(|| "no id".to_owned(), |has| format!("'{has}'"));
                let wanted = wanted.to_owned();
                self.fault(Place::default(), Fault::NoIdentifier { wanted, has })
            }
        }
    }

    /// Puts the rows in the order that the job says, and splits them.
    fn count(&self, rows: usize, ids: Vec<RowId>) -> Result<Counted, DataError> {
        let twice = |Duplicate { first, second }| {
            let place = self.stored_place(Some(second), None);
            let first = first as u64 + 1;
            DataError::new(self.dataset(), place, Fault::DuplicateId { first })
        };
        let (ids, order) = match self.job.matching() {
            None => (RowIds::numbered(rows), None),
            Some((_, RowOrder::AsStored)) => (RowIds::as_stored(ids).map_err(twice)?, None),
            Some((_, RowOrder::ById)) => {
                let (ids, order) = RowIds::by_id(&ids).map_err(twice)?;
                (ids, Some(order))
            }
        };
        let split = self.job.split(&ids);
        if split.train.is_empty() {
            return self.fault(Place::default(), Fault::NothingToLearn { rows });
        }
        Ok(Counted { ids, order, split })
    }

    /// Fits what the rows go through over those that are learnt from.
    fn prepared(
        &self,
        fitting: &Fitting<'_>,
        store: Store,
        ids: Vec<RowId>,
    ) -> Result<Prepared, DataError> {
        let Counted { ids, order, split } = self.count(store.rows(), ids)?;
        let stored = |rows: &[usize]| -> Vec<usize> {
            match &order {
                None => rows.to_vec(),
                Some(order) => rows
                    .iter()
                    .filter_map(|row| order.get(*row).copied())
                    .collect(),
            }
        };
        let set_apart = [split.validation, split.test].concat();
        let fitted = fit(fitting, &store, &stored(&split.train), &stored(&set_apart));
        let (preparation, recode) = fitted.or_else(|(row, column, fault)| {
            let name = |column: usize| match fitting {
                Fitting::Table(planned, _) => planned
                    .get(column)
                    .map_or_else(String::new, |column| column.name.clone()),
                Fitting::Array(..) => (column + 1).to_string(),
            };
            self.fault(self.stored_place(row, column.map(name)), fault)
        })?;
        Ok(Prepared {
            ids,
            order,
            store,
            preparation,
            recode,
        })
    }
}
