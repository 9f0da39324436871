//! The matrix product under encryption, as one primitive.
//!
//! Additively, a round asks for `out = X S^T` with X encrypted and S plain and
//! signed; on ciphertexts that is a product of powers for each entry:
//!
//! ```text
//!   out[l][o] = prod_i  x[l][i] ^ s[o][i]        l < rows, o < outputs, i < terms
//! ```
//!
//! Scalars are short (up to 64 bits), bases many, and all outputs of a row
//! share its bases. Written by the bits of the scalars, the sum is one of
//! *columns*, each a product of a subset of the row's bases:
//!
//! ```text
//!   column[l][o][k] = prod of those x[l][i] whose scalar s[o][i] has bit k
//!   out[l][o]       = (.. (column[top]^2 column[top - 1])^2 ..)^2 column[0]      (Horner)
//! ```
//!
//! A row has hundreds of columns over the same bases. So its bases are taken in
//! groups, the products of all subsets of a group are tabled once, and a column
//! costs one look-up and one multiplication for each *group* (the method of the
//! four Russians; together with Horner's squarings it is Straus's simultaneous
//! exponentiation, in another order). The obvious way, each power by itself and
//! then multiply, does a squaring per bit and *term*.
//!
//! The order is for the lanes. Straus walks down the bits of one output, and
//! what can lie side by side are rows: nine of them in a packed batch of 128,
//! so that a second block of eight would run for one. Columns lie side by side
//! instead. They share their row's tables, whatever bit and output they are
//! of, so that a table is read by permutations of registers
//! ([`select_each`](super::kernel::Kernel::select_each)), and all lanes but
//! those of a last block are in use. Only Horner's steps, a tenth of the work,
//! take pairs of row and output as lanes.
//!
//! Signs cost an inversion each in the obvious way. Here scalars are shifted to
//! be non-negative, `u = s + 2^bits`, which multiplies each output by
//! `(prod_i x[l][i])^(2^bits)`: the product of the row's bases is divided out
//! of the top columns, before Horner's squarings. All rows share a single
//! inversion.
//!
//! Scalars are the evaluator's secret (its weights, its labels). The walk has
//! the same steps for all values: the number of bits is a public bound, zero
//! digits multiply by one, and tables are scanned whole. The bases are
//! ciphertexts and known to everyone.

use std::ops::Range;

use rayon::prelude::*;
use zeroize::{Zeroize, Zeroizing};

use super::{
    Modulus, Residues,
    line::{Layout, Line},
};

/// Bytes of columns that are in memory at a time, beyond those of one row.
const WORKING_BYTES: usize = 128 << 20;

/// Blocks of columns that look up in a table while it is in the cache.
const TOGETHER: usize = 16;

/// A matrix of signed scalars, `outputs x terms`, each in [-2^bits, 2^bits).
/// Wiped when dropped.
pub(crate) struct Scalars {
    /// By rows, shifted by 2^bits to be non-negative.
    shifted: Vec<u64>,
    terms: usize,
    bits: u32,
}

impl Scalars {
    /// From a function of output and term; `bits` is at most 63. The caller has
    /// checked the bounds.
    pub(crate) fn from_fn(
        outputs: usize,
        terms: usize,
        bits: u32,
        mut scalar: impl FnMut(usize, usize) -> i64,
    ) -> Self {
        debug_assert!(bits <= 63);
        let shifted = (0..outputs)
            .flat_map(|output| (0..terms).map(move |term| (output, term)))
            .map(|(output, term)| scalar(output, term).cast_unsigned().wrapping_add(1 << bits))
            .collect();
        Self {
            shifted,
            terms,
            bits,
        }
    }

    /// Outputs that each row of bases has.
    pub(crate) fn outputs(&self) -> usize {
        self.shifted.len() / self.terms.max(1)
    }

    /// Columns of a row: those of the lowest bit first, output by output.
    fn columns(&self) -> usize {
        (self.bits as usize + 1) * self.outputs()
    }

    /// Which of the bases in `group` are in a column; none beyond the last.
    fn digit(&self, column: usize, group: Range<usize>) -> usize {
        let (bit, output) = (column / self.outputs(), column % self.outputs());
        let row = output * self.terms;
        let scalars = self.shifted.get(row + group.start..row + group.end);
        let bits = scalars.into_iter().flatten().map(|s| match bit {
            0..64 => (s >> bit) as usize & 1,
            _ => 0,
        });
        bits.enumerate().fold(0, |digit, (i, bit)| digit | bit << i)
    }
}

impl Drop for Scalars {
    fn drop(&mut self) {
        self.shifted.zeroize();
    }
}

impl Modulus {
    /// As [`Modulus::products`], where base i of row l is number `seen(l, i)`
    /// of `x`, or one if there is no such number: rows that share their bases,
    /// as the windows of a convolution do, need not be laid out side by side
    /// first. Constant time in the scalars; what is seen is public.
    pub(crate) fn gathered_products(
        &self,
        x: &Residues,
        rows: usize,
        seen: impl Fn(usize, usize) -> usize,
        scalars: &Scalars,
    ) -> Option<Residues> {
        /// Bases that are laid out at a time: about 40 MB at 2048 bits.
        const BASES: usize = 1 << 16;
        let (terms, outputs) = (scalars.terms.max(1), scalars.outputs());
        let one = self.ones(1);
        let mut products = Residues::zeros(rows * outputs, self.layout());
        let at_once = (BASES / terms).max(1);
        for first in (0..rows).step_by(at_once) {
            let count = at_once.min(rows - first);
            let seen = |i: usize| seen(first + i / terms, i % terms);
            let bases = x.gathered_or(&one, count * terms, seen);
            products.put(first * outputs, &self.products(&bases, scalars)?);
        }
        Some(products)
    }

    /// `out[l][o] = prod_i x[l][i]^s[o][i]` for `x` of `rows x terms` by rows,
    /// the result `rows x outputs` by rows. `None` when some base has no
    /// inverse, which no validated ciphertext does.
    ///
    /// Constant time in the scalars.
    pub(crate) fn products(&self, x: &Residues, scalars: &Scalars) -> Option<Residues> {
        let layout = self.layout();
        let (terms, outputs) = (scalars.terms.max(1), scalars.outputs());
        let rows = x.len() / terms;
        let mut products = Residues::zeros(rows * outputs, layout);
        if products.len() == 0 {
            return Some(products);
        }
        let groups = self.groups(scalars);
        let bytes = size_of_val(self.kernel().one()) * layout.blocks(scalars.columns());
        let at_once = (WORKING_BYTES / bytes.max(1)).max(1);
        for first in (0..rows).step_by(at_once) {
            let rows = first..(first + at_once).min(rows);
            let some = self.products_of_rows(x, rows, scalars, &groups)?;
            products.put(first * outputs, &some);
        }
        Some(products)
    }

    /// A row's tables are as large as a core's cache. They are made, looked up
    /// in and dropped before those of the next row are begun, on each thread.
    fn products_of_rows(
        &self,
        x: &Residues,
        rows: Range<usize>,
        scalars: &Scalars,
        groups: &[Range<usize>],
    ) -> Option<Residues> {
        let layout = self.layout();
        let per_row = layout.blocks(scalars.columns()) * layout.lanes;
        let mut columns = Residues::zeros(rows.len() * per_row, layout);
        let mut whole_groups = vec![Residues::zeros(rows.len(), layout); groups.len()];
        let at_once = rayon::current_num_threads();
        let parts = columns
            .lines_mut()
            .chunks_mut(at_once * layout.lines_of(per_row));
        for (first, columns) in (0..rows.len()).step_by(at_once).zip(parts) {
            let these = first..(first + at_once).min(rows.len());
            let x_rows = these.clone().map(|row| rows.start + row);
            let tables = self.tables(x, x_rows, scalars, groups);
            for (row, tables) in these.zip(tables.chunks_exact(groups.len())) {
                // The last entry of a table is the product of its group.
                for (whole, table) in whole_groups.iter_mut().zip(tables) {
                    layout.copy(whole.lines_mut(), row, table.lines(), table.len() - 1);
                }
            }
            self.columns(columns, &tables, groups, scalars);
        }
        let mut whole_rows = self.ones(rows.len());
        for whole in &whole_groups {
            self.multiply(&mut whole_rows, whole);
        }
        let correction = self.invert_public(&whole_rows)?;
        Some(self.horner(&columns, &correction, scalars))
    }

    /// For each row, the products of all subsets of each group of its bases.
    fn tables(
        &self,
        x: &Residues,
        rows: impl Iterator<Item = usize>,
        scalars: &Scalars,
        groups: &[Range<usize>],
    ) -> Vec<Residues> {
        let of_row = |row| groups.iter().map(move |group| (row * scalars.terms, group));
        let all: Vec<_> = rows.flat_map(of_row).collect();
        all.into_par_iter()
            .map_init(
                || self.worker(),
                |worker, (row, group)| {
                    self.subset_products(worker, x, row + group.start..row + group.end)
                },
            )
            .collect()
    }

    /// The columns of each row, each row's in blocks of its own.
    fn columns(
        &self,
        columns: &mut [Line],
        tables: &[Residues],
        groups: &[Range<usize>],
        scalars: &Scalars,
    ) {
        let Layout { lanes, lines } = self.layout();
        let per_row = self.layout().lines_of(scalars.columns());
        columns
            .par_chunks_mut(per_row)
            .zip(tables.par_chunks(groups.len()))
            .for_each(|(row, tables)| {
                let together = row.par_chunks_mut(TOGETHER * lines).enumerate();
                together.for_each(|(i, blocks)| {
                    let first = i * TOGETHER * lanes;
                    self.columns_together(blocks, first, tables, groups, scalars);
                });
            });
    }

    /// A few blocks of a row's columns, from column `first` on.
    fn columns_together(
        &self,
        blocks: &mut [Line],
        first: usize,
        tables: &[Residues],
        groups: &[Range<usize>],
        scalars: &Scalars,
    ) {
        let (kernel, Layout { lanes, lines }) = (self.kernel(), self.layout());
        let mut worker = self.worker();
        let numbers = blocks.len() / lines * lanes;
        let mut entries = Residues::zeros(numbers, self.layout());
        let mut digits = Zeroizing::new(vec![0; numbers]);
        for (at, (table, group)) in tables.iter().zip(groups).enumerate() {
            for (column, digit) in (first..).zip(digits.iter_mut()) {
                *digit = scalars.digit(column, group.clone());
            }
            if at == 0 {
                kernel.select_each(blocks, table.lines(), &digits);
                continue;
            }
            kernel.select_each(entries.lines_mut(), table.lines(), &digits);
            let factors = entries.lines().chunks_exact(lines);
            for (block, factor) in blocks.chunks_exact_mut(lines).zip(factors) {
                worker.multiply(block, factor);
            }
        }
    }

    /// From columns to outputs: `rows x outputs` by rows, the correction of
    /// each row taken in at the top.
    fn horner(&self, columns: &Residues, correction: &Residues, scalars: &Scalars) -> Residues {
        let layout @ Layout { lanes, lines } = self.layout();
        let (outputs, rows) = (scalars.outputs(), correction.len());
        let per_row = layout.blocks(scalars.columns()) * lanes;
        let mut products = Residues::zeros(rows * outputs, layout);
        products
            .lines_mut()
            .par_chunks_mut(lines)
            .enumerate()
            .for_each(|(block, acc)| {
                let mut worker = self.worker();
                let mut factor = Residues::zeros(lanes, layout);
                let pairs = (block * lanes..rows * outputs).take(lanes).enumerate();
                let column = |target: &mut [Line], bit: usize| {
                    for (lane, pair) in pairs.clone() {
                        let (row, output) = (pair / outputs, pair % outputs);
                        let from = row * per_row + bit * outputs + output;
                        layout.copy(target, lane, columns.lines(), from);
                    }
                };
                column(acc, scalars.bits as usize);
                for (lane, pair) in pairs.clone() {
                    let target = factor.lines_mut();
                    layout.copy(target, lane, correction.lines(), pair / outputs);
                }
                worker.multiply(acc, factor.lines());
                for bit in (0..scalars.bits as usize).rev() {
                    worker.square(acc);
                    column(factor.lines_mut(), bit);
                    worker.multiply(acc, factor.lines());
                }
            });
        products
    }

    /// The terms in groups, one for each table: the cheapest, counted in
    /// multiplications of blocks.
    fn groups(&self, scalars: &Scalars) -> Vec<Range<usize>> {
        let layout = self.layout();
        let numbers_per_multiplication = self.kernel().lookup();
        let columns = layout.blocks(scalars.columns());
        // In hundredths.
        let cost = |group: usize| {
            let entries = 1_usize << group;
            let first_block = layout.lanes.trailing_zeros().saturating_sub(1) as usize;
            let table = first_block + layout.blocks(entries) - 1;
            let column = 100 + 100 * entries / numbers_per_multiplication;
            scalars.terms.div_ceil(group) * (100 * table + columns * column)
        };
        let group = (1..=10).min_by_key(|&group| cost(group)).unwrap_or(1);
        (0..scalars.terms)
            .step_by(group)
            .map(|start| start..(start + group).min(scalars.terms))
            .collect()
    }
}
