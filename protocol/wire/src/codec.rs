//! Bytes in and out: big-endian, length-checked, without trailing bytes.

use thiserror::Error;

use crate::{Spoken, version::listed};

/// Why bytes from outside could not be read. Carries what was expected and
/// what came, never the bytes themselves.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The input ended early.
    #[error("the message ends early: {what} needs {needed} more bytes, {remaining} are left")]
    Truncated {
        /// The field that was being read.
        what: &'static str,
        /// Bytes that the field needs.
        needed: usize,
        /// Bytes that there are.
        remaining: usize,
    },
    /// The input goes on after the message.
    #[error("{count} bytes follow the end of the message")]
    Trailing {
        /// How many.
        count: usize,
    },
    /// Another message than the one that the receiver waits for.
    #[error("expected message kind {expected}, got {got}")]
    WrongKind {
        /// The kind that the state waits for.
        expected: u16,
        /// The kind that came.
        got: u16,
    },
    /// A length or a count over its limit; nothing was allocated for it.
    #[error("{what} is {got}, the limit is {limit}")]
    OverLimit {
        /// What was counted.
        what: &'static str,
        /// The limit.
        limit: u64,
        /// What came.
        got: u64,
    },
    /// No version of the wire format in common.
    #[error(
        "no wire version in common: {} there, {spoken} here; upgrade the older side",
        listed(got)
    )]
    UnsupportedVersion {
        /// The versions that the peer speaks.
        got: Vec<u16>,
        /// The versions that are spoken here.
        spoken: Spoken,
    },
    /// It is not what its sender took the digest of.
    #[error(
        "{what} is not what its sender took the digest of: memory or a disk is failing at one \
         of the two sides; it was not taken, and is sent again"
    )]
    Altered {
        /// What was being read.
        what: &'static str,
    },
    /// A matrix of another shape than the protocol's state says.
    #[error("{what} has shape {got_rows} x {got_cols}, expected {rows} x {cols}")]
    WrongShape {
        /// What the matrix is.
        what: &'static str,
        /// Expected rows.
        rows: usize,
        /// Expected columns.
        cols: usize,
        /// Rows that came.
        got_rows: u64,
        /// Columns that came.
        got_cols: u64,
    },
    /// Under another encryption key than the one in use. What is under it was not
    /// looked at.
    #[error("it is under key {got}, and key {expected} is in use")]
    OtherKeyEpoch {
        /// The number of the key in use.
        expected: u32,
        /// The number that came.
        got: u32,
    },
    /// Well formed, but not a legal value.
    #[error("{what} is not valid: {why}")]
    Invalid {
        /// What was being read.
        what: &'static str,
        /// Why it is refused.
        why: &'static str,
    },
}

impl DecodeError {
    /// A closed set of names, for metrics and logs.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Truncated { .. } => "truncated",
            Self::Trailing { .. } => "trailing",
            Self::WrongKind { .. } => "wrong_kind",
            Self::OverLimit { .. } => "over_limit",
            Self::UnsupportedVersion { .. } => "unsupported_version",
            Self::Altered { .. } => "altered",
            Self::WrongShape { .. } => "wrong_shape",
            Self::OtherKeyEpoch { .. } => "other_key_epoch",
            Self::Invalid { .. } => "invalid",
        }
    }
}

/// A value with one encoding.
///
/// This is how bytes are made, not leave to send them: that is
/// [`Wire`](crate::Wire).
pub trait Encode {
    /// Appends the encoding to `out`.
    fn encode(&self, out: &mut Vec<u8>);

    /// The encoding on its own.
    fn encoded(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }
}

/// A value that can be read back, given what the reader knows already.
///
/// The context `C` is the receiver's state: the shape that it expects, the
/// public key that a ciphertext must belong to. `()` where there is none.
pub trait Decode<C: ?Sized = ()>: Sized {
    /// Reads one value from the front of `input`.
    ///
    /// # Errors
    /// [`DecodeError`], with nothing allocated beyond what the input can fill.
    fn decode(context: &C, input: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

/// Reads one value and refuses bytes after it.
///
/// # Errors
/// As [`Decode::decode`], and [`DecodeError::Trailing`].
pub fn decode_exactly<C: ?Sized, T: Decode<C>>(
    context: &C,
    bytes: &[u8],
) -> Result<T, DecodeError> {
    let mut reader = Reader::new(bytes);
    let value = T::decode(context, &mut reader)?;
    reader.finish()?;
    Ok(value)
}

/// A cursor over bytes from outside.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes not read yet.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] naming `what`.
    pub fn take(&mut self, what: &'static str, count: usize) -> Result<&'a [u8], DecodeError> {
        match self.rest.split_at_checked(count) {
            Some((head, tail)) => {
                self.rest = tail;
                Ok(head)
            }
            None => Err(DecodeError::Truncated {
                what,
                needed: count,
                remaining: self.rest.len(),
            }),
        }
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], DecodeError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(what, N)?);
        Ok(out)
    }

    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn u8(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn u16(&mut self, what: &'static str) -> Result<u16, DecodeError> {
        self.array(what).map(u16::from_be_bytes)
    }

    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn u32(&mut self, what: &'static str) -> Result<u32, DecodeError> {
        self.array(what).map(u32::from_be_bytes)
    }

    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn u64(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        self.array(what).map(u64::from_be_bytes)
    }

    /// A count (u32 on the wire) that must not exceed `limit`; read before
    /// anything is allocated for it.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`], [`DecodeError::OverLimit`].
    pub fn count(&mut self, what: &'static str, limit: usize) -> Result<usize, DecodeError> {
        let got = self.u32(what)?;
        match usize::try_from(got) {
            Ok(count) if count <= limit => Ok(count),
            _ => Err(DecodeError::OverLimit {
                what,
                limit: limit as u64,
                got: u64::from(got),
            }),
        }
    }

    /// Bytes behind a u32 length.
    ///
    /// # Errors
    /// As [`Reader::count`] and [`Reader::take`].
    pub fn bytes(&mut self, what: &'static str, limit: usize) -> Result<&'a [u8], DecodeError> {
        let count = self.count(what, limit)?;
        self.take(what, count)
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.rest)
    }

    /// Says that the message ends here.
    ///
    /// # Errors
    /// [`DecodeError::Trailing`] when it does not.
    pub fn finish(self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(DecodeError::Trailing { count }),
        }
    }
}

/// Appends a u32 length and the bytes.
///
/// Lengths beyond u32 cannot occur: frames are bounded far below.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    out.extend_from_slice(bytes);
}

macro_rules! integer {
    ($($t:ident),*) => {$(
        impl Encode for $t {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
        }
        impl Decode for $t {
            fn decode((): &(), input: &mut Reader<'_>) -> Result<Self, DecodeError> {
                input.$t(stringify!($t))
            }
        }
    )*};
}
integer!(u8, u16, u32, u64);
