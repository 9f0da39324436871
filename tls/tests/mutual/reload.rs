//! Certificates that are replaced under a process that runs, and lists that are.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use entente_tls::{
    Authority, Credentials, Identity, Look, NewRequest, Reason, Refusal, Seen, TlsError, TlsFiles,
    TrustDomain, Validity, Watch,
};
use rustls::{ClientConfig, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::consortium::party;
use crate::pair::{meet, refusal};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// A root, an authority below it, and members that believe the root.
struct Pki {
    dir: TempDir,
    root: Authority,
    below: Authority,
}

impl Pki {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let domain = TrustDomain::default();
        let root = Authority::root("root", &domain, Validity::days(30)).unwrap();
        let (at, below_at) = (dir.path().join("root"), dir.path().join("below"));
        root.save(&at).unwrap();
        let below = root.intermediate(&at, "below", Validity::days(20)).unwrap();
        root.note_authority(&at, &below).unwrap();
        below.save(&below_at).unwrap();
        for (authority, at) in [(&root, &at), (&below, &below_at)] {
            authority.revoke(at, &[], Reason::default(), 7).unwrap();
        }
        Self { dir, root, below }
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// A new certificate, key and request of `name`, in the folder of that name.
    fn issue(&self, by: &Authority, folder: &str, name: &str) -> TlsFiles {
        let member = party(name);
        let request = NewRequest::make(&member, &TrustDomain::default(), &[]).unwrap();
        let at = self.at(name);
        request.save(&at, name).unwrap();
        let signed = by
            .sign(&at, &request.request().unwrap(), Validity::days(1))
            .unwrap();
        signed.note(&self.at(folder)).unwrap();
        let mut files = signed.save(&at, name).unwrap();
        files.crls = [self.at("root"), self.at("below")]
            .map(|at| at.join("crl.pem"))
            .into_iter()
            .collect();
        files.reload_s = 1.try_into().unwrap();
        files
    }

    fn member(&self, name: &str) -> TlsFiles {
        self.issue(&self.root, "root", name)
    }

    /// Another certificate, with another key, over the one in `files`.
    fn replace(&self, by: &Authority, folder: &str, files: &TlsFiles, name: &str) {
        let request = NewRequest::make(&party(name), &TrustDomain::default(), &[]).unwrap();
        let signed = by
            .sign(
                Path::new(""),
                &request.request().unwrap(),
                Validity::days(1),
            )
            .unwrap();
        signed.note(&self.at(folder)).unwrap();
        signed.replace(&request, files).unwrap();
    }

    fn revoke(&self, files: &TlsFiles, reason: Reason) {
        let serial = self.root.serial_of(&files.certificate).unwrap();
        self.root
            .revoke(&self.at("root"), &[serial], reason, 7)
            .unwrap();
    }
}

/// Credentials, and what their watch tells.
struct Watched {
    credentials: Arc<Credentials>,
    seen: Receiver<Seen>,
    _watch: Watch,
}

impl Watched {
    fn start(files: &TlsFiles) -> Self {
        let credentials = Arc::new(Credentials::load(files).unwrap());
        let (tell, seen) = mpsc::channel();
        let watch = Watch::start(credentials.clone(), move |look| {
            let Seen { look, turned_away } = look;
            let _ = tell.send(Seen {
                look: *look,
                turned_away: turned_away.clone(),
            });
        });
        Self {
            credentials,
            seen,
            _watch: watch.unwrap(),
        }
    }

    /// The next look that shows something.
    fn next(&self) -> Seen {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let seen = self.seen.recv_timeout(left).expect("nothing was seen");
            if seen.look != Look::Same || !seen.turned_away.is_empty() {
                return seen;
            }
        }
    }
}

async fn connect(a: &Credentials, b: &Credentials, name: &str) {
    let client = a.client_config(&party(name)).unwrap();
    let (client, server) = meet(client, b.server_config().unwrap()).await;
    assert_eq!(client.unwrap().peer, party(name));
    server.unwrap();
}

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

#[tokio::test]
async fn who_was_revoked_is_refused_and_known_by_name_with_the_reason() {
    let pki = Pki::new();
    let (a_files, b_files) = (pki.member("bank-a"), pki.member("bank-b"));
    let a = Watched::start(&a_files);
    let b = Credentials::load(&b_files).unwrap();
    connect(&a.credentials, &b, "bank-b").await;
    let chain = CertificateDer::pem_file_iter(&b_files.certificate).unwrap();
    let chain: Vec<_> = chain.map(Result::unwrap).collect();
    let standing = a.credentials.peer(Some(&chain)).unwrap();
    standing.standing(&a.credentials).unwrap();

    pki.revoke(&b_files, Reason::KeyCompromise);
    assert_eq!(a.next().look, Look::Reloaded);
    let revocation = standing.standing(&a.credentials).unwrap_err();
    assert_eq!(revocation.reason, Reason::KeyCompromise);
    assert_eq!(revocation.serial, b.serial());
    let said = revocation.to_string();
    assert!(
        said.contains("revoked by CN=root at 20") && said.contains("key-compromise"),
        "{said}"
    );

    // Either way round; and the one who was revoked hears why.
    let client = a.credentials.client_config(&party("bank-b")).unwrap();
    let (client, server) = meet(client, b.server_config().unwrap()).await;
    assert_eq!(
        (refusal(&client), refusal(&server)),
        (Refusal::Revoked, Refusal::OursRevoked)
    );
    let told = TlsError::handshake(server.unwrap_err()).to_string();
    assert!(told.contains("our certificate was revoked"), "{told}");
    let seen = a.next();
    let [(who, why)] = seen.turned_away.as_slice() else {
        panic!("{seen:?}")
    };
    assert_eq!((who, why), (&party("bank-b"), &*revocation));
    let client = b.client_config(&party("bank-a")).unwrap();
    let (client, server) = meet(client, a.credentials.server_config().unwrap()).await;
    assert_eq!(
        (refusal(&client), refusal(&server)),
        (Refusal::OursRevoked, Refusal::Revoked)
    );
    assert_eq!(a.next().turned_away[0].0, party("bank-b"));

    // A new certificate is as good as any.
    pki.replace(&pki.root, "root", &b_files, "bank-b");
    connect(
        &a.credentials,
        &Credentials::load(&b_files).unwrap(),
        "bank-b",
    )
    .await;
}

#[tokio::test]
async fn who_has_an_authority_that_was_revoked_is_refused() {
    let pki = Pki::new();
    let a = Watched::start(&pki.member("bank-a"));
    let b_files = pki.issue(&pki.below, "below", "bank-b");
    let b = Credentials::load(&b_files).unwrap();
    connect(&a.credentials, &b, "bank-b").await;
    let issued = pki.root.issued(&pki.at("root")).unwrap();
    let below = issued.iter().find(|one| one.authority).unwrap();
    let serials = [below.serial.clone()];
    pki.root
        .revoke(&pki.at("root"), &serials, Reason::CaCompromise, 7)
        .unwrap();
    assert_eq!(a.next().look, Look::Reloaded);
    let client = a.credentials.client_config(&party("bank-b")).unwrap();
    let (client, _) = meet(client, b.server_config().unwrap()).await;
    assert_eq!(refusal(&client), Refusal::Revoked);
    let seen = a.next();
    assert!(seen.turned_away[0].1.of_an_authority, "{seen:?}");
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

#[test]
fn a_list_does_not_go_back_and_is_not_taken_from_anybody() {
    let pki = Pki::new();
    let files = pki.member("bank-a");
    let list = pki.at("root").join("crl.pem");
    let first = fs::read(&list).unwrap();
    pki.revoke(&pki.member("bank-b"), Reason::KeyCompromise);
    let second = fs::read(&list).unwrap();
    let watched = Watched::start(&files);
    let generation = watched.credentials.generation();
    // Older; none; of somebody who only bears the name.
    let forged = Authority::root("root", &TrustDomain::default(), Validity::days(30)).unwrap();
    let elsewhere = pki.at("forged");
    fs::create_dir(&elsewhere).unwrap();
    forged
        .revoke(&elsewhere, &[], Reason::default(), 7)
        .unwrap();
    let below = fs::read(pki.at("below").join("crl.pem")).unwrap();
    for wrong in [first, below, fs::read(elsewhere.join("crl.pem")).unwrap()] {
        fs::write(&list, wrong).unwrap();
        assert_eq!(watched.next().look, Look::Refused);
        assert_eq!(watched.credentials.generation(), generation);
        fs::write(&list, &second).unwrap();
    }
}

#[test]
fn every_file_of_lists_must_have_one_that_has_not_ended() {
    let pki = Pki::new();
    let files = pki.member("bank-a");
    let list = pki.at("root").join("crl.pem");
    let load = || Credentials::load(&files).map(drop).unwrap_err();
    for (wrong, label) in [("", "list"), ("-----BEGIN X509 CRL-----\n", "pem")] {
        fs::write(&list, wrong).unwrap();
        assert_eq!(load().label(), label);
    }
    // Made with another tool, of an authority that nobody here knows: over.
    fs::write(&list, ended()).unwrap();
    let error = load();
    assert!(matches!(error, TlsError::ListEnded { .. }), "{error}");
    assert!(error.to_string().contains("entente ca crl"), "{error}");
}

#[test]
fn two_authorities_of_one_name_are_not_taken_for_one() {
    let pki = Pki::new();
    let mut files = pki.member("bank-a");
    let twice = ["root", "below", "root"].map(|name| pki.at(name).join("crl.pem"));
    files.crls = twice.into_iter().collect();
    let error = Credentials::load(&files).unwrap_err();
    assert!(matches!(error, TlsError::ListTwice(_)), "{error}");
    let error = pki
        .root
        .intermediate(Path::new(""), "root", Validity::days(1));
    assert!(matches!(error, Err(TlsError::NameTaken(_))));
    assert_ne!(
        Authority::unique_name().unwrap(),
        Authority::unique_name().unwrap()
    );
}

/// A list that ended an hour ago.
fn ended() -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "elsewhere");
    let issuer = rcgen::Issuer::new(params, key);
    let now = time::OffsetDateTime::now_utc();
    let list = rcgen::CertificateRevocationListParams {
        this_update: now - time::Duration::DAY,
        next_update: now - time::Duration::HOUR,
        crl_number: 1.into(),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    };
    list.signed_by(&issuer).unwrap().pem().unwrap()
}

#[test]
fn a_signature_outlives_its_certificate_and_a_renewal_but_not_a_compromise() {
    let pki = Pki::new();
    let (a_files, b_files) = (pki.member("bank-a"), pki.member("bank-b"));
    let now = u64::try_from(time::OffsetDateTime::now_utc().unix_timestamp()).unwrap();
    // As of before the revocation: it was kept since then. And as of afterwards:
    // somebody brings it only now.
    let moments = [now - 60, now + 60];
    for (reason, good) in [
        (Reason::Superseded, [true, true]),
        (Reason::KeyCompromise, [true, false]),
    ] {
        let signature = Credentials::load(&b_files).unwrap().sign(b"text").unwrap();
        pki.revoke(&b_files, reason);
        pki.replace(&pki.root, "root", &b_files, "bank-b");
        let authorities = Credentials::load(&a_files).unwrap().authorities();
        let verify = |at| authorities.verify(&party("bank-b"), b"text", &signature, at);
        assert_eq!(moments.map(|at| verify(at).is_ok()), good, "{reason}");
        if let Err(error) = verify(moments[1]) {
            assert_eq!(error.label(), "signature_revoked");
            assert!(error.to_string().contains("key-compromise"), "{error}");
        }
    }
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
