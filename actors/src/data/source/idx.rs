//! IDX, the format of MNIST: two zeros, a type, the number of dimensions, the
//! size of each (u32, big-endian), then the numbers, the last dimension
//! fastest. The first dimension counts rows.

use super::{Array, Form, Found, More, Stream, at};
use crate::data::{
    error::{Fault, Place},
    store::Cell,
};

/// The widest row that is read: an image of 4096 x 4096.
const MAX_WIDTH: usize = 1 << 24;

/// An IDX file, its header read.
pub(in crate::data) struct Idx {
    stream: Stream,
    kind: Kind,
    rows: u64,
    width: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    U8,
    I8,
    I16,
    I32,
    F32,
    F64,
}

impl Kind {
    fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            0x08 => Self::U8,
            0x09 => Self::I8,
            0x0b => Self::I16,
            0x0c => Self::I32,
            0x0d => Self::F32,
            0x0e => Self::F64,
            _ => return None,
        })
    }

    fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::I16 => 2,
            Self::I32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    fn number(self, bytes: &[u8]) -> f64 {
        // Chunks are of the type's size, so the default never shows.
        let word = |bytes: &[u8]| bytes.try_into().unwrap_or_default();
        match self {
            Self::U8 => bytes.first().copied().unwrap_or_default().into(),
            Self::I8 => bytes.first().map_or(0, |byte| byte.cast_signed()).into(),
            Self::I16 => i16::from_be_bytes(bytes.try_into().unwrap_or_default()).into(),
            Self::I32 => i32::from_be_bytes(word(bytes)).into(),
            Self::F32 => f32::from_be_bytes(word(bytes)).into(),
            Self::F64 => f64::from_be_bytes(bytes.try_into().unwrap_or_default()),
        }
    }
}

impl Idx {
    /// Reads the header.
    pub(in crate::data) fn open(mut stream: Stream) -> Found<Self> {
        let refuse = |stream: &Stream, problem: String| {
            at(Place::file(stream.path()), Fault::Format { problem })
        };
        let [zero, zero_too, kind, dimensions] = stream.array("its header")?;
        let known = Kind::of(kind).filter(|_| (zero, zero_too) == (0, 0));
        let Some(kind) = known else {
            let problem = "it does not begin as IDX does (00 00, a type, the dimensions)";
            return refuse(&stream, problem.to_owned());
        };
        if dimensions == 0 {
            return refuse(&stream, "it is an IDX file without dimensions".to_owned());
        }
        let rows = u32::from_be_bytes(stream.array("its header")?).into();
        let mut width = 1_usize;
        for _ in 1..dimensions {
            let size = u32::from_be_bytes(stream.array("its header")?);
            width = width.saturating_mul(size as usize);
        }
        if width == 0 || width > MAX_WIDTH {
            let problem = format!("its rows have {width} numbers; 1 to {MAX_WIDTH} are read");
            return refuse(&stream, problem);
        }
        Ok(Self {
            stream,
            kind,
            rows,
            width,
        })
    }
}

impl Array for Idx {
    fn form(&self) -> Form {
        Form {
            width: self.width,
            channels: 1,
            cell: match self.kind {
                Kind::U8 => Cell::Byte,
                _ => Cell::Float,
            },
        }
    }

    fn read(&mut self, each: &mut dyn FnMut(&[f64]) -> Found<More>) -> Found<()> {
        let kind = self.kind;
        let row = [self.width, kind.bytes()];
        self.stream
            .rows(self.rows, row, |bytes| kind.number(bytes), each)
    }
}
