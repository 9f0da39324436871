//! The features of a job: raw rows in a store, prepared batch by batch.

use entente_protocol::{
    network::{Features, NetworkError},
    rows::RowIds,
};
use entente_wire::Encode;
use ndarray::Array2;

use super::{
    preparation::{Preparation, Recode, read},
    store::Store,
};

/// Rows that have been checked, and what they go through.
pub(super) struct Prepared {
    pub(super) ids: RowIds,
    /// Where each row is stored; as it is counted, if there is no list.
    pub(super) order: Option<Vec<usize>>,
    pub(super) store: Store,
    pub(super) preparation: Preparation,
    pub(super) recode: Recode,
}

impl Features for Prepared {
    fn rows(&self) -> usize {
        self.ids.len()
    }

    fn ids(&self) -> RowIds {
        self.ids.clone()
    }

    fn preparation(&self) -> Vec<u8> {
        self.preparation.encoded()
    }

    fn batch(&self, rows: &[usize]) -> Result<Array2<f32>, NetworkError> {
        let width = self.preparation.width();
        let mut raw = Vec::with_capacity(self.store.width());
        let mut out = Vec::with_capacity(rows.len() * width);
        for row in rows {
            let stored = stored(*row, self.rows(), self.order.as_deref())?;
            read(&self.store, &self.recode, stored, &mut raw).map_err(|error| {
                // The text reaches the job's record: no path stands in it.
                NetworkError::Data(format!("row {row} cannot be read back: {}", error.kind()))
            })?;
            self.preparation.apply(&raw, &mut out);
        }
        Array2::from_shape_vec((rows.len(), width), out)
            .map_err(|error| NetworkError::Data(error.to_string()))
    }
}

/// Where a row is stored.
pub(super) fn stored(
    row: usize,
    rows: usize,
    order: Option<&[usize]>,
) -> Result<usize, NetworkError> {
    let stored = match order {
        None => (row < rows).then_some(row),
        Some(order) => order.get(row).copied(),
    };
    stored.ok_or_else(|| {
        NetworkError::Data(format!(
            "row {row} was asked for, and the dataset has rows 0 up to {rows}; this is a defect, \
             please report it"
        ))
    })
}
