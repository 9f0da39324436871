//! The layers written down a second time: plain loops in f64, without burn.

use entente_protocol::{
    job::network::{Fitted, LayerPath},
    network::NamedTensor,
};
use ndarray::{Array2, Array4, ArrayView4, s};

use super::*;
use crate::network::initial::Drops;

/// Parameters in order, of which each layer takes its own.
pub(super) struct Numbers<'a> {
    next: std::slice::Iter<'a, Vec<f64>>,
}

impl<'a> Numbers<'a> {
    pub(super) fn new(parameters: &'a [Vec<f64>]) -> Self {
        Self {
            next: parameters.iter(),
        }
    }

    fn take(&mut self) -> &'a [f64] {
        self.next.next().unwrap()
    }
}

pub(super) fn wide(parameters: &[NamedTensor]) -> Vec<Vec<f64>> {
    let wide = |x: &NamedTensor| x.values.iter().map(|x| f64::from(*x)).collect();
    parameters.iter().map(wide).collect()
}

/// `B x d` to `B x h` in training, in `round`.
pub(super) fn forward(
    blueprint: &Blueprint,
    x: &Array2<f64>,
    parameters: &[Vec<f64>],
    round: u64,
) -> Array2<f64> {
    let [channels, height, width] = blueprint.input().as_image();
    let shape = (x.nrows(), channels, height, width);
    let x = Array4::from_shape_vec(shape, x.iter().copied().collect()).unwrap();
    let mut numbers = Numbers::new(parameters);
    let a = through(blueprint.layers(), x, &mut numbers, round);
    assert!(numbers.next.next().is_none());
    let shape = (a.dim().0, a.dim().1);
    Array2::from_shape_vec(shape, a.iter().copied().collect()).unwrap()
}

fn through(
    layers: &[Fitted],
    x: Array4<f64>,
    numbers: &mut Numbers<'_>,
    round: u64,
) -> Array4<f64> {
    let layers = layers.iter();
    layers.fold(x, |x, fitted| layer(fitted, x, numbers, round))
}

fn layer(fitted: &Fitted, x: Array4<f64>, numbers: &mut Numbers<'_>, round: u64) -> Array4<f64> {
    let signal = matches!(fitted.comes, SampleShape::Signal { .. });
    let wide = |size: usize, missing: usize| if signal { missing } else { size };
    match &fitted.layer {
        Layer::Dense { units } => {
            let (weight, bias) = (numbers.take(), numbers.take());
            convolved(&x, weight, Some(bias), *units, [1, 1], [1, 1], [0, 0])
        }
        Layer::Conv1d {
            channels,
            kernel,
            stride,
            padding,
        }
        | Layer::Conv2d {
            channels,
            kernel,
            stride,
            padding,
        } => {
            let (weight, bias) = (numbers.take(), numbers.take());
            let kernel = [*kernel, wide(*kernel, 1)];
            let stride = [*stride, wide(*stride, 1)];
            let padding = [*padding, wide(*padding, 0)];
            convolved(&x, weight, Some(bias), *channels, kernel, stride, padding)
        }
        Layer::MeanPool { kernel, stride } => {
            let stride = stride.unwrap_or(*kernel);
            pooled(
                &x,
                [*kernel, wide(*kernel, 1)],
                [stride, wide(stride, 1)],
                |w| w.mean().unwrap(),
            )
        }
        Layer::MaxPool { kernel, stride } => {
            let stride = stride.unwrap_or(*kernel);
            pooled(
                &x,
                [*kernel, wide(*kernel, 1)],
                [stride, wide(stride, 1)],
                |w| w.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            )
        }
        Layer::BatchNorm => {
            let (weight, bias) = (numbers.take(), numbers.take());
            // Running statistics have no say in training.
            numbers.take();
            numbers.take();
            let mut x = x;
            for (channel, mut of_channel) in x.axis_iter_mut(ndarray::Axis(1)).enumerate() {
                let mean = of_channel.mean().unwrap();
                let variance = of_channel.mapv(|x| (x - mean).powi(2)).mean().unwrap();
                of_channel.mapv_inplace(|x| {
                    (x - mean) / (variance + 1e-5).sqrt() * weight[channel] + bias[channel]
                });
            }
            x
        }
        Layer::Dropout { rate } => {
            let mask = dropped(&fitted.path, round, *rate, x.len());
            let mask = Array4::from_shape_vec(x.dim(), mask).unwrap();
            x * mask
        }
        Layer::Relu => x.mapv(|x| x.max(0.0)),
        Layer::LeakyRelu { slope } => x.mapv(|x| if x > 0.0 { x } else { slope * x }),
        Layer::Sigmoid => x.mapv(|x| 1.0 / (1.0 + (-x).exp())),
        Layer::Tanh => x.mapv(f64::tanh),
        Layer::Square => x.mapv(|x| x * x),
        Layer::Flatten => {
            let (rows, count) = (x.dim().0, x.len() / x.dim().0);
            Array4::from_shape_vec((rows, count, 1, 1), x.iter().copied().collect()).unwrap()
        }
        Layer::Residual { .. } => {
            let body = through(&fitted.inner, x.clone(), numbers, round);
            let beside = match fitted.projection {
                None => x,
                Some(stride) => {
                    let stride = [stride, wide(stride, 1)];
                    let outputs = body.dim().1;
                    convolved(&x, numbers.take(), None, outputs, [1, 1], stride, [0, 0])
                }
            };
            body + beside
        }
    }
}

fn dropped(path: &LayerPath, round: u64, rate: f64, count: usize) -> Vec<f64> {
    let mask = Drops::new(&SEED).mask(path.places(), round, rate, count);
    mask.into_iter().map(f64::from).collect()
}

/// Windows along both axes, as often as they fit.
fn pooled(
    x: &Array4<f64>,
    kernel: [usize; 2],
    stride: [usize; 2],
    of_window: impl Fn(ArrayView4<'_, f64>) -> f64,
) -> Array4<f64> {
    let (rows, channels, height, width) = x.dim();
    let high = (height - kernel[0]) / stride[0] + 1;
    let wide = (width - kernel[1]) / stride[1] + 1;
    Array4::from_shape_fn((rows, channels, high, wide), |(b, c, i, j)| {
        let (i, j) = (i * stride[0], j * stride[1]);
        let window = x.slice(s![b..=b, c..=c, i..i + kernel[0], j..j + kernel[1]]);
        of_window(window)
    })
}

fn convolved(
    x: &Array4<f64>,
    weight: &[f64],
    bias: Option<&[f64]>,
    outputs: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
) -> Array4<f64> {
    let (rows, channels, height, width) = x.dim();
    let mut padded = Array4::zeros((
        rows,
        channels,
        height + 2 * padding[0],
        width + 2 * padding[1],
    ));
    let inside = s![
        ..,
        ..,
        padding[0]..padding[0] + height,
        padding[1]..padding[1] + width
    ];
    padded.slice_mut(inside).assign(x);
    let high = (padded.dim().2 - kernel[0]) / stride[0] + 1;
    let wide = (padded.dim().3 - kernel[1]) / stride[1] + 1;
    Array4::from_shape_fn((rows, outputs, high, wide), |(b, o, i, j)| {
        let mut sum = bias.map_or(0.0, |bias| bias[o]);
        for c in 0..channels {
            for k in 0..kernel[0] {
                for l in 0..kernel[1] {
                    let at = ((o * channels + c) * kernel[0] + k) * kernel[1] + l;
                    sum += weight[at] * padded[(b, c, i * stride[0] + k, j * stride[1] + l)];
                }
            }
        }
        sum
    })
}
