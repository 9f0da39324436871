//! What every scheme behind the seam must do, as a test that anyone can run.
//!
//! The suite knows nothing of a scheme but its types. Every ciphertext goes
//! over the wire and back before it is used, as it does in a job, and every
//! result is held against plain arithmetic in the ring.
//!
//! ```text
//!   laws       three products = ring arithmetic; shapes from 1 x 1, ragged batches,
//!              values at their bounds, ring extremes
//!   refusals   out of range by one, wrong shapes, ciphertexts under another key
//!   hiding     no two encryptions, and no two products, of the same are the same
//!   decoding   truncated at every byte, trailing bytes, wrong shape, another key
//!   proving    a key is certified by its owner's proof, in its context alone, and once
//!   restoring  an owner from what it saved: the same key; damaged, an error
//! ```
//!
//! What only the scheme itself can make (ciphertexts out of range, with a
//! factor of the key, forged) is for its own tests.

// A suite of tests, wherever it is compiled: it ends at the first violation.
#![allow(clippy::expect_used, clippy::panic)]

mod decoding;
mod hiding;
mod laws;
mod proving;
mod refusals;
mod restoring;

use std::sync::Arc;

use entente_wire::{Decode, Encode, Mask, RingMatrix, Shape, decode_exactly};
use rand::{Rng as _, SeedableRng};
use rand_chacha::ChaCha20Rng;

use crate::{Backend, CutBounds, Encrypted, Evaluate, Expect, KeyBits, KeyOwner, Scheme};

/// Cuts that the suite works on: the smallest there is, then random ones.
const CUTS: u64 = 4;

/// Runs the whole suite. The seed decides keys, shapes and values.
///
/// # Panics
/// With what was violated, at the first violation: this is a test.
pub fn check<S: Scheme>(backend: &dyn Backend<S>, bits: KeyBits, seed: u64) {
    for cut in 0..CUTS {
        let seed = seed.wrapping_mul(CUTS).wrapping_add(cut);
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut up_to = |most: usize| match cut {
            0 => 1,
            _ => 1 + rng.next_u32() as usize % most,
        };
        let bounds = CutBounds {
            batch: up_to(6),
            width: up_to(7),
            classes: up_to(3),
            activation_bits: 18 + cut as u32,
            // No power of two: a learning rate makes it none.
            step_unit: (5 << 19) >> cut,
            delta_unit: 1 << 17,
        };
        let mut bench = Bench::new(backend, bits, bounds, rng);
        bench.laws();
        bench.refusals();
        bench.hiding();
        bench.decoding();
        bench.proving(backend);
        bench.restoring(backend);
    }
}

/// Both ends under one key, and another key that is not theirs.
struct Bench<S: Scheme> {
    bits: KeyBits,
    bounds: CutBounds,
    owner: Arc<dyn KeyOwner<S>>,
    evaluator: Arc<dyn Evaluate<S>>,
    stranger: Arc<dyn KeyOwner<S>>,
    rng: ChaCha20Rng,
}

impl<S: Scheme> Bench<S> {
    fn new(
        backend: &dyn Backend<S>,
        bits: KeyBits,
        bounds: CutBounds,
        mut rng: ChaCha20Rng,
    ) -> Self {
        let owner = backend
            .generate(bits, bounds, &mut rng)
            .expect("a key for modest bounds");
        let stranger = backend
            .generate(bits, bounds, &mut rng)
            .expect("a second key");
        let key: S::PublicKey = decode_exactly(&bits, &owner.public_key().encoded())
            .expect("a fresh public key survives the wire");
        assert!(key == *owner.public_key(), "the wire changed the key");
        assert!(key != *stranger.public_key(), "two keys are the same");
        let evaluator = backend
            .evaluator(key, bounds)
            .expect("an evaluator for a fresh key");
        assert_eq!(*owner.bounds(), bounds);
        assert_eq!(*evaluator.bounds(), bounds);
        Self {
            bits,
            bounds,
            owner,
            evaluator,
            stranger,
            rng,
        }
    }

    /// `B x h`.
    fn activations_shape(&self, batch: usize) -> Shape {
        Shape::new(batch, self.bounds.width)
    }

    /// `B x c`.
    fn logits_shape(&self, batch: usize) -> Shape {
        Shape::new(batch, self.bounds.classes)
    }

    /// `c x h`.
    fn weight_shape(&self) -> Shape {
        Shape::new(self.bounds.classes, self.bounds.width)
    }

    fn uniform(&mut self, shape: Shape) -> RingMatrix {
        RingMatrix::uniform(shape, &mut self.rng)
    }

    fn mask(&mut self, shape: Shape) -> Mask {
        Mask::draw(shape, &mut self.rng)
    }

    /// Uniform signed values below 2^bits in size.
    fn within(&mut self, shape: Shape, bits: u32) -> RingMatrix {
        RingMatrix::from_fn(shape, |_, _| signed(bits, &mut self.rng))
    }

    /// Random scalars of the weight gradient.
    fn steps(&mut self, batch: usize) -> RingMatrix {
        let bits = self.bounds.step_bits(batch);
        let rng = &mut self.rng;
        steps(&self.bounds, batch, |_, _| signed(bits, rng))
    }

    /// Random scalars of the input gradient.
    fn deltas(&mut self, batch: usize) -> RingMatrix {
        let bits = self.bounds.delta_bits(batch);
        let rng = &mut self.rng;
        deltas(&self.bounds, batch, |_, _| signed(bits, rng))
    }

    /// Over the wire, to a receiver who expects `shape`.
    fn travel<T>(&self, value: &T, shape: Shape) -> T
    where
        T: Encode + Encrypted + for<'a> Decode<Expect<'a, S>>,
    {
        let bytes = value.encoded();
        let there: T = self
            .receive(&bytes, shape)
            .expect("what was sent can be read");
        let extent = value.extent();
        assert_eq!(extent.bytes, bytes.len(), "bytes are counted wrong");
        assert_eq!(extent, there.extent(), "the wire changed how much there is");
        assert!(extent.values <= extent.room, "more values than room");
        there
    }

    fn receive<T>(&self, bytes: &[u8], shape: Shape) -> Result<T, entente_wire::DecodeError>
    where
        T: for<'a> Decode<Expect<'a, S>>,
    {
        let expect = Expect {
            key: self.owner.public_key(),
            bounds: &self.bounds,
            shape,
        };
        decode_exactly(&expect, bytes)
    }

    /// Enc(a), as the evaluator holds it.
    fn encrypted(&mut self, a: &RingMatrix) -> S::Activations {
        let encrypted = self
            .owner
            .encrypt_activations(a, &mut self.rng)
            .expect("activations within their bounds");
        self.travel(&encrypted, a.shape())
    }

    /// Enc(a) for the forward product alone, as the evaluator holds it.
    fn encrypted_for_inference(&mut self, a: &RingMatrix) -> S::ForwardActivations {
        let encrypted = self
            .owner
            .encrypt_for_inference(a, &mut self.rng)
            .expect("activations within their bounds");
        self.travel(&encrypted, a.shape())
    }

    /// Enc(E), as the evaluator holds it.
    fn encrypted_share(&mut self, e: &RingMatrix, rows: usize) -> S::EncryptedShare {
        let encrypted = self
            .owner
            .encrypt_share(e, rows, &mut self.rng)
            .expect("a share may be any ring element");
        self.travel(&encrypted, e.shape())
    }
}

/// A signed value below 2^bits in size.
fn signed(bits: u32, rng: &mut ChaCha20Rng) -> u64 {
    let size = rng.next_u64() >> (64 - bits);
    if rng.next_u32() & 1 == 0 {
        size
    } else {
        size.wrapping_neg()
    }
}

/// Scalars of the weight gradient, `B x c`: what `wanted` says, less where a
/// class would sum to too much.
fn steps(bounds: &CutBounds, batch: usize, wanted: impl FnMut(usize, usize) -> u64) -> RingMatrix {
    let shape = Shape::new(batch, bounds.classes);
    let mut left = vec![bounds.step_norm(batch); bounds.classes];
    limited(shape, wanted, |_, class| class, &mut left)
}

/// Scalars of the input gradient, `B x c`: what `wanted` says, less where a
/// sample would sum to too much.
fn deltas(bounds: &CutBounds, batch: usize, wanted: impl FnMut(usize, usize) -> u64) -> RingMatrix {
    let shape = Shape::new(batch, bounds.classes);
    let mut left = vec![bounds.delta_norm(batch); batch];
    limited(shape, wanted, |sample, _| sample, &mut left)
}

/// Each entry as wanted, or as much of it as its line has left.
fn limited(
    shape: Shape,
    mut wanted: impl FnMut(usize, usize) -> u64,
    line: impl Fn(usize, usize) -> usize,
    left: &mut [u128],
) -> RingMatrix {
    RingMatrix::from_fn(shape, |i, j| {
        let value = wanted(i, j).cast_signed();
        let left = &mut left[line(i, j)];
        let size = u128::from(value.unsigned_abs()).min(*left);
        *left -= size;
        let size = size as u64;
        if value < 0 { size.wrapping_neg() } else { size }
    })
}
