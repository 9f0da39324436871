//! The development authority: what it writes, and what it never overwrites.

use std::fs;
use std::path::Path;

use entente_tls::{Credentials, DevelopmentCa, TlsError, Validity};

use crate::consortium::{Consortium, party};

fn listing(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                fs::read(entry.path()).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

#[test]
fn a_loaded_authority_is_the_one_that_was_saved() {
    let consortium = Consortium::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let reloaded = DevelopmentCa::load(consortium.dir.path()).unwrap();
    reloaded.save(elsewhere.path()).unwrap();
    assert_eq!(listing(elsewhere.path()), listing(consortium.dir.path()));
}

#[cfg(unix)]
#[test]
fn keys_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("certificates/bank-a");
    let ca = DevelopmentCa::create("consortium").unwrap();
    ca.save(&dir).unwrap();
    let issued = ca.issue(&party("bank-a"), &[], Validity::days(1)).unwrap();
    let files = issued.save(&dir, "bank-a").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    assert_eq!(mode(&dir.join("ca.key")), 0o600);
    assert_eq!(mode(&files.key), 0o600);
}

#[test]
fn nothing_is_overwritten() {
    let consortium = Consortium::new();
    let dir = consortium.dir.path();
    consortium.member("bank-a");
    let before = listing(dir);
    let error = DevelopmentCa::create("second")
        .unwrap()
        .save(dir)
        .unwrap_err();
    assert!(matches!(error, TlsError::Exists { .. }));
    assert!(error.to_string().contains("never overwritten"));
    let issued = consortium
        .ca
        .issue(&party("bank-a"), &[], Validity::days(1))
        .unwrap();
    assert!(matches!(
        issued.save(dir, "bank-a"),
        Err(TlsError::Exists { .. })
    ));
    assert_eq!(listing(dir), before);
}

#[test]
fn a_save_that_fails_half_way_leaves_nothing_behind() {
    let consortium = Consortium::new();
    let dir = consortium.dir.path();
    fs::write(dir.join("bank-a.pem"), "in the way").unwrap();
    let before = listing(dir);
    let issued = consortium
        .ca
        .issue(&party("bank-a"), &[], Validity::days(1))
        .unwrap();
    assert!(matches!(
        issued.save(dir, "bank-a"),
        Err(TlsError::Exists { .. })
    ));
    assert_eq!(listing(dir), before);
}

#[test]
fn a_member_brings_its_authority_along_but_does_not_replace_one() {
    let (ours, theirs) = (Consortium::new(), Consortium::new());
    let issued = ours
        .ca
        .issue(&party("bank-a"), &[], Validity::days(1))
        .unwrap();
    let own = tempfile::tempdir().unwrap();
    let files = issued.save(own.path(), "bank-a").unwrap();
    Credentials::load(&files).unwrap();
    let error = issued.save(theirs.dir.path(), "bank-a").unwrap_err();
    assert!(matches!(error, TlsError::AnotherAuthority { .. }));
}

#[test]
fn a_stem_is_a_plain_file_name() {
    let consortium = Consortium::new();
    let issued = consortium
        .ca
        .issue(&party("bank-a"), &[], Validity::days(1))
        .unwrap();
    for stem in ["", ".", "..", "a/b", "../a", "/a", "a/"] {
        let saved = issued.save(consortium.dir.path(), stem);
        assert!(matches!(saved, Err(TlsError::Stem(_))), "{stem:?}");
    }
}

#[test]
fn hosts_are_names_or_addresses() {
    let consortium = Consortium::new();
    let issue = |host: &str| {
        let hosts = [host.to_owned()];
        consortium
            .ca
            .issue(&party("bank-a"), &hosts, Validity::days(1))
    };
    for host in ["localhost", "bank-a.example", "127.0.0.1", "::1"] {
        issue(host).unwrap();
    }
    for host in ["", "no spaces", "http://a", "a:443", "bänk"] {
        assert!(matches!(issue(host), Err(TlsError::Host(_))), "{host:?}");
    }
}

#[test]
fn an_authority_with_the_wrong_key_is_refused() {
    let (ours, theirs) = (Consortium::new(), Consortium::new());
    let at = |consortium: &Consortium| consortium.dir.path().join("ca.key");
    fs::copy(at(&theirs), at(&ours)).unwrap();
    let error = DevelopmentCa::load(ours.dir.path()).unwrap_err();
    assert!(matches!(error, TlsError::KeyMismatch { .. }));
}

#[test]
fn an_authority_shows_no_key_in_its_debug_form() {
    let consortium = Consortium::new();
    let issued = consortium
        .ca
        .issue(&party("bank-a"), &[], Validity::days(1))
        .unwrap();
    assert_eq!(format!("{:?}", consortium.ca), "DevelopmentCa { .. }");
    assert_eq!(format!("{issued:?}"), "Issued { .. }");
}
