//! Taking certificates back.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevokedCertParams, SerialNumber};
use time::OffsetDateTime;

use super::Authority;
use super::certificate::issued;
use crate::certificate;
use crate::configuration;
use crate::error::TlsError;
use crate::files::{self, Access, NewFile};
use crate::naming::Naming;
use crate::revocation::{ListFacts, Reason, read_lists};
use crate::show::{CertificateFacts, hexadecimal};

const LIST: &str = "crl.pem";
/// As certificates are: machines' clocks differ.
const BACKDATED: Duration = Duration::from_secs(300);

impl Authority {
    /// Every certificate that the authority in `dir` has signed, and its serial
    /// number.
    ///
    /// # Errors
    /// [`TlsError`] when one of them cannot be read.
    pub fn issued(&self, dir: &Path) -> Result<Vec<CertificateFacts>, TlsError> {
        let folder = issued(dir);
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let failed = |source| TlsError::File {
            path: folder.clone(),
            action: "read",
            source,
        };
        let naming = Naming {
            trust_domain: self.domain.clone(),
            ..Naming::default()
        };
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            for der in files::certificates(&path)? {
                found.extend(CertificateFacts::of(&der, &naming));
            }
        }
        found.sort_by_key(|facts| facts.not_before_unix_s);
        Ok(found)
    }

    /// Notes an authority below this one among what it has signed.
    ///
    /// # Errors
    /// [`TlsError::File`]
    pub fn note_authority(&self, dir: &Path, below: &Self) -> Result<(), TlsError> {
        below.own.note(dir)
    }

    /// The serial number of a certificate in a file, if this authority signed it.
    ///
    /// # Errors
    /// [`TlsError::NotIssuedHere`], or what is wrong with the file.
    pub fn serial_of(&self, certificate: &Path) -> Result<String, TlsError> {
        let not_ours = || TlsError::NotIssuedHere {
            what: certificate.display().to_string(),
        };
        let der = files::certificates(certificate)?.swap_remove(0);
        let own = certificate::parse(&self.own.der).map_err(|_| not_ours())?;
        let parsed = certificate::parse(&der).map_err(|_| not_ours())?;
        match parsed.issuer().as_raw() == own.subject().as_raw() {
            true => Ok(hexadecimal(parsed.raw_serial())),
            false => Err(not_ours()),
        }
    }

    /// The revocation list in `dir`, if there is one.
    ///
    /// # Errors
    /// [`TlsError`] when it cannot be read, or is not this authority's.
    pub fn list(&self, dir: &Path) -> Result<Option<ListFacts>, TlsError> {
        let path = dir.join(LIST);
        if !path.exists() {
            return Ok(None);
        }
        let bytes = files::bytes(&path, files::MAX_LIST_BYTES)?;
        let algorithms = configuration::provider().signature_verification_algorithms;
        let own = [self.own.der.clone()];
        let file = [(path.as_path(), bytes.as_slice())];
        let lists = read_lists(file.into_iter(), &own, &algorithms)?;
        Ok(lists.facts().next().cloned())
    }

    /// Makes the revocation list in `dir` anew, with `serials` (hexadecimal) added
    /// to what it has revoked, good for `days` from now; where it is.
    ///
    /// A serial that is revoked already stays as it was revoked first.
    ///
    /// # Errors
    /// [`TlsError`] when the old list cannot be read or the new one not be written.
    pub fn revoke(
        &self,
        dir: &Path,
        serials: &[String],
        reason: Reason,
        days: u16,
    ) -> Result<PathBuf, TlsError> {
        let now = OffsetDateTime::now_utc();
        let before = self.list(dir)?;
        let mut revoked: Vec<RevokedCertParams> = Vec::new();
        for (serial, since, reason) in before.iter().flat_map(|list| &list.revoked) {
            revoked.push(RevokedCertParams {
                serial_number: number(serial)?,
                revocation_time: OffsetDateTime::from_unix_timestamp(*since).unwrap_or(now),
                reason_code: Some(reason.parse::<Reason>().unwrap_or_default().code()),
                invalidity_date: None,
            });
        }
        for serial in serials {
            let serial_number = number(serial)?;
            if revoked
                .iter()
                .any(|known| known.serial_number == serial_number)
            {
                continue;
            }
            revoked.push(RevokedCertParams {
                serial_number,
                revocation_time: now,
                reason_code: Some(reason.code()),
                invalidity_date: None,
            });
        }
        let made_before = before.as_ref().map(|list| list.this_update_unix_s);
        let this_update = (now - BACKDATED).max(
            made_before
                .and_then(|at| OffsetDateTime::from_unix_timestamp(at + 1).ok())
                .unwrap_or(now - BACKDATED),
        );
        let list = CertificateRevocationListParams {
            this_update,
            next_update: now + Duration::from_secs(86_400 * u64::from(days.max(1))),
            crl_number: following(before.as_ref()),
            issuing_distribution_point: None,
            revoked_certs: revoked,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let pem = list.signed_by(&self.issuer)?.pem()?;
        let path = dir.join(LIST);
        files::replace(&[NewFile {
            path: path.clone(),
            contents: &pem,
            access: Access::World,
        }])?;
        Ok(path)
    }
}

/// A serial number from hexadecimal.
fn number(text: &str) -> Result<SerialNumber, TlsError> {
    let nobodys = || TlsError::NotIssuedHere {
        what: format!("serial {}", crate::name::excerpt(text)),
    };
    if text.is_empty() || !text.is_ascii() || text.len() % 2 == 1 || text.len() > 42 {
        return Err(nobodys());
    }
    let pairs = (0..text.len()).step_by(2);
    let bytes = pairs.map(|at| u8::from_str_radix(&text[at..at + 2], 16));
    let bytes = bytes
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| nobodys())?;
    // Signs are the encoder's matter.
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(0);
    Ok(SerialNumber::from_slice(&bytes[first..]))
}

/// The number after that of `before`.
fn following(before: Option<&ListFacts>) -> SerialNumber {
    let last = before.and_then(|list| u64::from_str_radix(&list.number, 16).ok());
    SerialNumber::from(last.unwrap_or(0) + 1)
}
