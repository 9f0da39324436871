//! Ciphertexts of the same are not the same.

use entente_wire::{Encode, RingMatrix};

use super::Bench;
use crate::Scheme;

impl<S: Scheme> Bench<S> {
    pub(super) fn hiding(&mut self) {
        let batch = self.bounds.batch;
        let a = RingMatrix::zeros(self.activations_shape(batch));
        let e = RingMatrix::zeros(self.weight_shape());
        let d = RingMatrix::zeros(self.logits_shape(batch));

        let [first, second] = [(); 2].map(|()| self.encrypted(&a));
        assert!(first.encoded() != second.encoded(), "Enc(a) is not random");
        let [alone, other] = [(); 2].map(|()| self.encrypted_for_inference(&a).encoded());
        assert!(alone != other, "Enc(a) for inference is not random");
        let [share, other] = [(); 2].map(|()| self.encrypted_share(&e, 1));
        assert!(share.encoded() != other.encoded(), "Enc(E) is not random");

        let mask = self.mask(self.logits_shape(batch));
        let (rng, evaluator) = (&mut self.rng, &self.evaluator);
        let [x, y] = [(); 2].map(|()| {
            let product = evaluator.forward(first.as_ref(), &e, &mask, rng);
            product.expect("within its bounds").encoded()
        });
        assert!(x != y, "forward is not re-randomised");

        let mask = self.mask(self.weight_shape());
        let (rng, evaluator) = (&mut self.rng, &self.evaluator);
        let [x, y] = [(); 2].map(|()| {
            let product = evaluator.weight_gradient(&first, &d, &mask, rng);
            product.expect("within its bounds").encoded()
        });
        assert!(x != y, "weight_gradient is not re-randomised");

        let [x, y] = [(); 2].map(|()| {
            let product = evaluator.input_gradient(&share, &d, &e, rng);
            product.expect("within its bounds").encoded()
        });
        assert!(x != y, "input_gradient is not re-randomised");
    }
}
