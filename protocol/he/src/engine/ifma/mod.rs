//! The tier for x86-64 with AVX-512 IFMA: eight numbers at a time.
//!
//! A number is k limbs of 52 bits, eight numbers lie limb by limb side by
//! side, and the processor's multiply-add takes eight pairs of limbs at once.
//! Products are summed into columns of 64 bits, which hold 2^11 of them before
//! anything has to be carried: carries are looked at once per multiplication.
//!
//! ```text
//!   a b      2 k^2 multiply-adds      columns     multiply, square (k^2 + 2 k),
//!                                                 both by halves (`karatsuba.rs`)
//!   mod n    2 k^2 + k                carried     reduce
//! ```
//!
//! Numbers are kept in [0, 2 n), with R = 2^(52 k) > 4 n ("almost Montgomery"):
//! for a, b < 2 n the reduction gives less than (a b + R n) / R < 2 n again, so
//! that no operation has to compare and subtract. On the way out the factor is
//! one, the result at most n, and n itself, which stands for zero, is put
//! right.
//!
//! `straight.rs` is written by a program (`generate.rs`): a loop over an array
//! of registers is compiled to copies of memory and runs at a third of the
//! speed. It, `karatsuba.rs` and `scan.rs` speak of vectors and not of the processor, and are
//! compiled twice: over its instructions ([`processor`]) and, for the tests of
//! machines without them, over a program that plays them (`emulated`).
//! `unsafe` is in two places: the calls of functions that need the
//! instructions, which take proof that they are there (`instructions.rs`), and the
//! loads and stores of `vector.rs`.

#![allow(unsafe_code)]

#[cfg(all(test, target_os = "linux"))]
mod assembly;
#[cfg(any(test, feature = "insecure-test-keys"))]
mod emulated;
#[cfg(test)]
mod generate;
mod instructions;
mod processor;
#[cfg(test)]
mod tests;

use core::cell::Cell;

use crypto_bigint::{BoxedUint, Word};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::{
    integer::negated_inverse,
    kernel::{Kernel, Secrecy},
    line::{LINE_WORDS, Layout, Line},
    portable,
};
pub(super) use instructions::Instructions;
use processor::TILE;

/// Bits of a limb.
const LIMB: u32 = 52;
/// The largest limb.
const LIMB_MAX: u64 = u64::MAX >> (64 - LIMB);

/// Lines of working memory for each limb: two columns of the product, and two
/// in which products by halves are made.
const SCRATCH: usize = 4;

struct Ifma {
    instructions: Instructions,
    /// k limbs of n.
    n: Vec<u64>,
    /// -n^-1 mod 2^52.
    inverse: u64,
    /// n as it was given, as words.
    words: Vec<Word>,
    bits: u32,
    /// R mod n and R^2 mod n in every lane.
    one: Vec<Line>,
    square: Vec<Line>,
    /// The number one in every lane, as it is.
    unit: Vec<Line>,
}

/// The kernel for an odd modulus within the portable tier's widths; `None` for
/// others.
pub(super) fn kernel_for(
    instructions: Instructions,
    modulus: &BoxedUint,
    secrecy: Secrecy,
) -> Option<Box<dyn Kernel>> {
    let bits = modulus.bits_precision();
    // Two bits more than n, and than the width that the powers start from.
    let k = (portable::width(bits)? + 2)
        .div_ceil(LIMB)
        .next_multiple_of(TILE as u32);
    let exponents = [k * LIMB, 2 * k * LIMB];
    let [one, square] = portable::powers_of_two(modulus, secrecy, exponents)?;
    let k = k as usize;
    let n = limbs(modulus.as_words(), k).collect::<Vec<_>>();
    Some(Box::new(Ifma {
        instructions,
        inverse: negated_inverse(n.first().copied()?) & LIMB_MAX,
        n,
        words: modulus.as_words().to_vec(),
        bits,
        one: everywhere(&one, k),
        square: everywhere(&square, k),
        unit: everywhere(&[1], k),
    }))
}

/// The first k limbs of a number.
fn limbs(words: &[Word], k: usize) -> impl Iterator<Item = u64> {
    (0..k).map(|i| {
        let at = i * LIMB as usize;
        let (word, shift) = (at / 64, at % 64);
        let low = words.get(word).copied().unwrap_or(0);
        let high = words.get(word + 1).copied().unwrap_or(0);
        // Shifted twice, as a shift by 64 is none.
        (low >> shift | high << 1 << (63 - shift)) & LIMB_MAX
    })
}

/// Lines to be read and written in turns by overlapping windows.
fn cells(lines: &mut [Line]) -> &[Cell<Line>] {
    Cell::from_mut(lines).as_slice_of_cells()
}

/// A number in every lane.
fn everywhere(words: &[Word], k: usize) -> Vec<Line> {
    limbs(words, k)
        .map(|limb| Line([limb; LINE_WORDS]))
        .collect()
}

impl Ifma {
    fn k(&self) -> usize {
        self.n.len()
    }

    fn reduce(&self, out: &mut [Line], scratch: &mut [Line]) {
        let columns = cells(scratch);
        self.instructions
            .reduce(out, columns, &self.n, self.inverse);
    }

    /// The number of a lane, at most n, to a number below n.
    fn lane(&self, block: &[Line], lane: usize) -> BoxedUint {
        let mut words = Zeroizing::new(vec![0; self.words.len()]);
        for (i, line) in block.iter().enumerate() {
            let (limb, at) = (line.0[lane], i * LIMB as usize);
            let (word, shift) = (at / 64, at % 64);
            // What lies beyond the words of n is zero.
            if let Some(low) = words.get_mut(word) {
                *low |= limb << shift;
            }
            if let Some(high) = words.get_mut(word + 1) {
                *high |= limb >> 1 >> (63 - shift);
            }
        }
        let is_n = words.as_slice().ct_eq(&self.words).unwrap_u8();
        let keep = Word::from(is_n).wrapping_sub(1);
        let words = words.iter().map(|word| word & keep);
        BoxedUint::from_words_with_precision(words, self.bits)
    }
}

impl Drop for Ifma {
    fn drop(&mut self) {
        self.n.zeroize();
        self.inverse.zeroize();
        self.words.zeroize();
        self.one.zeroize();
        self.square.zeroize();
    }
}

impl Kernel for Ifma {
    fn layout(&self) -> Layout {
        Layout {
            lanes: LINE_WORDS,
            lines: self.k(),
        }
    }

    fn scratch(&self) -> usize {
        SCRATCH * self.k()
    }

    /// Permutations scan a table at an eighth of what the portable tier pays
    /// for it.
    fn window(&self) -> u32 {
        7
    }

    fn lookup(&self) -> usize {
        1500
    }

    fn one(&self) -> &[Line] {
        &self.one
    }

    fn multiply(&self, acc: &mut [Line], by: &[Line], scratch: &mut [Line]) {
        self.instructions.multiply(scratch, acc, by);
        self.reduce(acc, scratch);
    }

    fn square(&self, acc: &mut [Line], scratch: &mut [Line]) {
        self.instructions.square(scratch, acc);
        self.reduce(acc, scratch);
    }

    fn enter(&self, block: &mut [Line], numbers: &[BoxedUint], scratch: &mut [Line]) {
        block.fill(Line::default());
        for (lane, number) in numbers.iter().enumerate() {
            for (line, limb) in block.iter_mut().zip(limbs(number.as_words(), self.k())) {
                line.0[lane] = limb;
            }
        }
        self.multiply(block, &self.square, scratch);
    }

    fn leave(&self, block: &mut [Line], scratch: &mut [Line]) -> Vec<BoxedUint> {
        self.multiply(block, &self.unit, scratch);
        (0..LINE_WORDS).map(|lane| self.lane(block, lane)).collect()
    }

    fn select_block(&self, out: &mut [Line], table: &[Line], digit: usize) {
        self.instructions.block(out, table, digit);
    }

    fn select_each(&self, out: &mut [Line], table: &[Line], digits: &[usize]) {
        let blocks = digits.chunks(LINE_WORDS).map(|digits| {
            let mut line = Line::default();
            for (to, &digit) in line.0.iter_mut().zip(digits) {
                *to = digit as Word;
            }
            line
        });
        let digits = Zeroizing::new(blocks.collect::<Vec<_>>());
        self.instructions.each(out, table, &digits);
    }
}
