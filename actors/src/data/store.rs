//! Raw rows of one width, in memory or in a file that has no name.
//!
//! A source is read once, from its beginning to its end, and what it says is
//! put here as plain numbers; everything after that (fitting, checking,
//! batches in any order) reads rows from here. While they fit into the
//! dataset's `memory_mb` they stay in memory. At the first row beyond it all of
//! them move into a file below the party's state directory, and from then on
//! one row is in memory at a time.
//!
//! An index of byte offsets into the source was refused: a gzip stream cannot
//! be entered in the middle, a cell would be parsed again in every epoch, and
//! a file that changes under a running job would change what is learnt.
//!
//! The file is made without a name (`O_TMPFILE`, or removed as soon as it is
//! made), for its owner alone: nobody else can open it, and the kernel takes it
//! away with the process, however that ends. It is not overwritten before: the
//! dataset itself lies in the clear on a disk of the same party, and neither
//! journals nor flash memory would do what an overwrite asks of them.

use std::{
    fs::{DirBuilder, File},
    io::{self, BufWriter, Write},
    os::unix::fs::{DirBuilderExt, FileExt},
    path::Path,
};

/// How a number is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    /// 0 to 255: pixels.
    Byte,
    /// Anything else. Not f32: a time stamp in seconds would lose its minutes.
    Float,
}

impl Cell {
    fn bytes(self) -> usize {
        match self {
            Self::Byte => 1,
            Self::Float => 8,
        }
    }
}

/// Rows while they come in.
pub(super) struct Filling {
    cell: Cell,
    width: usize,
    rows: usize,
    limit_bytes: u64,
    place: FillingPlace,
}

enum FillingPlace {
    Memory(Vec<u8>),
    File(BufWriter<File>),
}

/// Rows that are all there.
pub(super) struct Store {
    cell: Cell,
    width: usize,
    rows: usize,
    place: Place,
}

enum Place {
    Memory(Vec<u8>),
    File(File),
}

impl Filling {
    pub(super) fn new(cell: Cell, width: usize, limit_bytes: u64) -> Self {
        Self {
            cell,
            width,
            rows: 0,
            limit_bytes,
            place: FillingPlace::Memory(Vec::new()),
        }
    }

    /// Takes a row in; `row` has the width that was announced.
    pub(super) fn push(&mut self, row: &[f64], spool: &Path) -> io::Result<()> {
        if let FillingPlace::Memory(bytes) = &mut self.place {
            let more = row.len().saturating_mul(self.cell.bytes());
            if bytes.len().saturating_add(more) as u64 <= self.limit_bytes {
                bytes.reserve(more);
                write(self.cell, row, bytes)?;
                self.rows += 1;
                return Ok(());
            }
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(spool)?;
            let mut file = BufWriter::new(tempfile::tempfile_in(spool)?);
            file.write_all(bytes)?;
            self.place = FillingPlace::File(file);
        }
        if let FillingPlace::File(file) = &mut self.place {
            write(self.cell, row, file)?;
        }
        self.rows += 1;
        Ok(())
    }

    /// No more rows come.
    pub(super) fn finish(self) -> io::Result<Store> {
        let place = match self.place {
            FillingPlace::Memory(bytes) => Place::Memory(bytes),
            FillingPlace::File(file) => {
                Place::File(file.into_inner().map_err(io::IntoInnerError::into_error)?)
            }
        };
        Ok(Store {
            cell: self.cell,
            width: self.width,
            rows: self.rows,
            place,
        })
    }
}

fn write(cell: Cell, row: &[f64], out: &mut impl Write) -> io::Result<()> {
    match cell {
        Cell::Byte => row.iter().try_for_each(|x| out.write_all(&[*x as u8])),
        Cell::Float => row.iter().try_for_each(|x| out.write_all(&x.to_ne_bytes())),
    }
}

impl Store {
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Reads row `row` into `out`, which it fills; for a row that is not there
    /// an error of the file system.
    pub(super) fn read(&self, row: usize, out: &mut Vec<f64>) -> io::Result<()> {
        out.clear();
        let length = self.width * self.cell.bytes();
        let start = row.saturating_mul(length);
        match &self.place {
            Place::Memory(bytes) => {
                let bytes = bytes.get(start..start.saturating_add(length));
                self.decode(bytes.ok_or(io::ErrorKind::UnexpectedEof)?, out);
            }
            Place::File(file) => {
                let mut bytes = vec![0; length];
                file.read_exact_at(&mut bytes, start as u64)?;
                self.decode(&bytes, out);
            }
        }
        Ok(())
    }

    fn decode(&self, bytes: &[u8], out: &mut Vec<f64>) {
        match self.cell {
            Cell::Byte => out.extend(bytes.iter().map(|byte| f64::from(*byte))),
            Cell::Float => {
                let (words, _) = bytes.as_chunks::<8>();
                out.extend(words.iter().map(|word| f64::from_ne_bytes(*word)));
            }
        }
    }

    /// Rows that are in memory all the time.
    #[cfg(test)]
    pub(super) fn resident_rows(&self) -> usize {
        match &self.place {
            Place::Memory(_) => self.rows,
            Place::File(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn filled(cell: Cell, limit_bytes: u64, spool: &Path) -> Store {
        let mut filling = Filling::new(cell, 3, limit_bytes);
        for row in 0..100 {
            let x = f64::from(row);
            filling.push(&[x, x + 1.0, 2.0], spool).unwrap();
        }
        filling.finish().unwrap()
    }

    #[test]
    fn what_is_larger_than_the_limit_is_not_in_memory_and_reads_the_same() {
        let spool = tempfile::tempdir().unwrap();
        for (cell, bytes) in [(Cell::Byte, 300), (Cell::Float, 2400)] {
            let (resident, spooled) = (
                filled(cell, bytes, spool.path()),
                filled(cell, bytes - 1, spool.path()),
            );
            assert_eq!(
                (resident.resident_rows(), spooled.resident_rows()),
                (100, 0)
            );
            let (mut one, mut other) = (Vec::new(), Vec::new());
            for row in [99, 0, 41] {
                resident.read(row, &mut one).unwrap();
                spooled.read(row, &mut other).unwrap();
                assert_eq!(one, [row as f64, row as f64 + 1.0, 2.0]);
                assert_eq!(one, other);
            }
            assert!(resident.read(100, &mut one).is_err());
            assert!(spooled.read(100, &mut one).is_err());
        }
        let left = std::fs::read_dir(spool.path()).unwrap().count();
        assert_eq!(left, 0, "the file has no name, while it is open too");
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_an_error() {
        let spool = tempfile::tempdir().unwrap();
        let blocked = spool.path().join("file");
        std::fs::write(&blocked, b"").unwrap();
        let mut filling = Filling::new(Cell::Float, 1, 0);
        assert!(filling.push(&[1.0], &blocked).is_err());
    }
}
