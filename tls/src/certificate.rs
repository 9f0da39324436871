//! What is read out of an end-entity certificate: identity and lifetime.
//!
//! rustls has no reader for URI names (its webpki compares DNS names and
//! addresses only), so x509-parser reads them. It reads after rustls has
//! verified chain and signature; here is no decision about trust, only about
//! meaning.

use rustls_pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use crate::error::TlsError;
use crate::identity::{Identity, IdentityError, URI_PREFIX};

/// What is wrong with a certificate, whoever holds it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CertificateFault {
    /// Not a DER-encoded X.509 certificate, or one with contradictory extensions.
    #[error("it is not a well-formed X.509 certificate")]
    Malformed,
    /// No subject alternative name begins with `spiffe://entente/`.
    #[error(
        "it carries no entente identity (a URI {URI_PREFIX}KIND/NAME among its alternative names)"
    )]
    NoIdentity,
    /// A certificate that speaks for several speaks for nobody.
    #[error("it carries {0} entente identities instead of one")]
    SeveralIdentities(usize),
    /// The URI has our prefix and then no identity.
    #[error("its entente identity does not parse: {0}")]
    BadIdentity(#[from] IdentityError),
}

/// The identity of an authenticated peer, from its verified end-entity
/// certificate.
///
/// `chain` is what `peer_certificates()` of a rustls connection returns after
/// the handshake: end entity first, verified under one of the configurations of
/// [`Credentials`](crate::Credentials). This function reads, it does not
/// verify; a chain from elsewhere proves nothing.
///
/// # Errors
/// [`TlsError::NoPeerCertificate`] and [`TlsError::PeerCertificate`]. Neither
/// can follow a handshake under our own configurations, which refuse such
/// peers; they are kept apart from a panic because the caller's connection may
/// come from another configuration.
pub fn peer_identity(chain: Option<&[CertificateDer<'_>]>) -> Result<Identity, TlsError> {
    let end_entity = chain
        .and_then(<[_]>::first)
        .ok_or(TlsError::NoPeerCertificate)?;
    EndEntity::read(end_entity)
        .map(|certificate| certificate.identity)
        .map_err(TlsError::PeerCertificate)
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
    pub(crate) fn read(der: &CertificateDer<'_>) -> Result<Self, CertificateFault> {
        let certificate = parse(der)?;
        let names = certificate
            .subject_alternative_name()
            .map_err(|_| CertificateFault::Malformed)?;
        let identities: Vec<&str> = names
            .iter()
            .flat_map(|extension| &extension.value.general_names)
            .filter_map(|name| match name {
                GeneralName::URI(uri) => uri.strip_prefix(URI_PREFIX),
                _ => None,
            })
            .collect();
        let identity = match identities.as_slice() {
            [] => return Err(CertificateFault::NoIdentity),
            [one] => one.parse()?,
            several => return Err(CertificateFault::SeveralIdentities(several.len())),
        };
        let validity = certificate.validity();
        Ok(Self {
            identity,
            not_before: validity.not_before,
            not_after: validity.not_after,
        })
    }
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

fn parse<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, CertificateFault> {
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
        EndEntity::read(&with_uris(uris)).map(|end_entity| end_entity.identity.to_string())
    }

    #[test]
    fn the_identity_is_found_beside_foreign_names() {
        let uris = ["https://bank-a.example", "spiffe://entente/party/bank-a"];
        assert_eq!(read(&uris).unwrap(), "party/bank-a");
    }

    #[test]
    fn anything_but_one_identity_is_refused() {
        let foreign = "spiffe://elsewhere/party/bank-a";
        assert_eq!(read(&[]), Err(CertificateFault::NoIdentity));
        assert_eq!(read(&[foreign]), Err(CertificateFault::NoIdentity));
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
            assert_eq!(
                EndEntity::read(&cut).err(),
                Some(CertificateFault::Malformed)
            );
        }
        let longer = CertificateDer::from([whole.as_ref(), &[0]].concat());
        assert_eq!(
            EndEntity::read(&longer).err(),
            Some(CertificateFault::Malformed)
        );
    }

    #[test]
    fn a_peer_without_certificate_has_no_identity() {
        assert!(matches!(
            peer_identity(None),
            Err(TlsError::NoPeerCertificate)
        ));
        assert!(matches!(
            peer_identity(Some(&[])),
            Err(TlsError::NoPeerCertificate)
        ));
    }
}
