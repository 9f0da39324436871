//! A batch of numbers in the engine's own form.

use core::fmt;

use zeroize::Zeroize;

use super::line::{Layout, Line};

/// Numbers modulo one [`Modulus`](super::Modulus), in Montgomery form and in
/// the layout of its kernel. Wiped when dropped: some are secret, and nobody
/// has to remember which.
///
/// Lanes of the last block that no number has hold residues that mean nothing.
#[derive(Clone)]
pub(crate) struct Residues {
    lines: Vec<Line>,
    /// How many numbers.
    len: usize,
    layout: Layout,
}

impl Residues {
    /// As many zeros.
    pub(super) fn zeros(len: usize, layout: Layout) -> Self {
        Self {
            lines: vec![Line::default(); layout.lines_of(len)],
            len,
            layout,
        }
    }

    /// How many numbers.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Where the numbers are.
    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    /// Block after block.
    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Block after block, to be changed in place.
    pub(super) fn lines_mut(&mut self) -> &mut [Line] {
        &mut self.lines
    }

    /// Number `of(i)` of this batch as number i of the other, for `len` of them.
    #[must_use]
    pub(crate) fn gathered(&self, len: usize, of: impl Fn(usize) -> usize) -> Self {
        let mut gathered = Self::zeros(len, self.layout);
        for to in 0..len {
            self.layout
                .copy(&mut gathered.lines, to, &self.lines, of(to));
        }
        gathered
    }

    /// As [`Residues::gathered`], with `otherwise`, a batch of one, wherever
    /// there is no such number.
    #[must_use]
    pub(super) fn gathered_or(
        &self,
        otherwise: &Self,
        len: usize,
        of: impl Fn(usize) -> usize,
    ) -> Self {
        let mut gathered = Self::zeros(len, self.layout);
        for to in 0..len {
            let from = of(to);
            let (from, source) = match from < self.len {
                true => (from, self),
                false => (0, otherwise),
            };
            self.layout
                .copy(&mut gathered.lines, to, &source.lines, from);
        }
        gathered
    }

    /// Writes `numbers` over those of this batch from number `at` on.
    pub(super) fn put(&mut self, at: usize, numbers: &Self) {
        for from in 0..numbers.len {
            self.layout
                .copy(&mut self.lines, at + from, &numbers.lines, from);
        }
    }

    /// Read as a `rows x cols` matrix by rows, its transpose by rows.
    #[must_use]
    pub(crate) fn transposed(&self, rows: usize, cols: usize) -> Self {
        debug_assert_eq!(self.len(), rows * cols);
        let rows = rows.max(1);
        self.gathered(self.len, |i| i % rows * cols + i / rows)
    }
}

impl Drop for Residues {
    fn drop(&mut self) {
        self.lines.zeroize();
    }
}

impl fmt::Debug for Residues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Residues({})", self.len())
    }
}
