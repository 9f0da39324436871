//! Revocation lists: read, held against each other, asked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use webpki::{BorrowedCertRevocationList, CertRevocationList, EndEntityCert};
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

use super::{Reason, Revocation, moment};
use crate::certificate;
use crate::error::TlsError;
use crate::files;
use crate::show::hexadecimal;

/// The lists that are in force.
#[derive(Debug, Default)]
pub(crate) struct Lists(Vec<List>);

/// What one issuer says.
#[derive(Debug)]
struct List {
    /// For webpki, which verifies its signature whenever it is asked.
    webpki: CertRevocationList<'static>,
    /// The issuer's name as the certificates of its members write it.
    issuer_der: Vec<u8>,
    facts: ListFacts,
    revoked: BTreeMap<Vec<u8>, (i64, Reason)>,
}

/// A list, for people and programs.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct ListFacts {
    /// Who says it.
    pub issuer: String,
    /// Its number, which grows, in hexadecimal; empty without one.
    pub number: String,
    /// When it was made, in seconds since 1970-01-01 UTC.
    pub this_update_unix_s: i64,
    /// When it ends, if it does.
    pub next_update_unix_s: Option<i64>,
    /// What it revokes: serial number in hexadecimal, since when, why.
    pub revoked: Vec<(String, i64, String)>,
}

impl Lists {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As webpki wants them.
    pub(crate) fn webpki(&self) -> Vec<&CertRevocationList<'static>> {
        self.0.iter().map(|list| &list.webpki).collect()
    }

    /// When the first of them ends.
    pub(crate) fn first_end(&self) -> Option<i64> {
        let ends = self
            .0
            .iter()
            .filter_map(|list| list.facts.next_update_unix_s);
        ends.min()
    }

    /// When the one that ends first was made, and when it ends.
    pub(crate) fn first_life(&self) -> Option<(i64, i64)> {
        let lives = self.0.iter().filter_map(|list| {
            let facts = &list.facts;
            Some((facts.this_update_unix_s, facts.next_update_unix_s?))
        });
        lives.min_by_key(|(_, end)| *end)
    }

    pub(crate) fn facts(&self) -> impl Iterator<Item = &ListFacts> {
        self.0.iter().map(|list| &list.facts)
    }

    /// What is known of the first certificate of a chain that was revoked.
    pub(crate) fn revocation(&self, chain: &[CertificateDer<'_>]) -> Option<Revocation> {
        chain.iter().enumerate().find_map(|(place, der)| {
            let certificate = certificate::parse(der).ok()?;
            let (serial, issuer) = (certificate.raw_serial(), certificate.issuer());
            let of_its_issuer = |list: &&List| list.issuer_der == issuer.as_raw();
            let mut lists = self.0.iter().filter(of_its_issuer);
            let (at_unix_s, reason) = lists.find_map(|list| list.revoked.get(serial).copied())?;
            Some(Revocation {
                serial: hexadecimal(serial),
                issuer: issuer.to_string(),
                at_unix_s,
                reason,
                of_an_authority: place > 0,
            })
        })
    }

    /// Refuses lists that go back behind those of `before`: what was revoked then
    /// would not be any more.
    pub(crate) fn follow(&self, before: &Self, path: &Path) -> Result<(), TlsError> {
        for older in &before.0 {
            let mut same = self
                .0
                .iter()
                .filter(|list| list.issuer_der == older.issuer_der);
            let made = older.facts.this_update_unix_s;
            if !same.any(|list| list.facts.this_update_unix_s >= made) {
                return Err(TlsError::ListGoesBack {
                    path: path.to_owned(),
                    issuer: older.facts.issuer.clone(),
                    made: moment(made),
                });
            }
        }
        Ok(())
    }

    /// The authorities among `roots` of which there is no list.
    pub(crate) fn silent(&self, roots: &[CertificateDer<'_>]) -> Vec<String> {
        let roots = roots.iter().filter_map(|der| certificate::parse(der).ok());
        let silent = roots.filter(|root| {
            let mut lists = self.0.iter();
            !lists.any(|list| list.issuer_der == root.subject().as_raw())
        });
        silent.map(|root| root.subject().to_string()).collect()
    }
}

/// The lists in the files `paths`, each PEM or DER. `known` are certificates of
/// authorities: a list that bears the name of one must bear its signature.
pub(crate) fn read_lists<'a>(
    paths: impl Iterator<Item = (&'a Path, &'a [u8])>,
    known: &[CertificateDer<'_>],
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<Lists, TlsError> {
    let mut lists = Vec::new();
    for (path, bytes) in paths {
        let before = lists.len();
        for der in ders(path, bytes)? {
            lists.push(read(path, &der, known, algorithms)?);
        }
        if lists.len() == before {
            return Err(refused(
                path,
                "it must hold a section `BEGIN X509 CRL`, or be DER",
            ));
        }
    }
    // webpki asks the first list of a name, and whose name it is stands nowhere else.
    let mut names = BTreeSet::new();
    for list in &lists {
        if !names.insert(&list.issuer_der) {
            let issuer = &list.facts.issuer;
            return Err(TlsError::ListTwice(issuer.clone()));
        }
    }
    Ok(Lists(lists))
}

fn ders(path: &Path, bytes: &[u8]) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    // A SEQUENCE: where authorities publish lists, they are DER.
    if bytes.first() == Some(&0x30) {
        return Ok(vec![CertificateRevocationListDer::from(bytes.to_vec())]);
    }
    CertificateRevocationListDer::pem_slice_iter(bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| files::malformed(path, &error))
}

fn read(
    path: &Path,
    der: &[u8],
    known: &[CertificateDer<'_>],
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<List, TlsError> {
    let malformed = || refused(path, "it is not a well-formed revocation list");
    let Ok(([], list)) = CertificateRevocationList::from_der(der) else {
        return Err(malformed());
    };
    check_signature(path, &list, known, algorithms)?;
    let webpki = BorrowedCertRevocationList::from_der(der)
        .and_then(|list| list.to_owned())
        .map_err(|error| refused(path, &format!("webpki refuses it: {error}")))?;
    let mut revoked = BTreeMap::new();
    for entry in list.iter_revoked_certificates() {
        let reason = entry
            .reason_code()
            .map_or_else(Reason::default, |(_, code)| Reason::of_code(code.0));
        let since = entry.revocation_date.timestamp();
        revoked.insert(entry.raw_serial().to_vec(), (since, reason));
    }
    let number = list
        .crl_number()
        .map(|number| hexadecimal(&number.to_bytes_be()));
    Ok(List {
        webpki: webpki.into(),
        issuer_der: list.issuer().as_raw().to_vec(),
        facts: ListFacts {
            issuer: list.issuer().to_string(),
            number: number.unwrap_or_default(),
            this_update_unix_s: list.last_update().timestamp(),
            next_update_unix_s: list.next_update().map(|at| at.timestamp()),
            revoked: revoked
                .iter()
                .map(|(serial, (since, reason))| {
                    (hexadecimal(serial), *since, reason.label().to_owned())
                })
                .collect(),
        },
        revoked,
    })
}

/// webpki looks at a list's signature only when it meets a certificate of its
/// issuer. By then a forged list would be in force, and turn members away.
fn check_signature(
    path: &Path,
    list: &CertificateRevocationList<'_>,
    known: &[CertificateDer<'_>],
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<(), TlsError> {
    let of_the_name = |der: &&CertificateDer<'_>| {
        certificate::parse(der)
            .is_ok_and(|issuer| issuer.subject().as_raw() == list.issuer().as_raw())
    };
    let mut issuers = known.iter().filter(of_the_name).peekable();
    if issuers.peek().is_none() {
        return Ok(());
    }
    let (text, value) = (list.tbs_cert_list.as_ref(), &list.signature_value.data);
    let by = |issuer: &CertificateDer<'_>| {
        EndEntityCert::try_from(issuer).is_ok_and(|issuer| {
            let mut all = algorithms.all.iter();
            all.any(|algorithm| issuer.verify_signature(*algorithm, text, value).is_ok())
        })
    };
    if issuers.any(by) {
        return Ok(());
    }
    Err(refused(
        path,
        "it bears the name of an authority and not its signature",
    ))
}

fn refused(path: &Path, reason: &str) -> TlsError {
    TlsError::List {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}
