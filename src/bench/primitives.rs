//! What the literature counts in: microseconds for one ciphertext, one number
//! in it.

use entente_he::{
    Backend, Exponents, HeError, KeyBits, Layout, PaillierBackend, Randomness, Textbook,
};
use entente_wire::{RingMatrix, Shape};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};

use super::effort::{Effort, say};
use crate::exit::Failure;

/// Scalars of the product that other libraries are compared in.
const SCALAR_BITS: u32 = 32;

/// One operation under one key on one tier, on one thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Primitive {
    pub(super) tier: String,
    pub(super) key_bits: u32,
    pub(super) operation: Operation,
    /// The least of the repetitions, for one of [`Operation::unit`].
    pub(super) microseconds: f64,
    /// How many were measured together.
    pub(super) count: usize,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Operation {
    GenerateKey,
    EncryptOwner,
    EncryptOwnerPooled,
    EncryptPublic,
    EncryptPublicShort,
    EncryptPublicPooled,
    Rerandomise,
    RerandomisePooled,
    Add,
    Decrypt,
    #[serde(rename = "product_32_bit")]
    Product32Bit,
}

impl Operation {
    /// For people.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::GenerateKey => "generate a key, with its owner's tables",
            Self::EncryptOwner => "encrypt, key owner",
            Self::EncryptOwnerPooled => "encrypt, key owner, pooled",
            Self::EncryptPublic => "encrypt, public key, |n|/2-bit exponents",
            Self::EncryptPublicShort => "encrypt, public key, 320-bit exponents (assumption)",
            Self::EncryptPublicPooled => "encrypt, public key, pooled",
            Self::Rerandomise => "re-randomise against the key owner",
            Self::RerandomisePooled => "re-randomise, pooled",
            Self::Add => "add two ciphertexts",
            Self::Decrypt => "decrypt",
            Self::Product32Bit => "product alone, unpacked, 32-bit scalars",
        }
    }

    /// What its microseconds are for.
    pub(super) fn unit(self) -> &'static str {
        match self {
            Self::GenerateKey => "key",
            Self::Product32Bit => "sample",
            _ => "ciphertext",
        }
    }
}

/// Measures all of them on the tier of this thread.
pub(super) fn measure(
    tier: &str,
    bits: KeyBits,
    effort: Effort,
) -> Result<Vec<Primitive>, Failure> {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let mut measured = Vec::new();
    let mut note = |operation: Operation, count: usize, seconds: f64| {
        measured.push(Primitive {
            tier: tier.to_owned(),
            key_bits: bits.bits(),
            operation,
            microseconds: 1e6 * seconds / count as f64,
            count,
        });
    };
    let said = |operation: Operation| {
        say(&format!(
            "{tier}, {bits}: {}",
            operation.title(),
            bits = bits.bits()
        ))
    };

    said(Operation::GenerateKey);
    let (cut, backend) = (effort.packed(), PaillierBackend::new(Layout::Packed));
    let (seconds, _) = effort.least(|| made(backend.generate(bits, cut.bounds(), &mut rng)))?;
    note(Operation::GenerateKey, 1, seconds);

    let count = effort.ciphertexts();
    let scheme = made(Textbook::new(bits, count, &mut rng))?;
    let m = scheme.uniform(count, &mut rng);
    for (by, plain, pooled) in [
        (
            Randomness::KeyOwner,
            Operation::EncryptOwner,
            Some(Operation::EncryptOwnerPooled),
        ),
        (
            Randomness::Anyone(Exponents::HalfLength),
            Operation::EncryptPublic,
            Some(Operation::EncryptPublicPooled),
        ),
        (
            Randomness::Anyone(Exponents::ShortUnderAnUnprovenAssumption),
            Operation::EncryptPublicShort,
            None,
        ),
    ] {
        said(plain);
        let (seconds, _) = effort.least(|| Ok(scheme.encrypt(&m, by, &mut rng)))?;
        note(plain, count, seconds);
        if let Some(pooled) = pooled {
            let seconds = drawn(&scheme, by, effort, &mut rng, |rng| {
                scheme.encrypt(&m, by, rng);
            })?;
            note(pooled, count, seconds);
        }
    }

    let mut c = scheme.encrypt(&m, Randomness::KeyOwner, &mut rng);
    let other = c.clone();
    said(Operation::Rerandomise);
    // The evaluator's own bases are made with its first values, once a job.
    scheme.rerandomise(&mut c, &mut rng);
    let (seconds, ()) = effort.least(|| {
        scheme.rerandomise(&mut c, &mut rng);
        Ok(())
    })?;
    note(Operation::Rerandomise, count, seconds);
    let seconds = drawn(&scheme, Randomness::Evaluator, effort, &mut rng, |rng| {
        scheme.rerandomise(&mut c, rng);
    })?;
    note(Operation::RerandomisePooled, count, seconds);

    let (seconds, ()) = effort.least(|| {
        scheme.add(&mut c, &other);
        Ok(())
    })?;
    note(Operation::Add, count, seconds);

    said(Operation::Decrypt);
    let (seconds, _) = effort.least(|| made(scheme.decrypt(&c)))?;
    note(Operation::Decrypt, count, seconds);

    said(Operation::Product32Bit);
    let cut = effort.unpacked();
    let m = scheme.uniform(cut.batch * cut.width, &mut rng);
    let x = scheme.encrypt(&m, Randomness::KeyOwner, &mut rng);
    let shape = Shape::new(cut.classes, cut.width);
    let scalars = RingMatrix::uniform(shape, &mut rng);
    let scalars = RingMatrix::from_fn(shape, |i, j| {
        (scalars.as_array()[(i, j)].0.cast_signed() >> (64 - 1 - SCALAR_BITS)).cast_unsigned()
    });
    let (seconds, _) = effort.least(|| made(scheme.product(&x, &scalars, SCALAR_BITS)))?;
    note(Operation::Product32Bit, cut.batch, seconds);
    Ok(measured)
}

/// Seconds of an operation whose randomness lies ready: making it is not
/// measured.
fn drawn(
    scheme: &Textbook,
    of: Randomness,
    effort: Effort,
    rng: &mut ChaCha20Rng,
    mut operate: impl FnMut(&mut ChaCha20Rng),
) -> Result<f64, Failure> {
    let mut least = f64::INFINITY;
    for _ in 0..effort.rounds() {
        scheme.make_ahead(of, rng);
        let (seconds, ()) = Effort::Quick.least(|| {
            operate(rng);
            Ok(())
        })?;
        least = least.min(seconds);
    }
    Ok(least)
}

fn made<T>(result: Result<T, HeError>) -> Result<T, Failure> {
    result.map_err(Failure::runtime)
}
