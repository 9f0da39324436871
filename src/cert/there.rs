//! `--unless-there`: what stands already, and is left as it is.
//!
//! Not "whatever has that name": a file that is half written, ended or somebody
//! else's would be found out by the service that starts after this, and nobody
//! would look here.

use std::path::Path;

use entente_tls::{Credentials, DevelopmentCa, Identity, TlsFiles};

use super::Made;
use crate::{cli::UnlessThereArgs, exit::Failure};

/// The authority in `dir`, if it is to be left there and is.
pub(super) fn authority(again: UnlessThereArgs, dir: &Path) -> Result<Option<Made>, Failure> {
    let (certificate, key) = (dir.join("ca.pem"), dir.join("ca.key"));
    if !again.unless_there || !(certificate.exists() || key.exists()) {
        return Ok(None);
    }
    DevelopmentCa::load(dir).map_err(Failure::configuration)?;
    Ok(Some(Made {
        certificate: Some(certificate),
        key: Some(key),
        ..Made::default()
    }))
}

/// The certificate and key of `member` in `dir`, if they are to be left there and are.
pub(super) fn member(
    again: UnlessThereArgs,
    dir: &Path,
    stem: &str,
    member: &Identity,
) -> Result<Option<Made>, Failure> {
    let at = |ending: &str| dir.join(format!("{stem}.{ending}"));
    let (certificate, key) = (at("pem"), at("key"));
    if !again.unless_there || !(certificate.exists() || key.exists()) {
        return Ok(None);
    }
    let files = TlsFiles::new(dir.join("ca.pem"), certificate.clone(), key.clone());
    let there = Credentials::load(&files).map_err(Failure::configuration)?;
    if there.identity() != member {
        return Err(Failure::Configuration(format!(
            "{} is there and speaks for {}: choose another folder for {member}",
            certificate.display(),
            there.identity()
        )));
    }
    Ok(Some(Made {
        certificate: Some(certificate),
        speaks_for: Some(member.to_string()),
        key: Some(key),
        ..Made::default()
    }))
}
