//! The room of one value: how large it gets, and what hides it.

use crate::Rng;

use super::plaintext::Plaintext;

/// Distance from perfect hiding, wherever hiding is statistical: 2^-40.
pub(super) const STATISTICAL_BITS: u32 = 40;

/// Bits of the ring.
pub(super) const RING_BITS: u32 = 64;

/// The room of one value of a product.
///
/// The evaluator computes a signed integer v, |v| <= V = 2^value. The key
/// owner may learn x = v + S mod 2^64 and nothing of what lies above, where S
/// is a mask or, for the input gradient, a number of the evaluator's (Delta W).
/// So the evaluator adds, as one number,
///
/// ```text
///   V + S + 2^64 k          S in [0, 2^64),  k uniform in [0, 2^carry)
/// ```
///
/// V makes the sum positive; the owner, who knows it, takes it off again. What
/// the carry has to be depends on what S is:
///
/// - **S a mask**, uniform: then S + 2^64 k is one uniform mask of [0, 2^m),
///   m = 64 + carry. Two values of v, at most 2 V apart, are told from each
///   other with advantage 2 V / 2^m at most, which is 2^-40 for
///   `m = value + 1 + 40`. (To hide the carries by k alone, as if S were known,
///   would cost the bits by which v is shorter than the ring: 18 of 107 in the
///   weight gradient of the paper's network.)
/// - **S any number**: x is for the owner to see, and k alone hides
///   y = (v + S - x) / 2^64, which takes values at most 2 V / 2^64 + 1 apart,
///   so 2^carry is 2^40 times a power of two above that.
///
/// Either way the sum is not negative and below 2 V + 2^m < 2^(m + 1), since
/// 2 V <= 2^(m - 40). That is the slot: **m + 1 bits, which no sum of an honest
/// evaluator leaves at either end.**
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    value_bits: u32,
    carry_bits: u32,
}

impl Slot {
    /// For a value under a uniform mask of the ring.
    pub(super) fn masked(value_bits: u32) -> Self {
        Self {
            value_bits,
            carry_bits: (value_bits + 1 + STATISTICAL_BITS).saturating_sub(RING_BITS),
        }
    }

    /// For a value that is shown modulo 2^64.
    pub(super) fn shown(value_bits: u32) -> Self {
        Self {
            value_bits,
            carry_bits: (value_bits + 1).saturating_sub(RING_BITS) + 1 + STATISTICAL_BITS,
        }
    }

    /// For a value that may be seen whole: nothing to hide, so no more room
    /// than a ring element and its sign take. The value stays below 2^62 in
    /// size.
    pub(super) fn whole(value_bits: u32) -> Self {
        Self {
            value_bits,
            carry_bits: 0,
        }
    }

    /// log2 V.
    pub(super) fn value_bits(self) -> u32 {
        self.value_bits
    }

    /// Its width.
    pub(super) fn bits(self) -> u32 {
        RING_BITS + self.carry_bits + 1
    }

    /// Adds `V + low + 2^64 k` at bit `at`, with fresh k.
    pub(super) fn blind(self, sum: &mut Plaintext, at: u32, low: u64, rng: &mut Rng) {
        sum.add(at, low);
        sum.add(at + self.value_bits, 1);
        for drawn in (0..self.carry_bits).step_by(64) {
            let left = self.carry_bits - drawn;
            let carry = rng.next_u64() >> 64_u32.saturating_sub(left);
            sum.add(at + RING_BITS + drawn, carry);
        }
    }

    /// The ring element in what a slot was found to hold modulo 2^64.
    pub(super) fn open(self, low: u64) -> u64 {
        low.wrapping_sub(1_u64.checked_shl(self.value_bits).unwrap_or(0))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use num_bigint::BigInt;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    fn number(plaintext: &Plaintext) -> BigInt {
        let bytes = plaintext.to_boxed(512).to_be_bytes();
        BigInt::from_bytes_be(num_bigint::Sign::Plus, &bytes)
    }

    fn slots() -> impl Iterator<Item = Slot> {
        let widths = [1, 22, 23, 24, 47, 62, 63, 64, 65, 76, 93, 127, 190];
        widths
            .into_iter()
            .flat_map(|bits| [Slot::masked(bits), Slot::shown(bits)])
    }

    /// The least and the most that a slot can hold, whatever was drawn.
    #[test]
    fn no_value_within_its_bound_leaves_its_slot() {
        for slot in slots() {
            let edge = BigInt::from(1) << slot.value_bits;
            let mask = (BigInt::from(1) << (RING_BITS + slot.carry_bits)) - 1;
            let most: BigInt = &edge + &edge + mask;
            assert!(most.bits() <= u64::from(slot.bits()), "{slot:?}");
            // V on top of v = -V is nothing: it cannot get below zero.
            let mut rng = ChaCha20Rng::seed_from_u64(1);
            for low in [0, 1, 1 << 63, u64::MAX] {
                let mut sum = Plaintext::zero(512);
                slot.blind(&mut sum, 0, low, &mut rng);
                assert!(number(&sum) >= edge, "{slot:?}");
                assert!(number(&sum) <= &most - &edge, "{slot:?}");
                assert_eq!(slot.open(sum.word_at(0)), low, "{slot:?}");
            }
        }
    }

    #[test]
    fn the_masks_are_two_to_the_forty_times_what_they_hide() {
        for slot in slots() {
            let range = BigInt::from(2) << slot.value_bits;
            let forty = BigInt::from(1) << STATISTICAL_BITS;
            let carries = BigInt::from(1) << slot.carry_bits;
            let ring = BigInt::from(1) << RING_BITS;
            if slot == Slot::masked(slot.value_bits) {
                assert!(carries * ring >= range * forty, "{slot:?}");
            } else {
                assert!(carries >= (range / ring + 1) * forty, "{slot:?}");
            }
        }
    }

    #[test]
    fn every_bit_above_the_ring_moves() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        for slot in slots() {
            let seen: Vec<_> = (0..64)
                .map(|_| {
                    let mut sum = Plaintext::zero(512);
                    slot.blind(&mut sum, 0, 7, &mut rng);
                    number(&sum)
                })
                .collect();
            for bit in RING_BITS..RING_BITS + slot.carry_bits {
                let ones = seen.iter().filter(|x| x.bit(bit.into())).count();
                assert!((1..64).contains(&ones), "{slot:?}: bit {bit} stands still");
            }
        }
    }
}
