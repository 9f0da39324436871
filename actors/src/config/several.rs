//! Settings of which there may be several: a list in the file, commas between them
//! in the environment, which has no lists; one alone needs neither.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use url::Url;

/// Addresses, one at least.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "OneOrSeveral")]
pub struct Urls(Vec<Url>);

impl Urls {
    /// In the order in which they were written.
    pub fn iter(&self) -> impl Iterator<Item = &Url> {
        self.0.iter()
    }
}

/// Files, in the order in which they were written; none if nothing was.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(from = "OneOrSeveral")]
pub struct Files(Vec<PathBuf>);

impl Files {
    /// In the order in which they were written.
    pub fn iter(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(PathBuf::as_path)
    }
}

impl From<OneOrSeveral> for Files {
    fn from(written: OneOrSeveral) -> Self {
        let paths = written.split().into_iter();
        Self(
            paths
                .filter(|path| !path.is_empty())
                .map(PathBuf::from)
                .collect(),
        )
    }
}

/// As people write addresses and paths.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrSeveral {
    One(String),
    Several(Vec<String>),
}

impl OneOrSeveral {
    fn split(self) -> Vec<String> {
        let trimmed = |text: &str| text.trim().to_owned();
        match self {
            Self::One(text) => text.split(',').map(trimmed).collect(),
            Self::Several(texts) => texts.iter().map(|text| trimmed(text)).collect(),
        }
    }
}

impl TryFrom<OneOrSeveral> for Urls {
    type Error = url::ParseError;

    fn try_from(written: OneOrSeveral) -> Result<Self, url::ParseError> {
        let mut written = written.split();
        // One at least, which is none.
        if written.is_empty() {
            written.push(String::new());
        }
        let urls = written.iter().map(|text| text.parse());
        urls.collect::<Result<_, _>>().map(Self)
    }
}
