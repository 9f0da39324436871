//! What the paper compares with, and ours, measured in one way.
//!
//! ```text
//!   let subject = Subject::drawn(&job, seed)?;           // weights are made up
//!   let under = Conditions::new(KeyBits::B2048, &job, 128);
//!   let mut ours = Method::Joint.set_up(&subject, under, seed)?;       // keys: once, not measured
//!   let mut theirs = Method::GeluNet.set_up(&subject, under, seed)?;
//!   let Measured { logits, cost } = measure_inference(&mut *ours, &x, 3)?;   // x: B x d
//!   cost.seconds_per_sample(), cost.client_seconds, cost.server_bytes, cost.round_trips, ...
//! ```
//!
//! | column of the paper | here |
//! |---|---|
//! | ours | [`Method::Joint`]: everything below the cut in plain, the cut encrypted |
//! | MLR | [`Method::Joint`] on the preset `mlr`: nothing below the cut, h is the input's dimension |
//! | GELU-Net | [`Method::GeluNet`]: every linear layer encrypted, at the server |
//! | (in no column) | [`Method::GeluNetPacked`]: the same, with a packing that helps a single sample |
//! | CryptoNets' accuracy | a job whose network is `network.with_activation(Activation::Square)`, trained in plain |
//! | plaintext | `entente_actors::network::plaintext` |
//!
//! # What makes it fair
//!
//! All of it is one engine, one key size, one rule about randomness and one way
//! to count: both parties in one process, on all threads of the current pool,
//! one after the other; each message made, encoded, decoded and answered, so
//! that seconds are those of both parties' processors and a network would come
//! on top (`round_trips` and the bytes say how much). Ciphertexts hold one value
//! of as many samples as there is room for: with one sample, one value.
//! ([`Method::GeluNetPacked`] does better.) Key generation, and what an evaluator
//! makes once under a key, are left out of all; nothing is made ahead. Every
//! measurement is held against the same network in plain: what computes
//! something else is an error and no figure.
//!
//! This room is in the binary and not in `actors/`, since it names the scheme;
//! and of tensors it needs no more than a bottom network's parameters.

mod cost;
mod gelu_net;
mod joint;
mod subject;
#[cfg(test)]
mod tests;

use entente_he::{KeyBits, Layout};
use entente_protocol::{fixed::Scales, job::Job};
use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

pub(crate) use self::{cost::Cost, subject::Subject};
use self::{
    gelu_net::{GeluNet, Packing},
    joint::Joint,
};
use crate::exit::Failure;

/// How far logits in fixed point may be from those in floating point, of 1 and of
/// their size: more than any grid here moves them, and less than any other
/// network is away.
const NEAR: f64 = 0.02;

/// Under which conditions methods are measured: the same for each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conditions {
    /// The size of the key.
    pub(crate) key_bits: KeyBits,
    /// How plaintexts are laid out.
    pub(crate) layout: Layout,
    /// How reals stand as integers.
    pub(crate) scales: Scales,
    /// The largest batch.
    pub(crate) batch: usize,
}

impl Conditions {
    /// Packed, with the scales of `job`.
    pub(crate) fn new(key_bits: KeyBits, job: &Job, batch: usize) -> Self {
        Self {
            key_bits,
            layout: Layout::Packed,
            scales: job.spec().fixed_point,
            batch,
        }
    }
}

/// How a network is evaluated on features that its owner does not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// This project's joint inference.
    Joint,
    /// Zhang et al., IJCAI 2018.
    GeluNet,
    /// The same with a packing that it does not have, in favour of few samples:
    /// what one would build of it today.
    GeluNetPacked,
}

impl Method {
    /// Both ends, with their keys. Everything is drawn from `seed`: for
    /// measurements, and never for data that matter.
    ///
    /// # Errors
    /// [`Failure::Configuration`] when the method has no way to compute the
    /// network; [`Failure::Runtime`].
    pub(crate) fn set_up<'a>(
        self,
        subject: &'a Subject,
        under: Conditions,
        seed: u64,
    ) -> Result<Box<dyn Inference + 'a>, Failure> {
        let rng = ChaCha20Rng::seed_from_u64(seed);
        Ok(match self {
            Self::Joint => Box::new(Joint::set_up(subject, under, rng)?),
            Self::GeluNet => Box::new(GeluNet::set_up(subject, Packing::OverSamples, under, rng)?),
            Self::GeluNetPacked => {
                let packing = Packing::OverSamplesOrPlaces;
                Box::new(GeluNet::set_up(subject, packing, under, rng)?)
            }
        })
    }
}

/// Two ends that evaluate a network together.
pub(crate) trait Inference {
    /// The network.
    fn subject(&self) -> &Subject;

    /// Evaluates it on `x` (`B x d`, B up to the conditions' batch).
    ///
    /// # Errors
    /// [`Failure::Runtime`] when a value leaves its range.
    fn infer(&mut self, x: &Array2<f32>) -> Result<Measured, Failure>;
}

/// What came out, and what it cost.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    /// `B x c`.
    pub(crate) logits: Array2<f64>,
    /// Of the whole batch.
    pub(crate) cost: Cost,
}

/// Evaluates `x` so many times (at least once), and keeps the quickest:
/// whatever else runs on a machine only adds.
///
/// # Errors
/// As [`Inference::infer`]; [`Failure::Runtime`] when what came out is not what
/// the network makes of `x` in plain.
pub(crate) fn measure_inference(
    method: &mut dyn Inference,
    x: &Array2<f32>,
    repetitions: u32,
) -> Result<Measured, Failure> {
    let mut quickest = method.infer(x)?;
    for _ in 1..repetitions {
        let measured = method.infer(x)?;
        if measured.cost.seconds() < quickest.cost.seconds() {
            quickest = measured;
        }
    }
    let plain = method.subject().logits(x)?;
    // NaN is not near anything.
    let near = |(one, other): (&f64, &f64)| (one - other).abs() <= NEAR * (1.0 + other.abs());
    if quickest.logits.dim() == plain.dim() && quickest.logits.iter().zip(&plain).all(near) {
        return Ok(quickest);
    }
    Err(Failure::Runtime(
        "what was computed under encryption is not what the network makes of the same samples in \
         plain; nothing was measured. This is a defect, please report it"
            .to_owned(),
    ))
}
