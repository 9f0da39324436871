//! This project's joint inference, as the roles of a job compute it.
//!
//! ```text
//!   client (active): f, E, key                    server (passive): W~ = W2 + E, b2
//!   Enc(a), a = f(x) ───────────────────────────▶ Enc(a W~' + S1)
//!   z + S1 = Dec - a E' ◀────────────────────────
//!          ─────────────────────────────────────▶ z = . - S1 + b2
//! ```
//!
//! The machines of `entente_protocol::acml` send the same messages; they are
//! not run here because an exchange of theirs ends in a count of right answers
//! and not in logits, and is not taken apart by party.

use std::sync::Arc;

use entente_he::{
    Backend, CutBounds, Evaluate, Expect, KeyOwner, Paillier, PaillierBackend, paillier,
};
use entente_protocol::fixed::Scales;
use entente_wire::{Decode, Encode, Mask, Masked, RingMatrix, Shape, decode_exactly};
use ndarray::Array2;
use rand_chacha::ChaCha20Rng;

use super::{Conditions, Cost, Inference, Measured, Subject};
use crate::exit::Failure;

pub(super) struct Joint<'a> {
    subject: &'a Subject,
    scales: Scales,
    bounds: CutBounds,
    client: Arc<dyn KeyOwner<Paillier>>,
    server: Arc<dyn Evaluate<Paillier>>,
    /// E, `c x h`.
    share: RingMatrix,
    /// `W~ = W2 + E`, `c x h`.
    weights: RingMatrix,
    /// b2, `1 x c`.
    bias: RingMatrix,
    rng: ChaCha20Rng,
}

impl<'a> Joint<'a> {
    pub(super) fn set_up(
        subject: &'a Subject,
        under: Conditions,
        mut rng: ChaCha20Rng,
    ) -> Result<Self, Failure> {
        let scales = under.scales;
        let (classes, width) = subject.top().dim();
        let bounds = scales.bounds(under.batch, width, classes, 1.0);
        let backend = PaillierBackend::new(under.layout);
        let client = backend
            .generate(under.key_bits, bounds, &mut rng)
            .map_err(Failure::runtime)?;
        let server = backend
            .evaluator(client.public_key().clone(), bounds)
            .map_err(Failure::runtime)?;
        let share = RingMatrix::uniform(Shape::new(classes, width), &mut rng);
        let weights = scales.weights(subject.top()).map_err(Failure::runtime)?;
        let scale = f64::from(scales.logit_bits()).exp2();
        let bias = RingMatrix::from_fn(Shape::new(1, classes), |_, class| {
            let bias = subject.bias().get(class).copied().unwrap_or_default();
            ((bias * scale).round() as i64).cast_unsigned()
        });
        let mut joint = Self {
            subject,
            scales,
            bounds,
            client,
            server,
            weights: weights.add(&share),
            share,
            bias,
            rng,
        };
        // The evaluator's bases are made with its first product, once.
        joint.infer(&Array2::zeros((1, subject.inputs())))?;
        Ok(joint)
    }
}

impl Inference for Joint<'_> {
    fn subject(&self) -> &Subject {
        self.subject
    }

    fn infer(&mut self, x: &Array2<f32>) -> Result<Measured, Failure> {
        let mut cost = Cost::of(x.nrows());
        let Self {
            subject,
            scales,
            bounds,
            client,
            server,
            share,
            weights,
            bias,
            rng,
        } = self;
        let key = client.public_key();
        let expect = |cols| Expect {
            key,
            bounds,
            shape: Shape::new(x.nrows(), cols),
        };
        let (hidden, logits) = (expect(bounds.width), expect(bounds.classes));

        let a = cost.client_in_plain(|| {
            let a = subject.activations(x)?;
            scales.activations(&a).map_err(Failure::runtime)
        })?;
        let message = cost.client(|| {
            let encrypted = client.encrypt_for_inference(&a, rng);
            Ok(encrypted.map_err(Failure::runtime)?.encoded())
        })?;
        cost.client_sends(&message, key.bits());

        let (mask, message) = cost.server(|| {
            let a: paillier::ForwardActivations = read(&hidden, &message)?;
            let mask = Mask::draw(logits.shape, rng);
            let product = server.forward(&a, weights, &mask, rng);
            Ok((mask, product.map_err(Failure::runtime)?.encoded()))
        })?;
        cost.server_sends(&message, key.bits());

        let message = cost.client(|| {
            let product: paillier::Forward = read(&logits, &message)?;
            let product = client.decrypt_forward(&product);
            let masked = product.map_err(Failure::runtime)?;
            Ok(masked.minus(&a.dot(&share.transposed())).encoded())
        })?;
        cost.client_bytes += message.len();

        let logits = cost.server(|| {
            let masked: Masked = read(&logits.shape, &message)?;
            let z = masked.remove(mask).add_row(bias);
            scales.logits(&z).map_err(Failure::runtime)
        })?;
        cost.round_trips = 1;
        Ok(Measured { logits, cost })
    }
}

/// A message, whole.
fn read<C, T: Decode<C>>(context: &C, message: &[u8]) -> Result<T, Failure> {
    decode_exactly(context, message).map_err(Failure::runtime)
}
