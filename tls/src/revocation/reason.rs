//! Why a certificate was revoked.

use std::fmt;
use std::str::FromStr;

use rcgen::RevocationReason;

/// Why a certificate was revoked (RFC 5280 section 5.3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Reason {
    /// Nothing was said.
    #[default]
    Unspecified,
    /// Somebody else may have its key.
    KeyCompromise,
    /// Somebody else may have its authority's key.
    CaCompromise,
    /// Its holder belongs elsewhere now.
    AffiliationChanged,
    /// Its holder has another one.
    Superseded,
    /// Its holder has ceased.
    CessationOfOperation,
    /// For a while.
    CertificateHold,
    /// Its holder must not any more what it says.
    PrivilegeWithdrawn,
}

/// An unknown reason.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "{0:?} is no reason: use unspecified, key-compromise, ca-compromise, affiliation-changed, \
     superseded, cessation-of-operation, certificate-hold or privilege-withdrawn"
)]
pub struct ReasonError(String);

impl Reason {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::CertificateHold,
        Self::PrivilegeWithdrawn,
    ];

    /// A word for the command line and for programs.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "key-compromise",
            Self::CaCompromise => "ca-compromise",
            Self::AffiliationChanged => "affiliation-changed",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessation-of-operation",
            Self::CertificateHold => "certificate-hold",
            Self::PrivilegeWithdrawn => "privilege-withdrawn",
        }
    }

    /// Whether its holder may well come back with another certificate, or this one,
    /// and be trusted with what it did before.
    #[must_use]
    pub fn is_harmless(self) -> bool {
        matches!(self, Self::Superseded | Self::CertificateHold)
    }

    pub(crate) fn code(self) -> RevocationReason {
        match self {
            Self::Unspecified => RevocationReason::Unspecified,
            Self::KeyCompromise => RevocationReason::KeyCompromise,
            Self::CaCompromise => RevocationReason::CaCompromise,
            Self::AffiliationChanged => RevocationReason::AffiliationChanged,
            Self::Superseded => RevocationReason::Superseded,
            Self::CessationOfOperation => RevocationReason::CessationOfOperation,
            Self::CertificateHold => RevocationReason::CertificateHold,
            Self::PrivilegeWithdrawn => RevocationReason::PrivilegeWithdrawn,
        }
    }

    /// Of a number in a list; one that is not known is [`Reason::Unspecified`].
    pub(crate) fn of_code(code: u8) -> Self {
        let mut all = Self::ALL.into_iter();
        all.find(|reason| reason.code() as u8 == code)
            .unwrap_or_default()
    }
}

impl FromStr for Reason {
    type Err = ReasonError;

    fn from_str(text: &str) -> Result<Self, ReasonError> {
        let mut all = Self::ALL.into_iter();
        all.find(|reason| reason.label() == text)
            .ok_or_else(|| ReasonError(crate::name::excerpt(text)))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn words_and_codes_go_there_and_back() {
        for reason in Reason::ALL {
            assert_eq!(reason.label().parse::<Reason>().unwrap(), reason);
            assert_eq!(Reason::of_code(reason.code() as u8), reason);
        }
        assert!("boredom".parse::<Reason>().is_err());
        assert_eq!(Reason::of_code(7), Reason::Unspecified);
    }
}
