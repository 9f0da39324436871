//! One base, many exponents: everything that can be computed before the
//! exponent is known, is.

use crypto_bigint::BoxedUint;
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::{Modulus, Residues, line::Layout, select::digit};

/// Blocks raised together, so that a table is read into the cache once for all
/// of them.
const TOGETHER: usize = 16;

/// Tables for products of fixed numbers, chosen by the bits of a secret.
///
/// ```text
///   bits:   e0 .. e5 │ e6 .. e11 │ ...           (windows of six bits)
///            table 0 │  table 1  │ ...      result = product of one entry of each
/// ```
///
/// Where table t holds `base^(d 2^(6t))` for every digit d, the result is
/// `base^e` without a single squaring. Where it holds the products of the
/// subsets of six independent numbers, the result is a random subset product.
/// A comb may have both, one after the other: its exponents are then read in
/// the same order.
pub(crate) struct Comb {
    tables: Vec<Table>,
    bits: u32,
}

struct Table {
    entries: Residues,
    start: u32,
    bits: u32,
}

impl Comb {
    /// Tables for `base^e`, e of up to `bits` bits; `base` is a batch of one.
    pub(crate) fn of_powers(modulus: &Modulus, base: &Residues, bits: u32) -> Self {
        let layout = modulus.layout();
        let mut worker = modulus.worker();
        let mut doublings = Residues::zeros(bits as usize, layout);
        let mut power = base.clone();
        for i in 0..bits as usize {
            layout.copy(doublings.lines_mut(), i, power.lines(), 0);
            worker.square(power.lines_mut());
        }
        let mut comb = Self {
            tables: Vec::new(),
            bits: 0,
        };
        comb.extend(modulus, &doublings);
        comb
    }

    /// Adds one bit per number: the product of those whose bit is set. A comb
    /// of powers is this as well, over base^1, base^2, base^4 ...
    pub(crate) fn extend(&mut self, modulus: &Modulus, numbers: &Residues) {
        let window = modulus.kernel().window() as usize;
        let first = self.bits;
        let starts = (0..numbers.len()).into_par_iter().step_by(window);
        let tables = starts.map_init(
            || modulus.worker(),
            |worker, start| {
                let bits = window.min(numbers.len() - start);
                Table {
                    entries: modulus.subset_products(worker, numbers, start..start + bits),
                    start: first + start as u32,
                    bits: bits as u32,
                }
            },
        );
        self.tables.par_extend(tables);
        self.bits += numbers.len() as u32;
    }

    /// Bits that an exponent has.
    pub(crate) fn bits(&self) -> u32 {
        self.bits
    }

    /// For each exponent, the product that its bits choose. Constant time in
    /// the exponents.
    pub(crate) fn raise(&self, modulus: &Modulus, exponents: &[BoxedUint]) -> Residues {
        let kernel = modulus.kernel();
        let Layout { lanes, lines } = modulus.layout();
        let mut powers = modulus.ones(exponents.len());
        // Every thread has its share before tables are read for many blocks.
        let shares = exponents
            .len()
            .div_ceil(lanes * rayon::current_num_threads());
        let together = shares.clamp(1, TOGETHER);
        powers
            .lines_mut()
            .par_chunks_mut(together * lines)
            .zip(exponents.par_chunks(together * lanes))
            .for_each(|(powers, exponents)| {
                let mut worker = modulus.worker();
                let numbers = powers.len() / lines * lanes;
                let mut entries = Residues::zeros(numbers, modulus.layout());
                let mut digits = Zeroizing::new(vec![0; numbers]);
                for table in &self.tables {
                    for (to, exponent) in digits.iter_mut().zip(exponents) {
                        *to = digit(exponent.as_words(), table.start, table.bits);
                    }
                    kernel.select_each(entries.lines_mut(), table.entries.lines(), &digits);
                    let factors = entries.lines().chunks_exact(lines);
                    for (power, factor) in powers.chunks_exact_mut(lines).zip(factors) {
                        worker.multiply(power, factor);
                    }
                }
            });
        powers
    }
}
