//! The two rustls configurations, and why their settings are what they are.
//!
//! **Key exchange.** X25519MLKEM768 first: what crosses between parties today
//! stays confidential against whoever stores it and owns a quantum computer
//! later. X25519 remains for foreign tools. The list is written out, because
//! rustls orders its default list by a cargo feature that any crate in the
//! graph may change. An attacker in the middle cannot force the weaker one:
//! both finished messages cover the offer.
//!
//! **Version.** TLS 1.3 alone: the certificates, and with them who talks to
//! whom in which role, travel encrypted, and there is no renegotiation.
//!
//! **Resumption.** None, in either direction: no tickets, no session store. In
//! TLS 1.3 a resumed session keeps the client's identity (rustls stores the
//! certificate chain with the session), so it would not let a stranger in; but
//! it also keeps the *verdict*. A revoked or expired certificate, a withdrawn root
//! or a renamed peer would go on being accepted for the life of a ticket, and early
//! data could be replayed. Connections here are few and long, so the saved
//! round of signatures is worth nothing against "every connection was verified
//! when it was made".
//!
//! **ALPN.** Left empty. actix-web adds `h2` and `http/1.1` to whatever it is
//! given; between parties one framed protocol is spoken on a port of its own, and
//! what is no link says so by ALPN.
//! Clients that want to negotiate clone the configuration and set
//! `alpn_protocols`; the verifier is out of their reach.
//!
//! **SNI.** rustls's default: the dialled name is sent, since gateways route by
//! it. It decides nothing on either side.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::NoServerSessionStorage;
use rustls::version::TLS13;
use rustls::{ClientConfig, ServerConfig};

use crate::credentials::Current;
use crate::error::TlsError;
use crate::identity::Identity;
use crate::verifier::{ExpectedServer, IdentifiedClient, InForce};

/// The cryptography of every connection.
pub(crate) fn provider() -> CryptoProvider {
    CryptoProvider {
        kx_groups: vec![
            aws_lc_rs::kx_group::X25519MLKEM768,
            aws_lc_rs::kx_group::X25519,
        ],
        ..aws_lc_rs::default_provider()
    }
}

/// Presents the own certificate that is in force; demands one of a member.
pub(crate) fn server(current: Arc<Current>) -> Result<ServerConfig, TlsError> {
    let in_force = InForce::new(current);
    let members = IdentifiedClient {
        in_force: in_force.clone(),
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&TLS13])
        .map_err(TlsError::Configuration)?
        .with_client_cert_verifier(Arc::new(members))
        .with_cert_resolver(Arc::new(in_force));
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_tls13_tickets = 0;
    Ok(config)
}

/// Presents the own certificate that is in force; accepts `expected` alone.
pub(crate) fn client(current: Arc<Current>, expected: Identity) -> Result<ClientConfig, TlsError> {
    let in_force = InForce::new(current);
    let verifier = ExpectedServer {
        expected,
        in_force: in_force.clone(),
    };
    // "dangerous" is rustls's word for any verifier but its own; ours replaces
    // the comparison of host names by the stricter one of identities.
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&TLS13])
        .map_err(TlsError::Configuration)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_cert_resolver(Arc::new(in_force));
    config.resumption = Resumption::disabled();
    Ok(config)
}
