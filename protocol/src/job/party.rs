//! Who takes part, and on which side.

use core::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::JobError;

/// The name of a party: as in its certificate.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct PartyName(String);

impl PartyName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PartyName {
    type Error = JobError;
    fn try_from(text: String) -> Result<Self, JobError> {
        let edge =
            |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.len() <= 63
            && text.chars().all(inner)
            && edge(text.chars().next())
            && edge(text.chars().next_back())
        {
            return Ok(Self(text));
        }
        Err(JobError::new(
            "parties",
            format!("{text:?} is no party name: use 1 to 63 of a-z, 0-9 and -, not at the ends"),
        ))
    }
}

impl FromStr for PartyName {
    type Err = JobError;
    fn from_str(text: &str) -> Result<Self, JobError> {
        text.to_owned().try_into()
    }
}

impl From<PartyName> for String {
    fn from(name: PartyName) -> Self {
        name.0
    }
}

impl fmt::Display for PartyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The side that a party takes. The paper's words (and not most of the
/// literature's, which has them the other way round): the active party owns
/// the features, the passive party the labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Owns the features, the bottom network and the secret key.
    Active,
    /// Owns the labels.
    Passive,
}

impl Side {
    /// Its name.
    pub fn label(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Active => Self::Passive,
            Self::Passive => Self::Active,
        }
    }
}
