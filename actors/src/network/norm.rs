//! Batch normalisation (Ioffe and Szegedy, 2015).

use burn::tensor::{
    Device, Tensor,
    module::{batch_norm, batch_norm_train},
};

use super::parameter::Parameter;

/// Keeps the divisor off zero, as PyTorch does.
const EPSILON: f64 = 1e-5;
/// The part of a batch's statistics in the running ones.
const MOMENTUM: f64 = 0.1;

/// What a batch norm learns and keeps: a number of each for every channel.
#[derive(Clone)]
pub(super) struct BatchNorm {
    weight: Parameter,
    bias: Parameter,
    mean: Parameter,
    variance: Parameter,
}

impl BatchNorm {
    /// Of so many channels, before it has seen anything.
    pub(super) fn new(channels: usize, device: &Device) -> Self {
        Self {
            weight: Parameter::learnt(&[channels], vec![1.0; channels], device),
            bias: Parameter::learnt(&[channels], vec![0.0; channels], device),
            mean: Parameter::kept(vec![0.0; channels], device),
            variance: Parameter::kept(vec![1.0; channels], device),
        }
    }

    /// By the statistics of the batch, which go into the running ones.
    pub(super) fn train(&mut self, x: Tensor<4>) -> Tensor<4> {
        let of_batch = batch_norm_train(x, self.weight.flat(), self.bias.flat(), EPSILON);
        let run = |running: &mut Parameter, batch: Tensor<1>| {
            running.set(running.flat() * (1.0 - MOMENTUM) + batch.detach() * MOMENTUM);
        };
        run(&mut self.mean, of_batch.mean);
        run(&mut self.variance, of_batch.variance);
        of_batch.output
    }

    /// By the running statistics.
    pub(super) fn infer(&self, x: Tensor<4>) -> Tensor<4> {
        let (mean, variance) = (self.mean.flat(), self.variance.flat());
        batch_norm(
            x,
            self.weight.flat(),
            self.bias.flat(),
            mean,
            variance,
            EPSILON,
        )
    }

    /// By PyTorch's names.
    pub(super) fn parameters(&mut self) -> [(&'static str, &mut Parameter); 4] {
        [
            ("weight", &mut self.weight),
            ("bias", &mut self.bias),
            ("running_mean", &mut self.mean),
            ("running_var", &mut self.variance),
        ]
    }
}
