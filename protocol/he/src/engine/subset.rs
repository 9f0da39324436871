//! The products of all subsets of a few numbers, as a table to look up in.

use std::ops::Range;

use super::{Modulus, Residues, kernel::Worker, line::Layout};

impl Modulus {
    /// Number d of the table is the product of those of `numbers[range]` whose
    /// bit is set in d.
    ///
    /// Subsets lie side by side in lanes, so the table is what
    /// [`select_each`](super::kernel::Kernel::select_each) reads, and costs a
    /// multiplication for each block of them and not for each subset:
    ///
    /// ```text
    ///   block 0     1   x0   x1   x0x1   x2   x0x2   x1x2   x0x1x2
    ///   block 1     block 0 times x3, in every lane
    ///   block 2, 3  blocks 0, 1 times x4 ...
    /// ```
    pub(super) fn subset_products(
        &self,
        worker: &mut Worker<'_>,
        numbers: &Residues,
        range: Range<usize>,
    ) -> Residues {
        let layout @ Layout { lanes, lines } = self.layout();
        let one = worker.kernel().one();
        let within = range.len().min(lanes.trailing_zeros() as usize);
        let mut table = Residues::zeros(1 << range.len(), layout);
        let mut factor = one.to_vec();
        let (lane_bits, block_bits) = (range.start..range.start + within, range);

        let first = table.lines_mut().iter_mut().take(lines);
        first.zip(one).for_each(|(to, one)| *to = *one);
        for (bit, number) in lane_bits.clone().enumerate() {
            let with = (0..lanes).filter(|lane| lane >> bit & 1 == 1);
            if bit == 0 {
                with.for_each(|lane| layout.copy(table.lines_mut(), lane, numbers.lines(), number));
                continue;
            }
            factor.copy_from_slice(one);
            with.for_each(|lane| layout.copy(&mut factor, lane, numbers.lines(), number));
            if let Some(first) = table.lines_mut().chunks_exact_mut(lines).next() {
                worker.multiply(first, &factor);
            }
        }
        for (bit, number) in (lane_bits.end..block_bits.end).enumerate() {
            for lane in 0..lanes {
                layout.copy(&mut factor, lane, numbers.lines(), number);
            }
            // Every block so far, once more with the number.
            let (without, rest) = table.lines_mut().split_at_mut(lines << bit);
            let blocks = without.chunks_exact(lines);
            for (with, without) in rest.chunks_exact_mut(lines).zip(blocks) {
                with.copy_from_slice(without);
                worker.multiply(with, &factor);
            }
        }
        table
    }
}
