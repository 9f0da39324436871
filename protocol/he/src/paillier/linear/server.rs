//! The end that owns the weights. It has no decrypt.

use core::fmt;

use entente_wire::{RingMatrix, Secret, Shape};

use super::{LinearBounds, Windows};
use crate::{
    HeError, Rng,
    bounds::{check_range, check_shape},
    engine::{Residues, Scalars},
    paillier::{
        LinearInput, LinearOutput, PublicKey, ciphertexts::Ciphertexts, packing::Packing,
        plaintext::Plaintext, pool::Pool, rerandomise::Rerandomiser,
    },
};

/// Multiplies under a client's key. Constant time in weights and biases.
pub struct LinearServer {
    key: PublicKey,
    bounds: LinearBounds,
    randomness: Pool<Rerandomiser>,
}

/// Products whose randomness is what came of the weights: nothing that may be
/// sent, and nothing that can be.
pub struct LinearProducts {
    cells: Residues,
    shape: Shape,
    outputs: usize,
    packing: Packing,
}

impl LinearServer {
    pub(super) fn new(
        key: PublicKey,
        bounds: LinearBounds,
        pool_values: usize,
        rng: &mut Rng,
    ) -> Self {
        let randomness = Pool::new(Rerandomiser::new(key.clone()), pool_values);
        // Nothing drawn, but what it is drawn from is made.
        randomness.draw(0, rng);
        Self {
            key,
            bounds,
            randomness,
        }
    }

    /// `sum_k w[o][k] x[i][seen(p, k)]` for each sample i, place p and output
    /// o: `x` is `B x N`, `weights` `O x K`, the products `B x PO`, outputs of
    /// a place side by side.
    ///
    /// # Errors
    /// [`HeError::Shape`], [`HeError::OutOfRange`]; [`HeError::BadKey`] for
    /// ciphertexts under another key.
    pub fn multiply(
        &self,
        LinearInput(x): &LinearInput,
        windows: &Windows,
        weights: &RingMatrix,
    ) -> Result<LinearProducts, HeError> {
        let Shape { rows, cols: values } = x.shape();
        let Shape { rows: outputs, .. } = weights.shape();
        let (places, terms) = (windows.places(), windows.terms());
        check_shape("values", x.shape(), Shape::new(rows, windows.values()))?;
        check_shape("weights", weights.shape(), Shape::new(outputs, terms))?;
        let most = self.bounds.terms;
        let seen = Shape::new(places, terms.min(most));
        check_shape("windows", Shape::new(places, terms), seen)?;
        check_range("weights", weights, self.bounds.weight_bits)?;

        let weights = weights.as_array();
        let bits = self.bounds.weight_bits;
        let scalars = Scalars::from_fn(outputs, terms, bits, |output, term| {
            weights[(output, term)].0.cast_signed()
        });
        // Cells are blocks of samples by rows, and so are those of the
        // products: a block has a row for each place.
        let cells = x.cells(&self.key)?;
        let blocks = cells.len() / values.max(1);
        let beyond = cells.len();
        let seen = |row: usize, term: usize| {
            let (block, place) = (row / places, row % places);
            let value = windows.seen(place, term);
            value.map_or(beyond, |value| block * values + value)
        };
        let modulus = self.key.modulus();
        let products = modulus.gathered_products(cells, blocks * places, seen, &scalars);
        Ok(LinearProducts {
            cells: products.ok_or(HeError::BadKey {
                why: "a ciphertext has a factor in common with it",
            })?,
            shape: Shape::new(rows, places * outputs),
            outputs,
            packing: x.packing(),
        })
    }

    /// What products go through before they may leave: the bias (`1 x O`)
    /// added, every value made positive, the randomness replaced.
    ///
    /// # Errors
    /// [`HeError::Shape`], [`HeError::OutOfRange`].
    pub fn release(
        &self,
        products: LinearProducts,
        bias: &RingMatrix,
        rng: &mut Rng,
    ) -> Result<LinearOutput, HeError> {
        let LinearProducts {
            mut cells,
            shape,
            outputs,
            packing,
        } = products;
        check_shape("bias", bias.shape(), Shape::new(1, outputs))?;
        check_range("bias", bias, self.bounds.bias_bits())?;
        let bits = self.key.bits().bits();
        let moved = bias.as_array().iter().map(|bias| {
            let mut sum = Plaintext::zero(bits);
            // One number, so that no carry tells the sign of the bias.
            let positive = (1_u64 << packing.slot().value_bits()).wrapping_add(bias.0);
            for (at, _) in packing.entries(shape, 0) {
                sum.add(at, positive);
            }
            sum.to_boxed(bits)
        });
        let moved = self.key.encode_all(&Secret::new(moved.collect()));
        let modulus = self.key.modulus();
        // Outputs of a place lie side by side, in every block.
        let moved = modulus.import(moved.expose());
        let moved = moved.gathered(cells.len(), |cell| cell % outputs);
        modulus.multiply(&mut cells, &moved);
        let fresh = self.randomness.draw(cells.len(), rng);
        modulus.multiply(&mut cells, &fresh);
        let released = Ciphertexts::new(self.key.clone(), shape, packing, cells);
        Ok(LinearOutput(released))
    }
}

impl fmt::Debug for LinearServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinearServer")
            .field("key", &self.key)
            .field("bounds", &self.bounds)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for LinearProducts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinearProducts({})", self.shape)
    }
}
