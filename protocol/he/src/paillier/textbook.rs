//! The scheme by itself: one number to a ciphertext, no bounds, no peer.
//!
//! The literature and other libraries count in these operations, so this is
//! what is measured against them; and where the time of a decryption is looked
//! at, this is how ciphertexts of one's own choice get there. Nothing of a
//! protocol can be built on it: it computes under a key that it has made, with
//! numbers that it has made, and neither leaves it.

use core::fmt;

use crypto_bigint::{BoxedUint, RandomMod};
use entente_wire::{RingMatrix, Secret};

use super::{
    Exponents, Layout, PublicKey, keygen::generate, pool::Pool, rerandomise::Rerandomiser,
    secret_key::SecretKey, subgroup::Subgroup,
};
use crate::{
    Ahead, HeError, KeyBits, Rng, Tier,
    engine::{Residues, Scalars},
};

/// A key with everything that draws randomness under it.
#[derive(Debug)]
pub struct Textbook {
    owner: Pool<SecretKey>,
    half_length: Pool<Subgroup>,
    short: Pool<Subgroup>,
    evaluator: Pool<Rerandomiser>,
}

/// Whose randomness a ciphertext gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Randomness {
    /// Of the one who has the secret key.
    KeyOwner,
    /// Of one who encrypts by the public key.
    Anyone(Exponents),
    /// Of one who hides from the key owner what was computed.
    Evaluator,
}

/// Numbers of [0, n).
pub struct Plaintexts(Secret<Vec<BoxedUint>>);

/// Ciphertexts in the engine's form.
#[derive(Debug, Clone)]
pub struct Batch(Residues);

impl Textbook {
    /// Makes a key, and room for `pool_values` values of each kind of
    /// [`Randomness`] to be made ahead.
    ///
    /// # Errors
    /// [`HeError::KeySize`], [`HeError::Tier`].
    pub fn new(bits: KeyBits, pool_values: usize, rng: &mut Rng) -> Result<Self, HeError> {
        Tier::current()?;
        let secret = generate(bits, Layout::Unpacked, rng)?;
        let public = secret.public().clone();
        let [half_length, short] = [
            Exponents::HalfLength,
            Exponents::ShortUnderAnUnprovenAssumption,
        ]
        .map(|length| Pool::new(Subgroup::new(public.clone(), length, rng), pool_values));
        Ok(Self {
            owner: Pool::new(secret, pool_values),
            half_length,
            short,
            evaluator: Pool::new(Rerandomiser::new(public), pool_values),
        })
    }

    fn public(&self) -> &PublicKey {
        self.owner.source().public()
    }

    /// Fills the pool of one kind of randomness; what is drawn next comes from
    /// there.
    pub fn make_ahead(&self, of: Randomness, rng: &mut Rng) {
        let pool: &dyn Ahead = match of {
            Randomness::KeyOwner => &self.owner,
            Randomness::Anyone(Exponents::HalfLength) => &self.half_length,
            Randomness::Anyone(Exponents::ShortUnderAnUnprovenAssumption) => &self.short,
            Randomness::Evaluator => &self.evaluator,
        };
        while pool.advance(rng) {}
    }

    fn draw(&self, of: Randomness, count: usize, rng: &mut Rng) -> Residues {
        match of {
            Randomness::KeyOwner => self.owner.draw(count, rng),
            Randomness::Anyone(Exponents::HalfLength) => self.half_length.draw(count, rng),
            Randomness::Anyone(Exponents::ShortUnderAnUnprovenAssumption) => {
                self.short.draw(count, rng)
            }
            Randomness::Evaluator => self.evaluator.draw(count, rng),
        }
    }

    /// `count` zeros.
    pub fn zeros(&self, count: usize) -> Plaintexts {
        let zero = BoxedUint::zero_with_precision(self.public().bits().bits());
        Plaintexts(Secret::new(vec![zero; count]))
    }

    /// `count` uniform numbers.
    pub fn uniform(&self, count: usize, rng: &mut Rng) -> Plaintexts {
        let n = self.public().n();
        let numbers = (0..count).map(|_| BoxedUint::random_mod_vartime(rng, n));
        Plaintexts(Secret::new(numbers.collect()))
    }

    /// Enc(m) of each.
    pub fn encrypt(&self, m: &Plaintexts, by: Randomness, rng: &mut Rng) -> Batch {
        let modulus = self.public().modulus();
        let encoded = self.public().encode_all(&m.0);
        let mut cells = self.draw(by, m.0.expose().len(), rng);
        modulus.multiply(&mut cells, &modulus.import(encoded.expose()));
        Batch(cells)
    }

    /// Replaces the randomness of each, as an evaluator does.
    pub fn rerandomise(&self, batch: &mut Batch, rng: &mut Rng) {
        let fresh = self.draw(Randomness::Evaluator, batch.0.len(), rng);
        self.public().modulus().multiply(&mut batch.0, &fresh);
    }

    /// `Enc(m) <- Enc(m + m')`, one by one. Both have one length.
    pub fn add(&self, batch: &mut Batch, other: &Batch) {
        self.public().modulus().multiply(&mut batch.0, &other.0);
    }

    /// The matrix product alone: `x` by rows of as many as `scalars` has
    /// columns, `scalars` signed and below 2^bits in size, an output for each
    /// of its rows. Its randomness is what came of it: nothing that may leave
    /// an evaluator.
    ///
    /// # Errors
    /// [`HeError::OutOfRange`]; [`HeError::BadKey`] for no ciphertexts.
    pub fn product(&self, x: &Batch, scalars: &RingMatrix, bits: u32) -> Result<Batch, HeError> {
        crate::bounds::check_range("scalars", scalars, bits)?;
        let shape = scalars.shape();
        let scalars = Scalars::from_fn(shape.rows, shape.cols, bits, |output, term| {
            scalars.as_array()[(output, term)].0.cast_signed()
        });
        let products = self.public().modulus().products(&x.0, &scalars);
        products.map(Batch).ok_or(HeError::BadKey {
            why: "a ciphertext has a factor in common with it",
        })
    }

    /// The plaintexts.
    ///
    /// # Errors
    /// [`HeError::Fault`].
    pub fn decrypt(&self, batch: &Batch) -> Result<Plaintexts, HeError> {
        self.owner.source().decrypt(&batch.0).map(Plaintexts)
    }

    /// Of each ciphertext, whether it is in the upper half of the residues mod
    /// p^2, and of those mod q^2. Nobody without the key can tell, and it is
    /// what attacks by the clock on decryption modulo the factors start from
    /// (W. Schindler, "A Timing Attack against RSA with the Chinese Remainder
    /// Theorem", CHES 2000).
    pub fn upper_halves(&self, batch: &Batch) -> Vec<[bool; 2]> {
        let squares = self.owner.source().squares();
        let cells = self.public().modulus().export(&batch.0);
        // The squares are odd: 2 x >= p^2 is x > (p^2 - 1) / 2.
        let halves = squares.map(|square| square.as_ref() >> 1_u32);
        let upper = |cell: &BoxedUint| {
            let [p, q] = &halves;
            let [below_p, below_q] = squares.map(|square| cell.rem_vartime(square));
            [below_p > *p, below_q > *q]
        };
        cells.iter().map(upper).collect()
    }
}

impl fmt::Debug for Plaintexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plaintexts(..)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use entente_wire::Shape;
    use num_bigint::BigInt;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    const ALL: [Randomness; 4] = [
        Randomness::KeyOwner,
        Randomness::Anyone(Exponents::HalfLength),
        Randomness::Anyone(Exponents::ShortUnderAnUnprovenAssumption),
        Randomness::Evaluator,
    ];

    fn scheme(rng: &mut Rng) -> Textbook {
        Textbook::new(KeyBits::insecure_for_tests(256), 8, rng).unwrap()
    }

    fn big(x: &BoxedUint) -> BigInt {
        BigInt::from_bytes_be(num_bigint::Sign::Plus, &x.to_be_bytes())
    }

    fn numbers(m: &Plaintexts) -> Vec<BigInt> {
        m.0.expose().iter().map(big).collect()
    }

    #[test]
    fn whoever_encrypts_it_decrypts_to_the_same_also_from_a_pool() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let scheme = scheme(&mut rng);
        for by in ALL {
            let m = scheme.uniform(5, &mut rng);
            for ahead in [false, true] {
                if ahead {
                    scheme.make_ahead(by, &mut rng);
                }
                let mut c = scheme.encrypt(&m, by, &mut rng);
                let before = scheme.public().modulus().export(&c.0);
                assert_eq!(numbers(&scheme.decrypt(&c).unwrap()), numbers(&m));
                scheme.rerandomise(&mut c, &mut rng);
                assert_eq!(numbers(&scheme.decrypt(&c).unwrap()), numbers(&m));
                let after = scheme.public().modulus().export(&c.0);
                assert!(before.iter().zip(&after).all(|(x, y)| x != y), "{by:?}");
            }
        }
    }

    #[test]
    fn sums_and_products_are_those_of_the_numbers() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let scheme = scheme(&mut rng);
        let n = big(scheme.public().n().as_ref());
        let modulo = |x: BigInt| ((x % &n) + &n) % &n;
        let (x, y) = (scheme.uniform(6, &mut rng), scheme.uniform(6, &mut rng));
        let [mut sum, by] = [&x, &y].map(|m| scheme.encrypt(m, Randomness::KeyOwner, &mut rng));
        let [x, y] = [x, y].map(|m| numbers(&m));
        let rows = sum.clone();
        scheme.add(&mut sum, &by);
        let expected: Vec<_> = x.iter().zip(&y).map(|(x, y)| modulo(x + y)).collect();
        assert_eq!(numbers(&scheme.decrypt(&sum).unwrap()), expected);

        // Two rows of three, four outputs.
        let scalars = RingMatrix::from_fn(Shape::new(4, 3), |i, j| {
            (if (i + j) % 2 == 0 { 7 - i as i64 } else { -500 }).cast_unsigned()
        });
        let product = scheme.product(&rows, &scalars, 9).unwrap();
        let scalar = |i, j| BigInt::from(scalars.as_array()[(i, j)].0.cast_signed());
        let expected: Vec<_> = (0..2)
            .flat_map(|row| (0..4).map(move |output| (row, output)))
            .map(|(row, output)| {
                let terms = (0..3).map(|j| &x[3 * row + j] * scalar(output, j));
                modulo(terms.sum())
            })
            .collect();
        assert_eq!(numbers(&scheme.decrypt(&product).unwrap()), expected);
        assert!(scheme.product(&rows, &scalars, 8).is_err());
    }

    #[test]
    fn the_halves_are_those_of_the_residues_modulo_the_squares() {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let scheme = scheme(&mut rng);
        let zeros = scheme.zeros(64);
        let batch = scheme.encrypt(&zeros, Randomness::KeyOwner, &mut rng);
        let squares = scheme.owner.source().squares().map(|square| big(square));
        let cells = scheme.public().modulus().export(&batch.0);
        let halves = scheme.upper_halves(&batch);
        for (cell, got) in cells.iter().zip(&halves) {
            let expected = squares
                .each_ref()
                .map(|square| big(cell) % square * 2 >= *square);
            assert_eq!(*got, expected);
        }
        for side in 0..2 {
            let upper = halves.iter().filter(|halves| halves[side]).count();
            assert!((8..56).contains(&upper), "{upper} of 64");
        }
    }
}
