//! Networks that have a name.
//!
//! Those of the paper (arXiv:2007.06849, section 5) and one that it does not
//! have. The paper gives the cut of its image networks (84, LeNet-5's last
//! hidden layer, with the classes above it) and not always the rest: where it
//! is silent, the original of the name is taken. All end in tanh or, after an
//! average, in something small, because the cut counts in fixed point and
//! |a| <= 1 costs no bits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Layer, LayerError, LayerPath, Objective, SampleShape, Shortcut};

/// A network by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Multinomial logistic regression: nothing below the cut, h is as wide as
    /// a sample.
    Mlr,
    /// One convolution: 6 channels of `5 x 5`, mean pool, 84 units.
    Conv1,
    /// LeNet-5 (LeCun et al., 1998) up to its layer of 84 units, for images
    /// of `28 x 28` or `32 x 32` points.
    Lenet5,
    /// 4-5-3: irises.
    MlpIris,
    /// 8-12-1: diabetes of the Pima.
    MlpDiabetes,
    /// 36-15-1: king and rook against king and pawn.
    MlpKrkp,
    /// A residual network of three blocks (He et al., 2016, its smallest for
    /// images of `32 x 32`), h = 64.
    Resnet8,
}

/// What a preset fixes of the job, where it is for one dataset.
pub(super) struct Fixed {
    pub(super) input: SampleShape,
    pub(super) classes: usize,
    pub(super) loss: Objective,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Mlr,
        Self::Conv1,
        Self::Lenet5,
        Self::MlpIris,
        Self::MlpDiabetes,
        Self::MlpKrkp,
        Self::Resnet8,
    ];

    /// The name, as a job writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mlr => "mlr",
            Self::Conv1 => "conv1",
            Self::Lenet5 => "lenet5",
            Self::MlpIris => "mlp-iris",
            Self::MlpDiabetes => "mlp-diabetes",
            Self::MlpKrkp => "mlp-krkp",
            Self::Resnet8 => "resnet8",
        }
    }

    pub(super) fn fixed(self) -> Option<Fixed> {
        let fixed = |inputs, classes, loss| Fixed {
            input: SampleShape::Row(inputs),
            classes,
            loss,
        };
        match self {
            Self::MlpIris => Some(fixed(4, 3, Objective::CrossEntropy)),
            Self::MlpDiabetes => Some(fixed(8, 2, Objective::BinaryCrossEntropy)),
            Self::MlpKrkp => Some(fixed(36, 2, Objective::BinaryCrossEntropy)),
            Self::Mlr | Self::Conv1 | Self::Lenet5 | Self::Resnet8 => None,
        }
    }

    /// Its layers for samples of `input`.
    pub(super) fn layers(self, input: SampleShape) -> Result<Vec<Layer>, LayerError> {
        let refused = |takes: &str| LayerError {
            layer: LayerPath::outermost(0),
            kind: self.name(),
            takes: takes.into(),
            got: input.to_string(),
        };
        match self {
            Self::Mlr => Ok(vec![Layer::Flatten]),
            Self::Conv1 => {
                let mut layers = convolution(6, 0);
                layers.push(Layer::Flatten);
                layers.extend(hidden(84));
                Ok(layers)
            }
            Self::Lenet5 => {
                // The original pads its 28 x 28 digits to 32 x 32.
                let padding = match input {
                    SampleShape::Image {
                        height: 28,
                        width: 28,
                        ..
                    } => 2,
                    SampleShape::Image {
                        height: 32,
                        width: 32,
                        ..
                    } => 0,
                    _ => return Err(refused("channels x 28 x 28 or channels x 32 x 32")),
                };
                let mut layers = convolution(6, padding);
                layers.extend(convolution(16, 0));
                layers.push(Layer::Flatten);
                layers.extend(hidden(120));
                layers.extend(hidden(84));
                Ok(layers)
            }
            Self::MlpIris => Ok(hidden(5).into()),
            Self::MlpDiabetes => Ok(hidden(12).into()),
            Self::MlpKrkp => Ok(hidden(15).into()),
            Self::Resnet8 => match input {
                SampleShape::Image {
                    height: 32,
                    width: 32,
                    ..
                } => Ok(resnet8()),
                _ => Err(refused("channels x 32 x 32")),
            },
        }
    }
}

/// Its `5 x 5` convolution, squashed and halved.
fn convolution(channels: usize, padding: usize) -> Vec<Layer> {
    vec![
        Layer::Conv2d {
            channels,
            kernel: 5,
            stride: 1,
            padding,
        },
        Layer::Tanh,
        Layer::MeanPool {
            kernel: 2,
            stride: None,
        },
    ]
}

fn hidden(units: usize) -> [Layer; 2] {
    [Layer::Dense { units }, Layer::Tanh]
}

fn resnet8() -> Vec<Layer> {
    let three = |channels, stride| {
        [
            Layer::Conv2d {
                channels,
                kernel: 3,
                stride,
                padding: 1,
            },
            Layer::BatchNorm,
        ]
    };
    let block = |channels, stride, shortcut| {
        let mut layers = three(channels, stride).to_vec();
        layers.push(Layer::Relu);
        layers.extend(three(channels, 1));
        [Layer::Residual { layers, shortcut }, Layer::Relu]
    };
    let mut layers = three(16, 1).to_vec();
    layers.push(Layer::Relu);
    layers.extend(block(16, 1, Shortcut::Identity));
    layers.extend(block(32, 2, Shortcut::Projection));
    layers.extend(block(64, 2, Shortcut::Projection));
    layers.push(Layer::MeanPool {
        kernel: 8,
        stride: None,
    });
    layers.push(Layer::Flatten);
    layers
}
