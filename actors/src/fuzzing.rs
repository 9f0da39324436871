//! Doors for the fuzz targets in tests/fuzz: decoders that are nobody else's affair,
//! over bytes in memory.

pub use crate::{data::fuzzing::decode as dataset, journals::fuzzing::rows as journal_rows};
