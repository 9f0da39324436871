//! The network that is evaluated: all of it in one place.

use entente_actors::network;
use entente_protocol::{
    job::{Blueprint, Job},
    network::{BottomNetwork, NamedTensor},
};
use ndarray::{Array1, Array2};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use crate::exit::Failure;

/// A network below the cut, and the dense layer above it.
pub(crate) struct Subject {
    blueprint: Blueprint,
    bottom: Box<dyn BottomNetwork>,
    /// `c x h`.
    top: Array2<f64>,
    /// c values.
    bias: Array1<f64>,
}

impl Subject {
    /// Of its parts.
    ///
    /// # Errors
    /// [`Failure::Runtime`] when they do not fit.
    pub(super) fn new(
        job: &Job,
        bottom: Box<dyn BottomNetwork>,
        top: Array2<f64>,
        bias: Array1<f64>,
    ) -> Result<Self, Failure> {
        let (classes, width) = (job.logits(), job.width());
        if bottom.width() != width || top.dim() != (classes, width) || bias.len() != classes {
            return Err(Failure::Runtime(format!(
                "the cut is {classes} x {width}, but the weights above it are {} x {}, their \
                 biases {}, and what comes to it is {} wide",
                top.nrows(),
                top.ncols(),
                bias.len(),
                bottom.width()
            )));
        }
        Ok(Self {
            blueprint: job.blueprint().clone(),
            bottom,
            top,
            bias,
        })
    }

    /// The network of `job` with weights that mean nothing: what it costs does
    /// not depend on them.
    ///
    /// # Errors
    /// [`Failure::Runtime`].
    pub(crate) fn drawn(job: &Job, seed: u64) -> Result<Self, Failure> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let bottom = network::build(job, &rng.random(), None).map_err(Failure::runtime)?;
        let (classes, width) = (job.logits(), job.width());
        // As below the cut: Glorot's.
        let limit = (6.0 / (classes + width) as f64).sqrt();
        let mut draw = || limit * (2.0 * rng.random::<f64>() - 1.0);
        let top = Array2::from_shape_simple_fn((classes, width), &mut draw);
        let bias = Array1::from_shape_simple_fn(classes, &mut draw);
        Self::new(job, bottom, top, bias)
    }

    /// Below the cut.
    pub(super) fn blueprint(&self) -> &Blueprint {
        &self.blueprint
    }

    /// Values of a sample.
    pub(crate) fn inputs(&self) -> usize {
        self.blueprint.input().values()
    }

    /// The parameters below the cut, by name.
    pub(super) fn parameters(&self) -> Vec<NamedTensor> {
        self.bottom.parameters()
    }

    /// W2, `c x h`.
    pub(super) fn top(&self) -> &Array2<f64> {
        &self.top
    }

    /// b2, c values.
    pub(super) fn bias(&self) -> &Array1<f64> {
        &self.bias
    }

    /// `a = f(x)`: `B x d` to `B x h`.
    pub(super) fn activations(&self, x: &Array2<f32>) -> Result<Array2<f32>, Failure> {
        self.bottom.infer(x.clone()).map_err(Failure::runtime)
    }

    /// All of it in plain floating point: `B x d` to `B x c`.
    ///
    /// # Errors
    /// [`Failure::Runtime`] for samples of another shape.
    pub(super) fn logits(&self, x: &Array2<f32>) -> Result<Array2<f64>, Failure> {
        let a = self.activations(x)?.mapv(f64::from);
        Ok(a.dot(&self.top.t()) + &self.bias)
    }
}
