//! Fisher's irises ("The use of multiple measurements in taxonomic problems",
//! 1936), as the linfa-datasets crate carries them: 50 flowers of each of
//! three kinds, in that order.

use super::{Array, Form, Found, More};
use crate::data::{Columns, store::Cell};

/// Length and width of sepal and petal, in centimetres; or the kind of each of
/// the 150: setosa 0, versicolor 1, virginica 2.
pub(in crate::data) struct Iris(pub(in crate::data) Columns);

impl Array for Iris {
    fn form(&self) -> Form {
        Form {
            width: match self.0 {
                Columns::Features => 4,
                Columns::Labels | Columns::Ids => 1,
            },
            channels: 1,
            cell: Cell::Float,
        }
    }

    fn read(&mut self, each: &mut dyn FnMut(&[f64]) -> Found<More>) -> Found<()> {
        let iris = linfa_datasets::iris();
        let rows: Vec<Vec<f64>> = match self.0 {
            Columns::Features => iris
                .records
                .rows()
                .into_iter()
                .map(|row| row.to_vec())
                .collect(),
            Columns::Labels | Columns::Ids => {
                iris.targets.iter().map(|kind| vec![*kind as f64]).collect()
            }
        };
        for row in &rows {
            if each(row)? == More::Enough {
                break;
            }
        }
        Ok(())
    }
}
