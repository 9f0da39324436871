//! The evaluator's side: the passive party. It has no decrypt.

use core::fmt;

use entente_wire::{Mask, RingMatrix, Secret, Shape};

use super::{
    Activations, EncryptedShare, Forward, ForwardActivations, InputGradient, Paillier, PublicKey,
    WeightGradient,
    ciphertexts::Ciphertexts,
    packing::Packing,
    packings::{Packings, SIGNED_BITS},
    pool::Pool,
    rerandomise::Rerandomiser,
};
use crate::{
    Ahead, CutBounds, Evaluate, HeError, Primitive, Rng, Tallied, Tally,
    bounds::check_shape,
    engine::{Residues, Scalars},
};

/// Products under a peer's key.
///
/// W~ and Delta are secrets of this party. The products are constant time in
/// them (see the engine), and so are masks and re-randomisation; which
/// *ciphertexts* were multiplied is public, and inversions, which look at
/// ciphertexts alone, are not constant time.
pub(super) struct PaillierEvaluator {
    key: PublicKey,
    bounds: CutBounds,
    packings: Packings,
    /// Where re-randomisation comes from.
    pool: Pool<Rerandomiser>,
    #[cfg(test)]
    leaves_randomness: bool,
}

impl PaillierEvaluator {
    /// With room for `pool_values` values of randomness made ahead.
    ///
    /// # Errors
    /// [`HeError::DoesNotFit`].
    pub(super) fn new(
        key: PublicKey,
        bounds: CutBounds,
        pool_values: usize,
    ) -> Result<Self, HeError> {
        Ok(Self {
            packings: Packings::new(&bounds, key.bits(), key.layout())?,
            pool: Pool::new(Rerandomiser::new(key.clone()), pool_values),
            key,
            bounds,
            #[cfg(test)]
            leaves_randomness: false,
        })
    }

    /// An evaluator with the hole that rule 5 is about, to show that there is
    /// one.
    #[cfg(test)]
    pub(super) fn without_rerandomisation(
        key: PublicKey,
        bounds: CutBounds,
    ) -> Result<Self, HeError> {
        let mut evaluator = Self::new(key, bounds, 0)?;
        evaluator.leaves_randomness = true;
        Ok(evaluator)
    }

    /// The products of `x` (`lanes x terms`) with the scalars.
    fn products(&self, x: &Residues, scalars: &Scalars) -> Result<Residues, HeError> {
        let count = x.len() * scalars.outputs();
        let products = self.tally().measure(Primitive::Multiply, count, || {
            self.key.modulus().products(x, scalars)
        });
        products.ok_or(HeError::BadKey {
            why: "a ciphertext has a factor in common with it",
        })
    }

    /// What every product goes through before it may leave: the visible part
    /// moved by `low`, the carries hidden, the randomness replaced.
    fn release(
        &self,
        mut products: Residues,
        low: &RingMatrix,
        packing: Packing,
        rng: &mut Rng,
    ) -> Ciphertexts {
        let (modulus, tally) = (self.key.modulus(), self.tally());
        let added = tally.measure(Primitive::Pack, low.shape().len(), || {
            let added = packing.blind(low, self.key.bits(), rng);
            self.key.encode_all(&added)
        });
        let count = products.len();
        tally.measure(Primitive::Add, count, || {
            modulus.multiply(&mut products, &modulus.import(added.expose()));
        });
        tally.measure(Primitive::Rerandomise, count, || {
            self.rerandomise(&mut products, rng);
        });
        Ciphertexts::new(self.key.clone(), low.shape(), packing, products)
    }

    fn rerandomise(&self, products: &mut Residues, rng: &mut Rng) {
        #[cfg(test)]
        if self.leaves_randomness {
            return;
        }
        let fresh = self.pool.draw(products.len(), rng);
        self.key.modulus().multiply(products, &fresh);
    }
}

impl Ahead for PaillierEvaluator {
    fn advance(&self, rng: &mut Rng) -> bool {
        self.pool.advance(rng)
    }

    fn depth(&self) -> usize {
        self.pool.depth()
    }

    fn capacity(&self) -> usize {
        self.pool.capacity()
    }
}

impl Tallied for PaillierEvaluator {
    fn tally(&self) -> &Tally {
        self.pool.tally()
    }
}

impl Evaluate<Paillier> for PaillierEvaluator {
    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    fn bounds(&self) -> &CutBounds {
        &self.bounds
    }

    fn forward(
        &self,
        ForwardActivations(a): &ForwardActivations,
        w: &RingMatrix,
        mask: &Mask,
        rng: &mut Rng,
    ) -> Result<Forward, HeError> {
        let CutBounds { width, classes, .. } = self.bounds;
        let batch = self.bounds.check_batch(a.shape())?;
        self.bounds.check_weight("weight", w.shape())?;
        check_shape("mask", mask.expose().shape(), Shape::new(batch, classes))?;

        let w = w.as_array();
        let scalars = Scalars::from_fn(classes, width, SIGNED_BITS, |class, feature| {
            w[(class, feature)].0.cast_signed()
        });
        let needed = self.packings.forward();
        let a_cells = a.cells_with_room("the forward product", &self.key, needed)?;
        let products = self.products(a_cells, &scalars)?;
        let product = self.release(products, mask.expose(), a.packing(), rng);
        Ok(Forward(product))
    }

    fn weight_gradient(
        &self,
        a: &Activations,
        d: &RingMatrix,
        mask: &Mask,
        rng: &mut Rng,
    ) -> Result<WeightGradient, HeError> {
        let a = &a.over_features;
        let batch = self.bounds.check_batch(a.shape())?;
        self.bounds.check_steps(d, batch)?;
        self.bounds.check_weight("mask", mask.expose().shape())?;

        let d = d.as_array();
        let bits = self.bounds.step_bits(batch);
        let scalars = Scalars::from_fn(self.bounds.classes, batch, bits, |class, sample| {
            d[(sample, class)].0.cast_signed()
        });
        let needed = self.packings.weight_gradient();
        let a_cells = a.cells_with_room("the weight gradient", &self.key, needed)?;
        let products = self.products(a_cells, &scalars)?;
        let product = self.release(products, mask.expose(), a.packing(), rng);
        Ok(WeightGradient(product))
    }

    fn input_gradient(
        &self,
        e: &EncryptedShare,
        d: &RingMatrix,
        w: &RingMatrix,
        rng: &mut Rng,
    ) -> Result<InputGradient, HeError> {
        self.bounds.check_weight("encrypted share", e.0.shape())?;
        self.bounds.check_deltas(d)?;
        self.bounds.check_weight("weight", w.shape())?;
        let batch = d.shape().rows;

        // D W is plain to both operands' owner: it goes where a mask would.
        let plain = Secret::new(d.dot(w));
        let d = d.as_array();
        let bits = self.bounds.delta_bits(batch);
        let scalars = Scalars::from_fn(batch, self.bounds.classes, bits, |sample, class| {
            d[(sample, class)].0.cast_signed().wrapping_neg()
        });
        let needed = self.packings.input_gradient(batch)?;
        let e_cells =
            e.0.cells_with_room("the input gradient", &self.key, needed)?;
        let products = self.products(e_cells, &scalars)?;
        let product = self.release(products, plain.expose(), e.0.packing(), rng);
        Ok(InputGradient(product))
    }
}

impl fmt::Debug for PaillierEvaluator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaillierEvaluator")
            .field("key", &self.key)
            .field("bounds", &self.bounds)
            .finish_non_exhaustive()
    }
}
