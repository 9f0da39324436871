//! One sealing key.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use entente_wire::{Digest, Secret};

use super::{DataKey, SealingError, WrapError};
use crate::entropy;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;

/// Which sealing key it is: the first bytes of a digest of it, 16 hexadecimal
/// digits. Tells nothing of the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 8]);

impl KeyId {
    /// How many bytes it has in front of a wrapped key.
    const BYTES: usize = 8;

    fn of(key: &[u8; KEY_BYTES]) -> Self {
        let mut id = [0; Self::BYTES];
        let digest = Digest::of("entente sealing key", &[key]);
        id.copy_from_slice(&digest.as_bytes()[..Self::BYTES]);
        Self(id)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// A key that data keys are wrapped with: AES-256 in Galois/counter mode.
///
/// ```text
///   wrapped:  id of the sealing key (8) | nonce (12) | data key (32), sealed | tag (16)
/// ```
///
/// Nonces are drawn. NIST SP 800-38D, section 8.3, allows 2^32 of them for one
/// key, and there is one for each time that a journal is opened.
pub struct SealingKey {
    id: KeyId,
    aead: LessSafeKey,
}

impl SealingKey {
    /// As it is written: 64 hexadecimal digits, and the end of the line if there
    /// is one. `whence` names the file or the variable, for the error.
    ///
    /// # Errors
    /// [`SealingError::NoKey`]; what was written there is not in it.
    pub(super) fn parse(text: &[u8], whence: &str) -> Result<Self, SealingError> {
        let none = || SealingError::NoKey {
            whence: whence.to_owned(),
        };
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let mut key = Secret::new([0; KEY_BYTES]);
        hex::decode_to_slice(text, key.expose_mut()).map_err(|_| none())?;
        // What somebody has written down to replace it later.
        if key.expose().iter().all(|byte| *byte == key.expose()[0]) {
            return Err(none());
        }
        let id = KeyId::of(key.expose());
        let aead = cipher(&key).ok_or_else(none)?;
        Ok(Self { id, aead })
    }

    /// Which it is.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    pub(super) fn wrap(&self, key: &DataKey, bound_to: &[u8]) -> Result<Vec<u8>, WrapError> {
        let drawn = entropy::seed().map_err(|error| WrapError::Entropy(error.to_string()))?;
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&drawn.expose()[..NONCE_BYTES]);
        let mut sealed = Secret::new(*key.expose());
        let tag = self.aead.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(self.about(bound_to)),
            sealed.expose_mut(),
        );
        // It refuses what is too long, and nothing else.
        let tag = tag.map_err(|_| WrapError::Refused("the cipher".to_owned()))?;
        Ok([&self.id.0[..], &nonce, sealed.expose(), tag.as_ref()].concat())
    }

    pub(super) fn unwrap(&self, wrapped: &Wrapped<'_>, to: &[u8]) -> Result<DataKey, WrapError> {
        let mut sealed = Secret::new(wrapped.sealed.to_vec());
        let nonce = Nonce::try_assume_unique_for_key(wrapped.nonce);
        let nonce = nonce.map_err(|_| WrapError::Damaged)?;
        let about = Aad::from(self.about(to));
        let opened = self.aead.open_in_place(nonce, about, sealed.expose_mut());
        let mut key = Secret::new([0; KEY_BYTES]);
        match opened {
            Ok(opened) if opened.len() == KEY_BYTES => key.expose_mut().copy_from_slice(opened),
            _ => return Err(WrapError::Damaged),
        }
        Ok(key)
    }

    fn about(&self, bound_to: &[u8]) -> Vec<u8> {
        [b"entente data key".as_slice(), &self.id.0, bound_to].concat()
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey({})", self.id)
    }
}

/// A wrapped key, taken apart.
pub(super) struct Wrapped<'a> {
    pub(super) id: KeyId,
    nonce: &'a [u8],
    sealed: &'a [u8],
}

impl<'a> Wrapped<'a> {
    /// Nothing for bytes that are too few.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (id, rest) = bytes.split_at_checked(KeyId::BYTES)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_BYTES)?;
        Some(Self {
            id: KeyId(id.try_into().ok()?),
            nonce,
            sealed,
        })
    }
}

/// AES-256-GCM under a key. Nothing if the library does not take it, which has
/// no reason in the key.
pub(crate) fn cipher(key: &Secret<[u8; KEY_BYTES]>) -> Option<LessSafeKey> {
    let key = UnboundKey::new(&AES_256_GCM, key.expose()).ok()?;
    Some(LessSafeKey::new(key))
}
