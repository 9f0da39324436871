//! Certificates and authorities that were revoked, and the lists that say so.

use std::fs;
use std::path::Path;

use entente_tls::{Authority, Credentials, Look, Reason, Refusal, TlsError, TrustDomain, Validity};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::consortium::party;
use crate::pair::{meet, refusal};
use crate::pki::{Pki, Watched, connect};

#[tokio::test]
async fn who_was_revoked_is_refused_and_known_by_name_with_the_reason() {
    let pki = Pki::new();
    let (a_files, b_files) = (pki.member("bank-a"), pki.member("bank-b"));
    let a = Watched::start(&a_files);
    let b = Credentials::load(&b_files).unwrap();
    connect(&a.credentials, &b, "bank-b").await;
    let chain = CertificateDer::pem_file_iter(&b_files.certificate).unwrap();
    let chain: Vec<_> = chain.map(Result::unwrap).collect();
    let standing = a.credentials.peer(Some(&chain)).unwrap();
    standing.standing(&a.credentials).unwrap();

    pki.revoke(&b_files, Reason::KeyCompromise);
    assert_eq!(a.next().look, Look::Reloaded);
    let revocation = standing.standing(&a.credentials).unwrap_err();
    assert_eq!(revocation.reason, Reason::KeyCompromise);
    assert_eq!(revocation.serial, b.serial());
    let said = revocation.to_string();
    assert!(
        said.contains("revoked by CN=root at 20") && said.contains("key-compromise"),
        "{said}"
    );

    // Either way round; and the one who was revoked hears why.
    let client = a.credentials.client_config(&party("bank-b")).unwrap();
    let (client, server) = meet(client, b.server_config().unwrap()).await;
    assert_eq!(
        (refusal(&client), refusal(&server)),
        (Refusal::Revoked, Refusal::OursRevoked)
    );
    let told = TlsError::handshake(server.unwrap_err()).to_string();
    assert!(told.contains("our certificate was revoked"), "{told}");
    let seen = a.next();
    let [(who, why)] = seen.turned_away.as_slice() else {
        panic!("{seen:?}")
    };
    assert_eq!((who, why), (&party("bank-b"), &*revocation));
    let client = b.client_config(&party("bank-a")).unwrap();
    let (client, server) = meet(client, a.credentials.server_config().unwrap()).await;
    assert_eq!(
        (refusal(&client), refusal(&server)),
        (Refusal::OursRevoked, Refusal::Revoked)
    );
    assert_eq!(a.next().turned_away[0].0, party("bank-b"));

    // A new certificate is as good as any.
    pki.replace(&pki.root, "root", &b_files, "bank-b");
    connect(
        &a.credentials,
        &Credentials::load(&b_files).unwrap(),
        "bank-b",
    )
    .await;
}

#[tokio::test]
async fn who_has_an_authority_that_was_revoked_is_refused() {
    let pki = Pki::new();
    let a = Watched::start(&pki.member("bank-a"));
    let b_files = pki.issue(&pki.below, "below", "bank-b");
    let b = Credentials::load(&b_files).unwrap();
    connect(&a.credentials, &b, "bank-b").await;
    let issued = pki.root.issued(&pki.at("root")).unwrap();
    let below = issued.iter().find(|one| one.authority).unwrap();
    let serials = [below.serial.clone()];
    pki.root
        .revoke(&pki.at("root"), &serials, Reason::CaCompromise, 7)
        .unwrap();
    assert_eq!(a.next().look, Look::Reloaded);
    let client = a.credentials.client_config(&party("bank-b")).unwrap();
    let (client, _) = meet(client, b.server_config().unwrap()).await;
    assert_eq!(refusal(&client), Refusal::Revoked);
    let seen = a.next();
    assert!(seen.turned_away[0].1.of_an_authority, "{seen:?}");
}

#[test]
fn a_list_does_not_go_back_and_is_not_taken_from_anybody() {
    let pki = Pki::new();
    let files = pki.member("bank-a");
    let list = pki.at("root").join("crl.pem");
    let first = fs::read(&list).unwrap();
    pki.revoke(&pki.member("bank-b"), Reason::KeyCompromise);
    let second = fs::read(&list).unwrap();
    let watched = Watched::start(&files);
    let generation = watched.credentials.generation();
    // Older; none; of somebody who only bears the name.
    let forged = Authority::root("root", &TrustDomain::default(), Validity::days(30)).unwrap();
    let elsewhere = pki.at("forged");
    fs::create_dir(&elsewhere).unwrap();
    forged
        .revoke(&elsewhere, &[], Reason::default(), 7)
        .unwrap();
    let below = fs::read(pki.at("below").join("crl.pem")).unwrap();
    for wrong in [first, below, fs::read(elsewhere.join("crl.pem")).unwrap()] {
        fs::write(&list, wrong).unwrap();
        assert_eq!(watched.next().look, Look::Refused);
        assert_eq!(watched.credentials.generation(), generation);
        fs::write(&list, &second).unwrap();
    }
}

#[test]
fn every_file_of_lists_must_have_one_that_has_not_ended() {
    let pki = Pki::new();
    let files = pki.member("bank-a");
    let list = pki.at("root").join("crl.pem");
    let load = || Credentials::load(&files).map(drop).unwrap_err();
    for (wrong, label) in [("", "list"), ("-----BEGIN X509 CRL-----\n", "pem")] {
        fs::write(&list, wrong).unwrap();
        assert_eq!(load().label(), label);
    }
    // Made with another tool, of an authority that nobody here knows: over.
    fs::write(&list, ended()).unwrap();
    let error = load();
    assert!(matches!(error, TlsError::ListEnded { .. }), "{error}");
    assert!(error.to_string().contains("entente ca crl"), "{error}");
}

#[test]
fn two_authorities_of_one_name_are_not_taken_for_one() {
    let pki = Pki::new();
    let mut files = pki.member("bank-a");
    let twice = ["root", "below", "root"].map(|name| pki.at(name).join("crl.pem"));
    files.crls = twice.into_iter().collect();
    let error = Credentials::load(&files).unwrap_err();
    assert!(matches!(error, TlsError::ListTwice(_)), "{error}");
    let error = pki
        .root
        .intermediate(Path::new(""), "root", Validity::days(1));
    assert!(matches!(error, Err(TlsError::NameTaken(_))));
    assert_ne!(
        Authority::unique_name().unwrap(),
        Authority::unique_name().unwrap()
    );
}

/// A list that ended an hour ago.
fn ended() -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "elsewhere");
    let issuer = rcgen::Issuer::new(params, key);
    let now = time::OffsetDateTime::now_utc();
    let list = rcgen::CertificateRevocationListParams {
        this_update: now - time::Duration::DAY,
        next_update: now - time::Duration::HOUR,
        crl_number: 1.into(),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    };
    list.signed_by(&issuer).unwrap().pem().unwrap()
}

#[test]
fn a_signature_outlives_its_certificate_and_a_renewal_but_not_a_compromise() {
    let pki = Pki::new();
    let (a_files, b_files) = (pki.member("bank-a"), pki.member("bank-b"));
    let now = u64::try_from(time::OffsetDateTime::now_utc().unix_timestamp()).unwrap();
    // As of before the revocation: it was kept since then. And as of afterwards:
    // somebody brings it only now.
    let moments = [now - 60, now + 60];
    for (reason, good) in [
        (Reason::Superseded, [true, true]),
        (Reason::KeyCompromise, [true, false]),
    ] {
        let signature = Credentials::load(&b_files).unwrap().sign(b"text").unwrap();
        pki.revoke(&b_files, reason);
        pki.replace(&pki.root, "root", &b_files, "bank-b");
        let authorities = Credentials::load(&a_files).unwrap().authorities();
        let verify = |at| authorities.verify(&party("bank-b"), b"text", &signature, at);
        assert_eq!(moments.map(|at| verify(at).is_ok()), good, "{reason}");
        if let Err(error) = verify(moments[1]) {
            assert_eq!(error.label(), "signature_revoked");
            assert!(error.to_string().contains("key-compromise"), "{error}");
        }
    }
}
