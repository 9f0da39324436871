//! Doors for the fuzz targets in tests/fuzz: every decoder of files, over
//! bytes in memory. Whatever the bytes are, there is an answer and no panic.

use super::{
    config::Columns,
    source::{Array, Found, More, Stream, Table, cifar::Cifar, csv::Csv, idx::Idx, npy::Npy},
};

fn array<A: Array>(open: impl FnOnce(Stream) -> Found<A>, bytes: &[u8]) -> Found<()> {
    let mut array = open(Stream::over(bytes)?)?;
    let width = array.form().width;
    array.read(&mut |row| {
        assert_eq!(row.len(), width);
        Ok(More::Yes)
    })
}

/// All formats in turn; how many of them take the bytes.
pub fn decode(bytes: &[u8]) -> usize {
    let table = || {
        let mut table = Csv::open(Stream::over(bytes)?, true, ',')?;
        let columns = table.columns().len();
        table.read(&mut |row| {
            assert_eq!(row.cells.len(), columns);
            Ok(More::Yes)
        })
    };
    [
        array(Idx::open, bytes),
        array(Npy::open, bytes),
        array(|stream| Ok(Cifar::open(stream, Columns::Features)), bytes),
        array(|stream| Ok(Cifar::open(stream, Columns::Labels)), bytes),
        table(),
    ]
    .iter()
    .filter(|taken| taken.is_ok())
    .count()
}
