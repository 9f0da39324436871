//! Mutual TLS only: identities, certificates, configurations.
//!
//! # Who verifies what
//!
//! ```text
//!   bank-a (client)                                   bank-b (server)
//!   Credentials::client_config(party/bank-b)          Credentials::server_config()
//!        |                                                  |
//!        |  ClientHello: TLS 1.3, X25519MLKEM768 first      |
//!        | -----------------------------------------------> |
//!        |  Certificate(bank-b), CertificateRequest         |
//!        | <----------------------------------------------- |
//!   chain leads to our roots, is in date,                   |
//!   and SAN identity == party/bank-b                        |
//!        |  Certificate(bank-a)                             |
//!        | -----------------------------------------------> |
//!        |                          chain leads to our roots, is in date,
//!        |                          and carries exactly one entente identity
//!        |  application data                                |
//!        | <==============================================> |
//!                                          peer_identity() == party/bank-a
//! ```
//!
//! The client knows beforehand whom it wants to reach, so it refuses everybody
//! else during the handshake. The server does not: any member may call. It
//! refuses whoever is no member during the handshake and learns which member it
//! has by [`Credentials::peer`]; whether that member may do what it asks is the
//! caller's decision, made on an [`Identity`] that was proved, never on a name
//! that was claimed in a message.
//!
//! # A name on the wire is not an identity
//!
//! Ordinary TLS asks whether the certificate was issued for the *host name that
//! was dialled*. Parties sit behind NAT, gateways and port forwarders, and their
//! addresses change with the season; a certificate bound to an address would be
//! reissued by network operators for reasons that have nothing to do with who
//! holds the data. Worse, "whoever answers at 10.0.3.7" would become a party of
//! the job. So a certificate names its holder (`spiffe://entente/party/bank-b`,
//! a URI in the subject alternative name, after RFC 5280 section 4.2.1.6 and
//! SPIFFE), the caller says which holder it expects, and the dialled name
//! carries no weight at all. Host names that are also in a certificate serve
//! foreign tools such as curl, and nothing here reads them.
//!
//! # What cannot be built
//!
//! A configuration comes from [`Credentials`] alone: the server's always
//! demands a client certificate, the client's always presents one, and rustls
//! keeps the verifier in a private field, so a caller who clones a
//! configuration can add protocol names but cannot weaken it. There is no
//! constructor to forget an argument of, and no switch to turn off.
//!
//! # What changes while a process runs
//!
//! Certificates here live for days, jobs for hours, processes for months. So
//! [`Credentials`] are not what lay in the files once but what lies there now: a
//! [`Watch`] reads them again, and what is new is put in force as one, for those
//! who call and those who are called. A configuration that was handed out before
//! asks the credentials anew in every handshake; nobody has to be told, and no
//! listener is bound again. Connections that stand live to their natural end,
//! except those whose peer was [revoked](revocation): [`Peer::standing`] says so,
//! and whoever holds the connection ends it.
//!
//! Two things never change in a running process: who it is, and what was revoked.
//! A new certificate of somebody else is refused, and so is a revocation list that
//! is older than the one in force.
#![forbid(unsafe_code)]

mod authority;
mod certificate;
mod configuration;
mod credentials;
mod error;
mod files;
mod identity;
mod issue;
mod loaded;
mod name;
mod naming;
mod peer;
mod refusal;
mod request;
pub mod revocation;
mod show;
mod signature;
mod signing_pair;
mod tls_files;
mod trust;
mod validity;
mod verifier;
mod watch;

pub use authority::{Authority, Signed};
pub use certificate::CertificateFault;
pub use credentials::Credentials;
pub use error::TlsError;
pub use files::exposed_mode;
pub use identity::{Identity, IdentityError, IdentityKind};
pub use issue::{DevelopmentCa, Issued};
pub use name::{Name, NameError};
pub use naming::{Naming, TrustDomain, TrustDomainError};
pub use peer::Peer;
pub use refusal::Refusal;
pub use request::{NewRequest, Request, install};
pub use revocation::{Reason, Revocation};
pub use show::{CertificateFacts, Facts, facts};
pub use signature::{Authorities, DOMAIN as SIGNED_TEXT, Signature, SignatureError};
pub use tls_files::{Paths, ReloadSeconds, TlsFiles};
pub use validity::Validity;
pub use watch::{Look, Seen, Watch};
