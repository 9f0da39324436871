//! `entente cert`: arguments.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ShownArgs, UnlessThereArgs};

/// How long a certificate lives if nothing is said: it need not be revoked if it
/// ends by itself, and what runs takes up a new one by itself.
const DAYS: u16 = 7;

#[derive(Debug, Args)]
#[command(after_help = "\
Private keys are written with mode 0600 and stay where they were made. What runs
takes up a new certificate by itself, within [tls] reload_s.

In order, for a member bank-b and an authority in the folder pki:
  entente cert request party bank-b --out .          at bank-b: a key and bank-b.csr
  entente cert sign bank-b.csr --ca pki --out .      at the authority: bank-b.pem
  entente cert show bank-b.pem
  entente cert renew --certificate bank-b.pem --key bank-b.key
  entente cert revoke bank-b.pem --ca pki --reason key-compromise")]
pub(crate) struct CertArgs {
    #[command(subcommand)]
    pub(crate) command: CertCommand,
    #[command(flatten)]
    pub(crate) shown: ShownArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CertCommand {
    /// Make a key, and the request for a certificate for it.
    #[command(after_help = "\
Writes NAME.key, which stays, and NAME.csr, which goes to the authority.

Example:
  entente cert request party bank-b --out . --host bank-b.example")]
    Request {
        /// party, coordinator, user, operator or reader: see `entente cert issue --help`.
        kind: String,
        /// The holder's name: a-z, 0-9 and -.
        name: String,
        /// The folder for NAME.key and NAME.csr.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Host names and addresses, for foreign tools: entente itself goes by
        /// the holder's name.
        #[arg(long, default_values = ["localhost", "127.0.0.1"])]
        host: Vec<String>,
        /// The authority's, if it has one of its own.
        #[arg(long, value_name = "TRUST_DOMAIN", default_value = "entente")]
        trust_domain: String,
    },
    /// Sign a request, if it is one that this authority signs.
    Sign(SignArgs),
    /// Have a new certificate in the place of one: with the authority's key at
    /// hand at once, otherwise by a request.
    Renew(RenewArgs),
    /// Show what certificates and revocation lists say.
    #[command(after_help = "\
Example:
  entente cert show bank-b.pem ca.pem crl.pem -o json")]
    Show {
        /// PEM files; of revocation lists DER, too.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Whose names are members'.
        #[arg(long, value_name = "TRUST_DOMAIN", default_value = "entente")]
        trust_domain: String,
    },
    /// Take a certificate back: put it on the authority's revocation list.
    Revoke(RevokeArgs),
    /// Make an authority for development.
    Ca {
        /// The folder for ca.pem and ca.key.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Its name, for people.
        #[arg(long, default_value = "entente development CA")]
        name: String,
        #[command(flatten)]
        again: UnlessThereArgs,
    },
    /// Make a certificate and its key in one, for development.
    #[command(after_help = "\
The authority's key lies on this machine, and the member's is made here: for
trying things out. Otherwise see `entente cert request` and `sign`.

Example:
  entente cert issue party bank-a --ca pki --out pki --host bank-a.example")]
    Issue {
        /// party, coordinator, user (submits jobs and orders its own about),
        /// operator (orders anybody's about) or reader (changes nothing).
        kind: String,
        /// The holder's name: a-z, 0-9 and -.
        name: String,
        /// The folder with ca.pem and ca.key.
        #[arg(long, value_name = "DIR")]
        ca: PathBuf,
        /// The folder for NAME.pem and NAME.key.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Host names and addresses, for foreign tools: entente itself goes by
        /// the holder's name.
        #[arg(long, default_values = ["localhost", "127.0.0.1"])]
        host: Vec<String>,
        /// Days until it expires.
        #[arg(long, default_value_t = DAYS)]
        days: u16,
        #[command(flatten)]
        again: UnlessThereArgs,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Shows what it has signed. A request must be signed with its own key, and be about
one member of the authority's trust domain; of what else it asks for, hosts alone
are heard.

Example:
  entente cert sign bank-b.csr --ca pki --out . --expect party/bank-b")]
pub(crate) struct SignArgs {
    /// The request, as `entente cert request` writes it.
    pub(crate) request: PathBuf,
    /// The folder of the authority.
    #[arg(long, value_name = "DIR")]
    pub(crate) ca: PathBuf,
    /// The folder for the certificate, which is named as the request is, and for
    /// ca.pem.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Days until it expires.
    #[arg(long, default_value_t = DAYS)]
    pub(crate) days: u16,
    /// Refuse a request that is about somebody else.
    #[arg(long, value_name = "KIND/NAME")]
    pub(crate) expect: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Names and hosts stay as they are. With --ca both files are replaced; without,
NAME.next.key and NAME.next.csr are written beside the certificate, and --install
puts what the authority has made of them in its place.

Examples:
  entente cert renew --certificate bank-b.pem --key bank-b.key --ca pki
  entente cert renew --certificate bank-b.pem --key bank-b.key
  entente cert renew --certificate bank-b.pem --key bank-b.key --install bank-b.next.pem")]
pub(crate) struct RenewArgs {
    /// The certificate.
    #[arg(long, value_name = "FILE")]
    pub(crate) certificate: PathBuf,
    /// Its key.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The folder of the authority, to sign at once.
    #[arg(long, value_name = "DIR")]
    pub(crate) ca: Option<PathBuf>,
    /// Days until the new one expires.
    #[arg(long, default_value_t = DAYS, requires = "ca")]
    pub(crate) days: u16,
    /// Keep the key. Left out: a new one.
    #[arg(long, conflicts_with = "install")]
    pub(crate) same_key: bool,
    /// The certificate that the authority has signed for NAME.next.csr.
    #[arg(long, value_name = "FILE", conflicts_with = "ca")]
    pub(crate) install: Option<PathBuf>,
    /// Whose names are members'.
    #[arg(long, value_name = "TRUST_DOMAIN", default_value = "entente")]
    pub(crate) trust_domain: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Bring the list, crl.pem in the authority's folder, to wherever [tls] crls says at
the other members: they cut the holder off when they read it.

Reasons: unspecified, key-compromise, ca-compromise, affiliation-changed,
superseded, cessation-of-operation, certificate-hold, privilege-withdrawn. After
superseded and certificate-hold jobs wait for the holder to come back with a good
certificate, after the others they fail.

Examples:
  entente cert revoke bank-b.pem --ca pki --reason key-compromise
  entente cert revoke --identity party/bank-b --ca pki --reason privilege-withdrawn
  entente cert revoke --serial 61f2...9c --ca pki")]
pub(crate) struct RevokeArgs {
    /// The certificate.
    #[arg(required_unless_present_any = ["serial", "identity"])]
    pub(crate) certificate: Option<PathBuf>,
    /// Its serial number, as `entente cert show` and `entente ca list` print it.
    #[arg(long, conflicts_with = "certificate")]
    pub(crate) serial: Option<String>,
    /// All certificates of a member that the authority has signed and that have not
    /// ended.
    #[arg(long, value_name = "KIND/NAME", conflicts_with_all = ["certificate", "serial"])]
    pub(crate) identity: Option<String>,
    /// The folder of the authority.
    #[arg(long, value_name = "DIR")]
    pub(crate) ca: PathBuf,
    /// Why.
    #[arg(long, default_value = "unspecified")]
    pub(crate) reason: String,
    /// Days until the list ends.
    #[arg(long, default_value_t = 30)]
    pub(crate) crl_days: u16,
}
