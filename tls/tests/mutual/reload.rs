//! Certificates that are replaced under a process that runs.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use entente_tls::{Authority, Credentials, Identity, Look, NewRequest, Refusal, Validity};
use rustls::{ClientConfig, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::consortium::party;
use crate::pair::{meet, refusal};
use crate::pki::{Pki, Watched, connect};

type Ends = (
    tokio_rustls::client::TlsStream<TcpStream>,
    tokio_rustls::server::TlsStream<TcpStream>,
);

/// Both ends of a connection that stands.
async fn connection(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Ends {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let dialling = async {
        let tcp = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(client.clone());
        connector.connect(name, tcp).await.unwrap()
    };
    let listening = async {
        let (tcp, _) = listener.accept().await.unwrap();
        TlsAcceptor::from(server.clone()).accept(tcp).await.unwrap()
    };
    tokio::join!(dialling, listening)
}

#[tokio::test]
async fn chains_through_an_intermediate_authority_lead_to_the_root() {
    let pki = Pki::new();
    let a = Credentials::load(&pki.member("bank-a")).unwrap();
    let b = Credentials::load(&pki.issue(&pki.below, "below", "bank-b")).unwrap();
    connect(&a, &b, "bank-b").await;
    connect(&b, &a, "bank-a").await;
}

#[tokio::test]
async fn configurations_follow_the_files_and_connections_that_stand_do_not() {
    let pki = Pki::new();
    let (a_files, b_files) = (pki.member("bank-a"), pki.member("bank-b"));
    let (a, b) = (Watched::start(&a_files), Watched::start(&b_files));
    // Handed out once, as to a listener that is bound for months.
    let client = a.credentials.client_config(&party("bank-b")).unwrap();
    let server = b.credentials.server_config().unwrap();
    let (mut here, mut there) = connection(&client, &server).await;

    let mut serials = vec![b.credentials.serial()];
    for (authority, folder) in [(&pki.root, "root"), (&pki.below, "below")] {
        pki.replace(authority, folder, &b_files, "bank-b");
        while b.next().look != Look::Reloaded {}
        serials.push(b.credentials.serial());
        let (newer, _) = connection(&client, &server).await;
        let shown = newer.get_ref().1.peer_certificates().unwrap().to_vec();
        let files = CertificateDer::pem_file_iter(&b_files.certificate).unwrap();
        assert_eq!(shown, files.map(Result::unwrap).collect::<Vec<_>>());
        here.write_all(b"still").await.unwrap();
        let mut heard = [0; 5];
        there.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"still");
    }
    serials.dedup();
    assert_eq!(serials.len(), 3, "{serials:?}");
}

#[test]
fn what_cannot_be_used_is_kept_out_and_what_was_in_force_stays() {
    let pki = Pki::new();
    let files = pki.member("bank-a");
    let watched = Watched::start(&files);
    let (serial, generation) = (
        watched.credentials.serial(),
        watched.credentials.generation(),
    );
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    let good = [&files.certificate, &files.key, &files.ca].map(|path| (path, read(path)));
    let other = pki.member("bank-b");
    let unchanged = || {
        assert_eq!(watched.next().look, Look::Refused);
        assert_eq!(watched.credentials.serial(), serial);
        assert_eq!(watched.credentials.generation(), generation);
    };
    let restored = || {
        for (path, text) in &good {
            fs::write(path, text).unwrap();
        }
    };
    // Half of it written.
    let half = &good[0].1[..good[0].1.len() / 2];
    fs::write(&files.certificate, half).unwrap();
    unchanged();
    restored();
    // Only one of the two replaced.
    fs::write(&files.key, read(&other.key)).unwrap();
    unchanged();
    restored();
    // Gone.
    fs::remove_file(&files.ca).unwrap();
    unchanged();
    restored();
    // Both of somebody else.
    fs::write(&files.key, read(&other.key)).unwrap();
    fs::write(&files.certificate, read(&other.certificate)).unwrap();
    loop {
        // Between the two writes, what is mixed up may have been seen.
        assert_eq!(watched.next().look, Look::Refused);
        let error = Credentials::load(&files).unwrap();
        if error.identity() == &party("bank-b") {
            break;
        }
    }
    assert_eq!(watched.credentials.serial(), serial);
    assert_eq!(watched.credentials.identity(), &party("bank-a"));
}

#[tokio::test]
async fn certificates_of_an_existing_pki_stand_for_whom_the_configuration_says() {
    let pki = Pki::new();
    let corporate = Authority::root(
        "corporate",
        &"corp.example".parse().unwrap(),
        Validity::days(30),
    );
    let corporate = corporate.unwrap();
    let request = NewRequest::make(
        &party("trainer"),
        &"corp.example".parse().unwrap(),
        &["bank-b.corp.example".to_owned()],
    );
    let (request, at) = (request.unwrap(), pki.at("corporate"));
    request.save(&at, "trainer").unwrap();
    let signed = corporate
        .sign(&at, &request.request().unwrap(), Validity::days(1))
        .unwrap();
    let mut b_files = signed.save(&at, "trainer").unwrap();
    let host = ("bank-b.corp.example".to_owned(), party("bank-b"));
    b_files.identities.extend([host.clone()]);
    let b = Credentials::load(&b_files).unwrap();
    assert_eq!(b.identity(), &party("bank-b"));

    let mut a_files = pki.member("bank-a");
    let ca = fs::read_to_string(&a_files.ca).unwrap() + &fs::read_to_string(&b_files.ca).unwrap();
    fs::write(&a_files.ca, &ca).unwrap();
    fs::write(&b_files.ca, &ca).unwrap();
    let b = {
        drop(b);
        Credentials::load(&b_files).unwrap()
    };
    // As long as nobody has written it down, the name stands for nobody.
    let stranger: Identity = party("bank-b");
    let a = Credentials::load(&a_files).unwrap();
    let client = a.client_config(&stranger).unwrap();
    let (client, _) = meet(client, b.server_config().unwrap()).await;
    assert_eq!(refusal(&client), Refusal::NoIdentity);
    a_files.identities.extend([host]);
    let a = Credentials::load(&a_files).unwrap();
    connect_to(&a, &b, &stranger).await;
}

async fn connect_to(a: &Credentials, b: &Credentials, whom: &Identity) {
    let client = a.client_config(whom).unwrap();
    let (client, server) = meet(client, b.server_config().unwrap()).await;
    client.unwrap();
    server.unwrap();
}
