//! A network taken apart: what the server multiplies, and what the client does
//! in between.

use std::collections::HashMap;

use entente_he::{LinearBounds, Windows};
use entente_protocol::{
    fixed::Scales,
    job::{Layer, SampleShape, network::Fitted},
    network::NamedTensor,
};
use entente_wire::{RingMatrix, Shape};
use ndarray::Array2;

use super::{super::Subject, client};
use crate::exit::Failure;

/// Fractional bits of weights: one more than activations have.
const WEIGHT_FRACTION_BITS: u32 = 16;
/// |w| < 2^this. A network whose weights are larger is refused.
const WEIGHT_INTEGER_BITS: u32 = 4;

/// A conv or dense layer, as the server holds it.
pub(super) struct Linear {
    pub(super) windows: Windows,
    /// `O x K`.
    pub(super) weights: RingMatrix,
    /// `1 x O`.
    pub(super) bias: RingMatrix,
}

impl Linear {
    /// O.
    pub(super) fn outputs(&self) -> usize {
        self.weights.shape().rows
    }

    /// PO: how many values leave it.
    fn leaves(&self) -> usize {
        self.windows.places() * self.outputs()
    }
}

/// All of a network.
pub(super) struct Layers {
    /// What comes before the first linear layer.
    before: Vec<Fitted>,
    /// Linear layers, and what comes after each.
    each: Vec<(Linear, Vec<Fitted>)>,
}

impl Layers {
    /// The layers of `subject`, the one above the cut last.
    ///
    /// # Errors
    /// [`Failure::Configuration`] naming a layer that this protocol is not
    /// implemented for, or a weight that is out of range.
    pub(super) fn of(subject: &Subject, grid: Grid) -> Result<Self, Failure> {
        let parameters = subject.parameters().into_iter();
        let parameters: HashMap<String, NamedTensor> = parameters
            .map(|tensor| (tensor.name.clone(), tensor))
            .collect();
        let mut layers = Self {
            before: Vec::new(),
            each: Vec::new(),
        };
        for fitted in subject.blueprint().layers() {
            let linear = |windows, outputs| {
                let values = |name: &str| {
                    let tensor = parameters.get(&format!("{}.{name}", fitted.path));
                    tensor.map(|tensor| tensor.values.iter().copied().map(f64::from))
                };
                match (values("weight"), values("bias")) {
                    (Some(weights), Some(bias)) => grid.linear(windows, outputs, weights, bias),
                    _ => Err(Failure::Runtime(format!(
                        "layer {} has no weights",
                        fitted.path
                    ))),
                }
            };
            match fitted.layer {
                Layer::Dense { units } => {
                    let linear = linear(Windows::dense(fitted.comes.values()), units)?;
                    layers.each.push((linear, Vec::new()));
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
                    let windows = windows(fitted, kernel, stride, padding);
                    let linear = linear(windows, channels)?;
                    layers.each.push((linear, Vec::new()));
                }
                Layer::BatchNorm | Layer::Residual { .. } => {
                    return Err(Failure::Configuration(format!(
                        "layer {} ({}): the GELU-Net baseline has dense layers, convolutions, \
                         pools and activations",
                        fitted.path,
                        fitted.layer.kind()
                    )));
                }
                Layer::MeanPool { .. }
                | Layer::MaxPool { .. }
                | Layer::Dropout { .. }
                | Layer::Relu
                | Layer::LeakyRelu { .. }
                | Layer::Sigmoid
                | Layer::Tanh
                | Layer::Square
                | Layer::Flatten => {
                    let steps = match layers.each.last_mut() {
                        Some((_, then)) => then,
                        None => &mut layers.before,
                    };
                    steps.push(fitted.clone());
                }
            }
        }
        let (classes, width) = subject.top().dim();
        let (weights, bias) = (subject.top().iter(), subject.bias().iter());
        let top = grid.linear(
            Windows::dense(width),
            classes,
            weights.copied(),
            bias.copied(),
        )?;
        layers.each.push((top, Vec::new()));
        Ok(layers)
    }

    /// The most values that a place of any of them sees.
    pub(super) fn terms(&self) -> usize {
        let terms = self.each.iter().map(|(linear, _)| linear.windows.terms());
        terms.max().unwrap_or(1)
    }

    /// What comes to the first linear layer.
    pub(super) fn enter(&self, x: &Array2<f32>) -> Result<Array2<f64>, Failure> {
        let first = self.each.first().map(|(linear, _)| linear.windows.values());
        let values = client::through(&self.before, x.mapv(f64::from));
        if first == Some(values.ncols()) {
            return Ok(values);
        }
        Err(Failure::Runtime(format!(
            "samples of {} values, where the network takes others",
            x.ncols()
        )))
    }

    /// Linear layers, and what comes after each.
    pub(super) fn each(&self) -> impl Iterator<Item = (&Linear, &[Fitted])> {
        self.each
            .iter()
            .map(|(linear, then)| (linear, then.as_slice()))
    }
}

/// What each place of a convolution sees, channel by channel, as weights have
/// them.
fn windows(fitted: &Fitted, kernel: usize, stride: usize, padding: usize) -> Windows {
    let [channels, height, width] = fitted.comes.as_image();
    let [_, high, wide] = fitted.leaves.as_image();
    let (across, step, edge) = match fitted.comes {
        SampleShape::Image { .. } => (kernel, stride, padding),
        _ => (1, 1, 0),
    };
    let values = channels * height * width;
    let points = kernel * across;
    Windows::new(values, high * wide, channels * points, |place, k| {
        let (channel, point) = (k / points, k % points);
        let y = place / wide * stride + point / across;
        let x = place % wide * step + point % across;
        let y = y.checked_sub(padding).filter(|y| *y < height);
        let x = x.checked_sub(edge).filter(|x| *x < width);
        let seen = y.zip(x);
        seen.map_or(values, |(y, x)| (channel * height + y) * width + x)
    })
}

/// How reals stand as integers: values as in the cut, weights on a grid of
/// their own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    values: Scales,
}

impl Grid {
    pub(super) fn new(values: Scales) -> Self {
        Self { values }
    }

    /// The bounds of layers whose places see up to so many values.
    pub(super) fn bounds(self, terms: usize) -> LinearBounds {
        LinearBounds {
            input_bits: self.values.activation_bits + self.values.activation_integer_bits,
            weight_bits: WEIGHT_FRACTION_BITS + WEIGHT_INTEGER_BITS,
            terms,
        }
    }

    fn sum_fraction_bits(self) -> u32 {
        self.values.activation_bits + WEIGHT_FRACTION_BITS
    }

    fn linear(
        self,
        windows: Windows,
        outputs: usize,
        weights: impl Iterator<Item = f64>,
        bias: impl Iterator<Item = f64>,
    ) -> Result<Linear, Failure> {
        let bounds = self.bounds(windows.terms());
        let shape = Shape::new(outputs, windows.terms());
        Ok(Linear {
            weights: on_grid(weights, shape, WEIGHT_FRACTION_BITS, bounds.weight_bits)?,
            bias: on_grid(
                bias,
                Shape::new(1, outputs),
                self.sum_fraction_bits(),
                bounds.bias_bits(),
            )?,
            windows,
        })
    }

    /// What the client encrypts.
    pub(super) fn encode(self, values: &Array2<f64>) -> Result<RingMatrix, Failure> {
        let values = values.mapv(|value| value as f32);
        self.values.activations(&values).map_err(Failure::runtime)
    }

    /// What the client has decrypted of so many samples, `B x PO` or the same by
    /// rows, as reals: channel by channel, as other layers take them.
    pub(super) fn decode(self, linear: &Linear, samples: usize, sums: &RingMatrix) -> Array2<f64> {
        let scale = f64::from(self.sum_fraction_bits()).exp2();
        let (places, outputs) = (linear.windows.places(), linear.outputs());
        let columns = sums.shape().cols.max(1);
        Array2::from_shape_fn((samples, linear.leaves()), |(sample, at)| {
            let (output, place) = (at / places, at % places);
            let at = (sample * places + place) * outputs + output;
            let sum = sums.signed(at / columns, at % columns);
            sum.unwrap_or_default() as f64 / scale
        })
    }
}

/// Reals as integers below 2^bits in size.
fn on_grid(
    mut reals: impl Iterator<Item = f64>,
    shape: Shape,
    fraction_bits: u32,
    bits: u32,
) -> Result<RingMatrix, Failure> {
    let (scale, bound) = (f64::from(fraction_bits).exp2(), f64::from(bits).exp2());
    let mut fits = true;
    let grid = RingMatrix::from_fn(shape, |_, _| {
        let rounded = (reals.next().unwrap_or(f64::NAN) * scale).round();
        fits &= rounded.abs() < bound;
        (rounded as i64).cast_unsigned()
    });
    if fits && reals.next().is_none() {
        return Ok(grid);
    }
    Err(Failure::Configuration(format!(
        "weights of {shape} are too large, or not as many: the GELU-Net baseline takes those \
         below {}",
        bound / scale
    )))
}
