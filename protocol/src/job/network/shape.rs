//! The shape of one sample between two layers.

use core::fmt;

/// What one sample is on its way through a network; the batch stands before
/// it. Rows of data come flat and are read in this order, last axis fastest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SampleShape {
    /// Values without a place: what a table has, and what the cut takes.
    Row(usize),
    /// Channels over one axis.
    Signal {
        /// Values at each point.
        channels: usize,
        /// Points.
        length: usize,
    },
    /// Channels over two axes.
    Image {
        /// Values at each point.
        channels: usize,
        /// Rows of points.
        height: usize,
        /// Points of a row.
        width: usize,
    },
}

impl SampleShape {
    /// From its axes, one to three of them.
    pub fn of(axes: &[usize]) -> Option<Self> {
        match *axes {
            [values] => Some(Self::Row(values)),
            [channels, length] => Some(Self::Signal { channels, length }),
            [channels, height, width] => Some(Self::Image {
                channels,
                height,
                width,
            }),
            _ => None,
        }
    }

    /// Its axes in order.
    pub fn axes(self) -> Vec<usize> {
        match self {
            Self::Row(values) => vec![values],
            Self::Signal { channels, length } => vec![channels, length],
            Self::Image {
                channels,
                height,
                width,
            } => vec![channels, height, width],
        }
    }

    /// As an image: a signal is one point wide, a row one point in all. What
    /// is computed on an image is then computed on every sample.
    pub fn as_image(self) -> [usize; 3] {
        match self {
            Self::Row(values) => [values, 1, 1],
            Self::Signal { channels, length } => [channels, length, 1],
            Self::Image {
                channels,
                height,
                width,
            } => [channels, height, width],
        }
    }

    /// How many values a sample has (the largest number there is, if that is
    /// past counting).
    pub fn values(self) -> usize {
        let axes = self.axes().into_iter();
        axes.fold(1, usize::saturating_mul)
    }
}

impl fmt::Display for SampleShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let axes: Vec<String> = self.axes().iter().map(usize::to_string).collect();
        f.write_str(&axes.join(" x "))
    }
}
