//! The bytes of a file, gzip or not.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use flate2::read::MultiGzDecoder;

use super::{Found, More, at, row_of};
use crate::data::error::{Fault, Place, unreadable};

/// What gzip streams begin with, and none of the formats read here does.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A file that is read from its beginning to its end. One that begins as gzip
/// does is decompressed on the way, whatever it is called.
pub(in crate::data) struct Stream {
    path: PathBuf,
    bytes: Box<dyn Read>,
}

impl Stream {
    /// Opens `path`.
    pub(in crate::data) fn open(path: &Path) -> Found<Self> {
        let open = || -> io::Result<Box<dyn Read>> {
            let file = File::open(path)?;
            if file.metadata()?.is_dir() {
                return Err(io::Error::other("it is a directory"));
            }
            unzipped(BufReader::with_capacity(1 << 16, file))
        };
        match open() {
            Ok(bytes) => Ok(Self {
                path: path.to_owned(),
                bytes,
            }),
            Err(error) => at(Place::file(path), unreadable(&error, "its beginning")),
        }
    }

    /// Over bytes that are in memory, as if they were the file `name`.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(in crate::data) fn over(bytes: &[u8]) -> Found<Self> {
        let path = PathBuf::from("memory");
        match unzipped(io::Cursor::new(bytes.to_vec())) {
            Ok(bytes) => Ok(Self { path, bytes }),
            Err(error) => at(Place::file(&path), unreadable(&error, "its beginning")),
        }
    }

    pub(in crate::data) fn path(&self) -> &Path {
        &self.path
    }

    /// The next bytes, as many as `out` takes.
    pub(super) fn fill(&mut self, out: &mut [u8], place: Place, what: &'static str) -> Found<()> {
        match self.bytes.read_exact(out) {
            Ok(()) => Ok(()),
            Err(error) => at(place, unreadable(&error, what)),
        }
    }

    /// The next `N` bytes of a header.
    pub(super) fn array<const N: usize>(&mut self, what: &'static str) -> Found<[u8; N]> {
        let mut out = [0; N];
        self.fill(&mut out, Place::file(&self.path), what)?;
        Ok(out)
    }

    /// The next bytes, as many as `out` takes; false at the end of the file.
    pub(super) fn fill_or_end(
        &mut self,
        out: &mut [u8],
        place: Place,
        what: &'static str,
    ) -> Found<bool> {
        let Some((first, rest)) = out.split_at_mut_checked(1) else {
            return Ok(true);
        };
        loop {
            match self.bytes.read(first) {
                Ok(0) => return Ok(false),
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return at(place, unreadable(&error, what)),
            }
        }
        self.fill(rest, place, what)?;
        Ok(true)
    }

    /// Hands on `rows` rows of `[width, bytes of each]` numbers until somebody
    /// has enough; otherwise the file ends behind them.
    pub(super) fn rows(
        &mut self,
        rows: u64,
        [width, size]: [usize; 2],
        number: impl Fn(&[u8]) -> f64,
        each: &mut dyn FnMut(&[f64]) -> Found<More>,
    ) -> Found<()> {
        let mut bytes = vec![0; width * size];
        let mut numbers = Vec::with_capacity(width);
        for row in 0..rows {
            let place = row_of(&self.path, row);
            self.fill(&mut bytes, place, "a row")?;
            numbers.clear();
            numbers.extend(bytes.chunks_exact(size).map(&number));
            if each(&numbers)? == More::Enough {
                return Ok(());
            }
        }
        self.finish()
    }

    /// Says that the file ends here.
    pub(super) fn finish(&mut self) -> Found<()> {
        let place = Place::file(&self.path);
        if self.fill_or_end(&mut [0], place.clone(), "its end")? {
            let problem = "bytes follow behind the last row that its header announces".to_owned();
            return at(place, Fault::Format { problem });
        }
        Ok(())
    }
}

impl Read for Stream {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(out)
    }
}

fn unzipped(mut file: impl Read + 'static) -> io::Result<Box<dyn Read>> {
    let mut start = Vec::new();
    file.by_ref().take(2).read_to_end(&mut start)?;
    let zipped = start == GZIP;
    let whole = io::Cursor::new(start).chain(file);
    Ok(if zipped {
        Box::new(BufReader::new(MultiGzDecoder::new(whole)))
    } else {
        Box::new(whole)
    })
}
