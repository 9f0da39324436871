//! A loaded identity: own certificate and key, and those who are trusted, as the
//! files say now.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::{ClientConfig, ServerConfig};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::certificate::EndEntity;
use crate::configuration;
use crate::error::TlsError;
use crate::identity::Identity;
use crate::loaded::{Contents, Loaded};
use crate::peer::Peer;
use crate::revocation::Revocation;
use crate::signature::Authorities;
use crate::tls_files::TlsFiles;
use crate::watch::is_nearly_over;

/// Own certificate chain and key, and those who are trusted: the only source of
/// TLS configurations.
///
/// A [`Watch`](crate::Watch) puts in force what the files say now, again and again.
/// The key exists once, inside aws-lc, which wipes it when it is replaced and the last
/// handshake with it is over.
pub struct Credentials {
    files: TlsFiles,
    identity: Identity,
    current: Arc<Current>,
}

/// What is in force; shared with every configuration.
pub(crate) struct Current {
    loaded: RwLock<Arc<Loaded>>,
    /// Counts what has been in force.
    generation: AtomicU64,
    /// Whom handshakes have turned away since somebody asked: their certificates
    /// were revoked. rustls carries no more of a verifier's reason than its kind,
    /// and the peer must hear that kind by its alert.
    turned_away: Mutex<BTreeMap<Identity, Revocation>>,
}

impl Current {
    pub(crate) fn loaded(&self) -> Arc<Loaded> {
        // What is in there is replaced as one: whoever panicked has left it whole.
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.clone()
    }

    fn put_in_force(&self, loaded: Loaded) {
        let mut current = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(loaded);
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Notes who was turned away, for [`Credentials::turned_away`].
    pub(crate) fn turn_away(&self, loaded: &Loaded, chain: &[CertificateDer<'_>]) {
        let named = chain
            .first()
            .map(|own| EndEntity::read(own, &loaded.trust.naming));
        let (Some(Ok(named)), Some(revocation)) = (named, loaded.trust.lists.revocation(chain))
        else {
            return;
        };
        let mut turned_away = self
            .turned_away
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        turned_away.insert(named.identity, revocation);
    }
}

/// What became of a look at the files.
#[derive(Debug)]
pub(crate) enum Refresh {
    /// They say what they said.
    Same,
    /// What they say is in force.
    Renewed,
    /// What they say cannot be used: why, and the digest of what it is where that
    /// much could be read.
    Refused(TlsError, Option<[u8; 32]>),
}

impl Credentials {
    /// Reads the files and checks all that can be checked before the first
    /// connection.
    ///
    /// Not checked: that the own certificate leads to one of `ca`. Members
    /// with different authorities are right to trust each other's and need not
    /// trust their own.
    ///
    /// # Errors
    /// Every error names the file and what to do: a file that is missing, not
    /// PEM or without what it should hold; a key that others can read, of an
    /// unusable kind or of another certificate; roots that are not authorities;
    /// revocation lists that have ended or were not made by whom they say;
    /// an own certificate that is expired, not yet valid or without exactly one
    /// entente identity.
    pub fn load(files: &TlsFiles) -> Result<Self, TlsError> {
        let loaded = Loaded::check(files, Contents::read(files)?)?;
        Ok(Self {
            files: files.clone(),
            identity: loaded.identity.clone(),
            current: Arc::new(Current {
                loaded: RwLock::new(Arc::new(loaded)),
                generation: AtomicU64::new(0),
                turned_away: Mutex::default(),
            }),
        })
    }

    /// Puts in force what the files say now, if it is something else than before
    /// and all of it is good. Otherwise what was in force stays: where
    /// [`load`](Self::load) would fail, for a certificate of somebody else, and for a
    /// revocation list older than the one in force.
    pub(crate) fn refresh(&self) -> Refresh {
        let contents = match Contents::read(&self.files) {
            Ok(contents) => contents,
            Err(error) => return Refresh::Refused(error, None),
        };
        let (before, digest) = (self.current.loaded(), contents.digest());
        if digest == before.digest {
            return Refresh::Same;
        }
        let loaded = Loaded::check(&self.files, contents)
            .and_then(|loaded| loaded.follow(&before, &self.files).map(|()| loaded));
        match loaded {
            Ok(loaded) => {
                self.current.put_in_force(loaded);
                Refresh::Renewed
            }
            Err(error) => Refresh::Refused(error, Some(digest)),
        }
    }

    /// Who we are. Never changes.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Where all of it comes from.
    #[must_use]
    pub fn files(&self) -> &TlsFiles {
        &self.files
    }

    /// When our own certificate ends, in seconds since 1970-01-01 UTC.
    #[must_use]
    pub fn not_after_unix_s(&self) -> i64 {
        self.current.loaded().not_after_unix_s
    }

    /// Whether less than a third of the life of our own certificate is left, so that
    /// it should be renewed.
    #[must_use]
    pub fn is_nearly_over(&self, unix_s: i64) -> bool {
        let loaded = self.current.loaded();
        is_nearly_over((loaded.not_before_unix_s, loaded.not_after_unix_s), unix_s)
    }

    /// When the first of the revocation lists ends, if there is one that does.
    #[must_use]
    pub fn lists_end_unix_s(&self) -> Option<i64> {
        self.current.loaded().trust.lists.first_end()
    }

    /// The serial number of our own certificate, in hexadecimal.
    #[must_use]
    pub fn serial(&self) -> String {
        self.current.loaded().serial.clone()
    }

    /// Grows whenever something else is in force.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.current.generation.load(Ordering::Acquire)
    }

    /// Those that are trusted to name members, as the files say whenever they are
    /// asked.
    #[must_use]
    pub fn authorities(&self) -> Authorities {
        Authorities::following(self.current.clone())
    }

    /// The peer of a connection, from what `peer_certificates()` of rustls returns
    /// after the handshake.
    ///
    /// This function reads, it does not verify; a chain from elsewhere than a
    /// connection under one of our configurations proves nothing.
    ///
    /// # Errors
    /// [`TlsError::NoPeerCertificate`] and [`TlsError::PeerCertificate`]. Neither
    /// can follow a handshake under our own configurations, which refuse such
    /// peers; they are kept apart from a panic because the caller's connection may
    /// come from another configuration.
    pub fn peer(&self, chain: Option<&[CertificateDer<'_>]>) -> Result<Peer, TlsError> {
        // Asked first: what comes into force meanwhile is looked at again.
        let generation = self.generation();
        let chain = chain.unwrap_or_default();
        let end_entity = chain.first().ok_or(TlsError::NoPeerCertificate)?;
        let named = EndEntity::read(end_entity, &self.current.loaded().trust.naming);
        let named = named.map_err(TlsError::PeerCertificate)?;
        let chain = chain.iter().map(|der| der.clone().into_owned()).collect();
        // One less: the handshake may have been under an earlier one.
        let seen = generation.wrapping_sub(1);
        Ok(Peer::new(named.identity, chain, seen))
    }

    pub(crate) fn revoked_since(&self, chain: &[CertificateDer<'_>]) -> Option<Revocation> {
        let loaded = self.current.loaded();
        loaded.trust.revoked_since(chain, UnixTime::now())
    }

    /// Whom handshakes have turned away since this was last asked, since their
    /// certificates were revoked.
    pub(crate) fn turned_away(&self) -> Vec<(Identity, Revocation)> {
        let noted = self.current.turned_away.lock();
        let mut noted = noted.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *noted).into_iter().collect()
    }

    pub(crate) fn loaded(&self) -> Arc<Loaded> {
        self.current.loaded()
    }

    /// For listening: TLS 1.3, own certificate, and every client must present a
    /// member's.
    ///
    /// actix-web takes it by value: `Arc::unwrap_or_clone`.
    ///
    /// # Errors
    /// [`TlsError::Configuration`], a bug of ours.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, TlsError> {
        configuration::server(self.current.clone()).map(Arc::new)
    }

    /// For connecting to `expected` and nobody else: TLS 1.3, own certificate
    /// presented, the dialled host name not compared.
    ///
    /// # Errors
    /// [`TlsError::Configuration`], a bug of ours.
    pub fn client_config(&self, expected: &Identity) -> Result<Arc<ClientConfig>, TlsError> {
        configuration::client(self.current.clone(), expected.clone()).map(Arc::new)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("identity", &self.identity)
            .field("not_after_unix_s", &self.not_after_unix_s())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Current").finish_non_exhaustive()
    }
}
