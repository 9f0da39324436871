//! From a dataset's configuration to the features or labels of a training.

use std::path::Path;

use entente_protocol::{
    job::{Job, Side},
    network::{Features, Labels},
    rows::RowId,
    split::Split,
};

use super::{
    DataError, DatasetConfig,
    classes::Classes,
    dataset::{Dataset, Ordered, Raw},
    error::{Fault, Place},
    features::Prepared,
    preparation::fit,
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

impl Opening<'_> {
    /// Opens the features of the job at its active party: `rows x inputs`.
    ///
    /// # Errors
    /// [`DataError`] when this party does not hold them, or they do not fit the
    /// job.
    pub fn features(&self) -> Result<Box<dyn Features>, DataError> {
        let dataset = self.dataset();
        self.config.columns().serve(Side::Active, dataset.name)?;
        let prepared = self.prepared(dataset.features(false)?)?;
        let inputs = self.job.spec().network.input.values();
        let columns = prepared.preparation.width();
        if columns != inputs {
            return dataset.fault(Place::default(), Fault::Inputs { columns, inputs });
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
        let dataset = self.dataset();
        self.config.columns().serve(Side::Passive, dataset.name)?;
        let (classes, read) = dataset.labels(self.job.spec().network.classes)?;
        let (Ordered { ids, order }, _) = self.count(classes.len(), read.ids)?;
        Ok(Box::new(Classes {
            ids,
            order,
            classes,
        }))
    }

    fn dataset(&self) -> Dataset<'_> {
        Dataset {
            name: &self.job.spec().data.dataset,
            config: self.config,
            matching: self.job.matching(),
            spool: self.spool,
        }
    }

    /// Puts the rows in the order that the job says, and splits them.
    fn count(&self, rows: usize, ids: Vec<RowId>) -> Result<(Ordered, Split), DataError> {
        let dataset = self.dataset();
        let ordered = dataset.order(rows, ids)?;
        let split = self.job.split(&ordered.ids);
        if split.train.is_empty() {
            let test = split.test.len();
            return dataset.fault(Place::default(), Fault::NothingToLearn { rows, test });
        }
        Ok((ordered, split))
    }

    /// Fits what the rows go through over those that are learnt from.
    fn prepared(&self, raw: Raw) -> Result<Prepared, DataError> {
        let Raw {
            columns,
            store,
            ids,
        } = raw;
        let (ordered, split) = self.count(store.rows(), ids.ids)?;
        let set_apart = [split.validation, split.test].concat();
        let (train, others) = (ordered.stored(&split.train), ordered.stored(&set_apart));
        let fitted = fit(&columns.fitting(), &store, &train, &others);
        let (preparation, recode) =
            fitted.or_else(|unfit| self.dataset().unfit(&columns, unfit))?;
        Ok(Prepared {
            ids: ordered.ids,
            order: ordered.order,
            store,
            preparation,
            recode,
        })
    }
}
