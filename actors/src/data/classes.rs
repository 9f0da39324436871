//! The labels of a job.

use entente_protocol::{
    network::{Labels, NetworkError},
    rows::RowIds,
};

use super::features::stored;

/// The class of every row, each of them one of the job's.
pub(super) struct Classes {
    pub(super) ids: RowIds,
    /// Where each row is stored; as it is counted, if there is no list.
    pub(super) order: Option<Vec<usize>>,
    /// By place in the file.
    pub(super) classes: Vec<u16>,
}

impl Labels for Classes {
    fn rows(&self) -> usize {
        self.classes.len()
    }

    fn ids(&self) -> RowIds {
        self.ids.clone()
    }

    fn batch(&self, rows: &[usize]) -> Result<Vec<usize>, NetworkError> {
        rows.iter()
            .map(|row| {
                let stored = stored(*row, self.rows(), self.order.as_deref())?;
                Ok(self.classes.get(stored).copied().unwrap_or_default().into())
            })
            .collect()
    }
}
