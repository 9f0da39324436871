//! The attack that re-randomisation is for, mounted.
//!
//! The key owner knows the randomness r of every ciphertext that it made, and
//! can extract the randomness of any that it gets, since c mod n = rho^n mod n
//! and n is invertible modulo (p - 1)(q - 1). Products under encryption are
//! products of powers, of the randomness as well:
//!
//! ```text
//!   input gradient    rho[b][i] = prod_j r_E[j][i] ^ -Delta[b][j]       j < c
//!   weight gradient   rho[j][i] = prod_b r_a[b][i] ^ (eta Delta)[b][j]  b < B
//! ```
//!
//! whatever is added as a plaintext, masks included, and however many values
//! share a ciphertext: then i counts blocks of features. With one or two unknown
//! exponents of 12 bits, a table of half of the combinations finds them (meet
//! in the middle; with one, baby-step giant-step), and with them the labels.

#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use crypto_bigint::BoxedUint;
use entente_wire::{Mask, RingMatrix, Shape};
use num_bigint::BigUint;
use rand::{Rng as _, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::{
    ciphertexts::Ciphertexts, evaluator::PaillierEvaluator, owner::PaillierOwner, tests::owner,
};
use crate::{Ahead, CutBounds, Evaluate, KeyOwner, Layout};

/// Bits of a secret scalar.
const BITS: u32 = 12;

fn bounds(batch: usize, classes: usize) -> CutBounds {
    CutBounds {
        batch,
        width: 2,
        classes,
        activation_bits: 10,
        step_unit: (batch as u64) << BITS,
        delta_unit: (batch as u64) << BITS,
    }
}

/// The key owner, turned curious.
struct Attacker {
    owner: PaillierOwner,
    n: BigUint,
    /// n^-1 mod (p - 1)(q - 1).
    root: BigUint,
}

impl Attacker {
    fn new(owner: PaillierOwner) -> Self {
        let big = |x: &BoxedUint| BigUint::from_bytes_be(&x.to_be_bytes());
        let [p, q] = owner.key().primes().map(|side| big(side.prime().as_ref()));
        let n = &p * &q;
        let root = n.modinv(&((p - 1_u8) * (q - 1_u8))).unwrap();
        Self { owner, n, root }
    }

    /// The randomness of each ciphertext, block by block of features: the first
    /// ones belong to one block whatever the layout.
    fn randomness(&self, ciphertexts: &Ciphertexts) -> Vec<BigUint> {
        let key = self.owner.public_key();
        let cells = ciphertexts.cells(key).unwrap();
        let cells = key.modulus().export(cells);
        cells
            .iter()
            .map(|c| BigUint::from_bytes_be(&c.to_be_bytes()).modpow(&self.root, &self.n))
            .collect()
    }

    /// x^e for e in (-2^BITS, 2^BITS), with e.
    fn powers(&self, x: &BigUint) -> Vec<(BigUint, i64)> {
        let least = 1 - (1_i64 << BITS);
        let inverse = x.modinv(&self.n).unwrap();
        let mut power = inverse.modpow(&least.unsigned_abs().into(), &self.n);
        (least..1 << BITS)
            .map(|e| {
                let this = power.clone();
                power = &power * x % &self.n;
                (this, e)
            })
            .collect()
    }

    /// (d, e) with x^d y^e = rho, both below 2^BITS in size.
    fn two_exponents(&self, rho: &BigUint, x: &BigUint, y: &BigUint) -> Option<(i64, i64)> {
        let table: HashMap<BigUint, i64> = self.powers(x).into_iter().collect();
        let inverse = y.modinv(&self.n).unwrap();
        self.powers(&inverse).into_iter().find_map(|(power, e)| {
            let d = table.get(&(rho * power % &self.n))?;
            Some((*d, e))
        })
    }
}

fn secrets(shape: Shape, rng: &mut ChaCha20Rng) -> RingMatrix {
    RingMatrix::from_fn(shape, |_, _| {
        (rng.next_u64().cast_signed() >> (63 - BITS))
            .max(1 - (1 << BITS))
            .cast_unsigned()
    })
}

/// An evaluator with the hole, and the real one.
fn evaluators(attacker: &Attacker) -> [PaillierEvaluator; 2] {
    let key = attacker.owner.public_key().clone();
    let bounds = *attacker.owner.bounds();
    let real = PaillierEvaluator::new(key.clone(), bounds, 1).unwrap();
    // Some randomness made ahead, some not.
    assert!(real.advance(&mut ChaCha20Rng::seed_from_u64(9)));
    let leaves = PaillierEvaluator::without_rerandomisation(key, bounds).unwrap();
    [leaves, real]
}

fn for_both_layouts(seed: u64, mount: impl Fn(Layout, &mut ChaCha20Rng)) {
    for layout in [Layout::Packed, Layout::Unpacked] {
        mount(layout, &mut ChaCha20Rng::seed_from_u64(seed));
    }
}

#[test]
fn input_gradients_of_one_class_give_delta_away_unless_rerandomised() {
    for_both_layouts(1, |layout, rng| {
        let attacker = Attacker::new(owner(256, layout, bounds(2, 1), rng));
        let e = RingMatrix::uniform(Shape::new(1, 2), rng);
        let w = RingMatrix::uniform(Shape::new(1, 2), rng);
        let deltas = secrets(Shape::new(2, 1), rng);
        let share = attacker.owner.encrypt_share(&e, 2, rng).unwrap();
        let bases = attacker.randomness(&share.0);

        let found = evaluators(&attacker).map(|evaluator| {
            let gradient = evaluator.input_gradient(&share, &deltas, &w, rng).unwrap();
            let rho = attacker.randomness(&gradient.0);
            // The first block's samples. For the second base there is one, which
            // any exponent leaves as it is.
            [&rho[0], &rho[1]].map(|rho| {
                let found = attacker.two_exponents(rho, &bases[0], &BigUint::from(1_u8));
                found.map(|(d, _)| -d)
            })
        });
        let truth = [0, 1].map(|b| deltas.signed(b, 0));
        assert_eq!(found[0], truth, "the attack does not work");
        assert_eq!(found[1], [None, None], "the randomness gives Delta away");
    });
}

#[test]
fn input_gradients_of_two_classes_give_delta_away_unless_rerandomised() {
    for_both_layouts(2, |layout, rng| {
        let attacker = Attacker::new(owner(256, layout, bounds(1, 2), rng));
        let e = RingMatrix::uniform(Shape::new(2, 2), rng);
        let w = RingMatrix::uniform(Shape::new(2, 2), rng);
        let deltas = secrets(Shape::new(1, 2), rng);
        let share = attacker.owner.encrypt_share(&e, 1, rng).unwrap();
        let bases = attacker.randomness(&share.0);

        let found = evaluators(&attacker).map(|evaluator| {
            let gradient = evaluator.input_gradient(&share, &deltas, &w, rng).unwrap();
            let rho = attacker.randomness(&gradient.0);
            let found = attacker.two_exponents(&rho[0], &bases[0], &bases[1]);
            found.map(|(d, e)| (-d, -e))
        });
        let truth = deltas.signed(0, 0).zip(deltas.signed(0, 1));
        assert_eq!(found, [truth, None]);
    });
}

#[test]
fn weight_gradients_of_small_batches_give_delta_away_unless_rerandomised() {
    for_both_layouts(3, |layout, rng| {
        let attacker = Attacker::new(owner(256, layout, bounds(2, 1), rng));
        let a = RingMatrix::from_fn(Shape::new(2, 2), |i, j| (i + 3 * j) as u64);
        let steps = secrets(Shape::new(2, 1), rng);
        let activations = attacker.owner.encrypt_activations(&a, rng).unwrap();
        let bases = attacker.randomness(&activations.over_features);

        let found = evaluators(&attacker).map(|evaluator| {
            // The mask is a plaintext: it does not touch the randomness.
            let mask = Mask::draw(Shape::new(1, 2), rng);
            let gradient = evaluator
                .weight_gradient(&activations, &steps, &mask, rng)
                .unwrap();
            let rho = attacker.randomness(&gradient.0);
            attacker.two_exponents(&rho[0], &bases[0], &bases[1])
        });
        let truth = steps.signed(0, 0).zip(steps.signed(1, 0));
        assert_eq!(found, [truth, None]);
    });
}
