//! What must be refused, and by which error.

use entente_wire::{RingMatrix, Shape};

use super::Bench;
use crate::{HeError, Scheme};

impl<S: Scheme> Bench<S> {
    pub(super) fn refusals(&mut self) {
        self.out_of_range_by_one();
        self.sums_out_of_range_by_one();
        self.wrong_shapes_of_the_owner();
        self.wrong_shapes_of_the_evaluator();
        self.ciphertexts_under_another_key();
    }

    fn out_of_range_by_one(&mut self) {
        let bounds = self.bounds;
        let batch = bounds.batch;
        let a = self.within(self.activations_shape(batch), bounds.activation_bits);
        let encrypted = self.encrypted(&a);
        let w = self.uniform(self.weight_shape());
        let share = self.encrypted_share(&w, 1);
        let mask = self.mask(self.weight_shape());

        for negative in [false, true] {
            let planted = |shape: Shape, bits: u32| {
                let value = if negative {
                    (1_u64 << bits).wrapping_neg()
                } else {
                    1 << bits
                };
                let last = (shape.rows - 1, shape.cols - 1);
                RingMatrix::from_fn(shape, |i, j| if (i, j) == last { value } else { 0 })
            };
            let expect = |got: Option<HeError>, shape: Shape, bound: u32| match got {
                Some(HeError::OutOfRange { row, col, bits, .. }) => {
                    assert_eq!(
                        (row, col, bits),
                        (shape.rows - 1, shape.cols - 1, bound),
                        "the error names another place"
                    );
                }
                other => panic!("expected an error of range, got {other:?}"),
            };

            let shape = self.activations_shape(batch);
            let wide = planted(shape, bounds.activation_bits);
            let got = self.owner.encrypt_activations(&wide, &mut self.rng).err();
            expect(got, shape, bounds.activation_bits);

            let shape = self.logits_shape(batch);
            let wide = planted(shape, bounds.step_bits(batch));
            let got = self
                .evaluator
                .weight_gradient(&encrypted, &wide, &mask, &mut self.rng)
                .err();
            expect(got, shape, bounds.step_bits(batch));

            let wide = planted(shape, bounds.delta_bits(batch));
            let got = self
                .evaluator
                .input_gradient(&share, &wide, &w, &mut self.rng)
                .err();
            expect(got, shape, bounds.delta_bits(batch));
        }
    }

    /// Each entry within its bound, and all together one more than theirs.
    fn sums_out_of_range_by_one(&mut self) {
        let bounds = self.bounds;
        let batch = bounds.batch;
        let a = RingMatrix::zeros(self.activations_shape(batch));
        let encrypted = self.encrypted(&a);
        let w = self.uniform(self.weight_shape());
        let share = self.encrypted_share(&w, 1);
        let last = (batch - 1, bounds.classes - 1);
        // As much as goes into the other entries of a line, and one too many.
        let overfull = |terms: usize, bits: u32, norm: u128| {
            let most = (1_u128 << bits) - 1;
            let each = norm.div_ceil(terms as u128).min(most);
            (each * terms as u128 > norm).then_some(each as u64)
        };
        let expect = |got: Option<HeError>, at: usize, bound: u128| match got {
            Some(HeError::SumOutOfRange { index, limit, .. }) => {
                assert_eq!((index, limit), (at, bound), "the error names another line");
            }
            other => panic!("expected an error of a sum, got {other:?}"),
        };

        let norm = bounds.step_norm(batch);
        if let Some(each) = overfull(batch, bounds.step_bits(batch), norm) {
            let d = RingMatrix::from_fn(self.logits_shape(batch), |i, j| match j == last.1 {
                // Signs do not cancel in a bound.
                true if i.is_multiple_of(2) => each.wrapping_neg(),
                true => each,
                false => 0,
            });
            let mask = self.mask(self.weight_shape());
            let (rng, evaluator) = (&mut self.rng, &self.evaluator);
            let got = evaluator.weight_gradient(&encrypted, &d, &mask, rng).err();
            expect(got, last.1, norm);
        }
        let norm = bounds.delta_norm(batch);
        if let Some(each) = overfull(bounds.classes, bounds.delta_bits(batch), norm) {
            let d =
                RingMatrix::from_fn(
                    self.logits_shape(batch),
                    |i, _| {
                        if i == last.0 { each } else { 0 }
                    },
                );
            let (rng, evaluator) = (&mut self.rng, &self.evaluator);
            let got = evaluator.input_gradient(&share, &d, &w, rng).err();
            expect(got, last.0, norm);
        }
    }

    fn wrong_shapes_of_the_owner(&mut self) {
        let bounds = self.bounds;
        let (batch, width, classes) = (bounds.batch, bounds.width, bounds.classes);
        for shape in [
            Shape::new(0, width),
            Shape::new(batch + 1, width),
            Shape::new(batch, width + 1),
            Shape::new(batch, width - 1),
        ] {
            let a = RingMatrix::zeros(shape);
            let got = self.owner.encrypt_activations(&a, &mut self.rng).err();
            refused(got, shape);
            let got = self.owner.encrypt_for_inference(&a, &mut self.rng).err();
            refused(got, shape);
        }
        for shape in [
            Shape::new(classes + 1, width),
            Shape::new(classes, width + 1),
            Shape::new(0, 0),
        ] {
            let e = RingMatrix::zeros(shape);
            refused(self.owner.encrypt_share(&e, 1, &mut self.rng).err(), shape);
        }
    }

    fn wrong_shapes_of_the_evaluator(&mut self) {
        let bounds = self.bounds;
        let batch = bounds.batch;
        let a = self.within(self.activations_shape(batch), bounds.activation_bits);
        let a = self.encrypted(&a);
        let w = self.uniform(self.weight_shape());
        let e = self.encrypted_share(&w, 1);
        let logits = self.logits_shape(batch);
        let d = RingMatrix::zeros(logits);
        let larger = |shape: Shape| {
            [
                Shape::new(shape.rows + 1, shape.cols),
                Shape::new(shape.rows, shape.cols + 1),
            ]
        };

        for wrong in larger(self.weight_shape()) {
            let matrix = RingMatrix::zeros(wrong);
            let right = self.mask(logits);
            let mask = self.mask(wrong);
            let (rng, evaluator) = (&mut self.rng, &self.evaluator);
            refused(
                evaluator.forward(a.as_ref(), &matrix, &right, rng).err(),
                wrong,
            );
            refused(evaluator.weight_gradient(&a, &d, &mask, rng).err(), wrong);
            refused(evaluator.input_gradient(&e, &d, &matrix, rng).err(), wrong);
        }
        for wrong in larger(logits) {
            let matrix = RingMatrix::zeros(wrong);
            let mask = self.mask(wrong);
            let right = self.mask(self.weight_shape());
            let (rng, evaluator) = (&mut self.rng, &self.evaluator);
            refused(evaluator.forward(a.as_ref(), &w, &mask, rng).err(), wrong);
            refused(
                evaluator.weight_gradient(&a, &matrix, &right, rng).err(),
                wrong,
            );
            refused(evaluator.input_gradient(&e, &matrix, &w, rng).err(), wrong);
        }
        let empty = RingMatrix::zeros(Shape::new(0, bounds.classes));
        let got = self.evaluator.input_gradient(&e, &empty, &w, &mut self.rng);
        refused(got.err(), empty.shape());
    }

    /// Within one process: over the wire they are not even read.
    fn ciphertexts_under_another_key(&mut self) {
        let batch = self.bounds.batch;
        let a = RingMatrix::zeros(self.activations_shape(batch));
        let w = self.uniform(self.weight_shape());
        let mask = self.mask(self.logits_shape(batch));
        let foreign = self
            .stranger
            .encrypt_activations(&a, &mut self.rng)
            .expect("zeros are in range");
        let got = self
            .evaluator
            .forward(foreign.as_ref(), &w, &mask, &mut self.rng)
            .err();
        assert!(matches!(got, Some(HeError::BadKey { .. })), "got {got:?}");

        let own = self.encrypted(&a);
        let product = self
            .evaluator
            .forward(own.as_ref(), &w, &mask, &mut self.rng)
            .expect("a product within its bounds");
        let got = self.stranger.decrypt_forward(&product).err();
        assert!(matches!(got, Some(HeError::BadKey { .. })), "got {got:?}");
    }
}

fn refused(error: Option<HeError>, shape: Shape) {
    match error {
        Some(HeError::Shape { got, expected, .. }) => {
            assert_eq!(got, shape, "the error names another shape");
            assert_ne!(got, expected);
        }
        other => panic!("expected an error of shape for {shape}, got {other:?}"),
    }
}
