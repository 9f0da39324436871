//! The unit of storage: one cache line, one vector register.

use crypto_bigint::Word;
use zeroize::DefaultIsZeroes;

/// Words per line.
pub(super) const LINE_WORDS: usize = 512 / Word::BITS as usize;

/// 64 bytes at an address that is a multiple of 64, so that a line is one load
/// of a vector register and never two cache lines.
#[derive(Clone, Copy, Default)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [Word; LINE_WORDS]);

impl DefaultIsZeroes for Line {}

/// How numbers lie in lines. A *block* holds as many numbers as the kernel
/// works on at a time, its *lanes*; the words of each line belong to the lanes
/// in equal parts.
///
/// ```text
///              portable, one lane              eight lanes, 52 bits in a word
///   line 0   w0 w1 w2 w3 w4 w5 w6 w7         a0 b0 c0 d0 e0 f0 g0 h0
///   line 1   w8 w9 ...                       a1 b1 c1 d1 e1 f1 g1 h1
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Numbers per block; a divisor of [`LINE_WORDS`].
    pub(super) lanes: usize,
    /// Lines per block; never zero.
    pub(super) lines: usize,
}

impl Layout {
    /// Blocks that hold `count` numbers, the last one perhaps in part.
    pub(super) fn blocks(self, count: usize) -> usize {
        count.div_ceil(self.lanes)
    }

    /// Lines that hold `count` numbers.
    pub(super) fn lines_of(self, count: usize) -> usize {
        self.blocks(count) * self.lines
    }

    /// Copies number `from` of `source` to the place of number `to` of
    /// `target`.
    pub(super) fn copy(self, target: &mut [Line], to: usize, source: &[Line], from: usize) {
        let part = LINE_WORDS / self.lanes;
        let place = |number: usize| (number / self.lanes * self.lines, number % self.lanes * part);
        let ((to, at), (from, source_at)) = (place(to), place(from));
        let target = target.iter_mut().skip(to).take(self.lines);
        let lines = target.zip(source.iter().skip(from));
        if part == 1 {
            // A slice of one word would be a call for each word.
            lines.for_each(|(target, source)| target.0[at] = source.0[source_at]);
        } else {
            lines.for_each(|(target, source)| {
                target.0[at..at + part].copy_from_slice(&source.0[source_at..source_at + part]);
            });
        }
    }
}
