//! A wrapper that measures an encryption scheme's operations.
//!
//! Not another scheme: ciphertexts keep their types, and whoever holds a
//! backend cannot tell. One measurement per matrix, which is nothing beside the
//! matrix.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use entente_he::{Ahead, Backend, CutBounds, Evaluate, HeError, KeyBits, KeyOwner, Rng, Scheme};
use entente_metrics::{EVALUATOR, KEY_OWNER, Registry};
use entente_wire::{Digest, Mask, Masked, RingMatrix, Secret, Shape};

use super::{Meters, depth::Depth};

/// A backend with a watch beside it.
pub(crate) struct Measured<S: Scheme> {
    inner: Arc<dyn Backend<S>>,
    meters: Meters,
}

impl<S: Scheme> Measured<S> {
    /// Measures `inner` into `registry`.
    pub(crate) fn new(inner: Arc<dyn Backend<S>>, registry: Registry) -> Self {
        let meters = Meters::new(registry);
        Self { inner, meters }
    }

    fn beside<T: Ahead + ?Sized>(&self, inner: Arc<T>, end: &str) -> Arc<End<T>> {
        Arc::new(End {
            inner,
            meters: self.meters.clone(),
            depth: self.meters.depth(end),
        })
    }
}

/// One of the ends that a backend makes, with a watch beside it.
struct End<T: ?Sized> {
    inner: Arc<T>,
    meters: Meters,
    depth: Depth,
}

impl<T: Ahead + ?Sized> End<T> {
    /// Measures `operate`, which makes a matrix of `shape`.
    fn matrix<R>(
        &self,
        operation: &'static str,
        shape: impl FnOnce(&R) -> Shape,
        operate: impl FnOnce() -> Result<R, HeError>,
    ) -> Result<R, HeError> {
        let (result, took) = timed(operate);
        self.depth.tell(self.inner.depth());
        let result = result?;
        let items = shape(&result).len();
        self.meters.operation(operation, items, took);
        Ok(result)
    }
}

fn timed<R>(operate: impl FnOnce() -> R) -> (R, Duration) {
    let since = Instant::now();
    let result = operate();
    (result, since.elapsed())
}

impl<T: Ahead + ?Sized> Ahead for End<T> {
    fn advance(&self, rng: &mut Rng) -> bool {
        let advanced = self.inner.advance(rng);
        self.depth.tell(self.inner.depth());
        advanced
    }

    fn depth(&self) -> usize {
        self.inner.depth()
    }
}

impl<S: Scheme> Backend<S> for Measured<S> {
    fn generate(
        &self,
        bits: KeyBits,
        bounds: CutBounds,
        rng: &mut Rng,
    ) -> Result<Arc<dyn KeyOwner<S>>, HeError> {
        let (owner, took) = timed(|| self.inner.generate(bits, bounds, rng));
        let owner = owner?;
        self.meters.operation("generate_key", 1, took);
        Ok(self.beside(owner, KEY_OWNER))
    }

    fn restore(
        &self,
        bits: KeyBits,
        secret_key: &Secret<Vec<u8>>,
        bounds: CutBounds,
    ) -> Result<Arc<dyn KeyOwner<S>>, HeError> {
        Ok(self.beside(self.inner.restore(bits, secret_key, bounds)?, KEY_OWNER))
    }

    fn certify(
        &self,
        key: &S::PublicKey,
        proof: &S::KeyProof,
        context: Digest,
        last: Option<&S::PublicKey>,
    ) -> Result<(), HeError> {
        let (certified, took) = timed(|| self.inner.certify(key, proof, context, last));
        self.meters.operation("certify_key", 1, took);
        certified
    }

    fn evaluator(
        &self,
        key: S::PublicKey,
        bounds: CutBounds,
    ) -> Result<Arc<dyn Evaluate<S>>, HeError> {
        Ok(self.beside(self.inner.evaluator(key, bounds)?, EVALUATOR))
    }
}

impl<S: Scheme> KeyOwner<S> for End<dyn KeyOwner<S>> {
    fn public_key(&self) -> &S::PublicKey {
        self.inner.public_key()
    }

    fn prove(&self, context: Digest) -> Result<S::KeyProof, HeError> {
        let (proof, took) = timed(|| self.inner.prove(context));
        self.meters.operation("prove_key", 1, took);
        proof
    }

    fn secret_key(&self) -> Secret<Vec<u8>> {
        self.inner.secret_key()
    }

    fn bounds(&self) -> &CutBounds {
        self.inner.bounds()
    }

    fn encrypt_activations(
        &self,
        a: &RingMatrix,
        rng: &mut Rng,
    ) -> Result<S::Activations, HeError> {
        let encrypt = || self.inner.encrypt_activations(a, rng);
        self.matrix("encrypt_activations", |_| a.shape(), encrypt)
    }

    fn encrypt_for_inference(
        &self,
        a: &RingMatrix,
        rng: &mut Rng,
    ) -> Result<S::ForwardActivations, HeError> {
        let encrypt = || self.inner.encrypt_for_inference(a, rng);
        self.matrix("encrypt_for_inference", |_| a.shape(), encrypt)
    }

    fn encrypt_share(
        &self,
        e: &RingMatrix,
        rows: usize,
        rng: &mut Rng,
    ) -> Result<S::EncryptedShare, HeError> {
        let encrypt = || self.inner.encrypt_share(e, rows, rng);
        self.matrix("encrypt_share", |_| e.shape(), encrypt)
    }

    fn decrypt_forward(&self, product: &S::Forward) -> Result<Masked, HeError> {
        let decrypt = || self.inner.decrypt_forward(product);
        self.matrix("decrypt_forward", Masked::shape, decrypt)
    }

    fn decrypt_weight_gradient(&self, product: &S::WeightGradient) -> Result<Masked, HeError> {
        let decrypt = || self.inner.decrypt_weight_gradient(product);
        self.matrix("decrypt_weight_gradient", Masked::shape, decrypt)
    }

    fn decrypt_input_gradient(
        &self,
        product: &S::InputGradient,
    ) -> Result<Secret<RingMatrix>, HeError> {
        let decrypt = || self.inner.decrypt_input_gradient(product);
        let shape = |gradient: &Secret<RingMatrix>| gradient.expose().shape();
        self.matrix("decrypt_input_gradient", shape, decrypt)
    }
}

impl<S: Scheme> Evaluate<S> for End<dyn Evaluate<S>> {
    fn public_key(&self) -> &S::PublicKey {
        self.inner.public_key()
    }

    fn bounds(&self) -> &CutBounds {
        self.inner.bounds()
    }

    fn forward(
        &self,
        a: &S::ForwardActivations,
        w: &RingMatrix,
        mask: &Mask,
        rng: &mut Rng,
    ) -> Result<S::Forward, HeError> {
        let multiply = || self.inner.forward(a, w, mask, rng);
        self.matrix("forward", |_| mask.expose().shape(), multiply)
    }

    fn weight_gradient(
        &self,
        a: &S::Activations,
        d: &RingMatrix,
        mask: &Mask,
        rng: &mut Rng,
    ) -> Result<S::WeightGradient, HeError> {
        let multiply = || self.inner.weight_gradient(a, d, mask, rng);
        self.matrix("weight_gradient", |_| mask.expose().shape(), multiply)
    }

    fn input_gradient(
        &self,
        e: &S::EncryptedShare,
        d: &RingMatrix,
        w: &RingMatrix,
        rng: &mut Rng,
    ) -> Result<S::InputGradient, HeError> {
        let multiply = || self.inner.input_gradient(e, d, w, rng);
        let shape = Shape {
            rows: d.shape().rows,
            cols: w.shape().cols,
        };
        self.matrix("input_gradient", |_| shape, multiply)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use entente_he::{Paillier, PaillierBackend, Transparent, TransparentBackend, conformance};
    use entente_metrics::{HE_ITEMS, HE_OPERATION_NAMES, HE_OPERATIONS, HE_POOL_VALUES};
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    #[test]
    fn a_measured_scheme_is_the_same_scheme_and_counts() {
        let registry = Registry::new().unwrap();
        let measured = Measured::new(Arc::new(TransparentBackend), registry.clone());
        conformance::check::<Transparent>(&measured, KeyBits::B2048, 1);
        for operation in HE_OPERATION_NAMES {
            let counted = registry.family(&HE_OPERATIONS).with([operation]).value();
            let items = registry.family(&HE_ITEMS).with([operation]).value();
            assert!(counted > 0 && items >= counted, "{operation}");
        }
    }

    #[test]
    fn what_lies_ready_is_the_sum_over_all_ends_that_are_left() {
        let registry = Registry::new().unwrap();
        let ready = |end| registry.family(&HE_POOL_VALUES).with([end]).value();
        let inner = PaillierBackend::default().with_pool(12);
        let measured = Measured::<Paillier>::new(Arc::new(inner), registry.clone());
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let bounds = CutBounds {
            batch: 1,
            width: 2,
            classes: 1,
            activation_bits: 10,
            step_unit: 1 << 10,
            delta_unit: 1 << 10,
        };
        let bits = KeyBits::insecure_for_tests(256);
        let [first, second] = [(); 2].map(|()| {
            let owner = measured.generate(bits, bounds, &mut rng).unwrap();
            while owner.advance(&mut rng) {}
            owner
        });
        let key = first.public_key().clone();
        let evaluator = measured.evaluator(key, bounds).unwrap();
        assert_eq!((ready(KEY_OWNER), ready(EVALUATOR)), (24, 0));
        while evaluator.advance(&mut rng) {}
        assert_eq!((ready(KEY_OWNER), ready(EVALUATOR)), (24, 12));

        let share = RingMatrix::zeros(Shape::new(1, 2));
        first.encrypt_share(&share, 1, &mut rng).unwrap();
        let left = first.depth() as i64;
        assert!(left < 12);
        assert_eq!(ready(KEY_OWNER), 12 + left);
        drop(second);
        assert_eq!(ready(KEY_OWNER), left);
        drop((first, evaluator));
        assert_eq!((ready(KEY_OWNER), ready(EVALUATOR)), (0, 0));
    }
}
