//! `[weights]`: where initial weights come from.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use entente_protocol::network::NamedTensor;
use serde::Deserialize;

use crate::network::weights::{self, WeightsError};

/// `[weights]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightsSection {
    /// `dangerously_fixed_seed`,
    /// `ENTENTE__WEIGHTS__DANGEROUSLY_FIXED_SEED`: 0 to 2^64 - 1. Draws initial
    /// weights from this number instead of the operating system, so that a run
    /// can be repeated. Who guesses it knows this party's initial weights:
    /// for demonstrations and tests alone.
    pub dangerously_fixed_seed: Option<u64>,
    /// `initial.NAME`, `ENTENTE__WEIGHTS__INITIAL__NAME`: the file of the
    /// weights that a job may start from under this name: `.safetensors`, or
    /// where it is built in, a state dict of PyTorch, `.pt` or `.pth`.
    #[serde(default)]
    pub initial: BTreeMap<String, PathBuf>,
}

impl WeightsSection {
    /// The file of the weights of this name.
    ///
    /// # Errors
    /// [`WeightsError::Unknown`] when the configuration has none.
    pub fn named(&self, name: &str) -> Result<&Path, WeightsError> {
        let path = self.initial.get(name).map(PathBuf::as_path);
        path.ok_or_else(|| WeightsError::Unknown {
            name: name.to_owned(),
            known: self.initial.keys().cloned().collect(),
        })
    }

    /// The weights of this name.
    ///
    /// # Errors
    /// As [`WeightsSection::named`], or what is wrong with the file. Its path
    /// is for this party's log alone.
    pub fn load(&self, name: &str) -> Result<Vec<NamedTensor>, WeightsError> {
        let path = self.named(name)?;
        weights::load(path).inspect_err(|error| {
            tracing::error!(weights = name, path = %path.display(), "{error}");
        })
    }
}
