//! The tier for x86-64 without AVX-512: one number at a time, two chains of
//! carries.
//!
//! A number is L words, a multiple of eight, R = 2^(64 L). Everything is made
//! of one loop, eight words of a factor against all of the other (see
//! [`rows`]):
//!
//! ```text
//!   a b       tile by tile of a, past all of b                     L^2
//!   a^2       tile by tile of a, past what is above it; doubled;
//!             the squares of tiles added                           L^2 / 2 + 4 L
//!   mod n     eight quotients from the lowest tile, then these
//!             as a tile past the rest of n                         L^2 + L
//! ```
//!
//! Numbers are any below R ("almost Montgomery"): for a, b < R the reduction
//! gives less than R + n, and n comes off, by a mask, when that does not fit in
//! L words. Whether a number is below n is not asked until it leaves.
//!
//! `unsafe` is in [`rows`], in the view of lines as words, and in the calls of
//! a function that needs AVX2.

#![allow(unsafe_code)]

mod rows;
#[cfg(test)]
mod tests;

use crypto_bigint::{BoxedUint, Word};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use super::{
    integer::negated_inverse,
    kernel::{Kernel, Secrecy},
    line::{LINE_WORDS, Layout, Line},
    portable,
    select::select,
};
use rows::{Accumulators, Proof, TILE, cancel, stream};

/// Whether this processor can run the tier.
pub(super) fn available() -> bool {
    Proof::find().is_some()
}

struct Adx {
    proof: Proof,
    n: Vec<Line>,
    /// -n^-1 mod 2^64.
    inverse: u64,
    /// R mod n and R^2 mod n, and the number one as it is.
    one: Vec<Line>,
    square: Vec<Line>,
    unit: Vec<Line>,
    /// Of the modulus, as it was given.
    bits: u32,
}

/// The kernel for an odd modulus within the portable tier's widths; `None` for
/// others, and where [`available`] is not.
pub(super) fn kernel_for(modulus: &BoxedUint, secrecy: Secrecy) -> Option<Box<dyn Kernel>> {
    let proof = Proof::find()?;
    let bits = modulus.bits_precision();
    let width = portable::width(bits)?.next_multiple_of(TILE as u32 * Word::BITS);
    let [one, square] = portable::powers_of_two(modulus, secrecy, [width, 2 * width])?;
    let lines = width as usize / Word::BITS as usize / LINE_WORDS;
    Some(Box::new(Adx {
        proof,
        inverse: negated_inverse(modulus.as_words().first().copied()?),
        n: filled(modulus.as_words(), lines),
        one: filled(&one, lines),
        square: filled(&square, lines),
        unit: filled(&[1], lines),
        bits,
    }))
}

fn filled(number: &[Word], lines: usize) -> Vec<Line> {
    let mut filled = vec![Line::default(); lines];
    for (to, from) in words_mut(&mut filled).iter_mut().zip(number) {
        *to = *from;
    }
    filled
}

fn words(lines: &[Line]) -> &[u64] {
    // SAFETY: a `Line` is eight words and nothing else, 64 bytes aligned to 64.
    unsafe { core::slice::from_raw_parts(lines.as_ptr().cast(), lines.len() * LINE_WORDS) }
}

fn words_mut(lines: &mut [Line]) -> &mut [u64] {
    // SAFETY: as in `words`; any words are a line, and the borrow is exclusive.
    unsafe { core::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), lines.len() * LINE_WORDS) }
}

/// `to += from + carry`; the carry out. Of equal lengths.
fn add(to: &mut [u64], from: &[u64], carry: bool) -> bool {
    to.iter_mut().zip(from).fold(carry, |carry, (to, from)| {
        let (sum, over) = to.overflowing_add(*from);
        let (sum, again) = sum.overflowing_add(carry.into());
        *to = sum;
        over | again
    })
}

/// Tile by tile; lengths are multiples of it.
fn tiles(words: &[u64]) -> &[[u64; TILE]] {
    words.as_chunks().0
}

impl Adx {
    /// Adds a tile past `b`, from word `at` of `t` on; the words above what
    /// `t` held so far are set.
    fn band(&self, t: &mut [u64], at: usize, tile: &[u64; TILE], b: &[u64]) {
        let mut acc = Accumulators::default();
        let (window, above) = t.split_at_mut(at + b.len());
        stream(self.proof, &mut window[at..], tile, b, &mut acc);
        above[..TILE].copy_from_slice(&acc.0);
        acc.zeroize();
    }

    /// `t <- a b`, of twice as many words.
    fn product(&self, t: &mut [u64], a: &[u64], b: &[u64]) {
        t[..b.len()].fill(0);
        for (i, tile) in tiles(a).iter().enumerate() {
            self.band(t, i * TILE, tile, b);
        }
    }

    /// `t <- a^2`, of twice as many words.
    fn square(&self, t: &mut [u64], a: &[u64]) {
        t.fill(0);
        for (i, tile) in tiles(a).iter().enumerate() {
            let above = (i + 1) * TILE;
            if above < a.len() {
                self.band(t, i * TILE + above, tile, &a[above..]);
            }
        }
        let (mut shifted_out, mut carry) = (0, false);
        for (tile, t) in tiles(a).iter().zip(t.chunks_exact_mut(2 * TILE)) {
            for word in &mut *t {
                (*word, shifted_out) = (*word << 1 | shifted_out, *word >> 63);
            }
            let mut square = [0; 2 * TILE];
            self.band(&mut square, 0, tile, tile);
            carry = add(t, &square, carry);
            square.zeroize();
        }
    }

    /// `out <- t / R` modulo n.
    fn reduce(&self, out: &mut [u64], t: &mut [u64]) {
        let n = words(&self.n);
        let Some((lowest, rest)) = n.split_first_chunk::<TILE>() else {
            return;
        };
        let mut carry = false;
        for at in (0..n.len()).step_by(TILE) {
            let mut acc = Accumulators::default();
            acc.0.copy_from_slice(&t[at..at + TILE]);
            let mut quotients = cancel(self.proof, lowest, self.inverse, &mut acc);
            let (window, above) = t[at + TILE..].split_at_mut(rest.len());
            stream(self.proof, window, &quotients.0, rest, &mut acc);
            carry = add(&mut above[..TILE], &acc.0, carry);
            quotients.zeroize();
            acc.zeroize();
        }
        // What does not fit is n too much.
        let mask = u64::from(carry).wrapping_neg();
        let mut borrow = false;
        for ((out, t), n) in out.iter_mut().zip(&t[n.len()..]).zip(n) {
            let (difference, under) = t.overflowing_sub(n & mask);
            let (difference, again) = difference.overflowing_sub(borrow.into());
            (*out, borrow) = (difference, under | again);
        }
    }
}

impl Drop for Adx {
    fn drop(&mut self) {
        self.n.zeroize();
        self.inverse.zeroize();
        self.one.zeroize();
        self.square.zeroize();
    }
}

impl Kernel for Adx {
    fn layout(&self) -> Layout {
        Layout {
            lanes: 1,
            lines: self.n.len(),
        }
    }

    fn scratch(&self) -> usize {
        2 * self.n.len()
    }

    fn window(&self) -> u32 {
        6
    }

    fn lookup(&self) -> usize {
        150
    }

    fn one(&self) -> &[Line] {
        &self.one
    }

    fn multiply(&self, acc: &mut [Line], by: &[Line], scratch: &mut [Line]) {
        let t = words_mut(scratch);
        self.product(t, words(acc), words(by));
        self.reduce(words_mut(acc), t);
    }

    fn square(&self, acc: &mut [Line], scratch: &mut [Line]) {
        let t = words_mut(scratch);
        Adx::square(self, t, words(acc));
        self.reduce(words_mut(acc), t);
    }

    fn enter(&self, block: &mut [Line], numbers: &[BoxedUint], scratch: &mut [Line]) {
        block.fill(Line::default());
        for number in numbers {
            let to = words_mut(block).iter_mut();
            to.zip(number.as_words()).for_each(|(to, from)| *to = *from);
        }
        self.multiply(block, &self.square, scratch);
    }

    /// The factor is one, so the result is at most n, and n stands for zero.
    fn leave(&self, block: &mut [Line], scratch: &mut [Line]) -> Vec<BoxedUint> {
        self.multiply(block, &self.unit, scratch);
        let is_n = words(block).ct_eq(words(&self.n)).unwrap_u8();
        let keep = Word::from(is_n).wrapping_sub(1);
        let number = words(block).iter().map(|word| word & keep);
        let length = self.bits.div_ceil(Word::BITS) as usize;
        vec![BoxedUint::from_words_with_precision(
            number.take(length),
            self.bits,
        )]
    }

    fn select_block(&self, out: &mut [Line], table: &[Line], digit: usize) {
        // SAFETY: `self.proof` shows that the instructions are there.
        unsafe { select_in_vectors(out, table, digit) }
    }

    fn select_each(&self, out: &mut [Line], table: &[Line], digits: &[usize]) {
        let lines = self.layout().lines;
        for (out, &digit) in out.chunks_exact_mut(lines).zip(digits) {
            self.select_block(out, table, digit);
        }
    }
}

/// The portable scan, compiled for wider registers.
#[target_feature(enable = "avx2")]
fn select_in_vectors(out: &mut [Line], table: &[Line], digit: usize) {
    select(out, table, digit);
}
