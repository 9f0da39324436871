//! The other end of a connection: who it is, and whether it still may.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use rustls_pki_types::CertificateDer;

use crate::credentials::Credentials;
use crate::identity::Identity;
use crate::revocation::Revocation;

/// The authenticated other end of a connection; made by [`Credentials::peer`].
pub struct Peer {
    identity: Identity,
    chain: Vec<CertificateDer<'static>>,
    /// The generation of the credentials that has nothing against it.
    good_in: AtomicU64,
}

impl Peer {
    pub(crate) fn new(
        identity: Identity,
        chain: Vec<CertificateDer<'static>>,
        generation: u64,
    ) -> Self {
        let good_in = AtomicU64::new(generation);
        Self {
            identity,
            chain,
            good_in,
        }
    }

    /// Who it is, as its certificate says.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether its certificate has been revoked since the connection was made.
    /// Costs a comparison unless the files have changed since it was last asked.
    ///
    /// # Errors
    /// The revocation. The connection must end, or serve nothing any more.
    pub fn standing(&self, credentials: &Credentials) -> Result<(), Box<Revocation>> {
        let generation = credentials.generation();
        if self.good_in.load(Ordering::Relaxed) == generation {
            return Ok(());
        }
        match credentials.revoked_since(&self.chain) {
            Some(revocation) => Err(Box::new(revocation)),
            None => {
                self.good_in.store(generation, Ordering::Relaxed);
                Ok(())
            }
        }
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}
