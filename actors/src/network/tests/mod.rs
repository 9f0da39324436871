#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! What every network must hold, whatever its layers.

mod bits;
mod drops;
mod gradients;
mod presets;
mod resumed;
mod shapes;
mod steps;
mod written_down;

use entente_protocol::{
    job::{Blueprint, Layer, Optimizer, SampleShape, network::Shortcut},
    network::Step,
};
use ndarray::Array2;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::*;

const SEED: [u8; 32] = [7; 32];

/// The round in which it does not matter which it is.
const ANY: Step = step(0);

const fn step(round: u64) -> Step {
    Step { round, pace: 1.0 }
}

fn build_on(input: SampleShape, layers: &[Layer], optimizer: Optimizer) -> Box<dyn BottomNetwork> {
    let blueprint = Blueprint::new(input, layers).unwrap();
    Box::new(Bottom::new(&blueprint, optimizer, &SEED))
}

fn build(layers: &[Layer], inputs: usize, optimizer: Optimizer) -> Box<dyn BottomNetwork> {
    build_on(SampleShape::Row(inputs), layers, optimizer)
}

fn sgd(learning_rate: f64, momentum: f64) -> Optimizer {
    Optimizer::Sgd {
        learning_rate,
        momentum,
        weight_decay: 0.0,
    }
}

fn dense(units: usize) -> Layer {
    Layer::Dense { units }
}

fn conv2d(channels: usize, kernel: usize, stride: usize, padding: usize) -> Layer {
    Layer::Conv2d {
        channels,
        kernel,
        stride,
        padding,
    }
}

fn conv1d(channels: usize, kernel: usize, stride: usize, padding: usize) -> Layer {
    Layer::Conv1d {
        channels,
        kernel,
        stride,
        padding,
    }
}

fn residual(layers: &[Layer], shortcut: Shortcut) -> Layer {
    Layer::Residual {
        layers: layers.into(),
        shortcut,
    }
}

fn image(channels: usize, height: usize, width: usize) -> SampleShape {
    SampleShape::Image {
        channels,
        height,
        width,
    }
}

/// Networks that together have every kind of layer.
fn every_kind() -> Vec<(SampleShape, Vec<Layer>)> {
    let signal = SampleShape::Signal {
        channels: 2,
        length: 9,
    };
    vec![
        (
            image(2, 6, 7),
            vec![
                conv2d(3, 3, 2, 1),
                Layer::BatchNorm,
                Layer::LeakyRelu { slope: 0.1 },
                residual(
                    &[
                        conv2d(4, 3, 2, 1),
                        Layer::BatchNorm,
                        Layer::Relu,
                        residual(&[conv2d(4, 1, 1, 0)], Shortcut::Identity),
                    ],
                    Shortcut::Projection,
                ),
                Layer::MaxPool {
                    kernel: 2,
                    stride: Some(1),
                },
                Layer::Dropout { rate: 0.3 },
                Layer::Flatten,
                dense(3),
                Layer::Sigmoid,
            ],
        ),
        (
            signal,
            vec![
                conv1d(4, 3, 1, 1),
                Layer::Tanh,
                Layer::BatchNorm,
                residual(&[conv1d(2, 3, 3, 1)], Shortcut::Projection),
                Layer::MeanPool {
                    kernel: 2,
                    stride: Some(1),
                },
                Layer::Flatten,
                Layer::BatchNorm,
                residual(&[dense(3), Layer::Tanh], Shortcut::Projection),
                Layer::Dropout { rate: 0.5 },
            ],
        ),
    ]
}

/// Values in [-2, 2) that follow from `seed`.
fn values(rows: usize, columns: usize, seed: u8) -> Array2<f32> {
    let mut rng = ChaCha20Rng::from_seed([seed; 32]);
    Array2::from_shape_simple_fn((rows, columns), || {
        (f64::from(rng.next_u32()) / 2_f64.powi(30) - 2.0) as f32
    })
}

/// A step of training on made-up data.
fn train(network: &mut dyn BottomNetwork, inputs: usize, rows: usize, round: u64) {
    let seed = round as u8;
    network
        .forward(values(rows, inputs, seed), step(round))
        .unwrap();
    let d_a = values(rows, network.width(), seed ^ 0x80);
    network.backward(d_a).unwrap();
}
