//! One layer of a network.
//!
//! Between layers a batch is always `B x channels x height x width`: a signal
//! is an image one point wide, a row an image of one point. So there is one
//! convolution and one pool for both, and a layer that does not care for
//! shapes need not know them. That layers fit each other is the blueprint's
//! promise.

use burn::tensor::{Device, Tensor, activation, module::max_pool2d, ops::MaxPoolOptions};
use entente_protocol::{
    job::{
        Layer, SampleShape,
        network::{Fitted, LayerPath},
    },
    network::Step,
};

use super::{
    initial::{Drops, Glorot},
    norm::BatchNorm,
    parameter::Parameter,
    tensors::flat,
    windows::Windows,
};

/// What a batch runs forward for.
#[derive(Clone, Copy)]
pub(super) enum Mode<'a> {
    /// To learn from it.
    Train(Step, &'a Drops),
    /// To know what comes out.
    Infer,
}

/// A layer with its parameters.
#[derive(Clone)]
pub(super) enum Stage {
    Dense {
        /// `units x inputs`.
        weight: Parameter,
        bias: Parameter,
    },
    Convolution {
        /// `outputs x inputs x kernel`, or `.. x kernel x kernel`.
        weight: Parameter,
        bias: Option<Parameter>,
        windows: Box<Windows>,
    },
    MeanPool(Box<Windows>),
    MaxPool {
        kernel: [usize; 2],
        stride: [usize; 2],
    },
    BatchNorm(Box<BatchNorm>),
    Dropout {
        rate: f64,
        path: LayerPath,
    },
    Relu,
    LeakyRelu {
        slope: f64,
    },
    Sigmoid,
    Tanh,
    Square,
    Flatten,
    Residual {
        body: Vec<Stage>,
        projection: Option<Box<Stage>>,
    },
}

/// `size` along the axes that the samples have.
fn along(comes: SampleShape, size: usize, missing: usize) -> [usize; 2] {
    match comes {
        SampleShape::Image { .. } => [size, size],
        SampleShape::Signal { .. } => [size, missing],
        SampleShape::Row(_) => [missing, missing],
    }
}

impl Stage {
    /// All of `fitted`, with weights drawn in their order.
    pub(super) fn all(fitted: &[Fitted], weights: &mut Glorot, device: &Device) -> Vec<Self> {
        let one = |fitted| Self::new(fitted, weights, device);
        fitted.iter().map(one).collect()
    }

    fn new(fitted: &Fitted, weights: &mut Glorot, device: &Device) -> Self {
        let comes = fitted.comes;
        let [channels, ..] = comes.as_image();
        let zeros = |count| Parameter::learnt(&[count], vec![0.0; count], device);
        match fitted.layer {
            Layer::Dense { units } => Self::Dense {
                weight: Parameter::learnt(
                    &[units, channels],
                    weights.dense(channels, units),
                    device,
                ),
                bias: zeros(units),
            },
            Layer::Conv1d {
                channels: outputs,
                kernel,
                stride,
                padding,
            }
            | Layer::Conv2d {
                channels: outputs,
                kernel,
                stride,
                padding,
            } => Self::Convolution {
                weight: kernels(comes, outputs, kernel, weights, device),
                bias: Some(zeros(outputs)),
                windows: windows(comes, channels, [kernel, stride, padding], device),
            },
            Layer::MeanPool { kernel, stride } => {
                let stride = stride.unwrap_or(kernel);
                Self::MeanPool(windows(comes, 1, [kernel, stride, 0], device))
            }
            Layer::MaxPool { kernel, stride } => Self::MaxPool {
                kernel: along(comes, kernel, 1),
                stride: along(comes, stride.unwrap_or(kernel), 1),
            },
            Layer::BatchNorm => Self::BatchNorm(Box::new(BatchNorm::new(channels, device))),
            Layer::Dropout { rate } => Self::Dropout {
                rate,
                path: fitted.path.clone(),
            },
            Layer::Relu => Self::Relu,
            Layer::LeakyRelu { slope } => Self::LeakyRelu { slope },
            Layer::Sigmoid => Self::Sigmoid,
            Layer::Tanh => Self::Tanh,
            Layer::Square => Self::Square,
            Layer::Flatten => Self::Flatten,
            Layer::Residual { .. } => Self::Residual {
                body: Self::all(&fitted.inner, weights, device),
                projection: fitted.projection.map(|stride| {
                    let [outputs, ..] = fitted.leaves.as_image();
                    Box::new(Self::Convolution {
                        weight: kernels(comes, outputs, 1, weights, device),
                        bias: None,
                        windows: windows(comes, channels, [1, stride, 0], device),
                    })
                }),
            },
        }
    }

    /// A batch through this layer. A batch norm in training takes the batch
    /// into its running statistics.
    pub(super) fn forward(&mut self, x: Tensor<4>, mode: Mode<'_>) -> Tensor<4> {
        match self {
            Self::Dense { weight, bias } => {
                let [rows, inputs, ..] = x.dims();
                let [units, _] = pair(weight.shape());
                let z = x
                    .reshape([rows, inputs])
                    .matmul(weight.shaped([units, inputs]).transpose());
                (z + bias.shaped([1, units])).reshape([rows, units, 1, 1])
            }
            Self::Convolution {
                weight,
                bias,
                windows,
            } => {
                let [outputs, ..] = pair(weight.shape());
                let points = weight.shape().iter().skip(1).product();
                let bias = bias.as_ref().map(Parameter::flat);
                windows.convolve(x, weight.shaped([outputs, points]), bias)
            }
            Self::MeanPool(windows) => windows.mean(x),
            Self::MaxPool { kernel, stride } => {
                let options = MaxPoolOptions::new(*kernel).with_stride(*stride);
                max_pool2d(x, options)
            }
            Self::BatchNorm(norm) => match mode {
                Mode::Train(..) => norm.train(x),
                Mode::Infer => norm.infer(x),
            },
            Self::Dropout { rate, path } => match mode {
                Mode::Infer => x,
                Mode::Train(step, drops) => {
                    let axes = x.dims();
                    let count = axes.iter().product();
                    let mask = drops.mask(path.places(), step.round, *rate, count);
                    let mask = flat(mask, &x.device()).reshape(axes);
                    x * mask
                }
            },
            Self::Relu => activation::relu(x),
            Self::LeakyRelu { slope } => activation::leaky_relu(x, *slope),
            Self::Sigmoid => activation::sigmoid(x),
            Self::Tanh => activation::tanh(x),
            Self::Square => x.clone() * x,
            Self::Flatten => {
                let [rows, channels, height, width] = x.dims();
                x.reshape([rows, channels * height * width, 1, 1])
            }
            Self::Residual { body, projection } => {
                let beside = match projection {
                    None => x.clone(),
                    Some(projection) => projection.forward(x.clone(), mode),
                };
                through(body, x, mode) + beside
            }
        }
    }

    /// Its parameters with their names, which begin with `path`: those that
    /// PyTorch gives the same layers in a `Sequential`, and inside a block
    /// `layers` and `shortcut`.
    pub(super) fn parameters<'a>(
        &'a mut self,
        path: &str,
        into: &mut Vec<(String, &'a mut Parameter)>,
    ) {
        let mut add = |name: &str, parameter| into.push((format!("{path}.{name}"), parameter));
        match self {
            Self::Dense { weight, bias } => {
                add("weight", weight);
                add("bias", bias);
            }
            Self::Convolution { weight, bias, .. } => {
                add("weight", weight);
                if let Some(bias) = bias {
                    add("bias", bias);
                }
            }
            Self::BatchNorm(norm) => norm
                .parameters()
                .into_iter()
                .for_each(|(name, parameter)| add(name, parameter)),
            Self::Residual { body, projection } => {
                for (place, stage) in body.iter_mut().enumerate() {
                    stage.parameters(&format!("{path}.layers.{place}"), into);
                }
                if let Some(projection) = projection {
                    projection.parameters(&format!("{path}.shortcut"), into);
                }
            }
            Self::MeanPool(_)
            | Self::MaxPool { .. }
            | Self::Dropout { .. }
            | Self::Relu
            | Self::LeakyRelu { .. }
            | Self::Sigmoid
            | Self::Tanh
            | Self::Square
            | Self::Flatten => {}
        }
    }
}

/// A batch through layers, first to last.
pub(super) fn through(stages: &mut [Stage], x: Tensor<4>, mode: Mode<'_>) -> Tensor<4> {
    stages.iter_mut().fold(x, |x, stage| stage.forward(x, mode))
}

/// A kernel's way over so many channels of what comes.
fn windows(
    comes: SampleShape,
    channels: usize,
    [kernel, stride, padding]: [usize; 3],
    device: &Device,
) -> Box<Windows> {
    let [_, height, width] = comes.as_image();
    Box::new(Windows::new(
        [channels, height, width],
        along(comes, kernel, 1),
        along(comes, stride, 1),
        along(comes, padding, 0),
        device,
    ))
}

/// The kernels of a convolution over what comes, in the shape that files have.
fn kernels(
    comes: SampleShape,
    outputs: usize,
    kernel: usize,
    weights: &mut Glorot,
    device: &Device,
) -> Parameter {
    let [inputs, ..] = comes.as_image();
    let [high, wide] = along(comes, kernel, 1);
    let mut shape = vec![outputs, inputs];
    shape.extend(match comes {
        SampleShape::Image { .. } => vec![high, wide],
        SampleShape::Signal { .. } => vec![high],
        SampleShape::Row(_) => vec![],
    });
    let values = weights.convolution(inputs, outputs, high * wide);
    Parameter::learnt(&shape, values, device)
}

/// The first two axes of weights, which have at least two.
fn pair(shape: &[usize]) -> [usize; 2] {
    match *shape {
        [first, second, ..] => [first, second],
        _ => [0, 0],
    }
}
