//! The public key, checked when it is read.

use core::fmt;
use std::sync::Arc;

use crypto_bigint::{BoxedUint, ConcatenatingMul, Gcd, Limb, NonZero};
use crypto_primes::{Flavor, is_prime};
use entente_wire::{Decode, DecodeError, Encode, Reader, Secret, sealed::Sealed};
use num_bigint::BigUint;
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::Layout;
use crate::{
    KeyBits,
    engine::{Modulus, at_precision, low_u64},
};

/// A modulus n of exactly the agreed size, and how its owner lays plaintexts
/// out. Cheap to clone.
#[derive(Clone)]
pub struct PublicKey(Arc<Inner>);

struct Inner {
    bits: KeyBits,
    layout: Layout,
    n: NonZero<BoxedUint>,
    n_squared: BoxedUint,
    modulus: Modulus,
}

/// Trial division stops here; what is smaller has no place in a key, and a proof
/// leans on there being none (`proof.rs`).
pub(super) const SMALL_FACTORS: u32 = 1 << 16;

impl PublicKey {
    /// Takes a number as a key of the agreed size, if it can be one. Whether it
    /// is a product of two large primes cannot be seen from outside; what can
    /// be seen is looked at.
    pub(super) fn parse(
        n: &BoxedUint,
        bits: KeyBits,
        layout: Layout,
    ) -> Result<Self, &'static str> {
        if n.bits_vartime() != bits.bits() {
            return Err("it is not of the agreed size");
        }
        if !n.bit_vartime(0) {
            return Err("it is even");
        }
        if smallest_factor(n, SMALL_FACTORS).is_some() {
            return Err("it has a small factor");
        }
        if is_perfect_power(n) {
            return Err("it is a power of another number");
        }
        if is_prime(Flavor::Any, n) {
            return Err("it is a prime");
        }
        Self::trusted(n, bits, layout).ok_or("it is not of a size that this build computes with")
    }

    /// A key that its owner has just made.
    pub(super) fn trusted(n: &BoxedUint, bits: KeyBits, layout: Layout) -> Option<Self> {
        let n = at_precision(n, bits.bits());
        let n_squared = n.concatenating_mul(&n);
        Some(Self(Arc::new(Inner {
            bits,
            layout,
            modulus: Modulus::public(&n_squared)?,
            n: n.to_nz().into_option()?,
            n_squared,
        })))
    }

    /// Its size.
    pub fn bits(&self) -> KeyBits {
        self.0.bits
    }

    /// How plaintexts are laid out.
    pub fn layout(&self) -> Layout {
        self.0.layout
    }

    /// n, in the precision of the key.
    pub(super) fn n(&self) -> &NonZero<BoxedUint> {
        &self.0.n
    }

    /// n^2.
    pub(super) fn n_squared(&self) -> &BoxedUint {
        &self.0.n_squared
    }

    /// Arithmetic modulo n^2.
    pub(super) fn modulus(&self) -> &Modulus {
        &self.0.modulus
    }

    /// Whether this one may follow `last`: it is another modulus, and none of its
    /// primes was in that one, where who comes by the one would have the other.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn follows(&self, last: &Self) -> Result<(), &'static str> {
        let bits = self.bits().bits().max(last.bits().bits());
        let [n, before] = [self, last].map(|key| at_precision(key.n().as_ref(), bits));
        if n == before {
            return Err("it is the last one");
        }
        match n.gcd_vartime(&before).is_one().to_bool() {
            true => Ok(()),
            false => Err("it has a factor in common with the last one"),
        }
    }

    /// A mark that ciphertexts carry, so that those under another key are
    /// recognised: the lowest bits of n. Against mistakes, not against malice.
    pub(super) fn mark(&self) -> u64 {
        low_u64(self.n().as_ref())
    }

    /// (1 + n)^m = 1 + m n mod n^2, for m of [0, n). Constant time in m.
    pub(super) fn encode(&self, m: &BoxedUint) -> BoxedUint {
        let m = Zeroizing::new(at_precision(m, self.bits().bits()));
        let mut encoded = self.n().as_ref().concatenating_mul(&*m);
        encoded.wrapping_add_assign(Limb::ONE);
        encoded
    }

    /// As [`PublicKey::encode`], of many.
    pub(super) fn encode_all(&self, plaintexts: &Secret<Vec<BoxedUint>>) -> Secret<Vec<BoxedUint>> {
        let plaintexts = plaintexts.expose().par_iter();
        Secret::new(plaintexts.map(|m| self.encode(m)).collect())
    }

    /// Bytes of n on the wire.
    fn bytes(bits: KeyBits) -> usize {
        bits.bits().div_ceil(8) as usize
    }

    /// Bytes of a ciphertext on the wire.
    pub(super) fn ciphertext_bytes(&self) -> usize {
        (2 * self.bits().bits()).div_ceil(8) as usize
    }
}

/// The last `bytes` bytes of a number, big-endian.
pub(super) fn put_number(number: &BoxedUint, bytes: usize, out: &mut Vec<u8>) {
    let all = Zeroizing::new(number.to_be_bytes());
    let skip = all.len().saturating_sub(bytes);
    out.extend(all.iter().skip(skip));
}

/// The smallest factor of an odd number from three to below `limit`.
pub(super) fn smallest_factor(n: &BoxedUint, limit: u32) -> Option<u32> {
    (3..limit).step_by(2).find(|&divisor| {
        NonZero::new(Limb::from(divisor))
            .into_option()
            .is_some_and(|divisor| n.rem_limb(divisor) == Limb::ZERO)
    })
}

/// Whether n = m^k for some k >= 2, n free of small factors.
fn is_perfect_power(n: &BoxedUint) -> bool {
    let n = BigUint::from_bytes_be(&n.to_be_bytes());
    // m has no factor below 2^16, so k is at most bits / 16.
    let most = n.bits() / u64::from(SMALL_FACTORS.ilog2());
    (2..=most as u32)
        .filter(|&k| (2..k).take_while(|d| d * d <= k).all(|d| k % d != 0))
        .any(|k| n.nth_root(k).pow(k) == n)
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.layout() == other.layout() && self.n().as_ref() == other.n().as_ref())
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PublicKey({} bits, {:?}, ..{:08x})",
            self.bits().bits(),
            self.layout(),
            self.mark() as u32
        )
    }
}

impl Sealed for PublicKey {}

impl Encode for PublicKey {
    /// Layout (u8), n in its bytes.
    fn encode(&self, out: &mut Vec<u8>) {
        self.layout().encode(out);
        put_number(self.n().as_ref(), Self::bytes(self.bits()), out);
    }
}

impl Decode<KeyBits> for PublicKey {
    fn decode(bits: &KeyBits, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let layout = Layout::decode("public key", input)?;
        let bytes = input.take("public key", Self::bytes(*bits))?;
        let n = BoxedUint::from_be_slice_truncated(bytes, 8 * bytes.len() as u32);
        Self::parse(&n, *bits, layout).map_err(|why| DecodeError::Invalid {
            what: "public key",
            why,
        })
    }
}
