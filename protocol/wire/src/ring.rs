//! Matrices over the ring Z_2^64.
//!
//! All secret-shared quantities live here: `u64` with wrapping arithmetic, two's
//! complement when read as signed. Addition of a uniform mask is then perfect
//! hiding, and removing it is exact: no rounding, so encrypted training equals
//! plain fixed-point training bit for bit.

use core::{fmt, num::Wrapping};

use ndarray::Array2;
use rand::CryptoRng;
use zeroize::Zeroize;

use crate::{Decode, DecodeError, Encode, Reader};

/// Rows and columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Rows: samples of a batch, or classes.
    pub rows: usize,
    /// Columns: features of the cut, or classes.
    pub cols: usize,
}

impl Shape {
    /// `rows x cols`.
    pub fn new(rows: usize, cols: usize) -> Self {
        Self { rows, cols }
    }

    /// Number of entries.
    pub fn len(self) -> usize {
        self.rows.saturating_mul(self.cols)
    }

    /// Whether there is no entry.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Writes rows and columns (u32 each).
    pub fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.rows as u32).to_be_bytes());
        out.extend_from_slice(&(self.cols as u32).to_be_bytes());
    }

    /// Reads a shape and holds it against the expected one.
    ///
    /// # Errors
    /// [`DecodeError::WrongShape`] naming `what`.
    pub fn expect(self, what: &'static str, input: &mut Reader<'_>) -> Result<(), DecodeError> {
        let (rows, cols) = (input.u32(what)?, input.u32(what)?);
        if (rows as usize, cols as usize) == (self.rows, self.cols) {
            return Ok(());
        }
        Err(DecodeError::WrongShape {
            what,
            rows: self.rows,
            cols: self.cols,
            got_rows: rows.into(),
            got_cols: cols.into(),
        })
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {}", self.rows, self.cols)
    }
}

/// A matrix over Z_2^64. `Debug` shows the shape alone; memory is wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct RingMatrix(Array2<Wrapping<u64>>);

impl RingMatrix {
    /// All zero.
    pub fn zeros(shape: Shape) -> Self {
        Self(Array2::from_elem((shape.rows, shape.cols), Wrapping(0)))
    }

    /// From a function of row and column.
    pub fn from_fn(shape: Shape, mut f: impl FnMut(usize, usize) -> u64) -> Self {
        Self(Array2::from_shape_fn((shape.rows, shape.cols), |(i, j)| {
            Wrapping(f(i, j))
        }))
    }

    /// Each entry uniform in the ring.
    pub fn uniform(shape: Shape, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        Self::from_fn(shape, |_, _| rng.next_u64())
    }

    /// Its shape.
    pub fn shape(&self) -> Shape {
        Shape::new(self.0.nrows(), self.0.ncols())
    }

    /// The underlying array.
    pub fn as_array(&self) -> &Array2<Wrapping<u64>> {
        &self.0
    }

    /// From an array.
    pub fn from_array(array: Array2<Wrapping<u64>>) -> Self {
        Self(array)
    }

    /// An entry read as two's complement; `None` outside the matrix.
    pub fn signed(&self, row: usize, col: usize) -> Option<i64> {
        self.0.get((row, col)).map(|x| x.0.cast_signed())
    }

    /// `self + other`, entry by entry. Both must have one shape, which the
    /// decoders have established; a mismatch is a bug and yields ndarray's own
    /// complaint.
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        Self(&self.0 + &other.0)
    }

    /// `self - other`, entry by entry.
    #[must_use]
    pub fn sub(&self, other: &Self) -> Self {
        Self(&self.0 - &other.0)
    }

    /// `self * other`: `m x k` times `k x n`.
    #[must_use]
    pub fn dot(&self, other: &Self) -> Self {
        Self(self.0.dot(&other.0))
    }

    /// The transpose.
    #[must_use]
    pub fn transposed(&self) -> Self {
        Self(self.0.t().to_owned())
    }

    /// The sum of each column: `1 x cols`.
    #[must_use]
    pub fn column_sums(&self) -> Self {
        Self::from_fn(Shape::new(1, self.0.ncols()), |_, j| {
            self.0.column(j).iter().sum::<Wrapping<u64>>().0
        })
    }

    /// Each entry times `2^bits`.
    #[must_use]
    pub fn shifted_left(&self, bits: u32) -> Self {
        Self(self.0.mapv(|x| Wrapping(x.0.wrapping_shl(bits))))
    }

    /// Adds `row` (`1 x cols`) to every row.
    #[must_use]
    pub fn add_row(&self, row: &Self) -> Self {
        Self(&self.0 + &row.0)
    }

    /// Subtracts `row` (`1 x cols`) from every row.
    #[must_use]
    pub fn sub_row(&self, row: &Self) -> Self {
        Self(&self.0 - &row.0)
    }
}

impl Zeroize for RingMatrix {
    fn zeroize(&mut self) {
        for x in &mut self.0 {
            x.0.zeroize();
        }
    }
}

impl Drop for RingMatrix {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl fmt::Debug for RingMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RingMatrix({})", self.shape())
    }
}

impl Encode for RingMatrix {
    fn encode(&self, out: &mut Vec<u8>) {
        self.shape().encode(out);
        out.reserve(8 * self.0.len());
        for x in &self.0 {
            out.extend_from_slice(&x.0.to_be_bytes());
        }
    }
}

impl Decode<Shape> for RingMatrix {
    fn decode(shape: &Shape, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        shape.expect("ring matrix", input)?;
        let bytes = input.take("ring matrix", shape.len().saturating_mul(8))?;
        let mut entries = bytes.chunks_exact(8).map(|chunk| {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            u64::from_be_bytes(word)
        });
        // `bytes` holds exactly `shape.len()` words, so the default never shows.
        Ok(Self::from_fn(*shape, |_, _| {
            entries.next().unwrap_or_default()
        }))
    }
}
