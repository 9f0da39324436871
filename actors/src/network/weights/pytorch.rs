//! State dicts as `torch.save` writes them.
//!
//! The reader knows tensors alone and runs none of the code that such a file
//! can carry.

use std::path::Path;

use entente_protocol::network::NamedTensor;
use pytorch_reader::{DType, PytorchReader};

use super::{WeightsError, doubles, finite, is_bookkeeping, singles};

/// Reads a state dict.
pub(super) fn read(path: &Path) -> Result<Vec<NamedTensor>, WeightsError> {
    let file = PytorchReader::new(path).map_err(|error| WeightsError::Format {
        kind: "PyTorch",
        problem: error.to_string(),
    })?;
    let tensors = file.into_tensors().into_values();
    tensors
        .filter(|tensor| !is_bookkeeping(&tensor.name))
        .map(|tensor| {
            let bytes = tensor.read()?;
            let values = match tensor.dtype() {
                DType::F32 => Ok(singles(&bytes)),
                DType::F64 => Ok(doubles(&bytes)),
                other => Err(format!("{other:?}")),
            };
            finite(tensor.name.clone(), tensor.shape().to_vec(), values)
        })
        .collect()
}
