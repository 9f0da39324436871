//! One activation in the place of another.

use super::Layer;

/// What makes a network more than linear: the layers that look at one value
/// each and learn nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// [`Layer::Relu`].
    Relu,
    /// [`Layer::LeakyRelu`].
    LeakyRelu {
        /// The slope below zero.
        slope: f64,
    },
    /// [`Layer::Sigmoid`].
    Sigmoid,
    /// [`Layer::Tanh`].
    Tanh,
    /// [`Layer::Square`].
    Square,
}

impl Activation {
    /// Which one a layer is, if it is any.
    pub fn of(layer: &Layer) -> Option<Self> {
        match *layer {
            Layer::Relu => Some(Self::Relu),
            Layer::LeakyRelu { slope } => Some(Self::LeakyRelu { slope }),
            Layer::Sigmoid => Some(Self::Sigmoid),
            Layer::Tanh => Some(Self::Tanh),
            Layer::Square => Some(Self::Square),
            Layer::Dense { .. }
            | Layer::Conv1d { .. }
            | Layer::Conv2d { .. }
            | Layer::MeanPool { .. }
            | Layer::MaxPool { .. }
            | Layer::BatchNorm
            | Layer::Dropout { .. }
            | Layer::Flatten
            | Layer::Residual { .. } => None,
        }
    }

    /// Of x.
    pub fn at(self, x: f64) -> f64 {
        match self {
            Self::Relu => x.max(0.0),
            Self::LeakyRelu { slope } if x < 0.0 => slope * x,
            Self::LeakyRelu { .. } => x,
            Self::Sigmoid => 1.0 / (1.0 + libm::exp(-x)),
            Self::Tanh => libm::tanh(x),
            Self::Square => x * x,
        }
    }

    /// `layers` with this in the place of each activation, also within blocks.
    pub fn throughout(self, layers: &[Layer]) -> Vec<Layer> {
        let replaced = |layer: &Layer| match layer {
            Layer::Residual { layers, shortcut } => Layer::Residual {
                layers: self.throughout(layers),
                shortcut: *shortcut,
            },
            layer if Self::of(layer).is_some() => self.into(),
            layer => layer.clone(),
        };
        layers.iter().map(replaced).collect()
    }
}

impl From<Activation> for Layer {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Relu => Self::Relu,
            Activation::LeakyRelu { slope } => Self::LeakyRelu { slope },
            Activation::Sigmoid => Self::Sigmoid,
            Activation::Tanh => Self::Tanh,
            Activation::Square => Self::Square,
        }
    }
}
