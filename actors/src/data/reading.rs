//! All files of a dataset, one after the other, into raw rows.

mod array;
mod table;

pub(super) use self::{
    array::{array_features, array_labels},
    table::{ReadIds, WantedId, table_features, table_ids, table_labels},
};
use super::{
    error::{Fault, Place},
    source::{Found, at},
};

/// What the disk says of rows that are put there.
fn spooled<T>(written: std::io::Result<T>) -> Found<T> {
    written.or_else(|error| {
        let reason = error.to_string();
        at(Place::default(), Fault::Spool { reason })
    })
}

fn limit_bytes(memory_mb: u64) -> u64 {
    memory_mb.saturating_mul(1 << 20)
}
