//! The three products against plain arithmetic in the ring.

use entente_wire::{Masked, RingMatrix};

use super::{Bench, deltas, steps};
use crate::Scheme;

/// Where a signed or unsigned reading of the ring goes wrong first.
const EXTREMES: [u64; 6] = [0, 1, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, u64::MAX];

/// Of operands at their bounds.
#[derive(Clone, Copy)]
enum Signs {
    Plus,
    Minus,
    Checkered,
}

impl Signs {
    fn negative(self, row: usize, col: usize) -> bool {
        match self {
            Self::Plus => false,
            Self::Minus => true,
            Self::Checkered => (row + col).is_multiple_of(2),
        }
    }
}

impl<S: Scheme> Bench<S> {
    pub(super) fn laws(&mut self) {
        let bounds = self.bounds;
        let mut batches = vec![1, bounds.batch.div_ceil(2), bounds.batch];
        batches.dedup();
        for batch in batches {
            self.random_operands(batch);
        }
        // Every sign with the smallest and with the largest batch.
        let signs = [Signs::Plus, Signs::Minus, Signs::Checkered];
        let batches = [1, bounds.batch].into_iter().cycle();
        let signs = signs.into_iter().cycle();
        for ((extreme, batch), signs) in EXTREMES.into_iter().zip(batches).zip(signs) {
            self.extreme_operands(batch, extreme, signs);
        }
    }

    fn random_operands(&mut self, batch: usize) {
        let bounds = self.bounds;
        let a = self.within(self.activations_shape(batch), bounds.activation_bits);
        let w = self.uniform(self.weight_shape());
        let e = self.uniform(self.weight_shape());
        let (steps, deltas) = (self.steps(batch), self.deltas(batch));
        self.products(&a, &w, &e, &steps, &deltas);
    }

    /// The largest sums there are: every operand at its bound. Of one sign; or
    /// of changing signs, so that in every direction a sum of the least and one
    /// of the greatest are neighbours.
    fn extreme_operands(&mut self, batch: usize, extreme: u64, signs: Signs) {
        let bounds = self.bounds;
        let at_bound = |i: usize, j: usize, bits: u32| {
            let most = (1_u64 << bits) - 1;
            if signs.negative(i, j) {
                most.wrapping_neg()
            } else {
                most
            }
        };
        let a = RingMatrix::from_fn(self.activations_shape(batch), |i, j| {
            at_bound(i, j, bounds.activation_bits)
        });
        let ring = |i, j, x: u64| {
            if signs.negative(i, j) {
                x.wrapping_neg()
            } else {
                x
            }
        };
        let w = RingMatrix::from_fn(self.weight_shape(), |i, j| ring(i, j, extreme));
        let e = RingMatrix::from_fn(self.weight_shape(), |i, j| {
            ring(i, j, extreme.wrapping_neg())
        });
        let (step_bits, delta_bits) = (bounds.step_bits(batch), bounds.delta_bits(batch));
        let steps = steps(&bounds, batch, |i, j| at_bound(i, j, step_bits));
        let deltas = deltas(&bounds, batch, |i, j| at_bound(i, j, delta_bits));
        self.products(&a, &w, &e, &steps, &deltas);
    }

    fn products(
        &mut self,
        a: &RingMatrix,
        w: &RingMatrix,
        e: &RingMatrix,
        steps: &RingMatrix,
        deltas: &RingMatrix,
    ) {
        let batch = a.shape().rows;
        let encrypted = self.encrypted(a);
        let share = self.encrypted_share(e, batch);

        let alone = self.encrypted_for_inference(a);
        for activations in [encrypted.as_ref(), &alone] {
            let mask = self.mask(self.logits_shape(batch));
            let product = self
                .evaluator
                .forward(activations, w, &mask, &mut self.rng)
                .expect("a forward product within its bounds");
            let product = self.travel(&product, self.logits_shape(batch));
            let opened = self.owner.decrypt_forward(&product);
            assert_eq!(
                opened.expect("an honest product opens"),
                Masked::cover(&a.dot(&w.transposed()), &mask),
                "a W^T + S1 is wrong"
            );
        }

        let mask = self.mask(self.weight_shape());
        let product = self
            .evaluator
            .weight_gradient(&encrypted, steps, &mask, &mut self.rng)
            .expect("a weight gradient within its bounds");
        let product = self.travel(&product, self.weight_shape());
        let opened = self.owner.decrypt_weight_gradient(&product);
        assert_eq!(
            opened.expect("an honest product opens"),
            Masked::cover(&steps.transposed().dot(a), &mask),
            "D^T a + S2 is wrong"
        );

        let product = self
            .evaluator
            .input_gradient(&share, deltas, w, &mut self.rng)
            .expect("an input gradient within its bounds");
        let product = self.travel(&product, self.activations_shape(batch));
        let opened = self.owner.decrypt_input_gradient(&product);
        assert!(
            *opened.expect("an honest product opens").expose() == deltas.dot(w).sub(&deltas.dot(e)),
            "D W - D E is wrong"
        );
    }
}
