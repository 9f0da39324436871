//! What makes a submission that is sent twice one job.
//!
//! An answer that is lost leaves its caller not knowing whether there is a job
//! now. A key that the caller chose makes asking again harmless: the first
//! submission with it makes the job, every later one gets that job as its
//! answer. Keys are kept as long as jobs are, and each submitter has its own.

use core::fmt;
use std::str::FromStr;

use thiserror::Error;
use uuid::Uuid;

/// A key and what was submitted with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The submitter's own name for it.
    pub key: IdempotencyKey,
    /// The digest of the specification as it was sent, in hexadecimal. Not the
    /// job's: what a specification leaves open may be filled in differently
    /// later.
    pub digest: String,
}

/// What a submitter calls a submission: up to 128 printable characters of ASCII,
/// without quotes and spaces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdempotencyKey(String);

/// Not a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "an idempotency key has 1 to 128 printable ASCII characters without quotes and spaces: \
     take a UUID"
)]
pub struct KeyError;

impl IdempotencyKey {
    const MAX_CHARS: usize = 128;

    /// One that nobody has used.
    #[must_use]
    pub fn fresh() -> Self {
        Self(Uuid::now_v7().to_string())
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for IdempotencyKey {
    type Err = KeyError;

    /// With or without the quotes that the header's draft standard
    /// (draft-ietf-httpapi-idempotency-key-header) puts around it.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let inside = text
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        let key = inside.unwrap_or(text);
        let printable = key
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"');
        if printable && (1..=Self::MAX_CHARS).contains(&key.len()) {
            return Ok(Self(key.to_owned()));
        }
        Err(KeyError)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn quotes_may_be_left_out() {
        let key: IdempotencyKey = "a-1".parse().unwrap();
        assert_eq!("\"a-1\"".parse(), Ok(key.clone()));
        assert_eq!(key.to_string().parse(), Ok(key));
        let fresh = IdempotencyKey::fresh();
        assert_eq!(fresh.to_string().parse(), Ok(fresh));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "\"\"", "a b", "a\"b", "λ", "a\n", &"k".repeat(129)] {
            assert_eq!(text.parse::<IdempotencyKey>(), Err(KeyError), "{text}");
        }
        assert!("k".repeat(128).parse::<IdempotencyKey>().is_ok());
    }
}
