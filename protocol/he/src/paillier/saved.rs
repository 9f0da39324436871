//! The secret key as bytes, for its owner's own checkpoint.
//!
//! ```text
//!   layout │ k of p │ p │ g of p │ k of q │ q │ g of q
//! ```
//!
//! p = 2 k r + 1 and g generates the units mod p (`keygen.rs`). k and g could be
//! found again from p by whoever has time to factor p - 1; kept, they let the
//! reader see in milliseconds that all is as it was made. Everything else of a
//! key is computed from these. Tables are not in it: they are many megabytes,
//! and made in less time than a disk takes to read them.
//!
//! A number has the bytes of its size, so the whole has one length, and one
//! encoding.

use core::cmp::Ordering;

use crypto_bigint::BoxedUint;
use entente_wire::{DecodeError, Encode, Reader, Secret};
use num_integer::Integer;

use super::{
    Layout,
    keygen::{Origin, assemble},
    public_key::put_number,
    secret_key::SecretKey,
};
use crate::KeyBits;

/// Bytes of a number of half the key's size.
fn number_bytes(bits: KeyBits) -> usize {
    (bits.bits() / 2).div_ceil(8) as usize
}

/// Bytes of a key.
fn key_bytes(bits: KeyBits) -> usize {
    1 + 2 * (8 + 2 * number_bytes(bits))
}

/// The key's bytes.
pub(super) fn write(key: &SecretKey) -> Secret<Vec<u8>> {
    let (bits, layout) = (key.public().bits(), key.public().layout());
    let number = number_bytes(bits);
    // All at once: a vector that grows leaves what it held behind.
    let mut out = Vec::with_capacity(key_bytes(bits));
    layout.encode(&mut out);
    for origin in key.origins() {
        origin.cofactor().encode(&mut out);
        put_number(origin.prime(), number, &mut out);
        put_number(origin.generator(), number, &mut out);
    }
    Secret::new(out)
}

/// The key of these bytes, which must have been made for `bits` and `layout`.
///
/// # Errors
/// What is wrong with them.
pub(super) fn read(
    saved: &Secret<Vec<u8>>,
    bits: KeyBits,
    layout: Layout,
) -> Result<SecretKey, &'static str> {
    // Before any prime is tested.
    if saved.expose().len() != key_bytes(bits) {
        return Err(WRONG_LENGTH);
    }
    let mut input = Reader::new(saved.expose());
    let made_for = Layout::decode("saved key", &mut input).map_err(length)?;
    if made_for != layout {
        return Err("it is for plaintexts of another layout; start with the one it was made with");
    }
    let p = origin(&mut input, bits)?;
    let q = origin(&mut input, bits)?;
    input.finish().map_err(length)?;
    let ordered = p.prime().cmp_vartime(q.prime()) == Ordering::Less;
    if !ordered || p.cofactor().gcd(&q.cofactor()) != 1 {
        return Err("its primes do not go together");
    }
    assemble([p, q], bits, layout).ok_or("there is no kernel for its size")
}

const WRONG_LENGTH: &str = "it is not a key of this size";

fn length(_: DecodeError) -> &'static str {
    WRONG_LENGTH
}

fn origin(input: &mut Reader<'_>, bits: KeyBits) -> Result<Origin, &'static str> {
    let cofactor = input.u64("saved key").map_err(length)?;
    let half = bits.bits() / 2;
    let mut number = || {
        let bytes = input
            .take("saved key", number_bytes(bits))
            .map_err(length)?;
        let number = BoxedUint::from_be_slice_truncated(bytes, half);
        // What is above the size would be cut off in silence.
        let mut again = Vec::with_capacity(bytes.len());
        put_number(&number, bytes.len(), &mut again);
        match Secret::new(again).expose() == bytes {
            true => Ok(Secret::new(number)),
            false => Err("a number is longer than half of the key"),
        }
    };
    Origin::restore(number()?, cofactor, number()?, half)
}
