//! Who a certificate speaks for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::name::{Name, NameError, excerpt};
use crate::naming::TrustDomain;

/// Who a certificate speaks for: a kind and a name, `party/bank-a`.
///
/// In a certificate it is the URI subject alternative name
/// `spiffe://entente/party/bank-a`. The kind belongs to the identity and not to
/// the job: a certificate of the user `alice` cannot act as the party `alice`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Identity {
    /// What the holder is.
    pub kind: IdentityKind,
    /// What the holder is called; unique within the kind.
    pub name: Name,
}

/// What the holder of a certificate is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum IdentityKind {
    /// Holds data and takes part in training.
    Party,
    /// Schedules jobs; sees no data.
    Coordinator,
    /// Submits and watches jobs, and cancels its own.
    User,
    /// Does what a user does, and cancels anybody's jobs.
    Operator,
    /// Watches jobs, and changes nothing.
    Reader,
}

/// Why a text is not an [`Identity`].
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IdentityError {
    /// Not of the form `kind/name`.
    #[error("{0:?} is not an identity: write kind/name, as in party/bank-a")]
    Form(String),
    /// The part before the slash is no kind.
    #[error("{0:?} is not a kind of identity: use party, coordinator, user, operator or reader")]
    Kind(String),
    /// The part after the slash is no name.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl Identity {
    /// The identity of a party.
    #[must_use]
    pub fn party(name: Name) -> Self {
        let kind = IdentityKind::Party;
        Self { kind, name }
    }

    /// The identity of a coordinator.
    #[must_use]
    pub fn coordinator(name: Name) -> Self {
        let kind = IdentityKind::Coordinator;
        Self { kind, name }
    }

    /// The identity of a user.
    #[must_use]
    pub fn user(name: Name) -> Self {
        let kind = IdentityKind::User;
        Self { kind, name }
    }

    /// The form that a certificate carries: `spiffe://entente/party/bank-a`, in the
    /// trust domain that is meant where nothing else is said.
    #[must_use]
    pub fn uri(&self) -> String {
        TrustDomain::default().uri_of(self)
    }
}

impl IdentityKind {
    const ALL: [Self; 5] = [
        Self::Party,
        Self::Coordinator,
        Self::User,
        Self::Operator,
        Self::Reader,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Party => "party",
            Self::Coordinator => "coordinator",
            Self::User => "user",
            Self::Operator => "operator",
            Self::Reader => "reader",
        }
    }
}

impl fmt::Display for IdentityKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for IdentityKind {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, IdentityError> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| IdentityError::Kind(excerpt(text)))
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

impl FromStr for Identity {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, IdentityError> {
        let (kind, name) = text
            .split_once('/')
            .ok_or_else(|| IdentityError::Form(excerpt(text)))?;
        Ok(Self {
            kind: kind.parse()?,
            name: name.parse()?,
        })
    }
}

impl TryFrom<String> for Identity {
    type Error = IdentityError;

    fn try_from(text: String) -> Result<Self, IdentityError> {
        text.parse()
    }
}

impl From<Identity> for String {
    fn from(identity: Identity) -> Self {
        identity.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn printing_and_parsing_are_inverse(
            kind in prop::sample::select(IdentityKind::ALL.to_vec()),
            name in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?",
        ) {
            let identity = Identity { kind, name: name.parse().unwrap() };
            prop_assert_eq!(identity.to_string().parse::<Identity>(), Ok(identity.clone()));
            prop_assert_eq!(identity.uri(), format!("spiffe://entente/{kind}/{name}"));
        }

        #[test]
        fn only_the_canonical_spelling_parses(text in "(party|Party|user|reader|root)?/{0,2}[a-zB/-]{0,6}") {
            if let Ok(identity) = text.parse::<Identity>() {
                prop_assert_eq!(identity.to_string(), text);
            }
        }
    }

    #[test]
    fn near_misses_are_told_apart() {
        let refused = |text: &str| text.parse::<Identity>().unwrap_err();
        assert!(matches!(refused("party"), IdentityError::Form(_)));
        assert!(matches!(refused("admin/a"), IdentityError::Kind(_)));
        assert!(matches!(refused("PARTY/a"), IdentityError::Kind(_)));
        assert!(matches!(refused("/a"), IdentityError::Kind(_)));
        assert!(matches!(refused("party/"), IdentityError::Name(_)));
        assert!(matches!(refused("party/a/b"), IdentityError::Name(_)));
        assert!(matches!(refused("party//a"), IdentityError::Name(_)));
    }
}
