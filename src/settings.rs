//! Settings: a TOML file, then `ENTENTE__SECTION__KEY` from the environment.

use std::path::Path;

use config::{Config, Environment, File, FileFormat};
use serde::de::DeserializeOwned;

use crate::exit::Failure;

/// Reads settings. Unknown keys are errors, in the file and in the
/// environment: `T` denies them.
///
/// # Errors
/// [`Failure::Configuration`] naming the file, the key and what is wrong.
pub(crate) fn load<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let complain =
        |error: config::ConfigError| Failure::Configuration(format!("{}: {error}", path.display()));
    if !path.is_file() {
        return Err(Failure::Configuration(format!(
            "{}: there is no such file",
            path.display()
        )));
    }
    Config::builder()
        .add_source(File::new(&path.to_string_lossy(), FileFormat::Toml))
        .add_source(
            Environment::with_prefix("ENTENTE")
                .prefix_separator("__")
                .separator("__")
                .try_parsing(true),
        )
        .build()
        .and_then(Config::try_deserialize)
        .map_err(complain)
}
