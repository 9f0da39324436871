//! What is written of secrets is sealed: with which key, and who has it.
//!
//! ```text
//!   checkpoint, messages ──AES-256-GCM── data key ──wrap── sealing key
//!        │                                  │                  │
//!        ▼                                  ▼                  ▼
//!   rows of a journal          one for each opening    a file, the environment,
//!                              of it, wrapped beside   or a service: never
//!                              the rows                below the state directory
//! ```
//!
//! A party's checkpoints hold its secret key of the encryption scheme, its
//! shares and its seeds. A stolen disk, a backup, a snapshot of a volume must
//! not hold them too. So the store is given ciphertexts alone: what it leaves
//! behind in pages that it does not use any more is as sealed as the rest.
//!
//! # Why two keys
//! A single one would have to leave whoever keeps it, or see every row. A key
//! management service does neither: it wraps a small key when a journal is
//! opened, unwraps it when the journal is opened again, and is not asked in
//! between. [`WrapKeys`] is that much of such a service and no more;
//! [`SealingKeys`] is the one that needs no service.
//!
//! # Rotation
//! A wrapped key names the sealing key that it is under. The newest of a party's
//! keys wraps, all unwrap; a journal is under the newest from the first record
//! after it was opened. So: make a key, name it in `sealing_key` and the one
//! before in `former_sealing_keys`, start the party again; when the jobs that
//! ran by then have ended, the former one can go.
//!
//! # What this does not do
//! Whoever can read the memory of the running party has its secrets, and who
//! can read the file of the sealing key and the state directory has them too.
//! Keep the two apart.

mod file;
mod key;
mod keys;
mod source;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub(crate) use self::key::cipher;
use entente_wire::Secret;
use thiserror::Error;

pub use self::{
    file::make_sealing_key,
    key::{KeyId, SealingKey},
    keys::SealingKeys,
    source::SealingKeySource,
};

/// A key that rows are sealed with, and that leaves a process wrapped alone.
pub type DataKey = Secret<[u8; 32]>;

/// Wraps and unwraps data keys, as a key management service does.
///
/// Both calls may take long; they are made on threads for computations, once
/// when a journal is opened. `bound_to` must be given again as it was: a wrapped
/// key that was moved to another place does not unwrap there.
pub trait WrapKeys: Send + Sync {
    /// The data key, for nobody but whoever has the sealing key.
    ///
    /// # Errors
    /// [`WrapError`].
    fn wrap(&self, key: &DataKey, bound_to: &[u8]) -> Result<Vec<u8>, WrapError>;

    /// The data key that was wrapped.
    ///
    /// # Errors
    /// [`WrapError`].
    fn unwrap(&self, wrapped: &[u8], bound_to: &[u8]) -> Result<DataKey, WrapError>;
}

/// Why a data key is not wrapped or unwrapped.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WrapError {
    /// The sealing key that it is under is none of this party's.
    #[error("they are sealed with key {wanted}, and this party has {has}")]
    OtherKey {
        /// Under which it is.
        wanted: KeyId,
        /// Which there are, with commas between.
        has: String,
    },
    /// Whoever keeps the sealing key does not answer.
    #[error("who keeps the sealing key cannot be reached: {0}")]
    Unreachable(String),
    /// Whoever keeps the sealing key does not want to.
    #[error("who keeps the sealing key refuses: {0}")]
    Refused(String),
    /// No randomness.
    #[error("{0}")]
    Entropy(String),
    /// It is not what was wrapped, or was wrapped for another place.
    #[error("their key is not what was wrapped")]
    Damaged,
}

/// Why a party has no sealing key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SealingError {
    /// There is no such file.
    #[error(
        "there is no sealing key at {}: put back the one that was there, or make one with \
         `entente party sealing-key new {}`; see [party] sealing_key",
        path.display(), path.display()
    )]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The default key is gone, and what it sealed is there.
    #[error(
        "the sealing key {} is gone, and {journals} journals of jobs below [party] state_dir \
         are sealed with it: put it back, or name the file that has it in [party] sealing_key. \
         Nothing was deleted; to give those jobs up, move the journals away",
        path.display()
    )]
    Gone {
        /// Where it was.
        path: PathBuf,
        /// How many journals there are.
        journals: usize,
    },
    /// The state directory's name allows no default beside it.
    #[error(
        "there is no place for a sealing key beside {}, which is [party] state_dir: name a \
         file in [party] sealing_key",
        state_dir.display()
    )]
    NoDefault {
        /// The state directory.
        state_dir: PathBuf,
    },
    /// It cannot be read or made.
    #[error(
        "cannot {action} {}, a sealing key: {source}; see [party] sealing_key",
        path.display()
    )]
    File {
        /// Which file.
        path: PathBuf,
        /// `read`, `make`.
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others can read it.
    #[error(
        "{} is a sealing key and has mode {mode:03o}, so others can read or change it: run \
         `chmod 600 {}`, and take a new key into use if the machine is shared",
        path.display(), path.display()
    )]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is there, and no key.
    #[error(
        "{whence} holds no sealing key: that is 64 hexadecimal digits and nothing else, as \
         `entente party sealing-key new FILE` makes it"
    )]
    NoKey {
        /// The file, or the variable. Never what stands there.
        whence: String,
    },
    /// The environment has no such variable.
    #[error(
        "the environment has no {name}, which [party] sealing_key names; it holds 64 \
         hexadecimal digits"
    )]
    NoVariable {
        /// Its name.
        name: String,
    },
    /// The operating system has no randomness to give.
    #[error("cannot make a sealing key: {0}")]
    Entropy(String),
}
