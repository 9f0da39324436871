//! Looking things up without showing where.

use crypto_bigint::Word;
use subtle::ConstantTimeEq;

use super::line::Line;

/// Copies block `digit` of `table` to `out`, reading every block: the caches
/// see one scan whatever the digit was. A digit beyond the table yields zero.
pub(super) fn select(out: &mut [Line], table: &[Line], digit: usize) {
    out.fill(Line::default());
    for (index, block) in table.chunks_exact(out.len()).enumerate() {
        let mask = Word::from(index.ct_eq(&digit).unwrap_u8()).wrapping_neg();
        for (o, e) in out.iter_mut().zip(block) {
            for (o, e) in o.0.iter_mut().zip(&e.0) {
                *o |= e & mask;
            }
        }
    }
}

/// `count` bits of `words` from bit `start`, `count` small. Which words are
/// read depends on the position alone; beyond the end there are zeros.
pub(super) fn digit(words: &[Word], start: u32, count: u32) -> usize {
    (0..count).fold(0, |digit, i| {
        let at = start + i;
        let word = words.get((at / Word::BITS) as usize).copied().unwrap_or(0);
        digit | ((word >> (at % Word::BITS)) as usize & 1) << i
    })
}
