//! A certificate as it is compared and as it is written.

use std::path::{Path, PathBuf};

use pem::{EncodeConfig, LineEnding, Pem};
use rustls_pki_types::CertificateDer;

use crate::certificate::parse;
use crate::error::TlsError;
use crate::files::{self, Access, NewFile};
use crate::show::hexadecimal;

/// A certificate as it is compared and as it is written.
#[derive(Clone)]
pub(super) struct Certificate {
    pub(super) der: CertificateDer<'static>,
    pub(super) pem: String,
}

impl Certificate {
    /// Those in a file, at least one.
    pub(super) fn read_all(path: &Path) -> Result<Vec<Self>, TlsError> {
        let certificates = files::certificates(path)?.into_iter();
        let read = certificates.map(|der| {
            let section = Pem::new("CERTIFICATE", der.as_ref());
            let config = EncodeConfig::new().set_line_ending(LineEnding::LF);
            let pem = pem::encode_config(&section, config);
            Self { der, pem }
        });
        Ok(read.collect())
    }

    /// Whether this is its holder's common name.
    pub(super) fn is_called(&self, common_name: &str) -> bool {
        parse(&self.der).is_ok_and(|parsed| {
            let mut names = parsed.subject().iter_common_name();
            names.any(|name| name.as_str() == Ok(common_name))
        })
    }

    /// Notes it among those that the authority in `dir` has signed.
    pub(super) fn note(&self, dir: &Path) -> Result<(), TlsError> {
        let serial = parse(&self.der).map(|parsed| hexadecimal(parsed.raw_serial()));
        let file = NewFile {
            path: issued(dir).join(format!("{}.pem", serial.unwrap_or_default())),
            contents: &self.pem,
            access: Access::World,
        };
        files::create_together(&issued(dir), &[file])
    }
}

/// Where the certificates lie that an authority has signed.
pub(super) fn issued(dir: &Path) -> PathBuf {
    dir.join("issued")
}

impl From<rcgen::Certificate> for Certificate {
    fn from(certificate: rcgen::Certificate) -> Self {
        let pem = certificate.pem();
        let der = certificate.into();
        Self { der, pem }
    }
}
