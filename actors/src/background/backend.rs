//! A backend whose ends are worked ahead for.

use std::sync::{Arc, Weak};

use entente_he::{Ahead, Backend, CutBounds, Evaluate, HeError, KeyBits, KeyOwner, Rng, Scheme};
use entente_wire::{Digest, Secret};

use super::Background;

/// Hands the ends of a backend out as they are, and has them worked ahead for
/// while somebody keeps them.
pub(crate) struct WorksAhead<S: Scheme> {
    inner: Arc<dyn Backend<S>>,
    background: Background,
}

impl<S: Scheme> WorksAhead<S> {
    pub(crate) fn new(inner: Arc<dyn Backend<S>>, background: Background) -> Self {
        Self { inner, background }
    }

    fn serve(&self, end: Arc<dyn Ahead>) {
        let end: Weak<dyn Ahead> = Arc::downgrade(&end);
        self.background.serve(end);
    }
}

impl<S: Scheme> Backend<S> for WorksAhead<S> {
    fn generate(
        &self,
        bits: KeyBits,
        bounds: CutBounds,
        rng: &mut Rng,
    ) -> Result<Arc<dyn KeyOwner<S>>, HeError> {
        let owner = self.inner.generate(bits, bounds, rng)?;
        self.serve(owner.clone());
        Ok(owner)
    }

    fn restore(
        &self,
        bits: KeyBits,
        secret_key: &Secret<Vec<u8>>,
        bounds: CutBounds,
    ) -> Result<Arc<dyn KeyOwner<S>>, HeError> {
        let owner = self.inner.restore(bits, secret_key, bounds)?;
        self.serve(owner.clone());
        Ok(owner)
    }

    fn certify(
        &self,
        key: &S::PublicKey,
        proof: &S::KeyProof,
        context: Digest,
        last: Option<&S::PublicKey>,
    ) -> Result<(), HeError> {
        self.inner.certify(key, proof, context, last)
    }

    fn evaluator(
        &self,
        key: S::PublicKey,
        bounds: CutBounds,
    ) -> Result<Arc<dyn Evaluate<S>>, HeError> {
        let evaluator = self.inner.evaluator(key, bounds)?;
        self.serve(evaluator.clone());
        Ok(evaluator)
    }
}
