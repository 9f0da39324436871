//! Where a party's sealing keys come from.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use entente_wire::Secret;
use serde::Deserialize;

use super::{
    SealingError, SealingKey, SealingKeys,
    file::{self, make_sealing_key},
};
use crate::config::PartySection;

/// `[party] sealing_key`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SealingKeySource {
    /// A file.
    File(PathBuf),
    /// A variable of the environment.
    Environment(String),
}

impl SealingKeySource {
    fn read(&self) -> Result<SealingKey, SealingError> {
        match self {
            Self::File(path) => file::read(path),
            Self::Environment(name) => {
                let text = env::var(name).map_err(|error| match error {
                    env::VarError::NotPresent => SealingError::NoVariable { name: name.clone() },
                    env::VarError::NotUnicode(_) => SealingError::NoKey {
                        whence: name.clone(),
                    },
                })?;
                let text = Secret::new(text);
                SealingKey::parse(text.expose().as_bytes(), name)
            }
        }
    }
}

impl SealingKeys {
    /// The keys that a party's configuration names; nothing is made.
    ///
    /// # Errors
    /// [`SealingError`]. Left out in the configuration and not made so far, the
    /// key is [`SealingError::Missing`].
    pub fn read(section: &PartySection) -> Result<Self, SealingError> {
        let newest = match &section.sealing_key {
            Some(source) => source.read()?,
            None => file::read(&default_path(&section.state_dir)?)?,
        };
        let former = section.former_sealing_keys.iter().map(file::read);
        Ok(Self::new(newest, former.collect::<Result<_, _>>()?))
    }

    /// The keys that a party's configuration names. Where it names none, and
    /// nothing was ever sealed, a key is made beside the state directory.
    ///
    /// # Errors
    /// [`SealingError`].
    pub fn open(section: &PartySection) -> Result<Self, SealingError> {
        if let Some(SealingKeySource::Environment(name)) = &section.sealing_key {
            tracing::warn!(
                "the sealing key comes from the environment ({name}), which child processes \
                 inherit and /proc shows: a file for this user alone is better"
            );
        }
        match Self::read(section) {
            Err(SealingError::Missing { path }) if section.sealing_key.is_none() => {
                // One of the former keys may be the one that is missing.
                if path == default_path(&section.state_dir)? {
                    make_default(&section.state_dir, &path)?;
                    return Self::read(section);
                }
                Err(SealingError::Missing { path })
            }
            outcome => outcome,
        }
    }
}

/// Beside the state directory and not in it: whoever copies the one has not
/// copied the other.
fn default_path(state_dir: &Path) -> Result<PathBuf, SealingError> {
    let name = state_dir
        .file_name()
        .ok_or_else(|| SealingError::NoDefault {
            state_dir: state_dir.into(),
        })?;
    let mut name = name.to_owned();
    name.push(".sealing-key");
    Ok(state_dir.with_file_name(name))
}

fn make_default(state_dir: &Path, path: &Path) -> Result<(), SealingError> {
    let journals = journals_below(state_dir);
    if journals > 0 {
        let path = path.into();
        return Err(SealingError::Gone { path, journals });
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|source| SealingError::File {
            path: path.into(),
            action: "make",
            source,
        })?;
    }
    let id = make_sealing_key(path)?;
    tracing::warn!(
        path = %path.display(), %id,
        "a sealing key was made, since [party] sealing_key names none: without it this party's \
         jobs cannot go on from their journals, and with it and the state directory whoever has \
         both has this party's secrets"
    );
    Ok(())
}

/// How many there are that can be seen.
fn journals_below(state_dir: &Path) -> usize {
    let listed = |path: &Path| {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let folders = listed(&state_dir.join("jobs"));
    let files = folders.iter().flat_map(|folder| listed(folder));
    files
        .filter(|path| path.extension().is_some_and(|kind| kind == "journal"))
        .count()
}
