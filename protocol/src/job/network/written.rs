//! `[network]` as it is written, with its two ways to say each thing, and the
//! way to the one form that is worked with.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Bottom, Layer, Network, Objective, Preset, SampleShape};

/// What a person writes. `inputs = 4` is short for `input = [4]`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inputs: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    input: Option<Vec<usize>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    preset: Option<Preset>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bottom: Option<Vec<Layer>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    classes: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    loss: Option<Objective>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    initial: Option<String>,
}

impl TryFrom<Written> for Network {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let bottom = match (written.bottom, written.preset) {
            (Some(layers), None) => Bottom::Layers(layers),
            (None, Some(preset)) => Bottom::Preset(preset),
            (None, None) => {
                return Err("network.bottom: list the layers, or name a preset".into());
            }
            (Some(_), Some(_)) => {
                return Err("network.preset: say either preset or bottom, not both".into());
            }
        };
        let fixed = written.preset.and_then(Preset::fixed);
        let input = match (written.inputs, written.input) {
            (Some(inputs), None) => Some(SampleShape::Row(inputs)),
            (None, Some(axes)) => Some(SampleShape::of(&axes).ok_or(
                "network.input: give one to three numbers: [values], [channels, length] or \
                 [channels, height, width]",
            )?),
            (None, None) => None,
            (Some(_), Some(_)) => {
                return Err("network.inputs: say either inputs or input, not both".into());
            }
        };
        Ok(Self {
            input: agreed("input", input, fixed.as_ref().map(|fixed| fixed.input))?,
            classes: agreed(
                "classes",
                written.classes,
                fixed.as_ref().map(|fixed| fixed.classes),
            )?,
            loss: match (written.loss, fixed) {
                (None, None) => Objective::default(),
                (loss, fixed) => agreed("loss", loss, fixed.map(|fixed| fixed.loss))?,
            },
            bottom,
            initial: written.initial,
        })
    }
}

/// What the job says, or what the preset fixes; both only if they agree.
fn agreed<T: PartialEq + core::fmt::Display>(
    field: &str,
    said: Option<T>,
    fixed: Option<T>,
) -> Result<T, String> {
    match (said, fixed) {
        (Some(said), Some(fixed)) if said != fixed => Err(format!(
            "network.{field}: the preset is for {fixed}, the job says {said}: leave it out, \
             or list the layers instead of the preset"
        )),
        (Some(value), _) | (None, Some(value)) => Ok(value),
        (None, None) => Err(format!("network.{field} is missing")),
    }
}

impl From<Network> for Written {
    fn from(network: Network) -> Self {
        let (inputs, input) = match network.input {
            SampleShape::Row(inputs) => (Some(inputs), None),
            shape => (None, Some(shape.axes())),
        };
        let (preset, bottom) = match network.bottom {
            Bottom::Layers(layers) => (None, Some(layers)),
            Bottom::Preset(preset) => (Some(preset), None),
        };
        Self {
            inputs,
            input,
            preset,
            bottom,
            classes: Some(network.classes),
            // Said only where it is not the usual one: so a job without it has
            // the same text as before there was a choice.
            loss: (network.loss != Objective::default()).then_some(network.loss),
            initial: network.initial,
        }
    }
}
