//! The kinds of layers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A layer below the cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Layer {
    /// Fully connected, with bias: a row to a row.
    Dense {
        /// Outputs.
        units: usize,
    },
    /// Convolution over a signal, with bias.
    Conv1d {
        /// Channels that leave it.
        channels: usize,
        /// Points that each output sees.
        kernel: usize,
        /// Points from one output to the next.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        stride: usize,
        /// Zeros at each end.
        #[serde(default, skip_serializing_if = "is_zero")]
        padding: usize,
    },
    /// Convolution over an image, with bias; kernel, stride and padding are the
    /// same along both axes.
    Conv2d {
        /// Channels that leave it.
        channels: usize,
        /// `kernel x kernel` points that each output sees.
        kernel: usize,
        /// Points from one output to the next.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        stride: usize,
        /// Zeros at each edge.
        #[serde(default, skip_serializing_if = "is_zero")]
        padding: usize,
    },
    /// The mean of each window, of a signal or an image.
    MeanPool {
        /// Points of a window along each axis.
        kernel: usize,
        /// From one window to the next; left out: as large as a window.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stride: Option<usize>,
    },
    /// The largest of each window, of a signal or an image.
    MaxPool {
        /// Points of a window along each axis.
        kernel: usize,
        /// From one window to the next; left out: as large as a window.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stride: Option<usize>,
    },
    /// Every channel (of a row: every value) with mean 0 and deviation 1 over
    /// the batch, then scaled and shifted by what it learns. Ioffe and Szegedy
    /// (2015). Inference takes the running mean and variance of training.
    BatchNorm,
    /// In training, drops values at random and scales up the rest; nothing in
    /// inference. Srivastava et al. (2014).
    Dropout {
        /// The part that is dropped, 0 up to (not including) 1.
        rate: f64,
    },
    /// max(0, x).
    Relu,
    /// x above zero, `slope x` below.
    LeakyRelu {
        /// The slope below zero.
        #[serde(default = "default_slope")]
        slope: f64,
    },
    /// 1 / (1 + e^-x).
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// x^2: what networks under fully homomorphic encryption take for an
    /// activation, as it is the one that such a scheme can compute (CryptoNets,
    /// Dowlin et al., ICML 2016). Here for that comparison: it is unbounded, and
    /// so harder to train and to keep within the cut's fixed point.
    Square,
    /// Whatever comes, as a row.
    Flatten,
    /// `f(x) + s(x)`: layers, and a shortcut past them. He et al. (2016).
    Residual {
        /// f, first to last.
        layers: Vec<Layer>,
        /// s.
        #[serde(default)]
        shortcut: Shortcut,
    },
}

/// What a residual block adds to the outcome of its layers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shortcut {
    /// x itself: the layers must keep its shape.
    #[default]
    Identity,
    /// A learnt linear map of each point, without bias (a `1 x 1` convolution;
    /// of a row, a matrix), with the stride that makes x as small as the
    /// layers make it.
    Projection,
}

fn one() -> usize {
    1
}

fn is_one(x: &usize) -> bool {
    *x == 1
}

fn is_zero(x: &usize) -> bool {
    *x == 0
}

fn default_slope() -> f64 {
    0.01
}

impl Layer {
    /// The kind, as a job writes it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dense { .. } => "dense",
            Self::Conv1d { .. } => "conv1d",
            Self::Conv2d { .. } => "conv2d",
            Self::MeanPool { .. } => "mean_pool",
            Self::MaxPool { .. } => "max_pool",
            Self::BatchNorm => "batch_norm",
            Self::Dropout { .. } => "dropout",
            Self::Relu => "relu",
            Self::LeakyRelu { .. } => "leaky_relu",
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::Square => "square",
            Self::Flatten => "flatten",
            Self::Residual { .. } => "residual",
        }
    }
}
