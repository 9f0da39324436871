//! Who is let in, who is refused, and what a connection is made of.

use std::sync::Arc;

use entente_tls::{Credentials, DevelopmentCa, Identity, Refusal, TlsError, TlsFiles, Validity};
use rustls::{ClientConfig, HandshakeKind, NamedGroup, ProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::consortium::{Consortium, party, provider, roots};
use crate::pair::{Seen, careless_client, careless_server, impostor, meet, refusal};

#[tokio::test]
async fn a_good_pair_sees_each_other() {
    let consortium = Consortium::new();
    let (a, b) = (
        consortium.credentials("bank-a"),
        consortium.credentials("bank-b"),
    );
    let client = a.client_config(&party("bank-b")).unwrap();
    let (client, server) = meet(client, b.server_config().unwrap()).await;
    let seen = |name| Seen {
        peer: party(name),
        version: Some(ProtocolVersion::TLSv1_3),
        group: Some(NamedGroup::X25519MLKEM768),
        handshake: Some(HandshakeKind::Full),
    };
    assert_eq!(client.unwrap(), seen("bank-b"));
    assert_eq!(server.unwrap(), seen("bank-a"));
}

#[tokio::test]
async fn a_reloaded_authority_makes_members_of_the_same_consortium() {
    let consortium = Consortium::new();
    let dir = consortium.dir.path();
    let reloaded = DevelopmentCa::load(dir).unwrap();
    let issued = reloaded.issue(&party("bank-a"), &[], Validity::days(1));
    let a = Credentials::load(&issued.unwrap().save(dir, "bank-a").unwrap()).unwrap();
    let b = consortium.credentials("bank-b");
    let client = a.client_config(&party("bank-b")).unwrap();
    let (client, server) = meet(client, b.server_config().unwrap()).await;
    assert_eq!(client.unwrap().peer, party("bank-b"));
    assert_eq!(server.unwrap().peer, party("bank-a"));
}

#[tokio::test]
async fn no_session_is_resumed() {
    let consortium = Consortium::new();
    let (a, b) = (
        consortium.credentials("bank-a"),
        consortium.credentials("bank-b"),
    );
    // A client that would resume if it were given a ticket.
    let mut client = Arc::unwrap_or_clone(a.client_config(&party("bank-b")).unwrap());
    client.resumption = rustls::client::Resumption::default();
    let client = Arc::new(client);
    let server = b.server_config().unwrap();
    for _ in 0..3 {
        let (client, server) = meet(client.clone(), server.clone()).await;
        assert_eq!(client.unwrap().handshake, Some(HandshakeKind::Full));
        assert_eq!(server.unwrap().handshake, Some(HandshakeKind::Full));
    }
}

#[tokio::test]
async fn a_client_without_certificate_is_refused() {
    let consortium = Consortium::new();
    let b = consortium.member("bank-b");
    let client = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots(&b))
        .with_no_client_auth();
    let server = Credentials::load(&b).unwrap().server_config().unwrap();
    let (client, server) = meet(Arc::new(client), server).await;
    assert_eq!(refusal(&server), Refusal::NoCertificate);
    assert!(client.is_err());
}

/// A member of `other` that trusts `own`'s authority.
fn stranger(own: &Consortium, other: &Consortium, name: &str) -> Credentials {
    let ca = own.dir.path().join("ca.pem");
    let files = TlsFiles {
        ca,
        ..other.member(name)
    };
    Credentials::load(&files).unwrap()
}

#[tokio::test]
async fn a_client_of_another_authority_is_refused() {
    let (ours, theirs) = (Consortium::new(), Consortium::new());
    let b = ours.credentials("bank-b");
    let client = stranger(&ours, &theirs, "bank-a").client_config(&party("bank-b"));
    let (client, server) = meet(client.unwrap(), b.server_config().unwrap()).await;
    assert_eq!(refusal(&server), Refusal::UnknownAuthority);
    assert!(client.is_err());
}

#[tokio::test]
async fn a_server_of_another_authority_is_refused() {
    let (ours, theirs) = (Consortium::new(), Consortium::new());
    let a = ours.credentials("bank-a");
    let server = stranger(&ours, &theirs, "bank-b").server_config();
    let client = a.client_config(&party("bank-b")).unwrap();
    let (client, server) = meet(client, server.unwrap()).await;
    assert_eq!(refusal(&client), Refusal::UnknownAuthority);
    assert!(server.is_err());
}

/// What our server says to a client that presents `files`.
async fn server_on(consortium: &Consortium, files: &TlsFiles) -> Refusal {
    let server = consortium.credentials("bank-b").server_config().unwrap();
    let (client, server) = meet(careless_client(files), server).await;
    assert!(client.is_err());
    refusal(&server)
}

/// What our client, looking for `party/bank-b`, says to a server that presents
/// `files`.
async fn client_on(consortium: &Consortium, files: &TlsFiles) -> Refusal {
    let a = consortium.credentials("bank-a");
    let client = a.client_config(&party("bank-b")).unwrap();
    let (client, server) = meet(client, careless_server(files)).await;
    assert!(server.is_err());
    refusal(&client)
}

#[tokio::test]
async fn the_careless_configurations_work_with_good_certificates() {
    // Otherwise the refusals below might be for any reason.
    let consortium = Consortium::new();
    let (a, b) = (consortium.member("bank-a"), consortium.member("bank-b"));
    let (client, server) = meet(careless_client(&a), careless_server(&b)).await;
    assert_eq!(client.unwrap().peer, party("bank-b"));
    assert_eq!(server.unwrap().peer, party("bank-a"));
}

#[tokio::test]
async fn an_expired_client_is_refused() {
    let consortium = Consortium::new();
    let files = consortium.expired("bank-a");
    assert_eq!(server_on(&consortium, &files).await, Refusal::Expired);
}

#[tokio::test]
async fn an_expired_server_is_refused() {
    let consortium = Consortium::new();
    let files = consortium.expired("bank-b");
    assert_eq!(client_on(&consortium, &files).await, Refusal::Expired);
}

#[tokio::test]
async fn a_client_that_shows_the_certificate_of_another_is_refused() {
    let consortium = Consortium::new();
    let (a, c) = (consortium.member("bank-a"), consortium.member("bank-c"));
    let mut client = Arc::unwrap_or_clone(careless_client(&c));
    client.client_auth_cert_resolver = impostor(&a, &c);
    let server = consortium.credentials("bank-b").server_config().unwrap();
    let (client, server) = meet(Arc::new(client), server).await;
    assert_eq!(refusal(&server), Refusal::UnknownAuthority);
    assert!(client.is_err());
}

#[tokio::test]
async fn a_server_that_shows_the_certificate_of_another_is_refused() {
    let consortium = Consortium::new();
    let (b, c) = (consortium.member("bank-b"), consortium.member("bank-c"));
    let mut server = Arc::unwrap_or_clone(careless_server(&c));
    server.cert_resolver = impostor(&b, &c);
    let client = consortium
        .credentials("bank-a")
        .client_config(&party("bank-b"));
    let (client, server) = meet(client.unwrap(), Arc::new(server)).await;
    assert_eq!(refusal(&client), Refusal::UnknownAuthority);
    assert!(server.is_err());
}

#[tokio::test]
async fn a_client_not_yet_valid_is_refused() {
    let consortium = Consortium::new();
    let files = consortium.premature("bank-a");
    assert_eq!(server_on(&consortium, &files).await, Refusal::NotYetValid);
}

#[tokio::test]
async fn a_client_without_identity_is_refused() {
    let consortium = Consortium::new();
    let files = consortium.with_uris("bank-a", &["https://bank-a.example"]);
    assert_eq!(server_on(&consortium, &files).await, Refusal::NoIdentity);
}

#[tokio::test]
async fn a_client_with_two_identities_is_refused() {
    let consortium = Consortium::new();
    let both = [party("bank-a").uri(), party("bank-c").uri()];
    let files = consortium.with_uris("bank-a", &both.each_ref().map(String::as_str));
    assert_eq!(server_on(&consortium, &files).await, Refusal::NoIdentity);
}

#[tokio::test]
async fn a_server_with_the_expected_identity_and_another_is_refused() {
    let consortium = Consortium::new();
    let both = [party("bank-b").uri(), party("bank-c").uri()];
    let files = consortium.with_uris("bank-b", &both.each_ref().map(String::as_str));
    assert_eq!(client_on(&consortium, &files).await, Refusal::NoIdentity);
}

#[tokio::test]
async fn a_valid_certificate_of_another_party_is_refused() {
    let consortium = Consortium::new();
    let (a, c) = (
        consortium.credentials("bank-a"),
        consortium.credentials("bank-c"),
    );
    let client = a.client_config(&party("bank-b")).unwrap();
    let (client, server) = meet(client, c.server_config().unwrap()).await;
    assert_eq!(refusal(&client), Refusal::WrongPeer);
    assert!(server.is_err());
    let message = TlsError::handshake(client.unwrap_err()).to_string();
    assert!(
        message.contains("expected party/bank-b and reached party/bank-c"),
        "{message}"
    );
}

#[tokio::test]
async fn a_user_of_the_same_name_is_not_the_party() {
    let consortium = Consortium::new();
    let (a, b) = (
        consortium.credentials("bank-a"),
        consortium.credentials("bank-b"),
    );
    let user = Identity::user("bank-b".parse().unwrap());
    let (client, _) = meet(a.client_config(&user).unwrap(), b.server_config().unwrap()).await;
    assert_eq!(refusal(&client), Refusal::WrongPeer);
}

#[tokio::test]
async fn plaintext_to_a_tls_server_is_refused() {
    let consortium = Consortium::new();
    let server = consortium.credentials("bank-b").server_config().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let speaking = async {
        let mut tcp = TcpStream::connect(address).await.unwrap();
        tcp.write_all(b"GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await
            .unwrap();
        let mut answer = Vec::new();
        // An alert or a reset, as the kernel pleases; no HTTP.
        let _ = tcp.read_to_end(&mut answer).await;
        answer
    };
    let listening = async {
        let (tcp, _) = listener.accept().await.unwrap();
        TlsAcceptor::from(server).accept(tcp).await.err()
    };
    let (answer, error) = tokio::join!(speaking, listening);
    assert_eq!(Refusal::from(&error.expect("was let in")), Refusal::NotTls);
    assert!(!answer.starts_with(b"HTTP"));
}
