//! A wrapper that measures an encryption scheme's operations.
//!
//! Not another scheme: ciphertexts keep their types, and whoever holds a
//! backend cannot tell. One measurement per matrix, and one of what an end has tallied
//! since, which is nothing beside the matrix.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use entente_he::{
    Ahead, Backend, CutBounds, Encrypted, Evaluate, Extent, HeError, KeyBits, KeyOwner, Rng,
    Scheme, Tallied, Tally,
};
use entente_metrics::{EVALUATOR, KEY_OWNER, Registry};
use entente_wire::{Digest, Mask, Masked, RingMatrix, Secret, Shape};

use super::{Meters, heard::Heard};

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

    fn beside<T: Ahead + Tallied + ?Sized>(&self, inner: Arc<T>, end: &str) -> Arc<End<T>> {
        let heard = Heard::new(&self.meters, end);
        heard.hear(&*inner);
        Arc::new(End {
            inner,
            meters: self.meters.clone(),
            heard,
        })
    }
}

/// One of the ends that a backend makes, with a watch beside it.
struct End<T: ?Sized> {
    inner: Arc<T>,
    meters: Meters,
    heard: Heard,
}

impl<T: Ahead + Tallied + ?Sized> End<T> {
    /// Measures `operate`, which makes a matrix of `shape`, of ciphertexts or out of
    /// ciphertexts of an `extent`.
    fn matrix<R>(
        &self,
        operation: &'static str,
        shape: impl FnOnce(&R) -> Shape,
        extent: impl FnOnce(&R) -> Extent,
        operate: impl FnOnce() -> Result<R, HeError>,
    ) -> Result<R, HeError> {
        let (result, took) = timed(operate);
        self.heard.hear(&*self.inner);
        let result = result?;
        let items = shape(&result).len();
        self.meters.operation(operation, items, took);
        self.meters.ciphertexts(operation, extent(&result));
        Ok(result)
    }
}

fn timed<R>(operate: impl FnOnce() -> R) -> (R, Duration) {
    let since = Instant::now();
    let result = operate();
    (result, since.elapsed())
}

impl<T: Ahead + Tallied + ?Sized> Ahead for End<T> {
    fn advance(&self, rng: &mut Rng) -> bool {
        let advanced = self.inner.advance(rng);
        self.heard.hear(&*self.inner);
        advanced
    }

    fn depth(&self) -> usize {
        self.inner.depth()
    }

    fn capacity(&self) -> usize {
        self.inner.capacity()
    }
}

impl<T: Tallied + ?Sized> Tallied for End<T> {
    fn tally(&self) -> &Tally {
        self.inner.tally()
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
        self.matrix(
            "encrypt_activations",
            |_| a.shape(),
            Encrypted::extent,
            encrypt,
        )
    }

    fn encrypt_for_inference(
        &self,
        a: &RingMatrix,
        rng: &mut Rng,
    ) -> Result<S::ForwardActivations, HeError> {
        let encrypt = || self.inner.encrypt_for_inference(a, rng);
        self.matrix(
            "encrypt_for_inference",
            |_| a.shape(),
            Encrypted::extent,
            encrypt,
        )
    }

    fn encrypt_share(
        &self,
        e: &RingMatrix,
        rows: usize,
        rng: &mut Rng,
    ) -> Result<S::EncryptedShare, HeError> {
        let encrypt = || self.inner.encrypt_share(e, rows, rng);
        self.matrix("encrypt_share", |_| e.shape(), Encrypted::extent, encrypt)
    }

    fn decrypt_forward(&self, product: &S::Forward) -> Result<Masked, HeError> {
        let decrypt = || self.inner.decrypt_forward(product);
        let extent = |_: &Masked| product.extent();
        self.matrix("decrypt_forward", Masked::shape, extent, decrypt)
    }

    fn decrypt_weight_gradient(&self, product: &S::WeightGradient) -> Result<Masked, HeError> {
        let decrypt = || self.inner.decrypt_weight_gradient(product);
        let extent = |_: &Masked| product.extent();
        self.matrix("decrypt_weight_gradient", Masked::shape, extent, decrypt)
    }

    fn decrypt_input_gradient(
        &self,
        product: &S::InputGradient,
    ) -> Result<Secret<RingMatrix>, HeError> {
        let decrypt = || self.inner.decrypt_input_gradient(product);
        let shape = |gradient: &Secret<RingMatrix>| gradient.expose().shape();
        let extent = |_: &Secret<RingMatrix>| product.extent();
        self.matrix("decrypt_input_gradient", shape, extent, decrypt)
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
        let shape = mask.expose().shape();
        self.matrix("forward", |_| shape, Encrypted::extent, multiply)
    }

    fn weight_gradient(
        &self,
        a: &S::Activations,
        d: &RingMatrix,
        mask: &Mask,
        rng: &mut Rng,
    ) -> Result<S::WeightGradient, HeError> {
        let multiply = || self.inner.weight_gradient(a, d, mask, rng);
        let shape = mask.expose().shape();
        self.matrix("weight_gradient", |_| shape, Encrypted::extent, multiply)
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
        self.matrix("input_gradient", |_| shape, Encrypted::extent, multiply)
    }
}

#[cfg(test)]
mod tests;
