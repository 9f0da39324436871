//! Many bases, one exponent.

use crypto_bigint::{BoxedUint, Word};
use rayon::prelude::*;

use super::{Modulus, Residues, kernel::Worker, line::Line, select::digit};

/// Bits of the exponent per table look-up: building 32 entries costs less than
/// it saves from exponents of 200 bits on.
const WINDOW: u32 = 5;

impl Modulus {
    /// `base^exponent` for each base, the exponent read as `bits` bits whatever
    /// its value. Fixed windows and masked look-ups: constant time in the
    /// exponent, which is p - 1 for the key owner.
    pub(crate) fn pow(&self, bases: &Residues, exponent: &BoxedUint, bits: u32) -> Residues {
        let mut powers = bases.clone();
        powers
            .lines_mut()
            .par_chunks_mut(self.layout().lines)
            .for_each_init(
                || self.worker(),
                |worker, base| self.pow_block(worker, base, exponent.as_words(), bits),
            );
        powers
    }

    fn pow_block(&self, worker: &mut Worker<'_>, acc: &mut [Line], exponent: &[Word], bits: u32) {
        let kernel = self.kernel();
        let lanes = self.layout().lanes;
        // Block d of the table is base^d; `acc` is the base until it is built.
        let mut table = Residues::zeros(lanes << WINDOW, self.layout());
        let mut power = self.ones(lanes);
        for entry in table.lines_mut().chunks_exact_mut(acc.len()) {
            entry.copy_from_slice(power.lines());
            worker.multiply(power.lines_mut(), acc);
        }

        acc.copy_from_slice(kernel.one());
        for window in (0..bits.div_ceil(WINDOW)).rev() {
            for _ in 0..WINDOW {
                worker.square(acc);
            }
            let at = window * WINDOW;
            let digit = digit(exponent, at, WINDOW.min(bits - at));
            kernel.select_block(power.lines_mut(), table.lines(), digit);
            worker.multiply(acc, power.lines());
        }
    }
}
