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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use entente_tls::Validity;

    use super::*;

    const AGAIN: UnlessThereArgs = UnlessThereArgs { unless_there: true };

    #[test]
    fn what_is_good_is_left_there_and_anything_else_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let bank: Identity = "party/bank-a".parse().unwrap();
        assert!(authority(AGAIN, dir).unwrap().is_none());
        assert!(member(AGAIN, dir, "bank-a", &bank).unwrap().is_none());

        let ca = DevelopmentCa::create("trial").unwrap();
        ca.save(dir).unwrap();
        let issued = ca.issue(&bank, &[], Validity::days(1)).unwrap();
        issued.save(dir, "bank-a").unwrap();
        assert!(authority(AGAIN, dir).unwrap().is_some());
        let there = member(AGAIN, dir, "bank-a", &bank).unwrap().unwrap();
        assert_eq!(there.speaks_for.as_deref(), Some("party/bank-a"));
        // Without the option nothing is looked at: what is there is refused later.
        let once = UnlessThereArgs {
            unless_there: false,
        };
        assert!(authority(once, dir).unwrap().is_none());
        assert!(member(once, dir, "bank-a", &bank).unwrap().is_none());

        let other: Identity = "party/bank-b".parse().unwrap();
        let said = member(AGAIN, dir, "bank-a", &other).err().unwrap();
        assert!(said.to_string().contains("speaks for party/bank-a"));
        fs::remove_file(dir.join("bank-a.key")).unwrap();
        assert!(member(AGAIN, dir, "bank-a", &bank).is_err());
        fs::remove_file(dir.join("ca.key")).unwrap();
        assert!(authority(AGAIN, dir).is_err());
    }
}
