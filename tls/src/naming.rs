//! From the names in a certificate to a member.
//!
//! ```text
//!   URI spiffe://TRUST_DOMAIN/party/bank-b ───────────────▶ party/bank-b
//!   URI spiffe://corp.example/ns/ml/sa/trainer ─ [tls.identities] ─▶ party/bank-b
//!   DNS bank-b.example.org ───────────────────── [tls.identities] ─▶ party/bank-b
//! ```
//!
//! The first line is how the authority of this software names members, and how a
//! SPIFFE authority with a domain of its own can. The other two are for
//! certificates that an existing PKI makes for purposes of its own: the operator
//! writes down, name by name, whom each of them stands for. There is no pattern
//! and no default: a rule such as "the first label of the DNS name" would make a
//! member of whoever can have a certificate for a host.
//!
//! All names of a certificate are looked at, and they must come to exactly one
//! member. One that stands for two stands for nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use x509_parser::extensions::GeneralName;

use crate::certificate::CertificateFault;
use crate::identity::Identity;
use crate::name::excerpt;

/// The part of a SPIFFE name that says who names: `spiffe://TRUST_DOMAIN/...`.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct TrustDomain(String);

/// The longest, in bytes: as a host name's.
const MAX_BYTES: usize = 255;

/// Why a text is no trust domain.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "{0:?} is not a trust domain: use 1 to {MAX_BYTES} of a-z, 0-9, '.', '-' and '_', as in entente or bank.example"
)]
pub struct TrustDomainError(String);

impl TrustDomain {
    /// What stands before KIND/NAME in a certificate.
    fn prefix(&self) -> String {
        format!("spiffe://{}/", self.0)
    }

    /// The name of the authority itself: the domain without a path (SPIFFE X509-SVID,
    /// section 4.2).
    pub(crate) fn uri(&self) -> String {
        format!("spiffe://{}", self.0)
    }

    /// What all its members are called, for people.
    pub(crate) fn uri_of_any(&self) -> String {
        format!("{}KIND/NAME", self.prefix())
    }

    /// The form in which a certificate of this domain carries `identity`.
    pub(crate) fn uri_of(&self, identity: &Identity) -> String {
        format!("{}{identity}", self.prefix())
    }
}

impl Default for TrustDomain {
    fn default() -> Self {
        Self("entente".to_owned())
    }
}

impl FromStr for TrustDomain {
    type Err = TrustDomainError;

    fn from_str(text: &str) -> Result<Self, TrustDomainError> {
        let fits =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
        if (1..=MAX_BYTES).contains(&text.len()) && text.bytes().all(fits) {
            Ok(Self(text.to_owned()))
        } else {
            Err(TrustDomainError(excerpt(text)))
        }
    }
}

impl TryFrom<String> for TrustDomain {
    type Error = TrustDomainError;

    fn try_from(text: String) -> Result<Self, TrustDomainError> {
        text.parse()
    }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Whether a name is written as a URI rather than as a host.
pub(crate) fn is_uri(name: &str) -> bool {
    name.contains("://")
}

/// How the names in certificates are read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Naming {
    /// Whose `spiffe://TRUST_DOMAIN/KIND/NAME` are members.
    pub trust_domain: TrustDomain,
    /// Whom other names stand for: URIs, and DNS names in lower case.
    pub identities: BTreeMap<String, Identity>,
}

impl Naming {
    /// The one member that the names of a certificate come to.
    pub(crate) fn member<'a>(
        &self,
        names: impl Iterator<Item = &'a GeneralName<'a>>,
    ) -> Result<Identity, CertificateFault> {
        let prefix = self.trust_domain.prefix();
        let (mut members, mut of_the_domain) = (BTreeSet::new(), 0);
        for name in names {
            let written = match name {
                // What is written as a host is meant as one.
                GeneralName::URI(uri) if is_uri(uri) => self.identities.get(*uri).cloned(),
                // Host names are the same in either case (RFC 4343).
                GeneralName::DNSName(host) if !is_uri(host) => {
                    self.identities.get(&host.to_ascii_lowercase()).cloned()
                }
                _ => None,
            };
            let member = match (written, name) {
                (Some(member), _) => member,
                (None, GeneralName::URI(uri)) => match uri.strip_prefix(&prefix) {
                    Some(member) => {
                        of_the_domain += 1;
                        member.parse()?
                    }
                    None => continue,
                },
                (None, _) => continue,
            };
            members.insert(member);
        }
        // A SPIFFE certificate has one name (X509-SVID, section 2).
        match (members.len().max(of_the_domain), members.pop_first()) {
            (1, Some(one)) => Ok(one),
            (0, _) | (_, None) => Err(CertificateFault::NoIdentity {
                domain: self.trust_domain.to_string(),
            }),
            (several, _) => Err(CertificateFault::SeveralIdentities(several)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn member(naming: &Naming, names: &[GeneralName<'_>]) -> Result<String, CertificateFault> {
        naming.member(names.iter()).map(|member| member.to_string())
    }

    fn naming() -> Naming {
        let of = |name: &str, member: &str| (name.to_owned(), member.parse().unwrap());
        Naming {
            trust_domain: "prod.bank.example".parse().unwrap(),
            identities: BTreeMap::from([
                of("spiffe://corp.example/ns/ml/sa/trainer", "party/bank-b"),
                of("bank-b.example.org", "party/bank-b"),
                of("ops.example.org", "operator/ops"),
            ]),
        }
    }

    #[test]
    fn names_come_to_a_member_by_domain_by_uri_or_by_host() {
        let naming = naming();
        for name in [
            GeneralName::URI("spiffe://prod.bank.example/party/bank-b"),
            GeneralName::URI("spiffe://corp.example/ns/ml/sa/trainer"),
            GeneralName::DNSName("bank-b.example.org"),
            GeneralName::DNSName("Bank-B.Example.ORG"),
        ] {
            assert_eq!(member(&naming, &[name]).unwrap(), "party/bank-b");
        }
    }

    #[test]
    fn names_that_agree_are_one_member_and_names_that_do_not_are_none() {
        let naming = naming();
        let host = || GeneralName::DNSName("bank-b.example.org");
        let same = [
            GeneralName::URI("spiffe://prod.bank.example/party/bank-b"),
            host(),
        ];
        assert_eq!(member(&naming, &same).unwrap(), "party/bank-b");
        let other = [
            GeneralName::URI("spiffe://prod.bank.example/party/bank-a"),
            host(),
        ];
        assert_eq!(
            member(&naming, &other),
            Err(CertificateFault::SeveralIdentities(2))
        );
        let two_hosts = [GeneralName::DNSName("ops.example.org"), host()];
        assert!(member(&naming, &two_hosts).is_err());
    }

    #[test]
    fn what_is_not_written_down_stands_for_nobody() {
        let naming = naming();
        for name in [
            GeneralName::URI("spiffe://entente/party/bank-b"),
            GeneralName::URI("spiffe://corp.example/ns/ml/sa/trainer/2"),
            GeneralName::URI("bank-b.example.org"),
            GeneralName::DNSName("a.bank-b.example.org"),
            GeneralName::DNSName("*.example.org"),
            GeneralName::DNSName("spiffe://prod.bank.example/party/bank-b"),
            GeneralName::RFC822Name("bank-b.example.org"),
        ] {
            assert!(matches!(
                member(&naming, &[name]),
                Err(CertificateFault::NoIdentity { .. })
            ));
        }
        // Of the domain, and no member: not passed over.
        let malformed = [
            GeneralName::URI("spiffe://prod.bank.example/bank-b"),
            GeneralName::DNSName("bank-b.example.org"),
        ];
        assert!(matches!(
            member(&naming, &malformed),
            Err(CertificateFault::BadIdentity(_))
        ));
    }

    #[test]
    fn a_trust_domain_is_a_plain_host_name() {
        for good in ["entente", "prod.bank.example", "a_b-c.1"] {
            assert_eq!(good.parse::<TrustDomain>().unwrap().to_string(), good);
        }
        for bad in ["", "Bank", "bank/a", "bank:1", "a b", "spiffe://bank"] {
            assert!(bad.parse::<TrustDomain>().is_err(), "{bad}");
        }
    }
}
