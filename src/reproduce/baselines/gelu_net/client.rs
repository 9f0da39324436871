//! What the client computes in plain, between two linear layers.

use entente_protocol::job::{
    Layer, SampleShape,
    network::{Activation, Fitted},
};
use ndarray::Array2;

/// Values (`B x ...`, channel by channel) through layers without weights.
pub(super) fn through(layers: &[Fitted], values: Array2<f64>) -> Array2<f64> {
    layers
        .iter()
        .fold(values, |values, fitted| layer(fitted, values))
}

fn layer(fitted: &Fitted, values: Array2<f64>) -> Array2<f64> {
    if let Some(activation) = Activation::of(&fitted.layer) {
        return values.mapv(|value| activation.at(value));
    }
    match fitted.layer {
        Layer::MeanPool { kernel, stride } => {
            let mean = |window: &mut dyn Iterator<Item = f64>| {
                let (sum, count) = window.fold((0.0, 0.0), |(sum, n), x| (sum + x, n + 1.0));
                sum / count
            };
            pooled(fitted, &values, kernel, stride.unwrap_or(kernel), mean)
        }
        Layer::MaxPool { kernel, stride } => {
            let max =
                |window: &mut dyn Iterator<Item = f64>| window.fold(f64::NEG_INFINITY, f64::max);
            pooled(fitted, &values, kernel, stride.unwrap_or(kernel), max)
        }
        // Rows already, and nothing is dropped where nothing is learnt.
        _ => values,
    }
}

fn pooled(
    fitted: &Fitted,
    values: &Array2<f64>,
    kernel: usize,
    stride: usize,
    of_window: impl Fn(&mut dyn Iterator<Item = f64>) -> f64,
) -> Array2<f64> {
    let [_, height, width] = fitted.comes.as_image();
    let [_, high, wide] = fitted.leaves.as_image();
    let (across, step) = match fitted.comes {
        SampleShape::Image { .. } => (kernel, stride),
        _ => (1, 1),
    };
    let leaves = fitted.leaves.values();
    Array2::from_shape_fn((values.nrows(), leaves), |(sample, at)| {
        let (channel, place) = (at / (high * wide), at % (high * wide));
        let (y, x) = (place / wide * stride, place % wide * step);
        let mut window = (0..kernel * across).map(|point| {
            let (y, x) = (y + point / across, x + point % across);
            values[(sample, (channel * height + y) * width + x)]
        });
        of_window(&mut window)
    })
}
