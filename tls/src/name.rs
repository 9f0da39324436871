//! The name of a member of the consortium.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest name, in bytes: one DNS label, so that a name can also be the
/// first label of a host name.
const MAX_BYTES: usize = 63;

/// A name such as `bank-a`: 1 to 63 of `a-z`, `0-9` and `-`, beginning and
/// ending with a letter or digit.
///
/// One spelling per name: without capitals, dots, percent signs or anything
/// outside ASCII, two names are the same exactly when their bytes are.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Why a text is not a [`Name`].
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "{given:?} is not a name: use 1 to {MAX_BYTES} of a-z, 0-9 and '-', \
     beginning and ending with a letter or digit"
)]
pub struct NameError {
    given: String,
}

impl NameError {
    fn new(given: &str) -> Self {
        Self {
            given: excerpt(given),
        }
    }
}

/// As much of a foreign text as an error message should repeat.
pub(crate) fn excerpt(given: &str) -> String {
    given.chars().take(MAX_BYTES + 1).collect()
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let bytes = text.as_bytes();
        let ends = [bytes.first(), bytes.last()];
        if bytes.len() <= MAX_BYTES
            && ends.iter().all(|end| end.is_some_and(alphanumeric))
            && bytes.iter().all(|byte| alphanumeric(byte) || *byte == b'-')
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::new(text))
        }
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_text_of_the_grammar_is_a_name(text in "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?") {
            let name: Name = text.parse().unwrap();
            prop_assert_eq!(name.to_string(), text);
        }

        #[test]
        fn whatever_parses_obeys_the_grammar_and_prints_as_it_was(text in "[a-zA-Z0-9./%é -]{0,70}") {
            if let Ok(name) = text.parse::<Name>() {
                prop_assert_eq!(name.as_ref(), text.as_str());
                prop_assert!((1..=63).contains(&text.len()));
                prop_assert!(!text.starts_with('-') && !text.ends_with('-'));
                prop_assert!(text.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-')));
            }
        }
    }

    #[test]
    fn near_misses_are_refused() {
        for text in [
            "", "-", "-a", "a-", "A", "a.b", "a/b", "a b", "a%2fb", "bänk", "a\n", "a\0",
        ] {
            assert!(text.parse::<Name>().is_err(), "{text:?}");
        }
        assert!("a".repeat(63).parse::<Name>().is_ok());
        assert!("a".repeat(64).parse::<Name>().is_err());
    }

    #[test]
    fn an_error_does_not_repeat_a_flood() {
        let flood = "x".repeat(1 << 20);
        assert!(flood.parse::<Name>().unwrap_err().to_string().len() < 300);
    }
}
