//! GELU-Net, for inference: every linear layer encrypted, every activation in
//! plain.
//!
//! ```text
//!   client: data, key, activations                server: all weights and biases
//!   x      ── Enc(x) ───────────────────────────▶ Enc(W1 x + b1)       conv or dense
//!   z1     ◀──────────────────────────────────────
//!   a1 = pool(tanh(z1)) ── Enc(a1) ─────────────▶ Enc(W2 a1 + b2)
//!   z2     ◀──────────────────────────────────────
//!   ...                                           a round trip for each of them
//!   logits
//! ```
//!
//! Source: Zhang, Wang, Wu, Xin and Phuong, "GELU-Net: A Globally Encrypted,
//! Locally Unencrypted Deep Neural Network for Privacy-Preserved Learning",
//! IJCAI 2018, forward propagation alone. The paper that this project
//! implements prints 7.855 s for a LeNet-5 and 3.8437 s for a network of one
//! convolution under it.
//!
//! What is taken from there: who holds what, linear layers under Paillier at
//! the server, everything else in plain at the client, which encrypts anew for
//! the next layer. Their masks belong to training (they hide gradients); in a
//! forward pass the client needs the sums themselves to take the activation of,
//! so **it sees every pre-activation**, and with enough of them the weights.
//! Neither code nor a key length of theirs is known here; where descriptions of
//! the protocol are silent, what favours it was taken.
//!
//! What is ours, each in favour of the method that is measured:
//!
//! - *the engine*: a convolution is one product of matrices over gathered
//!   ciphertexts, on the same kernels as ours, and the client encrypts with its
//!   secret key, which is a fraction of what encryption by the public key takes;
//! - *short weights*: 20 bits, where the shares of our cut have 64;
//! - *packing over samples*, as ours, with twice as many to a ciphertext, since
//!   nothing needs to be hidden above a value;
//! - in a variant, *packing over places* too (see `places.rs`), which the
//!   original does not have, and which is what helps a single sample;
//! - *pooling at the client*: it stands behind an activation, where values are
//!   in plain, and so costs nothing.
//!
//! And one against it: answers are re-randomised, as everything that leaves an
//! evaluator in this project. One may say that it protects nothing here, as the
//! client can solve for the weights anyway; its part is therefore told apart
//! (`server_release_seconds`).

mod client;
mod layers;
mod places;
#[cfg(test)]
mod tests;

use entente_he::{
    ExpectLinear, LinearBounds, LinearClient, LinearInput, LinearOutput, LinearServer,
    PaillierBackend,
};
use entente_wire::{Encode, Shape, decode_exactly};
use ndarray::Array2;
use rand_chacha::ChaCha20Rng;

use self::layers::{Grid, Layers};
pub(super) use self::places::Packing;
use super::{Conditions, Cost, Inference, Measured, Subject};
use crate::exit::Failure;

pub(super) struct GeluNet<'a> {
    subject: &'a Subject,
    layers: Layers,
    grid: Grid,
    packing: Packing,
    bounds: LinearBounds,
    client: LinearClient,
    server: LinearServer,
    rng: ChaCha20Rng,
}

impl<'a> GeluNet<'a> {
    pub(super) fn set_up(
        subject: &'a Subject,
        packing: Packing,
        under: Conditions,
        mut rng: ChaCha20Rng,
    ) -> Result<Self, Failure> {
        let grid = Grid::new(under.scales);
        let layers = Layers::of(subject, grid)?;
        let bounds = grid.bounds(layers.terms());
        let backend = PaillierBackend::new(under.layout);
        let client = backend
            .linear_client(under.key_bits, bounds, &mut rng)
            .map_err(Failure::runtime)?;
        let server = backend
            .linear_server(client.public_key().clone(), bounds, &mut rng)
            .map_err(Failure::runtime)?;
        Ok(Self {
            subject,
            layers,
            grid,
            packing,
            bounds,
            client,
            server,
            rng,
        })
    }
}

impl Inference for GeluNet<'_> {
    fn subject(&self) -> &Subject {
        self.subject
    }

    fn infer(&mut self, x: &Array2<f32>) -> Result<Measured, Failure> {
        let mut cost = Cost::of(x.nrows());
        let Self {
            subject: _,
            layers,
            grid,
            packing,
            bounds,
            client,
            server,
            rng,
        } = self;
        let key = client.public_key();
        let expect = |rows, cols| ExpectLinear {
            key,
            bounds,
            shape: Shape::new(rows, cols),
        };
        let samples = x.nrows();
        let mut values = cost.client_in_plain(|| layers.enter(x))?;
        for (linear, then) in layers.each() {
            let along = packing.of(linear, samples, client.samples_per_ciphertext());
            let windows = along.windows(linear);
            let rows = along.rows(linear, samples);

            let values_on_grid = cost.client_in_plain(|| grid.encode(&values))?;
            let message = cost.client(|| {
                let seen = along.unfolded(linear, values_on_grid);
                let encrypted = client.encrypt(&seen, rng);
                Ok(encrypted.map_err(Failure::runtime)?.encoded())
            })?;
            cost.client_sends(&message, key.bits());

            let comes = expect(rows, windows.values());
            let products = cost.server(|| {
                let input = decode_exactly::<_, LinearInput>(&comes, &message);
                let input = input.map_err(Failure::runtime)?;
                let products = server.multiply(&input, &windows, &linear.weights);
                products.map_err(Failure::runtime)
            })?;
            let message = cost.server_releases(|| {
                let output = server.release(products, &linear.bias, rng);
                Ok(output.map_err(Failure::runtime)?.encoded())
            })?;
            cost.server_sends(&message, key.bits());

            let leaves = expect(rows, windows.places() * linear.outputs());
            let sums = cost.client(|| {
                let output = decode_exactly::<_, LinearOutput>(&leaves, &message);
                let output = output.map_err(Failure::runtime)?;
                client.decrypt(&output).map_err(Failure::runtime)
            })?;
            values = cost.client_in_plain(|| {
                let sums = grid.decode(linear, samples, sums.expose());
                Ok(client::through(then, sums))
            })?;
            cost.round_trips += 1;
        }
        Ok(Measured {
            logits: values,
            cost,
        })
    }
}
