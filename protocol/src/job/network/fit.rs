//! What leaves a layer, given what comes to it. Arithmetic alone; where the
//! layer stands is the blueprint's matter.

use super::{Layer, SampleShape, Shortcut};

/// Units or channels of one layer at most.
const MAX_UNITS: usize = 100_000;
/// Points that a window may span, or be moved by.
const MAX_WINDOW: usize = 10_000;

/// The shape that a layer would have taken, in words.
pub(super) type Takes = String;

/// A window that slides along an axis.
#[derive(Clone, Copy)]
struct Window {
    kernel: usize,
    stride: usize,
    padding: usize,
}

impl Window {
    fn check(self) -> Result<Self, Takes> {
        let size = 1..=MAX_WINDOW;
        let ok = size.contains(&self.kernel) && size.contains(&self.stride);
        // A window of padding alone would see nothing of the sample.
        (ok && self.padding < self.kernel)
            .then_some(self)
            .ok_or_else(|| {
                format!(
                    "a kernel and a stride from 1 to {MAX_WINDOW} and a padding below the kernel \
                 (here {}, {} and {})",
                    self.kernel, self.stride, self.padding
                )
            })
    }

    /// How often it fits along an axis of `points`.
    fn along(self, points: usize) -> Option<usize> {
        let padded = points.checked_add(2 * self.padding)?;
        Some(padded.checked_sub(self.kernel)? / self.stride + 1)
    }

    /// The points that it needs along each axis.
    fn least(self) -> usize {
        self.kernel.saturating_sub(2 * self.padding).max(1)
    }
}

/// What leaves a layer without layers of its own.
pub(super) fn after(layer: &Layer, comes: SampleShape) -> Result<SampleShape, Takes> {
    match *layer {
        Layer::Dense { units } => {
            units_in_range("unit", units)?;
            match comes {
                SampleShape::Row(_) => Ok(SampleShape::Row(units)),
                _ => Err("a row of values (put a flatten layer before it)".into()),
            }
        }
        Layer::Conv1d {
            channels,
            kernel,
            stride,
            padding,
        } => {
            units_in_range("channel", channels)?;
            let window = Window {
                kernel,
                stride,
                padding,
            }
            .check()?;
            let length = match comes {
                SampleShape::Signal { length, .. } => window.along(length),
                _ => None,
            };
            let takes = || {
                format!(
                    "a signal (channels x length) of length {} or more",
                    window.least()
                )
            };
            let length = length.ok_or_else(takes)?;
            Ok(SampleShape::Signal { channels, length })
        }
        Layer::Conv2d {
            channels,
            kernel,
            stride,
            padding,
        } => {
            units_in_range("channel", channels)?;
            let window = Window {
                kernel,
                stride,
                padding,
            }
            .check()?;
            let points = match comes {
                SampleShape::Image { height, width, .. } => {
                    window.along(height).zip(window.along(width))
                }
                _ => None,
            };
            let takes = || {
                let least = window.least();
                format!("an image (channels x height x width) of {least} x {least} points or more")
            };
            let (height, width) = points.ok_or_else(takes)?;
            Ok(SampleShape::Image {
                channels,
                height,
                width,
            })
        }
        Layer::MeanPool { kernel, stride } | Layer::MaxPool { kernel, stride } => {
            pooled(kernel, stride.unwrap_or(kernel), comes)
        }
        Layer::Dropout { rate } if !(0.0..1.0).contains(&rate) => {
            Err("a rate of at least 0 and below 1".into())
        }
        Layer::LeakyRelu { slope } if !(slope.is_finite() && (0.0..=1.0).contains(&slope)) => {
            Err("a slope from 0 to 1".into())
        }
        Layer::Flatten => Ok(SampleShape::Row(comes.values())),
        Layer::BatchNorm
        | Layer::Dropout { .. }
        | Layer::Relu
        | Layer::LeakyRelu { .. }
        | Layer::Sigmoid
        | Layer::Tanh
        | Layer::Square
        | Layer::Residual { .. } => Ok(comes),
    }
}

fn units_in_range(what: &str, count: usize) -> Result<(), Takes> {
    let ok = (1..=MAX_UNITS).contains(&count);
    ok.then_some(())
        .ok_or_else(|| format!("from 1 to {MAX_UNITS} {what}s (here {count})"))
}

fn pooled(kernel: usize, stride: usize, comes: SampleShape) -> Result<SampleShape, Takes> {
    let window = Window {
        kernel,
        stride,
        padding: 0,
    }
    .check()?;
    let leaves = match comes {
        SampleShape::Row(_) => None,
        SampleShape::Signal { channels, length } => window
            .along(length)
            .map(|length| SampleShape::Signal { channels, length }),
        SampleShape::Image {
            channels,
            height,
            width,
        } => window
            .along(height)
            .zip(window.along(width))
            .map(|(height, width)| SampleShape::Image {
                channels,
                height,
                width,
            }),
    };
    leaves.ok_or_else(|| {
        format!("a signal (channels x length) or an image (channels x height x width) of {kernel} points or more along each axis")
    })
}

/// The stride of a shortcut from `comes` to what the layers made of it,
/// `leaves`; `None` of an identity.
pub(super) fn stride_of(
    shortcut: Shortcut,
    comes: SampleShape,
    leaves: SampleShape,
) -> Result<Option<usize>, Takes> {
    let [_, height, width] = comes.as_image();
    let [_, low, narrow] = leaves.as_image();
    match shortcut {
        Shortcut::Identity if comes == leaves => Ok(None),
        Shortcut::Identity => Err(format!(
            "layers that keep the shape {comes} (or shortcut = \"projection\")"
        )),
        Shortcut::Projection => {
            let stride = height.div_ceil(low.max(1)).max(1);
            let point = Window {
                kernel: 1,
                stride,
                padding: 0,
            };
            let same_kind = comes.axes().len() == leaves.axes().len();
            let fits = point.along(height) == Some(low) && point.along(width) == Some(narrow);
            (same_kind && fits).then_some(Some(stride)).ok_or_else(|| {
                format!(
                    "layers that make {comes} smaller by one stride along each axis, or not at all"
                )
            })
        }
    }
}

/// How many numbers a layer learns, when `comes` comes to it.
pub(super) fn parameters(layer: &Layer, comes: SampleShape) -> usize {
    let [channels, ..] = comes.as_image();
    let with_bias = |seen: usize, units: usize| seen.saturating_add(1).saturating_mul(units);
    match layer {
        Layer::Dense { units } => with_bias(channels, *units),
        Layer::Conv1d {
            channels: units,
            kernel,
            ..
        } => with_bias(channels.saturating_mul(*kernel), *units),
        Layer::Conv2d {
            channels: units,
            kernel,
            ..
        } => with_bias(
            channels.saturating_mul(kernel.saturating_mul(*kernel)),
            *units,
        ),
        Layer::BatchNorm => 2 * channels,
        _ => 0,
    }
}
