//! The authority's and the members' key pairs while certificates are made.

use std::path::Path;

use rcgen::{KeyPair, PublicKeyData, SignatureAlgorithm, SigningKey};
use zeroize::{Zeroize, Zeroizing};

use crate::error::TlsError;
use crate::files;

/// A key pair that is wiped on drop.
///
/// rcgen can wipe its `KeyPair` but does not do so by itself, and its `Issuer`
/// hands out no mutable reference; so the pair wipes itself. What rcgen copies
/// on the way to PEM is out of reach.
pub(crate) struct SigningPair(KeyPair);

impl SigningPair {
    /// A new ECDSA P-256 pair.
    pub(crate) fn generate() -> Result<Self, TlsError> {
        Ok(Self(KeyPair::generate()?))
    }

    /// The pair whose private half is in `path`.
    pub(crate) fn read(path: &Path) -> Result<Self, TlsError> {
        KeyPair::try_from(&*files::private_key(path)?)
            .map(Self)
            .map_err(|_| TlsError::UnusableKey {
                path: path.to_owned(),
            })
    }

    /// The private half, PKCS #8.
    pub(crate) fn pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.serialize_pem())
    }
}

impl Drop for SigningPair {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl PublicKeyData for SigningPair {
    fn der_bytes(&self) -> &[u8] {
        self.0.der_bytes()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.0.algorithm()
    }
}

impl SigningKey for SigningPair {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.0.sign(message)
    }
}
