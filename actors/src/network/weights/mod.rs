//! Weights in files: safetensors, and the state dicts of PyTorch.
//!
//! A party that has trained a network of the same layers before need not start
//! from nothing. The job says under which name (`network.initial`), as it names
//! a dataset; the party that owns the network says in its own configuration
//! which file that is:
//!
//! ```text
//!   the job                      the active party alone
//!   [network]                    [weights.initial]
//!   initial = "digits"   ──────▶ digits = "models/digits.safetensors"
//! ```
//!
//! So the path stays where it is, and both parties know that the network does
//! not start at random, because the digest of the job says so. Errors name the
//! weights and the tensor, and not the path: they end up in the job's record.
//!
//! Names and layouts are those of PyTorch's `Sequential` (`0.weight`, a dense
//! weight `units x inputs`). Only what is below the cut can be loaded: of what
//! is above, no party ever has the weights.

#[cfg(feature = "pytorch")]
mod pytorch;
#[cfg(test)]
mod tests;

use std::{fs, io, path::Path};

use ::safetensors::{Dtype, SafeTensorError, SafeTensors, serialize, tensor::TensorView};
use entente_protocol::network::NamedTensor;
use thiserror::Error;

/// What is wrong with a file of weights.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The party's configuration does not know the name.
    #[error(
        "the job starts from weights '{name}', which this party's configuration does not have{}: \
         add {name} to [weights.initial], or leave network.initial out of the job", listed(.known)
    )]
    Unknown {
        /// The name in the job.
        name: String,
        /// The names in the configuration.
        known: Vec<String>,
    },
    /// The file cannot be read or written.
    #[error("the file of the weights: {0}")]
    File(#[from] io::Error),
    /// The file is not of its kind.
    #[error("the file of the weights is no {kind} file that can be read: {problem}")]
    Format {
        /// Which kind was expected, by its ending.
        kind: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The kind of file cannot be told.
    #[error(
        "the file of the weights must end in .safetensors, .pt or .pth (the last two only where \
         entente is built with --features pytorch)"
    )]
    Kind,
    /// A tensor is of numbers that are not read.
    #[error("tensor '{name}' holds {holds}: save it as finite float32 (or float64)")]
    Numbers {
        /// The tensor.
        name: String,
        /// What it holds.
        holds: String,
    },
}

fn listed(known: &[String]) -> String {
    match known.is_empty() {
        true => " (it has none)".to_owned(),
        false => format!(" (it has: {})", known.join(", ")),
    }
}

/// Reads the file at `path`, of the kind that its ending says.
///
/// # Errors
/// [`WeightsError`] when it is not such a file, or a tensor is not of finite
/// numbers.
pub fn load(path: &Path) -> Result<Vec<NamedTensor>, WeightsError> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("safetensors") => read_safetensors(&fs::read(path)?),
        #[cfg(feature = "pytorch")]
        Some("pt" | "pth") => pytorch::read(path),
        _ => Err(WeightsError::Kind),
    }
}

/// Writes a safetensors file at `path`; one that is there is replaced.
///
/// # Errors
/// [`WeightsError`] as the file system says.
pub fn save(path: &Path, tensors: &[NamedTensor]) -> Result<(), WeightsError> {
    Ok(fs::write(path, safetensors(tensors)?)?)
}

/// A safetensors file of these.
///
/// # Errors
/// [`WeightsError::Format`] for a tensor whose values do not fill its shape.
pub fn safetensors(tensors: &[NamedTensor]) -> Result<Vec<u8>, WeightsError> {
    let format = |error: SafeTensorError| WeightsError::Format {
        kind: "safetensors",
        problem: error.to_string(),
    };
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|tensor| tensor.values.iter().flat_map(|x| x.to_le_bytes()).collect())
        .collect();
    let views = tensors.iter().zip(&bytes).map(|(tensor, bytes)| {
        let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes);
        Ok((tensor.name.as_str(), view.map_err(format)?))
    });
    let views = views.collect::<Result<Vec<_>, WeightsError>>()?;
    serialize(views, None).map_err(format)
}

fn read_safetensors(bytes: &[u8]) -> Result<Vec<NamedTensor>, WeightsError> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| WeightsError::Format {
        kind: "safetensors",
        problem: error.to_string(),
    })?;
    let tensors = file.tensors().into_iter();
    let tensors = tensors.filter(|(name, _)| !is_bookkeeping(name));
    tensors
        .map(|(name, view)| {
            let values = match view.dtype() {
                Dtype::F32 => Some(singles(view.data())),
                Dtype::F64 => Some(doubles(view.data())),
                _ => None,
            };
            let kind = format!("{:?}", view.dtype());
            finite(name, view.shape().to_vec(), values.ok_or(kind))
        })
        .collect()
}

/// What PyTorch counts beside a batch norm's statistics; inference does not
/// need it, and the momentum here is fixed.
fn is_bookkeeping(name: &str) -> bool {
    name.ends_with("num_batches_tracked")
}

/// A tensor of finite numbers, if it is one; `values` is what else it holds.
fn finite(
    name: String,
    shape: Vec<usize>,
    values: Result<Vec<f32>, String>,
) -> Result<NamedTensor, WeightsError> {
    let all_finite = |values: Vec<f32>| match values.iter().all(|value| value.is_finite()) {
        true => Ok(values),
        false => Err("infinities or NaN".to_owned()),
    };
    match values.and_then(all_finite) {
        Ok(values) => Ok(NamedTensor {
            name,
            shape,
            values,
        }),
        Err(holds) => Err(WeightsError::Numbers { name, holds }),
    }
}

/// Little-endian, as both kinds of file have them.
fn singles(bytes: &[u8]) -> Vec<f32> {
    let (values, _) = bytes.as_chunks();
    values.iter().copied().map(f32::from_le_bytes).collect()
}

fn doubles(bytes: &[u8]) -> Vec<f32> {
    let (values, _) = bytes.as_chunks();
    let values = values.iter().copied().map(f64::from_le_bytes);
    values.map(|value| value as f32).collect()
}
