//! NumPy's format: `\x93NUMPY`, a version, the length of a header, the header
//! (a Python dictionary with type, order and shape), then the numbers. The
//! first dimension counts rows.
//!
//! Read here and not by a crate, because those that there are want the whole
//! array in memory.

use super::{Array, Form, Found, More, Stream, at};
use crate::data::{
    error::{Fault, Place},
    store::Cell,
};

/// The widest row that is read, and the longest header.
const MAX_WIDTH: u64 = 1 << 24;
const MAX_HEADER_BYTES: u32 = 1 << 16;

/// An NPY file, its header read.
pub(in crate::data) struct Npy {
    stream: Stream,
    kind: Kind,
    rows: u64,
    width: usize,
}

/// A type of numbers: order, class and size in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    big_endian: bool,
    class: Class,
    bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Signed,
    Unsigned,
    Float,
}

impl Kind {
    /// `<f4`, `|u1`, `>i8` and so on.
    fn parse(text: &str) -> Option<Self> {
        let (order, rest) = text.split_at_checked(1)?;
        let (class, bytes) = rest.split_at_checked(1)?;
        let big_endian = match order {
            "<" | "|" => false,
            ">" => true,
            "=" => cfg!(target_endian = "big"),
            _ => return None,
        };
        let bytes = bytes.parse().ok()?;
        let class = match (class, bytes) {
            ("i", 1 | 2 | 4 | 8) => Class::Signed,
            ("u", 1 | 2 | 4 | 8) => Class::Unsigned,
            ("f", 4 | 8) => Class::Float,
            _ => return None,
        };
        Some(Self {
            big_endian,
            class,
            bytes,
        })
    }

    fn number(self, bytes: &[u8]) -> f64 {
        let mut word = [0; 8];
        for (to, from) in word.iter_mut().zip(bytes) {
            *to = *from;
        }
        if self.big_endian {
            word.get_mut(..self.bytes).unwrap_or_default().reverse();
        }
        let bits = u64::from_le_bytes(word);
        let unused = 64 - 8 * self.bytes as u32;
        match self.class {
            Class::Unsigned => bits as f64,
            Class::Signed => ((bits << unused).cast_signed() >> unused) as f64,
            Class::Float if self.bytes == 4 => f32::from_bits(bits as u32).into(),
            Class::Float => f64::from_bits(bits),
        }
    }
}

impl Npy {
    /// Reads the header.
    pub(in crate::data) fn open(mut stream: Stream) -> Found<Self> {
        let what = "its header";
        let magic: [u8; 6] = stream.array(what)?;
        let place = Place::file(stream.path());
        let refuse = |problem: &str| {
            let problem = problem.to_owned();
            at(place.clone(), Fault::Format { problem })
        };
        if &magic != b"\x93NUMPY" {
            return refuse("it does not begin as NPY does (93 4e 55 4d 50 59)");
        }
        let [major, _] = stream.array(what)?;
        let length = match major {
            1 => u16::from_le_bytes(stream.array(what)?).into(),
            2 | 3 => u32::from_le_bytes(stream.array(what)?),
            _ => return refuse("it is of a version of NPY that is not known here"),
        };
        if length > MAX_HEADER_BYTES {
            return refuse("its header is longer than any array needs");
        }
        let mut header = vec![0; length as usize];
        stream.fill(&mut header, place.clone(), what)?;
        let header = String::from_utf8_lossy(&header);
        let Some((kind, fortran, shape)) = parse(&header) else {
            return refuse("its header cannot be read, or its numbers are no integers or floats");
        };
        if fortran && shape.len() > 1 {
            return refuse("its numbers stand column by column: save it in C order");
        }
        let Some((rows, rest)) = shape.split_first() else {
            return refuse("it is a single number without rows");
        };
        let width = rest.iter().fold(1_u64, |width, n| width.saturating_mul(*n));
        if width == 0 || width > MAX_WIDTH {
            return refuse("its rows have no numbers, or more than are read");
        }
        Ok(Self {
            stream,
            kind,
            rows: *rows,
            width: width as usize,
        })
    }
}

/// Type, order and shape of a header such as
/// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
fn parse(header: &str) -> Option<(Kind, bool, Vec<u64>)> {
    let after = |key: &str| {
        let quoted = [format!("'{key}'"), format!("\"{key}\"")];
        let (_, rest) = quoted.iter().find_map(|key| header.split_once(key))?;
        rest.trim_start().strip_prefix(':').map(str::trim_start)
    };
    let descr = after("descr")?;
    let quote = descr.chars().next().filter(|c| "'\"".contains(*c))?;
    let kind = Kind::parse(descr.get(1..)?.split_once(quote)?.0)?;
    let fortran = match after("fortran_order")? {
        order if order.starts_with("True") => true,
        order if order.starts_with("False") => false,
        _ => return None,
    };
    let (shape, _) = after("shape")?.strip_prefix('(')?.split_once(')')?;
    let sizes = shape.split(',').map(str::trim).filter(|n| !n.is_empty());
    let shape: Option<Vec<u64>> = sizes.map(|n| n.parse().ok()).collect();
    Some((kind, fortran, shape?))
}

impl Array for Npy {
    fn form(&self) -> Form {
        let is_byte = (self.kind.class, self.kind.bytes) == (Class::Unsigned, 1);
        Form {
            width: self.width,
            channels: 1,
            cell: if is_byte { Cell::Byte } else { Cell::Float },
        }
    }

    fn read(&mut self, each: &mut dyn FnMut(&[f64]) -> Found<More>) -> Found<()> {
        let kind = self.kind;
        let row = [self.width, kind.bytes];
        self.stream
            .rows(self.rows, row, |bytes| kind.number(bytes), each)
    }
}
