//! Names and versions, as people say them.

use std::collections::BTreeSet;

use entente_protocol::job::JobId;

use super::{Manifest, ModelError};

/// A version, and what is known of it.
#[derive(Debug)]
pub struct Entry {
    /// The job that trained it.
    pub version: JobId,
    /// What it is, or why that cannot be said.
    pub manifest: Result<Manifest, ModelError>,
}

/// What a person must say at least to mean a version: fewer digits turn up by
/// chance.
const LEAST_DIGITS: usize = 4;

pub(super) fn find(entries: &[Entry], wanted: &str) -> Result<JobId, ModelError> {
    let named = |name: &str, entry: &Entry| {
        let manifest = entry.manifest.as_ref();
        manifest.is_ok_and(|manifest| manifest.name.as_str() == name)
    };
    // Newest first: the first of a name is its newest.
    if let Some(entry) = entries.iter().find(|entry| named(wanted, entry)) {
        return Ok(entry.version);
    }
    let (name, version) = match wanted.rsplit_once('@') {
        Some((name, version)) => (Some(name), version),
        None => (None, wanted),
    };
    let versions: Vec<String> = entries
        .iter()
        .filter(|entry| name.is_none_or(|name| named(name, entry)))
        .map(|entry| entry.version.to_string())
        .filter(|of| {
            version.len() >= LEAST_DIGITS && (of.starts_with(version) || of.ends_with(version))
        })
        .collect();
    match &versions[..] {
        [one] => one.parse().map_err(|_| unknown(entries, wanted)),
        [] => Err(unknown(entries, wanted)),
        _ => Err(ModelError::Ambiguous {
            wanted: wanted.to_owned(),
            versions,
        }),
    }
}

fn unknown(entries: &[Entry], wanted: &str) -> ModelError {
    let manifests = entries
        .iter()
        .filter_map(|entry| entry.manifest.as_ref().ok());
    let known: BTreeSet<String> = manifests.map(|of| of.name.to_string()).collect();
    ModelError::Unknown {
        wanted: wanted.to_owned(),
        known: known.into_iter().collect(),
    }
}

/// A version as short as it can be said among `all`: its last digits, which are
/// drawn at random, where its first are the time of day.
pub fn short(version: JobId, all: &[Entry]) -> String {
    let text = version.to_string();
    let end = |digits: usize| text.get(text.len().saturating_sub(digits)..);
    let own = |tail: &str| {
        let mut others = all.iter().filter(|entry| entry.version != version);
        others.all(|entry| !entry.version.to_string().ends_with(tail))
    };
    (8..text.len())
        .filter_map(end)
        .find(|tail| own(tail))
        .unwrap_or(&text)
        .to_owned()
}
