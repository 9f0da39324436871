//! A search for numbers in bytes: in files, and in the memory of a process.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use num_bigint::BigUint;

/// Pieces of what is looked for. A piece is long enough to be there for no other
/// reason, and short enough that what an allocator writes over the begin of a
/// freed place leaves others.
pub(crate) struct Search {
    pieces: Vec<Piece>,
    /// Pieces by their first two bytes.
    by_begin: Vec<Vec<usize>>,
}

struct Piece {
    bytes: Vec<u8>,
    of: &'static str,
}

const PIECE_BYTES: usize = 16;
const DIGITS: usize = 32;
const PAGE_BYTES: usize = 4096;
const NOTHING: [u8; PAGE_BYTES] = [0; PAGE_BYTES];

impl Search {
    /// For these numbers and their squares, as bytes of either order and as
    /// digits.
    pub(crate) fn new(numbers: &[Vec<u8>]) -> Self {
        let mut pieces = Vec::new();
        let mut add = |of, bytes: &[u8], length| {
            let chunks = bytes.chunks_exact(length);
            pieces.extend(chunks.map(|chunk| Piece {
                bytes: chunk.to_vec(),
                of,
            }));
        };
        for number in numbers {
            let number = BigUint::from_bytes_be(number);
            let square = &number * &number;
            let mut bytes = |of: [&'static str; 2], number: &BigUint| {
                add(of[0], &number.to_bytes_be(), PIECE_BYTES);
                add(of[1], &number.to_bytes_le(), PIECE_BYTES);
            };
            bytes(["prime, big-endian", "prime, little-endian"], &number);
            bytes(["square, big-endian", "square, little-endian"], &square);
            // As the engine for AVX-512 has numbers: 52 bits in each word of 64,
            // one after the other or the same in each lane.
            for number in [&number, &square] {
                let limbs = limbs_of_52_bits(number);
                for pair in limbs.windows(2).filter(|pair| !pair.contains(&0)) {
                    let [first, second] = [pair[0], pair[1]].map(u64::to_le_bytes);
                    add("limbs of 52 bits", &[first, second].concat(), PIECE_BYTES);
                    add("lanes of 52 bits", &[first, first].concat(), PIECE_BYTES);
                }
            }
            let hex = number.to_str_radix(16);
            add("hexadecimal", hex.as_bytes(), DIGITS);
            add("hexadecimal", hex.to_uppercase().as_bytes(), DIGITS);
            add("decimal", number.to_str_radix(10).as_bytes(), DIGITS);
        }
        let mut by_begin = vec![Vec::new(); 1 << 16];
        for (index, piece) in pieces.iter().enumerate() {
            by_begin[begin(&piece.bytes)].push(index);
        }
        Self { pieces, by_begin }
    }

    /// What is found, and where.
    pub(crate) fn find(&self, bytes: &[u8]) -> Option<(&'static str, usize)> {
        let mut places = bytes.windows(2).enumerate();
        places.find_map(|(at, two)| {
            let candidates = &self.by_begin[begin(two)];
            let found = candidates
                .iter()
                .find(|piece| bytes[at..].starts_with(&self.pieces[**piece].bytes));
            found.map(|piece| (self.pieces[*piece].of, at))
        })
    }

    /// The same, quicker where whole pages are empty, as most are.
    fn find_beside_nothing(&self, bytes: &[u8]) -> Option<(&'static str, usize)> {
        let pages: Vec<&[u8]> = bytes.chunks(PAGE_BYTES).collect();
        let is_empty = |page: &[u8]| *page == NOTHING[..page.len()];
        let mut at = 0;
        for run in pages.chunk_by(|a, b| is_empty(a) == is_empty(b)) {
            let length: usize = run.iter().map(|page| page.len()).sum();
            if !run.first().is_some_and(|page| is_empty(page))
                && let Some((what, offset)) = self.find(&bytes[at..at + length])
            {
                return Some((what, at + offset));
            }
            at += length;
        }
        None
    }

    /// All files below a folder in which something is found.
    pub(crate) fn files(&self, folder: &Path) -> Vec<(PathBuf, &'static str)> {
        let mut found = Vec::new();
        let mut open = vec![folder.to_owned()];
        while let Some(path) = open.pop() {
            // What a running process renames meanwhile is found by its new name.
            if path.is_dir() {
                let entries = fs::read_dir(&path).into_iter().flatten().flatten();
                open.extend(entries.map(|entry| entry.path()));
            } else if let Ok(bytes) = fs::read(&path)
                && let Some((what, _)) = self.find(&bytes)
            {
                found.push((path, what));
            }
        }
        found
    }

    /// All that is found in what a process can write to.
    ///
    /// # Errors
    /// As the system says, which may let nobody look.
    pub(crate) fn memory(&self, process: u32) -> io::Result<Vec<String>> {
        let maps = fs::read_to_string(format!("/proc/{process}/maps"))?;
        let memory = File::open(format!("/proc/{process}/mem"))?;
        let mut found = Vec::new();
        for line in maps.lines() {
            let mut words = line.split_whitespace();
            let (Some(range), Some(mode)) = (words.next(), words.next()) else {
                continue;
            };
            if !mode.starts_with("rw") {
                continue;
            }
            let of = words.nth(3).unwrap_or("without a name");
            let ends = range.split_once('-').unwrap();
            let [mut at, end] = [ends.0, ends.1].map(|end| u64::from_str_radix(end, 16).unwrap());
            let mut chunk = vec![0; 1 << 20];
            while at < end {
                let room = chunk.len().min((end - at) as usize);
                // A region may go while it is looked at.
                let Ok(read) = memory.read_at(&mut chunk[..room], at) else {
                    break;
                };
                if read == 0 {
                    break;
                }
                if let Some((what, offset)) = self.find_beside_nothing(&chunk[..read]) {
                    let place = at + offset as u64;
                    found.push(format!("{what} at {place:x} in {range} {of}"));
                }
                at += match (at + read as u64) < end && read > 2 * DIGITS {
                    true => (read - DIGITS) as u64,
                    false => read as u64,
                };
            }
        }
        Ok(found)
    }
}

fn limbs_of_52_bits(number: &BigUint) -> Vec<u64> {
    let (mut rest, mask) = (number.clone(), (1_u64 << 52) - 1);
    let mut limbs = Vec::new();
    while rest.bits() > 0 {
        limbs.push(rest.iter_u64_digits().next().unwrap_or(0) & mask);
        rest >>= 52;
    }
    limbs
}

fn begin(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}
