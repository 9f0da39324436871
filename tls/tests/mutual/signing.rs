//! Texts signed with a certificate's key, and all that is not one.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use entente_tls::{
    Authorities, Credentials, Identity, Signature, SignatureError, TlsFiles, Validity,
};
use rcgen::{
    CertificateParams, ExtendedKeyUsagePurpose, Issuer, KeyPair, PKCS_ECDSA_P384_SHA384,
    PKCS_ED25519, SanType, SignatureAlgorithm,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::consortium::{Consortium, party};

const TEXT: &[u8] = b"bank-a and bank-b compute this";
const DAY_S: u64 = 24 * 3600;

fn now_s() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap().as_secs()
}

/// Through its written form, as it travels.
fn signed(credentials: &Credentials) -> Signature {
    let signature = credentials.sign(TEXT).unwrap();
    let written = signature.to_string();
    let read: Signature = written.parse().unwrap();
    assert_eq!(read, signature);
    assert_eq!(read.to_string(), written);
    read
}

#[test]
fn a_signature_is_its_signers_over_its_text() {
    let consortium = Consortium::new();
    let files = consortium.member("bank-a");
    let credentials = Credentials::load(&files).unwrap();
    let signature = signed(&credentials);
    for authorities in [
        credentials.authorities(),
        Authorities::load(&files.ca).unwrap(),
    ] {
        let check = |who: &str, text: &[u8]| {
            authorities.verify(&who.parse().unwrap(), text, &signature, now_s())
        };
        assert_eq!(check("party/bank-a", TEXT), Ok(()));
        let other: Identity = party("bank-b");
        let wrong = SignatureError::WrongSigner {
            expected: other,
            found: party("bank-a"),
        };
        assert_eq!(check("party/bank-b", TEXT), Err(wrong));
        assert!(check("user/bank-a", TEXT).is_err());
        for position in 0..TEXT.len() {
            let mut altered = TEXT.to_vec();
            altered[position] ^= 1;
            let refused = check("party/bank-a", &altered);
            assert_eq!(refused, Err(SignatureError::Altered));
        }
    }
}

#[test]
fn a_certificate_counts_from_its_beginning_to_its_end() {
    let consortium = Consortium::new();
    let credentials = Credentials::load(&consortium.issue("bank-a", Validity::days(1))).unwrap();
    let signature = signed(&credentials);
    let at = |at| {
        let authorities = credentials.authorities();
        authorities.verify(&party("bank-a"), TEXT, &signature, at)
    };
    assert_eq!(at(now_s() + DAY_S / 2), Ok(()));
    assert_eq!(at(now_s() + 2 * DAY_S), Err(SignatureError::Expired));
    assert_eq!(at(now_s() - DAY_S), Err(SignatureError::NotYetValid));
}

#[test]
fn a_foreign_authority_names_nobody() {
    let (ours, theirs) = (Consortium::new(), Consortium::new());
    let signature = signed(&theirs.credentials("bank-a"));
    let authorities = ours.credentials("bank-a").authorities();
    let refused = authorities.verify(&party("bank-a"), TEXT, &signature, now_s());
    assert_eq!(refused, Err(SignatureError::UnknownAuthority));
}

/// Somebody's certificate shown beside a value of another key.
#[test]
fn a_certificate_without_its_key_signs_nothing() {
    let consortium = Consortium::new();
    let a = signed(&consortium.credentials("bank-a")).to_string();
    let b = signed(&consortium.credentials("bank-b")).to_string();
    let certificates = |text: &str| text[text.find("-----BEGIN CERT").unwrap()..].to_owned();
    let forged = a.replace(&certificates(&a), &certificates(&b));
    let forged: Signature = forged.parse().unwrap();
    let authorities = consortium.credentials("bank-c").authorities();
    let refused = authorities.verify(&party("bank-b"), TEXT, &forged, now_s());
    assert_eq!(refused, Err(SignatureError::Altered));
}

#[test]
fn what_is_no_signature_is_refused_and_nothing_else_happens() {
    let consortium = Consortium::new();
    let good = signed(&consortium.credentials("bank-a")).to_string();
    let no_chain = good[..good.find("-----BEGIN CERT").unwrap()].to_owned();
    let chain = good[no_chain.len()..].to_owned();
    let twice = format!("{no_chain}{good}");
    let many = format!("{no_chain}{}", chain.repeat(9));
    let unknown = good.replace("ECDSA_P256_SHA256", "ECDSA_P256_SHA1");
    let flood = "x".repeat(1 << 20);
    for text in [
        "", "hello", &no_chain, &chain, &twice, &many, &unknown, &flood,
    ] {
        let refused = text.parse::<Signature>();
        assert!(matches!(refused, Err(SignatureError::Malformed(_))));
    }
    for length in 0..good.trim_end().len() {
        assert!(good[..length].parse::<Signature>().is_err(), "{length}");
    }
}

/// A member whose key is of another kind than those that we issue.
fn member_with(
    consortium: &Consortium,
    name: &str,
    algorithm: &'static SignatureAlgorithm,
) -> Credentials {
    let at = |name: &str| consortium.dir.path().join(name);
    let ca_key = KeyPair::from_pem(&fs::read_to_string(at("ca.key")).unwrap()).unwrap();
    let ca = CertificateDer::from_pem_file(at("ca.pem")).unwrap();
    let issuer = Issuer::from_ca_cert_der(&ca, ca_key).unwrap();
    let key = KeyPair::generate_for(algorithm).unwrap();
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::URI(party(name).uri().try_into().unwrap())];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    let files: TlsFiles = consortium.member(name);
    fs::write(
        &files.certificate,
        params.signed_by(&key, &issuer).unwrap().pem(),
    )
    .unwrap();
    fs::write(&files.key, key.serialize_pem()).unwrap();
    Credentials::load(&files).unwrap()
}

#[test]
fn other_usual_keys_sign_too() {
    let consortium = Consortium::new();
    for (name, algorithm, scheme) in [
        ("bank-a", &PKCS_ECDSA_P384_SHA384, "ECDSA_P384_SHA384"),
        ("bank-b", &PKCS_ED25519, "ED25519"),
    ] {
        let credentials = member_with(&consortium, name, algorithm);
        let signature = signed(&credentials);
        assert!(signature.to_string().contains(scheme));
        let authorities = credentials.authorities();
        let check = |text| authorities.verify(&party(name), text, &signature, now_s());
        assert_eq!(check(TEXT), Ok(()));
        assert_eq!(check(b"another text"), Err(SignatureError::Altered));
    }
}
