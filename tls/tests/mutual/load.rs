//! What `Credentials::load` accepts, and what its errors tell the operator.

use std::fs;
use std::path::Path;

use entente_tls::{CertificateFault, Credentials, TlsError, TlsFiles};
use time::{Duration, OffsetDateTime};

use crate::consortium::{Consortium, party};

/// The error of loading `files`, which must name `path` and `advice`.
fn refused(files: &TlsFiles, path: &Path, advice: &str) -> TlsError {
    let error = Credentials::load(files).expect_err("was loaded");
    let message = error.to_string();
    assert!(message.contains(&path.display().to_string()), "{message}");
    assert!(message.contains(advice), "{message}");
    error
}

#[test]
fn good_files_load() {
    let consortium = Consortium::new();
    let credentials = consortium.credentials("bank-a");
    assert_eq!(credentials.identity(), &party("bank-a"));
    let tomorrow = (OffsetDateTime::now_utc() + Duration::DAY).unix_timestamp();
    assert!((credentials.not_after_unix_s() - tomorrow).abs() < 3600);
}

#[test]
fn neither_key_nor_certificate_is_in_the_debug_form() {
    let debug = format!("{:?}", Consortium::new().credentials("bank-a"));
    assert!(debug.contains("bank-a") && debug.len() < 200, "{debug}");
}

#[test]
fn a_missing_file_is_named() {
    let files = Consortium::new().member("bank-a");
    // The directory went with the consortium.
    let error = refused(&files, &files.ca, "cannot read");
    assert!(matches!(error, TlsError::File { .. }));
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let consortium = Consortium::new();
    let files = consortium.member("bank-a");
    for mode in [0o640, 0o604, 0o620, 0o777] {
        fs::set_permissions(&files.key, fs::Permissions::from_mode(mode)).unwrap();
        let error = refused(&files, &files.key, "chmod 600");
        assert!(matches!(error, TlsError::KeyExposed { mode: found, .. } if found == mode));
    }
    fs::set_permissions(&files.key, fs::Permissions::from_mode(0o400)).unwrap();
    Credentials::load(&files).unwrap();
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let consortium = Consortium::new();
    let (a, b) = (consortium.member("bank-a"), consortium.member("bank-b"));
    let mixed = TlsFiles {
        key: b.key.clone(),
        ..a
    };
    let error = refused(&mixed, &b.key, "does not belong");
    assert!(matches!(error, TlsError::KeyMismatch { .. }));
}

#[test]
fn malformed_pem_is_refused_without_being_repeated() {
    let consortium = Consortium::new();
    let files = consortium.member("bank-a");
    let key = fs::read_to_string(&files.key).unwrap();
    let body = key.lines().nth(1).unwrap().to_owned();
    for broken in [
        key.replace("-----END PRIVATE KEY-----", ""),
        key.replace("-----BEGIN PRIVATE KEY-----", &format!("-----BEGIN {body}")),
        key.replace(&body, &format!("*{body}")),
    ] {
        fs::write(&files.key, broken).unwrap();
        let error = refused(&files, &files.key, "not a PEM file");
        assert!(!format!("{error} {error:?}").contains(&body));
        assert_eq!(error.label(), "pem");
    }
    fs::write(&files.certificate, [0xff, 0xfe]).unwrap();
    refused(&files, &files.certificate, "not text");
}

#[test]
fn a_file_without_what_it_should_hold_is_refused() {
    let consortium = Consortium::new();
    let files = consortium.member("bank-a");
    let swapped = TlsFiles {
        certificate: files.key.clone(),
        ..files.clone()
    };
    refused(&swapped, &files.key, "contains no certificate");
    fs::write(&files.key, "").unwrap();
    refused(&files, &files.key, "contains no private key");
    fs::write(&files.ca, "nothing here\n").unwrap();
    refused(&files, &files.ca, "contains no certificate");
}

#[test]
fn a_key_that_is_no_key_is_refused() {
    let consortium = Consortium::new();
    let files = consortium.member("bank-a");
    let nonsense = "-----BEGIN PRIVATE KEY-----\nbm9uc2Vuc2U=\n-----END PRIVATE KEY-----\n";
    fs::write(&files.key, nonsense).unwrap();
    let error = refused(&files, &files.key, "cannot be used");
    assert!(matches!(error, TlsError::UnusableKey { .. }));
}

#[test]
fn an_endless_file_is_not_read_to_its_end() {
    let consortium = Consortium::new();
    let files = consortium.member("bank-a");
    fs::write(&files.certificate, vec![b'\n'; (1 << 20) + 1]).unwrap();
    refused(&files, &files.certificate, "larger than 1 MiB");
}

#[test]
fn a_member_is_not_an_authority() {
    let consortium = Consortium::new();
    let files = consortium.member("bank-a");
    let wrong = TlsFiles {
        ca: files.certificate.clone(),
        ..files
    };
    let error = refused(&wrong, &wrong.ca, "authority's certificate");
    assert!(matches!(error, TlsError::NotAnAuthority { .. }));
}

#[test]
fn an_own_certificate_out_of_its_time_is_refused() {
    let consortium = Consortium::new();
    let old = consortium.expired("bank-a");
    assert!(matches!(
        refused(&old, &old.certificate, "expired on"),
        TlsError::Expired { .. }
    ));
    let young = consortium.premature("bank-b");
    let error = refused(&young, &young.certificate, "valid only from");
    assert!(matches!(error, TlsError::NotYetValid { .. }));
}

#[test]
fn an_own_certificate_without_exactly_one_identity_is_refused() {
    let consortium = Consortium::new();
    let none = consortium.with_uris("bank-a", &["https://bank-a.example"]);
    let error = refused(&none, &none.certificate, "no entente identity");
    let TlsError::OwnCertificate { fault, .. } = error else {
        panic!("{error:?}")
    };
    assert!(matches!(fault, CertificateFault::NoIdentity { .. }));
    let two = ["spiffe://entente/party/b", "spiffe://entente/user/b"];
    let two = consortium.with_uris("bank-b", &two);
    refused(&two, &two.certificate, "2 entente identities");
}

#[test]
fn the_configuration_section_knows_its_keys() {
    let parse = |text: &str| toml::from_str::<TlsFiles>(text);
    let good = "ca = 'ca.pem'\ncertificate = 'a.pem'\nkey = 'a.key'\n";
    assert_eq!(parse(good).unwrap().key, Path::new("a.key"));
    assert!(parse(&format!("{good}insecure = true\n")).is_err());
    assert!(parse("ca = 'ca.pem'\n").is_err());
}
