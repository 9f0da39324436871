//! Who vouches for announcements.
//!
//! A key comes over a connection whose other end has shown its certificate, so
//! that nobody else can have sent it. The signature is for later: a record of
//! messages shows which party has announced which modulus, when and for what,
//! without the connection. The protocol knows texts and not certificates; who
//! signs and verifies is handed in.

use std::sync::Arc;

use entente_wire::SessionId;
use thiserror::Error;

/// Signs with the key of a party's certificate, and verifies what its peer has
/// signed with its own.
pub trait Notary: Send + Sync {
    /// Milliseconds since 1970-01-01 UTC.
    fn now_ms(&self) -> u64;

    /// The signature over `text`, as it is written.
    ///
    /// # Errors
    /// [`NotaryError`] when the key cannot sign.
    fn sign(&self, text: &str) -> Result<String, NotaryError>;

    /// Whether `signer` (as in `party/bank-a`) has signed `text`, with a
    /// certificate that was in date at the second `at_unix_s`.
    ///
    /// That it is in date now, too, the connection has seen to that the message
    /// came over; and a party that comes back from a crash reads it again later.
    ///
    /// # Errors
    /// [`NotaryError`]: why it counts for nothing.
    fn verify(
        &self,
        signer: &str,
        text: &str,
        signature: &str,
        at_unix_s: u64,
    ) -> Result<(), NotaryError>;
}

/// What a notary cannot do, for a person.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct NotaryError(pub String);

/// Which session a role takes part in, and who vouches for its keys.
#[derive(Clone)]
pub struct Witness {
    /// The session.
    pub session: SessionId,
    /// Who vouches.
    pub notary: Arc<dyn Notary>,
}
