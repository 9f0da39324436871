//! A plaintext as it is put together, and taken apart.

use crypto_bigint::BoxedUint;
use zeroize::Zeroizing;

/// A number below 2^bits, as words from the lowest. Wiped when dropped.
///
/// Where something is added or read is public; what it is decides nothing
/// about how long that takes.
pub(super) struct Plaintext(Zeroizing<Vec<u64>>);

impl Plaintext {
    /// Zero, with room for `bits` bits. In full length from the start: growing
    /// would leave a copy behind.
    pub(super) fn zero(bits: u32) -> Self {
        Self(Zeroizing::new(vec![0; bits.div_ceil(64) as usize]))
    }

    /// Of a number that was decrypted.
    pub(super) fn of(number: &BoxedUint) -> Self {
        let mut plaintext = Self::zero(number.bits_precision());
        let bytes = Zeroizing::new(number.to_le_bytes());
        for (word, bytes) in plaintext.0.iter_mut().zip(bytes.chunks(8)) {
            let bytes = bytes.iter().rev();
            *word = bytes.fold(0, |word, byte| word << 8 | u64::from(*byte));
        }
        plaintext
    }

    /// Adds `x 2^bit`. What goes beyond the end is lost.
    pub(super) fn add(&mut self, bit: u32, x: u64) {
        let wide = u128::from(x) << (bit % 64);
        let parts = [wide as u64, (wide >> 64) as u64];
        let mut carry = false;
        let words = self.0.iter_mut().skip((bit / 64) as usize);
        for (word, part) in words.zip(parts.into_iter().chain(core::iter::repeat(0))) {
            let (sum, first) = word.overflowing_add(part);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            *word = sum;
            carry = first | second;
        }
    }

    /// The 64 bits from `bit`; zeros beyond the end.
    pub(super) fn word_at(&self, bit: u32) -> u64 {
        let at = (bit / 64) as usize;
        let [low, high] = [at, at + 1].map(|at| self.0.get(at).copied().unwrap_or(0));
        ((u128::from(high) << 64 | u128::from(low)) >> (bit % 64)) as u64
    }

    /// As a number of a precision that it fits into.
    pub(super) fn to_boxed(&self, bits: u32) -> BoxedUint {
        let mut bytes = Zeroizing::new(vec![0; 8 * self.0.len()]);
        for (bytes, word) in bytes.chunks_exact_mut(8).zip(self.0.iter().rev()) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        BoxedUint::from_be_slice_truncated(&bytes, bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_at_a_bit_is_read_there() {
        for bit in 0..130 {
            let mut plaintext = Plaintext::zero(256);
            plaintext.add(bit, u64::MAX);
            assert_eq!(plaintext.word_at(bit), u64::MAX);
            let boxed = plaintext.to_boxed(256);
            assert_eq!(boxed.bits(), bit + 64);
            assert_eq!(Plaintext::of(&boxed).word_at(bit), u64::MAX);
        }
    }

    #[test]
    fn carries_run_through_all_words() {
        let mut plaintext = Plaintext::zero(192);
        for bit in [0, 64, 128] {
            plaintext.add(bit, u64::MAX);
        }
        plaintext.add(0, 1);
        assert_eq!([0, 64, 128].map(|bit| plaintext.word_at(bit)), [0; 3]);
        plaintext.add(63, 3);
        assert_eq!(plaintext.word_at(63), 3);
    }
}
