//! Integers at a precision.

use crypto_bigint::BoxedUint;
use zeroize::Zeroizing;

/// `x` in the precision of `bits` bits (rounded up to words), whatever it had
/// before. The caller knows that it fits; what does not is cut off.
pub(crate) fn at_precision(x: &BoxedUint, bits: u32) -> BoxedUint {
    BoxedUint::from_words_with_precision(x.as_words().iter().copied(), bits)
}

/// `x` modulo 2^64.
pub(crate) fn low_u64(x: &BoxedUint) -> u64 {
    let bytes = Zeroizing::new(x.to_le_bytes());
    let low = bytes.iter().take(8).rev();
    low.fold(0, |low, byte| low << 8 | u64::from(*byte))
}

/// -n^-1 mod 2^64 for odd n, by Newton's iteration: each step doubles the
/// right bits, of which n itself has three. What Montgomery's reduction takes
/// its quotients by.
#[cfg(target_arch = "x86_64")]
pub(super) fn negated_inverse(n: u64) -> u64 {
    let inverse = (0..5).fold(n, |x, _| {
        x.wrapping_mul(2_u64.wrapping_sub(n.wrapping_mul(x)))
    });
    inverse.wrapping_neg()
}
