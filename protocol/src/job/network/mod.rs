//! `[network]` of a specification: the layers below the cut, and what stands
//! above it.
//!
//! ```text
//!   what a person writes           what it means               what is built from
//!   input = [1, 28, 28]
//!   preset = "lenet5"        ──▶   Network ──▶ [Layer] ──▶     Blueprint: every layer
//!   (or bottom = [...])            (one form)  fits? or        with the shape that comes
//!   classes = 10                               LayerError      to it and leaves it
//! ```
//!
//! Shapes are inferred here, with the specification, and not where the network
//! is built: this crate is known to the coordinator, which so refuses a network
//! that cannot be when it is submitted, and to both parties. A [`Blueprint`]
//! can only be had from layers that fit; whoever builds from one need not check
//! again.

mod activation;
mod blueprint;
mod error;
mod fit;
mod layer;
mod preset;
mod shape;
#[cfg(test)]
mod tests;
mod written;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::written::Written;
pub use self::{
    activation::Activation,
    blueprint::{Blueprint, Fitted},
    error::{LayerError, LayerPath},
    layer::{Layer, Shortcut},
    preset::Preset,
    shape::SampleShape,
};

/// What the job learns: the network below the cut, and the classes above it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Written", into = "Written")]
pub struct Network {
    /// The shape of a sample: what the first layer takes.
    pub input: SampleShape,
    /// What is below the cut.
    pub bottom: Bottom,
    /// Classes that a label may be.
    pub classes: usize,
    /// What is minimised above the cut.
    pub loss: Objective,
    /// The weights that the network below the cut starts from, by the name
    /// that they have in its party's own configuration; else they are drawn.
    pub initial: Option<String>,
}

/// The layers below the cut, first to last. None at all is a network too:
/// multinomial logistic regression, where `a = x`.
#[derive(Debug, Clone, PartialEq)]
pub enum Bottom {
    /// Written down in the job.
    Layers(Vec<Layer>),
    /// By name.
    Preset(Preset),
}

/// What is minimised above the cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// Softmax over one logit for each class, and cross-entropy.
    #[default]
    CrossEntropy,
    /// Two classes, 0 and 1, told apart by one logit: the sigmoid of it is the
    /// probability of class 1. Half the ciphertexts of two logits.
    BinaryCrossEntropy,
}

impl core::fmt::Display for Objective {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::CrossEntropy => "cross_entropy",
            Self::BinaryCrossEntropy => "binary_cross_entropy",
        })
    }
}

impl Network {
    /// The layers below the cut, whether written down or by name.
    ///
    /// # Errors
    /// [`LayerError`] when the preset has no layers for this input.
    pub fn layers(&self) -> Result<Cow<'_, [Layer]>, LayerError> {
        match &self.bottom {
            Bottom::Layers(layers) => Ok(Cow::Borrowed(layers)),
            Bottom::Preset(preset) => preset.layers(self.input).map(Cow::Owned),
        }
    }

    /// The layers with their shapes, if they fit each other.
    ///
    /// # Errors
    /// [`LayerError`] naming the first layer that does not.
    pub fn blueprint(&self) -> Result<Blueprint, LayerError> {
        Blueprint::new(self.input, &self.layers()?)
    }

    /// The same network with this activation in the place of each that it has.
    ///
    /// # Errors
    /// As [`Network::layers`].
    pub fn with_activation(&self, activation: Activation) -> Result<Self, LayerError> {
        Ok(Self {
            bottom: Bottom::Layers(activation.throughout(&self.layers()?)),
            ..self.clone()
        })
    }

    /// c: the logits of a sample.
    pub fn logits(&self) -> usize {
        match self.loss {
            Objective::CrossEntropy => self.classes,
            Objective::BinaryCrossEntropy => 1,
        }
    }
}
