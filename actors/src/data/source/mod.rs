//! Where data comes from: one file per format.
//!
//! Every source is read once, from its beginning to its end, through a buffer:
//! no file is ever in memory as a whole. There are two kinds. A [`Table`] has
//! named columns, and cells that may be text; an [`Array`] has numbers alone,
//! all of one type. What a number means, and whether it may be missing, is
//! decided above: a source only says what stands there, and where.

pub(super) mod cifar;
pub(super) mod csv;
pub(super) mod idx;
pub(super) mod iris;
pub(super) mod npy;
#[cfg(feature = "parquet")]
pub(super) mod parquet;
mod stream;
#[cfg(test)]
pub(crate) mod tests;

use std::path::Path;

pub(super) use stream::Stream;

use super::{
    error::{Fault, Place},
    store,
};

/// A fault, and where it is. Which dataset it is, is known above.
pub(super) type Found<T> = Result<T, Box<(Place, Fault)>>;

/// A fault at a place.
pub(super) fn at<T>(place: Place, fault: Fault) -> Found<T> {
    Err(Box::new((place, fault)))
}

/// What stands in a cell of a table, as text; nothing, where a format has a
/// mark for that.
pub(super) type Value<'a> = Option<&'a str>;

/// A row of a table.
pub(super) struct TableRow<'a> {
    /// Where it is.
    pub(super) place: Place,
    /// Its cells.
    pub(super) cells: &'a [Value<'a>],
}

/// One file of a table.
pub(super) trait Table {
    /// The names of its columns; their numbers from 1, where they have none.
    fn columns(&self) -> &[String];

    /// Shows every row to `each`, in order, until it says that it has enough.
    fn read(&mut self, each: &mut dyn FnMut(TableRow<'_>) -> Found<More>) -> Found<()>;
}

/// Whether more rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum More {
    /// The next.
    Yes,
    /// No more.
    Enough,
}

/// The shape and type of an array's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    /// Numbers of a row.
    pub(super) width: usize,
    /// Channels that they come in, one after the other; 1 for most.
    pub(super) channels: usize,
    /// How they are kept.
    pub(super) cell: store::Cell,
}

/// One file of an array.
pub(super) trait Array {
    /// What its rows are.
    fn form(&self) -> Form;

    /// Shows every row to `each`, in order, until it says that it has enough.
    fn read(&mut self, each: &mut dyn FnMut(&[f64]) -> Found<More>) -> Found<()>;
}

/// The end of a row's number in a place.
fn row_of(path: &Path, index: u64) -> Place {
    Place::file(path).row(index.saturating_add(1))
}
