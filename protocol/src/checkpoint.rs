//! A role at rest, as bytes: how they begin and end, whatever is between.
//!
//! ```text
//!   title │ version │ digest of the job │ what the next exchange depends on │ digest of all this
//! ```
//!
//! A checkpoint is read by the program that wrote it, from the disk that it was
//! written to, and so it would seem enough to trust it. But what a role goes on
//! from must be exactly what it was: one wrong bit of a share trains noise, and
//! nobody would see it. So it ends with a digest, and damage is an error. It
//! begins with what it is of, so that what lies in the wrong place is an error
//! that says so. And it is decoded as bytes from outside are: lengths are
//! checked before anything is allocated, and nothing may follow the end.
//!
//! What everybody has anyway is not in it: the job, this party's data, its
//! configuration. The digest is no signature, and nothing here is hidden: whoever
//! writes a checkpoint down seals it first.

use entente_wire::{Decode, DecodeError, Digest, Encode, Reader, Secret};
use thiserror::Error;

/// What all begin with.
const TITLE: &[u8; 18] = b"entente checkpoint";
/// The version that this build writes and reads.
const VERSION: u16 = 1;
const DIGEST_BYTES: usize = 32;

/// Why a role cannot go on from a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The bytes are not those that were written.
    #[error(
        "it is damaged, or no checkpoint at all; look after this machine's disk, then run the job \
         again"
    )]
    Damaged,
    /// Another build wrote it.
    #[error(
        "it is of version {got}, and this build reads version {VERSION}; let the build that began \
         the job end it, or run the job again"
    )]
    Version {
        /// Its version.
        got: u16,
    },
    /// It is not this role's.
    #[error(
        "it is another role's than '{expected}'; keep each party's state in a folder of its own"
    )]
    OtherRole {
        /// The role that was to go on.
        expected: &'static str,
    },
    /// It is not this job's.
    #[error("it is another job's; keep each job's state in a folder of its own")]
    OtherJob,
    /// The half of the model is not the one that it was made with.
    #[error(
        "it was made with another half of the model; put back the version that the job began \
         with, or run the job again"
    )]
    OtherModel,
    /// It is whole, and says what this role cannot come to.
    #[error("{0}; another build wrote it, or this party's data changed: run the job again")]
    Unfit(#[from] DecodeError),
}

/// What a checkpoint is of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Of {
    /// Protocol and role.
    pub(crate) role: &'static str,
    /// What they work on.
    pub(crate) job: Digest,
}

impl Of {
    /// A checkpoint of what `write` writes, of about `bytes` bytes: a vector
    /// that has to grow leaves what it held behind, where nobody wipes it.
    pub(crate) fn close(self, bytes: usize, write: impl FnOnce(&mut Vec<u8>)) -> Secret<Vec<u8>> {
        let ends = TITLE.len() + self.role.len() + 2 * DIGEST_BYTES + 64;
        let mut out = Vec::with_capacity(bytes.saturating_add(ends));
        out.extend_from_slice(TITLE);
        VERSION.encode(&mut out);
        (self.role.len() as u32).encode(&mut out);
        out.extend_from_slice(self.role.as_bytes());
        self.job.encode(&mut out);
        write(&mut out);
        seal(&mut out);
        Secret::new(out)
    }

    /// Reads a checkpoint with `read`, to its last byte.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub(crate) fn open<T, E: Into<CheckpointError>>(
        self,
        checkpoint: &Secret<Vec<u8>>,
        read: impl FnOnce(&mut Reader<'_>) -> Result<T, E>,
    ) -> Result<T, CheckpointError> {
        let bytes = checkpoint.expose();
        let body = bytes.len().checked_sub(DIGEST_BYTES);
        let (body, digest) = body
            .and_then(|body| bytes.split_at_checked(body))
            .ok_or(CheckpointError::Damaged)?;
        let mut input = Reader::new(body);
        let title = input.take("title", TITLE.len());
        let whole = digest_of(body).as_bytes() == digest && title.is_ok_and(|title| title == TITLE);
        if !whole {
            return Err(CheckpointError::Damaged);
        }
        match input.u16("version")? {
            VERSION => {}
            got => return Err(CheckpointError::Version { got }),
        }
        if input.bytes("role", body.len())? != self.role.as_bytes() {
            let expected = self.role;
            return Err(CheckpointError::OtherRole { expected });
        }
        if Digest::decode(&(), &mut input)? != self.job {
            return Err(CheckpointError::OtherJob);
        }
        let value = read(&mut input).map_err(Into::into)?;
        input.finish()?;
        Ok(value)
    }
}

fn digest_of(body: &[u8]) -> Digest {
    Digest::of("entente checkpoint", &[body])
}

/// Puts the digest behind what is there.
pub(crate) fn seal(body: &mut Vec<u8>) {
    digest_of(body).encode(body);
}

/// Writes bytes behind their number (u64).
pub(crate) fn put_bytes(bytes: &Secret<Vec<u8>>, out: &mut Vec<u8>) {
    (bytes.expose().len() as u64).encode(out);
    out.extend_from_slice(bytes.expose());
}

/// Reads what [`put_bytes`] wrote.
pub(crate) fn bytes(
    what: &'static str,
    input: &mut Reader<'_>,
) -> Result<Secret<Vec<u8>>, DecodeError> {
    // What does not fit into a usize is more than there is.
    let count = usize::try_from(input.u64(what)?).unwrap_or(usize::MAX);
    Ok(Secret::new(input.take(what, count)?.to_vec()))
}

/// Writes whether there is something (u8), and what.
pub(crate) fn put_option<T>(
    value: Option<&T>,
    out: &mut Vec<u8>,
    put: impl FnOnce(&T, &mut Vec<u8>),
) {
    u8::from(value.is_some()).encode(out);
    if let Some(value) = value {
        put(value, out);
    }
}

/// Reads what [`put_option`] wrote.
pub(crate) fn option<T>(
    what: &'static str,
    input: &mut Reader<'_>,
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, DecodeError>,
) -> Result<Option<T>, DecodeError> {
    match input.u8(what)? {
        0 => Ok(None),
        1 => read(input).map(Some),
        _ => Err(DecodeError::Invalid {
            what,
            why: "neither there nor not there",
        }),
    }
}

/// Writes a float's bits.
pub(crate) fn put_float(value: f64, out: &mut Vec<u8>) {
    value.to_bits().encode(out);
}

/// Reads what [`put_float`] wrote.
pub(crate) fn float(what: &'static str, input: &mut Reader<'_>) -> Result<f64, DecodeError> {
    input.u64(what).map(f64::from_bits)
}
