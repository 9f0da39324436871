//! That encryption under a modulus can be undone: shown without showing how.
//!
//! From outside a modulus is a number. What can be seen of it is looked at when
//! it is read (`public_key.rs`). What cannot be seen is whether
//!
//! ```text
//!   gcd(n, phi(n)) = 1
//! ```
//!
//! and the whole scheme hangs on it: then, and only then, x -> x^n is a
//! permutation of the units mod n, Enc(m) = (1 + m n) r^n is a bijection, and
//! one ciphertext has one plaintext. It also says that n is free of squares. A
//! modulus with q = 1 mod p looks like any other, and ciphertexts under it have
//! several plaintexts each.
//!
//! Source: S. Goldberg, L. Reyzin, O. Sagga and F. Baldimtsi, "Efficient
//! Noninteractive Certification of RSA Moduli and Beyond", ASIACRYPT 2019 (ePrint
//! 2018/057): if x -> x^n is no permutation, at most one unit in p has a root,
//! where p is the smallest prime that n and phi(n) share. So the owner is asked
//! for the n-th roots of numbers that nobody has chosen:
//!
//! ```text
//!   rho_i = H(n, context, i) mod n        i = 0 .. 7
//!   sigma_i = rho_i^(1/n) mod n           the owner's, by phi(n)
//!   sigma_i^n = rho_i mod n ?             anybody's
//! ```
//!
//! The reader has divided by every prime below 2^16, so p is larger than that, and
//! a modulus that is bad passes with less than (2^-16)^8 = 2^-128 for every hash
//! that its maker cares to compute.
//!
//! # Why it tells nothing
//!
//! Who simulates picks sigma_i and lets H say sigma_i^n. The roots are of numbers
//! from a hash that is used for nothing else, over the modulus and the context, so
//! that no ciphertext can be put into the place of one: an owner that took roots
//! of numbers from its peer would be decrypting for it.
//!
//! # Why a context
//!
//! A proof is about a modulus, and would be as good in any session. With session
//! and number of the key in it, one that is copied from elsewhere is refused: who
//! announces a modulus has to know what is behind it, now.
//!
//! # What it does not say
//!
//! That n has two prime factors (three would decrypt as well), that they are
//! large (the owner would harm itself), or that p - 1 and q - 1 share no large
//! factor, which `rerandomise.rs` leans on.

use core::{cmp::Ordering, fmt};

use crypto_bigint::BoxedUint;
use entente_wire::{Decode, DecodeError, Digest, Encode, Reader, sealed::Sealed};

use super::{
    PublicKey,
    public_key::{SMALL_FACTORS, put_number},
    secret_key::SecretKey,
};
use crate::{
    HeError, KeyBits,
    engine::{Modulus, at_precision},
};

/// Roots of a proof: 2^-16 each.
const ROOTS: usize = 8;
/// What they must come to together.
const SOUNDNESS_BITS: usize = 128;
const _: () = assert!(ROOTS * SMALL_FACTORS.ilog2() as usize >= SOUNDNESS_BITS);

/// Bits of a hash beyond those of n: what is left of it mod n is uniform to
/// 2^-128.
const SURPLUS_BYTES: usize = 16;

/// The n-th roots of eight numbers that n and a context decide.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyProof {
    bits: KeyBits,
    /// In the precision of the key.
    roots: Vec<BoxedUint>,
}

impl KeyProof {
    /// Of the key's owner.
    ///
    /// # Errors
    /// [`HeError::Fault`] when the roots are none: with one that is right mod p
    /// and wrong mod q anybody could factor n, so they are looked at before they
    /// are shown.
    pub(super) fn make(key: &SecretKey, context: Digest) -> Result<Self, HeError> {
        let challenges = challenges(key.public(), context);
        let roots = key.nth_roots(&challenges).ok_or(HeError::Fault)?;
        let proof = Self::of_roots(key.public().bits(), roots);
        match proof.shows(key.public(), context) {
            true => Ok(proof),
            false => Err(HeError::Fault),
        }
    }

    /// Whether it is one for this key in this context.
    pub(super) fn shows(&self, key: &PublicKey, context: Digest) -> bool {
        let n = key.n().as_ref();
        let Some(modulus) = Modulus::public(n) else {
            return false;
        };
        let is_residue = |root: &BoxedUint| root.cmp_vartime(n) == Ordering::Less;
        let is_of_this_form = self.bits == key.bits() && self.roots.len() == ROOTS;
        if !is_of_this_form || !self.roots.iter().all(is_residue) {
            return false;
        }
        let powers = modulus.pow(&modulus.import(&self.roots), n, key.bits().bits());
        modulus.export(&powers) == challenges(key, context)
    }

    /// These, whatever they are.
    pub(super) fn of_roots(bits: KeyBits, roots: Vec<BoxedUint>) -> Self {
        Self { bits, roots }
    }
}

/// The rho_i, in the precision of the key.
pub(super) fn challenges(key: &PublicKey, context: Digest) -> Vec<BoxedUint> {
    let mut n = Vec::new();
    put_number(key.n().as_ref(), bytes(key.bits()), &mut n);
    let wide = n.len() + SURPLUS_BYTES;
    let challenge = |index: u32| {
        let blocks = (0_u32..).flat_map(|block| {
            let parts: [&[u8]; 4] = [
                &n,
                context.as_bytes(),
                &index.to_be_bytes(),
                &block.to_be_bytes(),
            ];
            *Digest::of("entente key proof", &parts).as_bytes()
        });
        let hash: Vec<u8> = blocks.take(wide).collect();
        let hash = BoxedUint::from_be_slice_truncated(&hash, 8 * wide as u32);
        at_precision(&hash.rem(key.n()), key.bits().bits())
    };
    (0..ROOTS as u32).map(challenge).collect()
}

/// Bytes of a root on the wire.
fn bytes(bits: KeyBits) -> usize {
    bits.bits().div_ceil(8) as usize
}

impl fmt::Debug for KeyProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyProof({} roots)", self.roots.len())
    }
}

impl Sealed for KeyProof {}

impl Encode for KeyProof {
    /// The roots, each in the bytes of n.
    fn encode(&self, out: &mut Vec<u8>) {
        for root in &self.roots {
            put_number(root, bytes(self.bits), out);
        }
    }
}

impl Decode<KeyBits> for KeyProof {
    fn decode(bits: &KeyBits, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let root = |_| {
            let bytes = input.take("key proof", bytes(*bits))?;
            Ok(BoxedUint::from_be_slice_truncated(
                bytes,
                8 * bytes.len() as u32,
            ))
        };
        let roots = (0..ROOTS).map(root).collect::<Result<_, _>>()?;
        Ok(Self::of_roots(*bits, roots))
    }
}
