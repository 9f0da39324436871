//! Authorities and members as files, which are watched.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use entente_tls::{
    Authority, Credentials, Look, NewRequest, Reason, Seen, TlsFiles, TrustDomain, Validity, Watch,
};
use tempfile::TempDir;

use crate::consortium::party;
use crate::pair::meet;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// A root, an authority below it, and members that believe the root.
pub(crate) struct Pki {
    dir: TempDir,
    pub(crate) root: Authority,
    pub(crate) below: Authority,
}

impl Pki {
    pub(crate) fn new() -> Self {
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

    pub(crate) fn at(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// A new certificate, key and request of `name`, in the folder of that name.
    pub(crate) fn issue(&self, by: &Authority, folder: &str, name: &str) -> TlsFiles {
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

    pub(crate) fn member(&self, name: &str) -> TlsFiles {
        self.issue(&self.root, "root", name)
    }

    /// Another certificate, with another key, over the one in `files`.
    pub(crate) fn replace(&self, by: &Authority, folder: &str, files: &TlsFiles, name: &str) {
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

    pub(crate) fn revoke(&self, files: &TlsFiles, reason: Reason) {
        let serial = self.root.serial_of(&files.certificate).unwrap();
        self.root
            .revoke(&self.at("root"), &[serial], reason, 7)
            .unwrap();
    }
}

/// Credentials, and what their watch tells.
pub(crate) struct Watched {
    pub(crate) credentials: Arc<Credentials>,
    seen: Receiver<Seen>,
    _watch: Watch,
}

impl Watched {
    pub(crate) fn start(files: &TlsFiles) -> Self {
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
    pub(crate) fn next(&self) -> Seen {
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

/// They meet, and know each other.
pub(crate) async fn connect(a: &Credentials, b: &Credentials, name: &str) {
    let client = a.client_config(&party(name)).unwrap();
    let (client, server) = meet(client, b.server_config().unwrap()).await;
    assert_eq!(client.unwrap().peer, party(name));
    server.unwrap();
}
