//! Two sides of one connection, and sides that rustls would let be careless.

use std::io;
use std::sync::Arc;

use entente_tls::{Identity, Refusal, TlsFiles};
use rustls::client::WebPkiServerVerifier;
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, CommonState, HandshakeKind, NamedGroup, ProtocolVersion, ServerConfig};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use crate::consortium::{provider, roots, unchecked};

/// What one side knows of an established connection.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) peer: Identity,
    pub(crate) version: Option<ProtocolVersion>,
    pub(crate) group: Option<NamedGroup>,
    pub(crate) handshake: Option<HandshakeKind>,
}

impl Seen {
    fn of(connection: &CommonState) -> Self {
        Self {
            peer: named(&connection.peer_certificates().unwrap()[0]),
            version: connection.protocol_version(),
            group: connection
                .negotiated_key_exchange_group()
                .map(|group| group.name()),
            handshake: connection.handshake_kind(),
        }
    }
}

/// Whom a SPIFFE name in a certificate is about, read without the crate's reader.
fn named(certificate: &CertificateDer<'_>) -> Identity {
    let (_, certificate) = X509Certificate::from_der(certificate).unwrap();
    let names = certificate.subject_alternative_name().unwrap().unwrap();
    let mut uris = names
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::URI(uri) => Some(uri.strip_prefix("spiffe://")?.split_once('/')?.1),
            _ => None,
        });
    uris.next().unwrap().parse().unwrap()
}

pub(crate) type Outcome = Result<Seen, io::Error>;

/// Both sides of one connection. A client of TLS 1.3 is done before the server
/// has judged its certificate, so a side counts as connected only when a byte
/// has come back.
pub(crate) async fn meet(
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
) -> (Outcome, Outcome) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let dialling = async {
        let tcp = TcpStream::connect(address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        let mut tls = TlsConnector::from(client).connect(name, tcp).await?;
        exchange(&mut tls).await?;
        Ok(Seen::of(tls.get_ref().1))
    };
    let listening = async {
        let (tcp, _) = listener.accept().await?;
        let mut tls = TlsAcceptor::from(server).accept(tcp).await?;
        exchange(&mut tls).await?;
        Ok(Seen::of(tls.get_ref().1))
    };
    tokio::join!(dialling, listening)
}

async fn exchange(tls: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<()> {
    tls.write_all(b"?").await?;
    tls.flush().await?;
    let mut byte = [0];
    tls.read_exact(&mut byte).await?;
    Ok(())
}

pub(crate) fn refusal(outcome: &Outcome) -> Refusal {
    Refusal::from(outcome.as_ref().expect_err("was let in"))
}

/// A client that presents whatever `files` hold; the crate's own would not load
/// them.
pub(crate) fn careless_client(files: &TlsFiles) -> Arc<ClientConfig> {
    let (chain, key) = unchecked(files);
    let verifier = WebPkiServerVerifier::builder_with_provider(roots(files), provider());
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_webpki_verifier(verifier.build().unwrap())
        .with_client_auth_cert(chain, key);
    Arc::new(config.unwrap())
}

pub(crate) fn careless_server(files: &TlsFiles) -> Arc<ServerConfig> {
    let (chain, key) = unchecked(files);
    let verifier = WebPkiClientVerifier::builder_with_provider(roots(files), provider());
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(chain, key);
    Arc::new(config.unwrap())
}

/// Shows the certificate of `shown` and signs with the key of `held`.
pub(crate) fn impostor(shown: &TlsFiles, held: &TlsFiles) -> Arc<SingleCertAndKey> {
    let (chain, _) = unchecked(shown);
    let (_, key) = unchecked(held);
    let key = provider().key_provider.load_private_key(key).unwrap();
    Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key)))
}
