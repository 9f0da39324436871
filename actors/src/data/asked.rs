//! The rows that a trained model is asked about.
//!
//! Nothing is fitted here: features go through the preparation that was saved
//! with the model, and what it cannot take (a column it does not know, a
//! category that it has never seen, a gap where it knows of none) is an error
//! that names the cell, and no guess.

use std::path::Path;

use entente_protocol::{
    job::{Inference, Job, Side},
    network::{Features, Labels},
    rows::{RowId, RowIds},
};

use super::{
    DataError, DatasetConfig, Preparation,
    classes::Classes,
    dataset::{Dataset, Ordered, Raw},
    error::{Fault, Names, Place},
    features::Prepared,
    preparation::reuse,
    reading::ReadIds,
};

/// A dataset that a question is about.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// What the party's configuration says of it.
    pub config: &'a DatasetConfig,
    /// The question.
    pub inference: &'a Inference,
    /// The job that trained the model.
    pub trained: &'a Job,
    /// What its classes were called then, in their order, if that is known.
    pub classes: Option<&'a [String]>,
    /// Where rows go that do not fit into memory.
    pub spool: &'a Path,
}

/// What rows are called, in the order in which the parties count them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowNames {
    /// By position, from 1.
    Numbered,
    /// By an identifier.
    Named {
        /// The identifier, as the job calls it.
        identifier: String,
        /// What stands there in each row.
        names: Vec<String>,
    },
}

impl RowNames {
    /// What all the names are: the heading of their column.
    pub fn heading(&self) -> &str {
        match self {
            Self::Numbered => "row",
            Self::Named { identifier, .. } => identifier,
        }
    }

    /// The name of a row, counted from 0.
    pub fn of(&self, row: usize) -> String {
        match self {
            Self::Numbered => (row + 1).to_string(),
            Self::Named { names, .. } => names.get(row).cloned().unwrap_or_default(),
        }
    }
}

impl Asked<'_> {
    /// Opens the features at the active party, prepared as the model was
    /// trained: `rows x inputs`. With what the rows are called.
    ///
    /// # Errors
    /// [`DataError`] when this party does not hold them, or they do not fit the
    /// model.
    pub fn features(
        &self,
        preparation: Preparation,
    ) -> Result<(Box<dyn Features>, RowNames), DataError> {
        let dataset = self.dataset();
        self.config.columns().serve(Side::Active, dataset.name)?;
        let Raw {
            columns,
            store,
            ids,
        } = dataset.features(true)?;
        let ReadIds { ids, texts } = ids;
        let Ordered { ids, order } = self.order(store.rows(), ids)?;
        let (columns_of_rows, inputs) = (
            preparation.width(),
            self.trained.spec().network.input.values(),
        );
        if columns_of_rows != inputs {
            let columns = columns_of_rows;
            return dataset.fault(Place::default(), Fault::Inputs { columns, inputs });
        }
        let recode = reuse(&columns.fitting(), &preparation, &store)
            .or_else(|unfit| dataset.unfit(&columns, unfit))?;
        let names = self.names(texts, order.as_deref());
        let features = Prepared {
            ids,
            order,
            store,
            preparation,
            recode,
        };
        Ok((Box::new(features), names))
    }

    /// Opens the labels at the passive party: a class of the model for every
    /// row.
    ///
    /// # Errors
    /// [`DataError`] when this party does not hold them, or they do not fit the
    /// model.
    pub fn labels(&self) -> Result<Box<dyn Labels>, DataError> {
        let dataset = self.dataset();
        self.config.columns().serve(Side::Passive, dataset.name)?;
        // Counted in another order, one class would be taken for another.
        let declared = self.config.classes();
        if let Some(trained) = self.classes.filter(|trained| *trained != declared) {
            let (declared, trained) = (Names(declared.to_vec()), Names(trained.to_vec()));
            return dataset.fault(Place::default(), Fault::OtherClasses { declared, trained });
        }
        let (classes, read) = dataset.labels(self.trained.spec().network.classes)?;
        let Ordered { ids, order } = self.order(classes.len(), read.ids)?;
        Ok(Box::new(Classes {
            ids,
            order,
            classes,
        }))
    }

    /// The ids of the rows at the passive party, whatever half it holds: of a
    /// prediction it need know nothing else. With what they are called.
    ///
    /// # Errors
    /// [`DataError`] when there is no such identifier, or one stands twice.
    pub fn ids(&self) -> Result<(RowIds, RowNames), DataError> {
        let dataset = self.dataset();
        let ReadIds { ids, texts } = dataset.ids()?;
        let Ordered { ids, order } = self.order(ids.len(), ids)?;
        Ok((ids, self.names(texts, order.as_deref())))
    }

    fn dataset(&self) -> Dataset<'_> {
        Dataset {
            name: &self.inference.spec().data.dataset,
            config: self.config,
            matching: self.inference.matching(),
            spool: self.spool,
        }
    }

    /// Puts the rows in the order that the job says. Some of them must be asked
    /// about.
    fn order(&self, rows: usize, ids: Vec<RowId>) -> Result<Ordered, DataError> {
        let dataset = self.dataset();
        let ordered = dataset.order(rows, ids)?;
        let schedule = self.inference.schedule(self.trained, &ordered.ids);
        if schedule.test_rows().is_empty() {
            return dataset.fault(Place::default(), Fault::NothingAsked { rows });
        }
        Ok(ordered)
    }

    fn names(&self, texts: Vec<String>, order: Option<&[usize]>) -> RowNames {
        let Some((identifier, _)) = self.inference.matching() else {
            return RowNames::Numbered;
        };
        let text = |row: &usize| texts.get(*row).cloned().unwrap_or_default();
        let names = match order {
            Some(order) => order.iter().map(text).collect(),
            None => texts,
        };
        RowNames::Named {
            identifier: identifier.to_owned(),
            names,
        }
    }
}
