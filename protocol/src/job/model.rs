//! Models by name.

use core::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{JobError, JobId};

/// What people call a model. Several trainings may go by one name: each is a
/// version of it.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct ModelName(String);

impl ModelName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ModelName {
    type Error = JobError;

    fn try_from(text: String) -> Result<Self, JobError> {
        if (1..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
            return Ok(Self(text));
        }
        Err(JobError::new(
            "model",
            "give it 1 to 100 printable characters",
        ))
    }
}

impl From<ModelName> for String {
    fn from(name: ModelName) -> Self {
        name.0
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A model that a job asks: by its name, and by the version if not the newest
/// is meant. The version is the identity of the job that trained it: unique
/// without anybody having to count, and the same at both parties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Written", into = "Written")]
pub struct ModelRef {
    /// The name.
    pub name: ModelName,
    /// The version. A coordinator puts in the newest that it knows of where a
    /// person has left it out; a party takes none without it.
    pub version: Option<JobId>,
}

impl fmt::Display for ModelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            None => write!(f, "{}", self.name),
            Some(version) => write!(f, "{}@{version}", self.name),
        }
    }
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected the name of a model, or { name = ..., version = ... }"
)]
enum Written {
    Name(ModelName),
    Version(Version),
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Version {
    name: ModelName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<JobId>,
}

impl From<Written> for ModelRef {
    fn from(written: Written) -> Self {
        match written {
            Written::Name(name) => Self {
                name,
                version: None,
            },
            Written::Version(Version { name, version }) => Self { name, version },
        }
    }
}

impl From<ModelRef> for Written {
    fn from(model: ModelRef) -> Self {
        let ModelRef { name, version } = model;
        match version {
            None => Self::Name(name),
            version => Self::Version(Version { name, version }),
        }
    }
}
