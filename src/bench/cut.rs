//! What each operation of the scheme costs on one cut, by the clock on the
//! wall and over the threads of the pool that it runs in.

use entente_he::{Backend, CutBounds, KeyBits, Layout, PaillierBackend};
use entente_protocol::fixed::Scales;
use entente_wire::{Encode, Mask, RingMatrix, Shape};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};

use super::effort::{Effort, say};
use crate::exit::Failure;

/// A cut: B samples, h wide, c classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cut {
    pub(crate) batch: usize,
    pub(crate) width: usize,
    pub(crate) classes: usize,
}

impl Cut {
    pub(super) fn bounds(self) -> CutBounds {
        Scales::default().bounds(self.batch, self.width, self.classes, 1.0)
    }
}

/// Inference: encrypt, multiply, decrypt, on one thread.
pub(super) const FORWARD_PASS: &str = "forward_pass";

/// What one operation costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Figure {
    /// The operation, by its name in the metrics; or `forward_pass`, which is
    /// three of them.
    pub(super) operation: String,
    /// The least of the repetitions, for the whole matrix.
    pub(super) seconds: f64,
    /// Bytes of the matrix that it makes, as it is sent; 0 for what stays.
    pub(super) bytes: usize,
}

/// Measures every operation of the seam, in the order of a round.
pub(super) fn measure(
    bits: KeyBits,
    layout: Layout,
    cut: Cut,
    effort: Effort,
) -> Result<Vec<Figure>, Failure> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let backend = PaillierBackend::new(layout);
    let (weights, hidden) = (
        Shape::new(cut.classes, cut.width),
        Shape::new(cut.batch, cut.width),
    );
    let logits = Shape::new(cut.batch, cut.classes);
    let mut figures = Vec::new();
    let mut note = |operation: &str, seconds: f64, bytes: usize| {
        figures.push(Figure {
            operation: operation.to_owned(),
            seconds,
            bytes,
        });
    };

    let owner = made(backend.generate(bits, cut.bounds(), &mut rng))?;
    let evaluator = made(backend.evaluator(owner.public_key().clone(), cut.bounds()))?;
    say(&format!(
        "{} bits, {layout:?}: a round's operations",
        bits.bits()
    ));

    let a = small(hidden, 1 << 15, &mut rng);
    let w = RingMatrix::uniform(weights, &mut rng);
    let d = gradient(logits, &mut rng);
    let (encrypt, queries) = effort.least(|| made(owner.encrypt_for_inference(&a, &mut rng)))?;
    note("encrypt_for_inference", encrypt, queries.encoded().len());
    let (seconds, activations) = effort.least(|| made(owner.encrypt_activations(&a, &mut rng)))?;
    note("encrypt_activations", seconds, activations.encoded().len());
    let (seconds, share) = effort.least(|| made(owner.encrypt_share(&w, cut.batch, &mut rng)))?;
    note("encrypt_share", seconds, share.encoded().len());

    let mask = Mask::draw(logits, &mut rng);
    // The evaluator's own bases are made with its first product, once a job.
    made(evaluator.forward(&queries, &w, &mask, &mut rng))?;
    let (multiply, forward) =
        effort.least(|| made(evaluator.forward(&queries, &w, &mask, &mut rng)))?;
    note("forward", multiply, forward.encoded().len());
    let mask = Mask::draw(weights, &mut rng);
    let (seconds, weight_gradient) =
        effort.least(|| made(evaluator.weight_gradient(&activations, &d, &mask, &mut rng)))?;
    note("weight_gradient", seconds, weight_gradient.encoded().len());
    let (seconds, input_gradient) =
        effort.least(|| made(evaluator.input_gradient(&share, &d, &w, &mut rng)))?;
    note("input_gradient", seconds, input_gradient.encoded().len());

    let (decrypt, _) = effort.least(|| made(owner.decrypt_forward(&forward)))?;
    note("decrypt_forward", decrypt, 0);
    let (seconds, _) = effort.least(|| made(owner.decrypt_weight_gradient(&weight_gradient)))?;
    note("decrypt_weight_gradient", seconds, 0);
    let (seconds, _) = effort.least(|| made(owner.decrypt_input_gradient(&input_gradient)))?;
    note("decrypt_input_gradient", seconds, 0);

    let sent = queries.encoded().len() + forward.encoded().len();
    note(FORWARD_PASS, encrypt + multiply + decrypt, sent);
    Ok(figures)
}

fn made<T>(result: Result<T, entente_he::HeError>) -> Result<T, Failure> {
    result.map_err(Failure::runtime)
}

/// Entries of a size below `bound`, of either sign.
fn small(shape: Shape, bound: i64, rng: &mut ChaCha20Rng) -> RingMatrix {
    RingMatrix::from_fn(shape, |_, _| {
        ((rng.next_u64() as i64).rem_euclid(2 * bound) - bound).cast_unsigned()
    })
}

/// A gradient as the loss makes it: each row sums to nothing, and its sizes to
/// two over the batch.
fn gradient(shape: Shape, rng: &mut ChaCha20Rng) -> RingMatrix {
    let unit = (1_i64 << Scales::default().delta_bits) / shape.rows as i64;
    let classes: Vec<usize> = (0..shape.rows)
        .map(|_| rng.next_u64() as usize % shape.cols)
        .collect();
    let share = unit / shape.cols as i64;
    RingMatrix::from_fn(shape, |i, j| {
        let right = if classes[i] == j { unit } else { 0 };
        (share - right).cast_unsigned()
    })
}
