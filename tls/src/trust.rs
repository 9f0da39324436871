//! Who is believed to name members: roots, revocation lists, and how names are
//! read. All that verifying takes, replaced as one.

use std::sync::Arc;

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::{CertificateError, Error, OtherError, RootCertStore};
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{
    EndEntityCert, ExpirationPolicy, KeyUsage, RevocationCheckDepth, RevocationOptions,
    RevocationOptionsBuilder, UnknownStatusPolicy,
};

use crate::certificate::{self, EndEntity};
use crate::configuration;
use crate::error::TlsError;
use crate::identity::Identity;
use crate::naming::Naming;
use crate::revocation::{Lists, Revocation};

/// What a certificate is to be used for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Usage {
    /// To be called.
    Server,
    /// To call.
    Client,
}

/// Who is believed.
#[derive(Debug)]
pub(crate) struct Trust {
    pub(crate) roots: Arc<RootCertStore>,
    pub(crate) lists: Lists,
    pub(crate) naming: Naming,
    pub(crate) algorithms: WebPkiSupportedAlgorithms,
}

impl Trust {
    /// Roots alone: no lists, and names as this software's authority writes them.
    pub(crate) fn of(roots: RootCertStore) -> Self {
        Self {
            roots: Arc::new(roots),
            lists: Lists::default(),
            naming: Naming::default(),
            algorithms: configuration::provider().signature_verification_algorithms,
        }
    }

    /// Whom a chain names, if it leads to our roots, is in date at `at`, and
    /// nothing on the way was revoked.
    pub(crate) fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        at: UnixTime,
        usage: Usage,
    ) -> Result<Identity, Error> {
        self.path(
            end_entity,
            intermediates,
            at,
            usage,
            ExpirationPolicy::Enforce,
        )
        .map_err(in_words_of_rustls)?;
        EndEntity::read(end_entity, &self.naming)
            .map(|read| read.identity)
            .map_err(|fault| {
                Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(
                    TlsError::PeerCertificate(fault),
                ))))
            })
    }

    /// Whether a chain that was verified when its connection was made has been
    /// revoked since. That it has ended since, or its authority is not trusted any
    /// more, makes no difference: a connection lives to its natural end.
    pub(crate) fn revoked_since(
        &self,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Option<Revocation> {
        let (end_entity, intermediates) = chain.split_first()?;
        let end = certificate::first_end(chain).and_then(|end| u64::try_from(end).ok());
        let at = end.map_or(now.as_secs(), |end| end.min(now.as_secs()));
        let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(at));
        // Either usage: which one the peer had does not matter here.
        let revoked = [Usage::Client, Usage::Server].into_iter().any(|usage| {
            let verified = self.path(
                end_entity,
                intermediates,
                at,
                usage,
                ExpirationPolicy::Ignore,
            );
            matches!(verified, Err(webpki::Error::CertRevoked))
        });
        revoked.then(|| self.lists.revocation(chain)).flatten()
    }

    /// Whether a chain led to our roots and was in date at `at`, whatever was
    /// revoked: lists say what is revoked now.
    pub(crate) fn led_to_a_root(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        at: UnixTime,
    ) -> Result<(), Error> {
        self.checked(end_entity, intermediates, at, Usage::Server, None)
            .map_err(in_words_of_rustls)
    }

    fn path(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        at: UnixTime,
        usage: Usage,
        expiration: ExpirationPolicy,
    ) -> Result<(), webpki::Error> {
        let lists = self.lists.webpki();
        // Without any list there are no options, which webpki calls an error.
        let options = RevocationOptionsBuilder::new(&lists).ok().map(|options| {
            options
                .with_depth(RevocationCheckDepth::Chain)
                .with_status_policy(UnknownStatusPolicy::Allow)
                .with_expiration_policy(expiration)
                .build()
        });
        self.checked(end_entity, intermediates, at, usage, options)
    }

    fn checked(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        at: UnixTime,
        usage: Usage,
        revocation: Option<RevocationOptions<'_>>,
    ) -> Result<(), webpki::Error> {
        let usage = match usage {
            Usage::Server => KeyUsage::server_auth(),
            Usage::Client => KeyUsage::client_auth(),
        };
        EndEntityCert::try_from(end_entity)?
            .verify_for_usage(
                self.algorithms.all,
                &self.roots.roots,
                intermediates,
                at,
                usage,
                revocation,
                None,
            )
            .map(drop)
    }
}

/// As rustls's own verifiers would say it, so that the peer is sent the alert that
/// says why (RFC 8446 section 6.2).
fn in_words_of_rustls(error: webpki::Error) -> Error {
    use webpki::Error as Found;
    let fault = match error {
        Found::BadDer | Found::BadDerTime | Found::TrailingData(_) => CertificateError::BadEncoding,
        Found::CertNotValidYet { time, not_before } => {
            CertificateError::NotValidYetContext { time, not_before }
        }
        Found::CertExpired { time, not_after } => {
            CertificateError::ExpiredContext { time, not_after }
        }
        Found::InvalidCertValidity => CertificateError::Expired,
        Found::UnknownIssuer => CertificateError::UnknownIssuer,
        Found::CertRevoked => CertificateError::Revoked,
        Found::CrlExpired { time, next_update } => {
            CertificateError::ExpiredRevocationListContext { time, next_update }
        }
        Found::InvalidSignatureForPublicKey => CertificateError::BadSignature,
        Found::RequiredEkuNotFoundContext(_) => CertificateError::InvalidPurpose,
        other => CertificateError::Other(OtherError(Arc::new(other))),
    };
    Error::InvalidCertificate(fault)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::refusal::Refusal;
    use crate::revocation::{Reason, read_lists};
    use crate::{Authority, NewRequest, TrustDomain, Validity, files, loaded};

    const DAY_S: u64 = 86_400;

    /// Nobody knows any more what was revoked: nobody new is let in, and whoever is in
    /// stays.
    #[test]
    fn a_list_that_has_ended_shuts_its_authoritys_members_out() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let domain = TrustDomain::default();
        let root = Authority::root("root", &domain, Validity::days(30)).unwrap();
        root.save(at).unwrap();
        let list = root.revoke(at, &[], Reason::default(), 7).unwrap();
        let member = Identity::party("bank-b".parse().unwrap());
        let request = NewRequest::make(&member, &domain, &[]).unwrap();
        let request = request.request().unwrap();
        let signed = root
            .sign(Path::new(""), &request, Validity::days(20))
            .unwrap();
        let chain = files::certificates(&signed.save(at, "bank-b").unwrap().certificate).unwrap();

        let ca = at.join("ca.pem");
        let authorities = files::certificates(&ca).unwrap();
        let mut trust = Trust::of(loaded::roots(&ca, &authorities).unwrap());
        let bytes = std::fs::read(&list).unwrap();
        let lists = [(list.as_path(), bytes.as_slice())].into_iter();
        trust.lists = read_lists(lists, &authorities, &trust.algorithms).unwrap();
        let after = |days: u64| {
            let now = UnixTime::now().as_secs();
            UnixTime::since_unix_epoch(Duration::from_secs(now + days * DAY_S))
        };
        let verify = |days| trust.verify(&chain[0], &chain[1..], after(days), Usage::Client);
        assert_eq!(verify(0).unwrap(), member);
        assert_eq!(verify(6).unwrap(), member);
        assert_eq!(Refusal::from(&verify(8).unwrap_err()), Refusal::StaleList);
        assert_eq!(trust.revoked_since(&chain, after(8)), None);
    }
}
