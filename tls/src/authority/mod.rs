//! An authority: it signs what members ask for, and takes back what it signed.
//!
//! ```text
//!   DIR/ca.pem  ca.key          a root: what members trust, and what it signs with
//!       issued/SERIAL.pem       every certificate that it has signed
//!       crl.pem                 its revocation list
//!
//!   DIR2/ca.pem ca.key          an intermediate one: its own certificate, then those
//!       root.pem                between it and the root; what members trust
//!       issued/ crl.pem         as above
//! ```
//!
//! What was issued is kept as the certificates themselves, and what was revoked as
//! the list itself. An index beside them would be a second truth, of a format of
//! its own, that could say something else.
//!
//! **Why an intermediate one.** A root can then lie in a safe: what is online
//! signs for some months and can be replaced, and revoked, while all that members
//! have in their configuration is the root. Members send the certificates between
//! theirs and the root along with their own.
//!
//! **Lives are short**, days and not years: a certificate that ends by itself
//! needs no list to be shut out, and running processes take up a new one by
//! themselves ([`Watch`](crate::Watch)). None outlives its authority, since it
//! would be good for nothing.

mod certificate;
mod member;
mod revoking;

use certificate::Certificate;
pub use member::Signed;

use std::fmt;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
};
use x509_parser::extensions::GeneralName;

use crate::certificate::{authority_key, parse};
use crate::configuration;
use crate::error::TlsError;
use crate::files::{self, Access, NewFile};
use crate::naming::TrustDomain;
use crate::request::Request;
use crate::revocation::moment;
use crate::show::hexadecimal;
use crate::signing_pair::SigningPair;
use crate::validity::Validity;

const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca.key";
const ROOT: &str = "root.pem";

/// A certificate authority whose key lies in a file.
pub struct Authority {
    issuer: Issuer<'static, SigningPair>,
    own: Certificate,
    /// Those above its own, up to the root; none for a root.
    above: Vec<Certificate>,
    domain: TrustDomain,
    not_after_unix_s: i64,
    /// Whether another authority may stand below it.
    may_have_one_below: bool,
}

impl Authority {
    /// A new root, in memory. Below it may stand intermediate authorities, which
    /// sign members only.
    ///
    /// # Errors
    /// [`TlsError::Issue`] when the system has no randomness.
    pub fn root(
        common_name: &str,
        domain: &TrustDomain,
        validity: Validity,
    ) -> Result<Self, TlsError> {
        let params = params(common_name, domain, validity, 1)?;
        let key = SigningPair::generate()?;
        let certificate: Certificate = params.self_signed(&key)?.into();
        Self::of(certificate, Vec::new(), key)
    }

    /// A new authority below this one, in memory. It signs members only.
    ///
    /// # Errors
    /// [`TlsError::OutlivesAuthority`], and as [`root`](Self::root).
    pub fn intermediate(
        &self,
        dir: &Path,
        common_name: &str,
        validity: Validity,
    ) -> Result<Self, TlsError> {
        if !self.may_have_one_below {
            let dir = dir.to_owned();
            return Err(TlsError::NoAuthorityBelow { dir });
        }
        self.outlives(validity)?;
        if self.chain().any(|above| above.is_called(common_name)) {
            return Err(TlsError::NameTaken(common_name.to_owned()));
        }
        let mut params = params(common_name, &self.domain, validity, 0)?;
        params.use_authority_key_identifier_extension = true;
        let key = SigningPair::generate()?;
        let certificate: Certificate = params.signed_by(&key, &self.issuer)?.into();
        Self::of(certificate, self.chain().cloned().collect(), key)
    }

    /// A name that no other authority has, for people who have given none. Two of one
    /// name could not be told apart by whoever reads their revocation lists.
    ///
    /// # Errors
    /// [`TlsError::Issue`] when the system has no randomness.
    pub fn unique_name() -> Result<String, TlsError> {
        let drawn = serial()?;
        Ok(format!("entente CA {}", hexadecimal(&drawn.as_ref()[1..5])))
    }

    /// Its certificate, then those above it.
    fn chain(&self) -> impl Iterator<Item = &Certificate> {
        std::iter::once(&self.own).chain(&self.above)
    }

    fn of(own: Certificate, above: Vec<Certificate>, key: SigningPair) -> Result<Self, TlsError> {
        let unreadable = || TlsError::Issue(rcgen::Error::CouldNotParseCertificate);
        let issuer = Issuer::from_ca_cert_der(&own.der, key)?;
        let parsed = parse(&own.der).map_err(|_| unreadable())?;
        let constraints = parsed.basic_constraints().ok().flatten();
        let below = constraints.and_then(|found| found.value.path_len_constraint);
        let not_after_unix_s = parsed.validity().not_after.timestamp();
        let names = parsed.subject_alternative_name().ok().flatten();
        let uris = names.iter().flat_map(|names| &names.value.general_names);
        let mut domains = uris.filter_map(|name| match name {
            GeneralName::URI(uri) => uri.strip_prefix("spiffe://")?.parse().ok(),
            _ => None,
        });
        // One of before it was written there.
        let domain = domains.next().unwrap_or_default();
        Ok(Self {
            issuer,
            may_have_one_below: below != Some(0),
            not_after_unix_s,
            domain,
            own,
            above,
        })
    }

    /// The authority that [`save`](Self::save) wrote into `dir`.
    ///
    /// # Errors
    /// As for [`Credentials::load`](crate::Credentials::load): each names the
    /// file and what to do.
    pub fn load(dir: &Path) -> Result<Self, TlsError> {
        let (path, key_path) = (dir.join(CERTIFICATE), dir.join(KEY));
        let mut above = Certificate::read_all(&path)?;
        let own = above.remove(0);
        let root = dir.join(ROOT);
        match root.exists() {
            true => above.extend(Certificate::read_all(&root)?.into_iter().take(1)),
            // A root, whatever lies beside it in the file.
            false => above.clear(),
        }
        let Some(public_key) = authority_key(&own.der) else {
            return Err(TlsError::NotAnAuthority { path });
        };
        let key = SigningPair::read(&key_path)?;
        if public_key != key.subject_public_key_info() {
            return Err(TlsError::KeyMismatch {
                key: key_path,
                certificate: path,
            });
        }
        Self::of(own, above, key)
    }

    /// Writes the authority into `dir`, which is made (0700) when it is missing; the
    /// key is readable by its owner only from the moment it exists.
    ///
    /// # Errors
    /// [`TlsError::Exists`] when one of the files exists, and then none is
    /// written; [`TlsError::File`] when the system refuses.
    pub fn save(&self, dir: &Path) -> Result<(), TlsError> {
        let (key, sent) = (self.issuer.key().pem(), self.certificates_sent_along());
        let own = match sent.is_empty() {
            true => self.trusted().pem.clone(),
            false => sent,
        };
        let mut files = vec![
            NewFile {
                path: dir.join(KEY),
                contents: &key,
                access: Access::Owner,
            },
            NewFile {
                path: dir.join(CERTIFICATE),
                contents: &own,
                access: Access::World,
            },
        ];
        if !self.above.is_empty() {
            files.push(NewFile {
                path: dir.join(ROOT),
                contents: &self.trusted().pem,
                access: Access::World,
            });
        }
        files::create_together(dir, &files)
    }

    /// Whose names it signs.
    #[must_use]
    pub fn trust_domain(&self) -> &TrustDomain {
        &self.domain
    }

    /// What members are to trust: the root.
    fn trusted(&self) -> &Certificate {
        self.above.last().unwrap_or(&self.own)
    }

    /// What members send along with their own certificate, PEM: all up to the root,
    /// and nothing if this is the root.
    fn certificates_sent_along(&self) -> String {
        let chain = self.chain().take(self.above.len());
        chain.map(|one| one.pem.as_str()).collect()
    }

    /// A certificate for a request that speaks for the member that it is about.
    ///
    /// # Errors
    /// [`TlsError::Request`] when it is about nobody, about several, or about
    /// somebody outside the trust domain; [`TlsError::OutlivesAuthority`].
    pub fn sign(
        &self,
        path: &Path,
        request: &Request,
        validity: Validity,
    ) -> Result<Signed, TlsError> {
        let member = request
            .member(&self.domain)
            .map_err(|reason| TlsError::Request {
                path: path.to_owned(),
                reason,
            })?;
        self.outlives(validity)?;
        let uri = SanType::URI(self.domain.uri_of(&member).try_into()?);
        let mut params = CertificateParams::default();
        named(&mut params, &member.to_string(), validity)?;
        params.subject_alt_names = std::iter::once(uri)
            .chain(request.hosts.iter().cloned())
            .collect();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&request.public_key, &self.issuer)?.into();
        Ok(Signed::new(self, member, certificate))
    }

    fn outlives(&self, validity: Validity) -> Result<(), TlsError> {
        if validity.not_after().unix_timestamp() <= self.not_after_unix_s {
            return Ok(());
        }
        Err(TlsError::OutlivesAuthority(moment(self.not_after_unix_s)))
    }
}

fn params(
    common_name: &str,
    domain: &TrustDomain,
    validity: Validity,
    below: u8,
) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::default();
    named(&mut params, common_name, validity)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.subject_alt_names = vec![SanType::URI(domain.uri().try_into()?)];
    Ok(params)
}

fn named(params: &mut CertificateParams, name: &str, validity: Validity) -> Result<(), TlsError> {
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = validity.not_before();
    params.not_after = validity.not_after();
    params.serial_number = Some(serial()?);
    Ok(())
}

/// A serial number that nobody can foretell (RFC 5280 section 4.1.2.2). rcgen would
/// take it from the key, and two certificates of one key would share it: to revoke
/// one would be to revoke both.
fn serial() -> Result<SerialNumber, TlsError> {
    let mut bytes = [0; 16];
    let random = configuration::provider().secure_random;
    let drawn = random.fill(&mut bytes);
    drawn.map_err(|_| TlsError::Issue(rcgen::Error::RingUnspecified))?;
    // Positive, and of one length.
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}
