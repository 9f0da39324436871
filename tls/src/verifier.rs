//! The two verifiers: webpki's verdict on the chain, then ours on the identity.
//!
//! Neither knows cryptography. Chains, revocation lists and handshake signatures
//! are verified by webpki and rustls with the provider's algorithms; the one thing
//! added is the comparison of identities, and the one thing left out is the
//! comparison of host names (see the crate's documentation). TLS 1.2 signatures
//! are refused rather than verified, so that no other part of the configuration
//! can bring that version back.
//!
//! Both ask what is in force when they are asked themselves: rustls's own
//! verifiers keep roots and lists for their life, and so for a listener's.

use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError,
    PeerIncompatible, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::configuration;
use crate::credentials::Current;
use crate::error::TlsError;
use crate::identity::Identity;
use crate::trust::Usage;

/// Asks what is in force: for the own certificate, and for who is trusted.
#[derive(Clone, Debug)]
pub(crate) struct InForce {
    current: Arc<Current>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl InForce {
    pub(crate) fn new(current: Arc<Current>) -> Self {
        let algorithms = configuration::provider().signature_verification_algorithms;
        Self {
            current,
            algorithms,
        }
    }

    fn own(&self) -> Option<Arc<CertifiedKey>> {
        Some(self.current.loaded().own.clone())
    }

    fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
        usage: Usage,
    ) -> Result<Identity, Error> {
        let loaded = self.current.loaded();
        let verified = loaded.trust.verify(end_entity, intermediates, now, usage);
        if let Err(Error::InvalidCertificate(CertificateError::Revoked)) = verified {
            let chain: Vec<_> = std::iter::once(end_entity)
                .chain(intermediates)
                .cloned()
                .collect();
            self.current.turn_away(&loaded, &chain);
        }
        verified
    }

    fn handshake_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }
}

impl ResolvesServerCert for InForce {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.own()
    }
}

impl ResolvesClientCert for InForce {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.own()
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// On the client: accepts the one server that was asked for.
#[derive(Debug)]
pub(crate) struct ExpectedServer {
    pub(crate) expected: Identity,
    pub(crate) in_force: InForce,
}

impl ServerCertVerifier for ExpectedServer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _dialled: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self
            .in_force
            .verify(end_entity, intermediates, now, Usage::Server);
        let presented = verified?;
        if presented == self.expected {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(refused(TlsError::WrongPeer {
                expected: self.expected.clone(),
                presented,
            }))
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.in_force
            .handshake_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.in_force.algorithms.supported_schemes()
    }
}

/// On the server: accepts every member, and nobody without an identity.
///
/// A certificate of the right authority without an entente identity would pass
/// webpki and be nobody afterwards; it is refused here, before a byte of
/// application data.
#[derive(Debug)]
pub(crate) struct IdentifiedClient {
    pub(crate) in_force: InForce,
}

impl ClientCertVerifier for IdentifiedClient {
    fn offer_client_auth(&self) -> bool {
        true
    }

    fn client_auth_mandatory(&self) -> bool {
        true
    }

    /// None: they would be those of the day on which the listener was bound. Every
    /// client has one certificate and sends it.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self
            .in_force
            .verify(end_entity, intermediates, now, Usage::Client);
        verified.map(|_| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls12NotOfferedOrEnabled.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.in_force
            .handshake_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.in_force.algorithms.supported_schemes()
    }
}

/// The peer gets rustls's general alert for a certificate we do not like; the
/// reason stays in our own log.
fn refused(reason: TlsError) -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(reason))))
}
