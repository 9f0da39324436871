//! What is read out of an end-entity certificate: identity and lifetime.
//!
//! rustls has no reader for URI names (its webpki compares DNS names and
//! addresses only), so x509-parser reads them. It reads after rustls has
//! verified chain and signature; here is no decision about trust, only about
//! meaning.

use rustls_pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use crate::identity::{Identity, IdentityError};
use crate::naming::Naming;

/// What is wrong with a certificate, whoever holds it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CertificateFault {
    /// Not a DER-encoded X.509 certificate, or one with contradictory extensions.
    #[error("it is not a well-formed X.509 certificate")]
    Malformed,
    /// None of its names is a member's.
    #[error(
        "it carries no entente identity (a URI spiffe://{domain}/KIND/NAME among its alternative \
         names, or a name that is listed under [tls.identities])"
    )]
    NoIdentity {
        /// The trust domain that was looked for.
        domain: String,
    },
    /// A certificate that speaks for several speaks for nobody.
    #[error("it carries {0} entente identities instead of one")]
    SeveralIdentities(usize),
    /// A URI has the prefix of our trust domain and then no identity.
    #[error("its entente identity does not parse: {0}")]
    BadIdentity(#[from] IdentityError),
}

/// A certificate that names exactly one member.
pub(crate) struct EndEntity {
    pub(crate) identity: Identity,
    pub(crate) not_before: ASN1Time,
    pub(crate) not_after: ASN1Time,
}

impl EndEntity {
    /// Reads a certificate; trailing bytes, doubled extensions and anything but
    /// one identity are refused.
    pub(crate) fn read(
        der: &CertificateDer<'_>,
        naming: &Naming,
    ) -> Result<Self, CertificateFault> {
        let certificate = parse(der)?;
        let names = certificate
            .subject_alternative_name()
            .map_err(|_| CertificateFault::Malformed)?;
        let names = names
            .iter()
            .flat_map(|extension| &extension.value.general_names);
        let validity = certificate.validity();
        Ok(Self {
            identity: naming.member(names)?,
            not_before: validity.not_before,
            not_after: validity.not_after,
        })
    }
}

/// When the first of a chain's certificates ends, in seconds since 1970.
pub(crate) fn first_end(chain: &[CertificateDer<'_>]) -> Option<i64> {
    let ends = chain.iter().filter_map(|der| parse(der).ok());
    ends.map(|certificate| certificate.validity().not_after.timestamp())
        .min()
}

/// The public key of a certificate authority (SubjectPublicKeyInfo, DER), or
/// `None` when the certificate may not sign others.
///
/// webpki takes any certificate as a trust anchor; a member's own certificate
/// given for the authority's by mistake would let that member make members.
pub(crate) fn authority_key(der: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let certificate = parse(der).ok()?;
    certificate
        .is_ca()
        .then(|| certificate.public_key().raw.to_vec())
}

pub(crate) fn parse<'a>(
    der: &'a CertificateDer<'_>,
) -> Result<X509Certificate<'a>, CertificateFault> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(CertificateFault::Malformed),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rcgen::{CertificateParams, KeyPair, SanType};

    use super::*;

    fn with_uris(uris: &[&str]) -> CertificateDer<'static> {
        let mut params = CertificateParams::default();
        params.subject_alt_names = uris
            .iter()
            .map(|uri| SanType::URI((*uri).try_into().unwrap()))
            .collect();
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().clone()
    }

    fn read(uris: &[&str]) -> Result<String, CertificateFault> {
        EndEntity::read(&with_uris(uris), &Naming::default())
            .map(|end_entity| end_entity.identity.to_string())
    }

    #[test]
    fn the_identity_is_found_beside_foreign_names() {
        let uris = ["https://bank-a.example", "spiffe://entente/party/bank-a"];
        assert_eq!(read(&uris).unwrap(), "party/bank-a");
    }

    #[test]
    fn anything_but_one_identity_is_refused() {
        let foreign = "spiffe://elsewhere/party/bank-a";
        let nobody = Err(CertificateFault::NoIdentity {
            domain: "entente".to_owned(),
        });
        assert_eq!(read(&[]), nobody);
        assert_eq!(read(&[foreign]), nobody);
        let (a, b) = ("spiffe://entente/party/a", "spiffe://entente/party/b");
        assert_eq!(read(&[a, b]), Err(CertificateFault::SeveralIdentities(2)));
        assert_eq!(read(&[a, a]), Err(CertificateFault::SeveralIdentities(2)));
        let bad = read(&["spiffe://entente/party/Bank-A"]);
        assert!(matches!(bad, Err(CertificateFault::BadIdentity(_))));
    }

    #[test]
    fn no_prefix_and_no_extension_of_a_certificate_is_a_certificate() {
        let whole = with_uris(&["spiffe://entente/party/a"]);
        for length in 0..whole.len() {
            let cut = CertificateDer::from(&whole[..length]);
            assert_eq!(fault(&cut), Some(CertificateFault::Malformed));
        }
        let longer = CertificateDer::from([whole.as_ref(), &[0]].concat());
        assert_eq!(fault(&longer), Some(CertificateFault::Malformed));
    }

    fn fault(der: &CertificateDer<'_>) -> Option<CertificateFault> {
        EndEntity::read(der, &Naming::default()).err()
    }
}
