//! The `[tls]` section of a configuration file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::identity::Identity;
use crate::naming::{Naming, TrustDomain, is_uri};

/// Where the files are, and how they are read; the `[tls]` section of a
/// configuration file.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// `ca`, `ENTENTE__TLS__CA`: certificates of the authorities that are trusted to
    /// name members, one or several, in PEM.
    pub ca: PathBuf,
    /// `certificate`, `ENTENTE__TLS__CERTIFICATE`: own certificate, then the
    /// intermediate ones if there are any, in PEM.
    pub certificate: PathBuf,
    /// `key`, `ENTENTE__TLS__KEY`: own private key: PKCS #8, SEC 1 or PKCS #1,
    /// unencrypted, readable by its owner only (or the superuser's, readable by a
    /// group of this process).
    pub key: PathBuf,
    /// `crls`, `ENTENTE__TLS__CRLS`: revocation lists of the authorities, PEM or DER:
    /// a list of files, commas between them in the environment. Left out: none. A
    /// list that has ended shuts its authority's members out.
    #[serde(default)]
    pub crls: Paths,
    /// `reload_s`, `ENTENTE__TLS__RELOAD_S`: the files are looked at so often, and
    /// what is new is in force from then on, 1 to 3600. A member that was revoked is
    /// cut off within this time. Left out: 10.
    #[serde(default)]
    pub reload_s: ReloadSeconds,
    /// `trust_domain`, `ENTENTE__TLS__TRUST_DOMAIN`: certificates with the URI
    /// `spiffe://TRUST_DOMAIN/KIND/NAME` are members'. Left out: `entente`.
    #[serde(default)]
    pub trust_domain: TrustDomain,
    /// `identities`: whom other names in certificates stand for, URIs and DNS names:
    /// `"bank-b.example.org" = "party/bank-b"`. In a file alone.
    #[serde(default)]
    pub identities: BTreeMap<String, Identity>,
}

impl TlsFiles {
    /// The three files that there must be.
    #[must_use]
    pub fn new(ca: PathBuf, certificate: PathBuf, key: PathBuf) -> Self {
        Self {
            ca,
            certificate,
            key,
            crls: Paths::default(),
            reload_s: ReloadSeconds::default(),
            trust_domain: TrustDomain::default(),
            identities: BTreeMap::new(),
        }
    }

    /// How names are read.
    #[must_use]
    pub fn naming(&self) -> Naming {
        let identities = self.identities.iter();
        Naming {
            trust_domain: self.trust_domain.clone(),
            identities: identities
                .map(|(name, member)| match is_uri(name) {
                    true => (name.clone(), member.clone()),
                    false => (name.to_ascii_lowercase(), member.clone()),
                })
                .collect(),
        }
    }
}

/// Files, none or several.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(from = "OneOrSeveral")]
pub struct Paths(Vec<PathBuf>);

impl Paths {
    /// In the order in which they were written.
    pub fn iter(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(PathBuf::as_path)
    }
}

impl FromIterator<PathBuf> for Paths {
    fn from_iter<T: IntoIterator<Item = PathBuf>>(paths: T) -> Self {
        Self(paths.into_iter().collect())
    }
}

/// As people write files.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrSeveral {
    One(String),
    Several(Vec<PathBuf>),
}

impl From<OneOrSeveral> for Paths {
    fn from(written: OneOrSeveral) -> Self {
        match written {
            OneOrSeveral::One(text) => {
                let names = text.split(',').map(str::trim);
                names
                    .filter(|name| !name.is_empty())
                    .map(PathBuf::from)
                    .collect()
            }
            OneOrSeveral::Several(paths) => Self(paths),
        }
    }
}

/// Seconds between two looks at the files, 1 to 3600.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "u64")]
pub struct ReloadSeconds(u64);

impl ReloadSeconds {
    /// As a span of time.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl Default for ReloadSeconds {
    fn default() -> Self {
        Self(10)
    }
}

impl TryFrom<u64> for ReloadSeconds {
    type Error = &'static str;

    fn try_from(seconds: u64) -> Result<Self, &'static str> {
        match seconds {
            1..=3600 => Ok(Self(seconds)),
            _ => Err("tls.reload_s must be from 1 to 3600 seconds"),
        }
    }
}
