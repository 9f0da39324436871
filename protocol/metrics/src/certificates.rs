//! What every process says of its certificates.

use crate::{
    CERTIFICATE_EXPIRY, CERTIFICATE_RELOADS, REVOCATION_LIST_EXPIRY, REVOKED_CONNECTION,
    REVOKED_HANDSHAKE, REVOKED_PEERS, REVOKED_REQUEST, Registry,
};

/// What a process says of its certificates, and of those of its peers. Cheap to
/// clone.
#[derive(Debug, Clone)]
pub struct CertificateMeters {
    registry: Registry,
}

impl CertificateMeters {
    /// Into `registry`; `outcomes` are those of a reload.
    pub fn new<'a>(registry: Registry, outcomes: impl Iterator<Item = &'a str>) -> Self {
        registry
            .family(&CERTIFICATE_RELOADS)
            .seed(outcomes.map(|outcome| [outcome]));
        let what = [REVOKED_CONNECTION, REVOKED_HANDSHAKE, REVOKED_REQUEST];
        registry
            .family(&REVOKED_PEERS)
            .seed(what.map(|what| [what]));
        Self { registry }
    }

    /// What is in force ends then: the own certificate, and the first of the lists if
    /// there are any; in seconds since 1970-01-01 UTC.
    pub fn in_force(&self, certificate_unix_s: i64, lists_unix_s: Option<i64>) {
        let own = self.registry.family(&CERTIFICATE_EXPIRY).with([]);
        own.set(certificate_unix_s);
        let lists = self.registry.family(&REVOCATION_LIST_EXPIRY).with([]);
        lists.set(lists_unix_s.unwrap_or_default());
    }

    /// Something else lay in the files.
    pub fn reloaded(&self, outcome: &str) {
        let reloads = self.registry.family(&CERTIFICATE_RELOADS);
        reloads.with([outcome]).increment();
    }

    /// A peer met with its revocation.
    pub fn revoked(&self, what: &str) {
        let peers = self.registry.family(&REVOKED_PEERS);
        peers.with([what]).increment();
    }
}
