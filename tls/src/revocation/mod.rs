//! Certificates that were taken back, and who says so.
//!
//! A list (CRL, RFC 5280 section 5) is its issuer's word about the certificates
//! of this issuer alone. So a configuration may have one of each authority, and
//! an intermediate one's list and its root's are two.
//!
//! # What a list that is missing or stale means
//!
//! | there is | then |
//! |---|---|
//! | no list at all | nothing is revoked; short lifetimes are all there is |
//! | none of this issuer | its certificates are taken; said in the log when the files are read |
//! | a list past its `nextUpdate` | **no certificate of this issuer is taken** for a new connection |
//! | a list that is older than the one in force | the older one is refused, the newer one stays |
//!
//! The third row is the one to argue about. Whoever can keep the newest list
//! from arriving could otherwise undo every revocation by waiting; a list with an
//! end that is not enforced is a list that an attacker switches off. The price is
//! that a forgotten list stops new connections. So its end is a metric and a
//! warning long before, and connections that stand are left alone. The second row
//! is the other way round since most roots publish no list of their intermediate
//! authorities, and to demand one would have people switch off the whole.

mod list;
mod reason;

pub use list::ListFacts;
pub(crate) use list::{Lists, read_lists};
pub use reason::Reason;

use std::fmt;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// That a certificate of a chain was revoked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revocation {
    /// The certificate's serial number, in hexadecimal.
    pub serial: String,
    /// Who says so.
    pub issuer: String,
    /// Since when, in seconds since 1970-01-01 UTC.
    pub at_unix_s: i64,
    /// Why.
    pub reason: Reason,
    /// It is not the member's own certificate but an authority's on its way to
    /// the root.
    pub of_an_authority: bool,
}

impl fmt::Display for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            serial,
            issuer,
            reason,
            ..
        } = self;
        let whose = match self.of_an_authority {
            true => "the certificate of its authority",
            false => "its certificate",
        };
        let at = moment(self.at_unix_s);
        write!(
            f,
            "{whose}, serial {serial}, was revoked by {issuer} at {at}: {reason}"
        )
    }
}

/// `2026-11-21T14:00:00Z`.
pub(crate) fn moment(unix_s: i64) -> String {
    OffsetDateTime::from_unix_timestamp(unix_s)
        .ok()
        .and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("second {unix_s} since 1970"))
}
