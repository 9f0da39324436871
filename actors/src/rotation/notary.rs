//! The certificate that vouches for a party's keys.

use std::{sync::Arc, time::UNIX_EPOCH};

use entente_protocol::acml::{Notary, NotaryError};
use entente_tls::Credentials;

/// Signs with the key of the party's own certificate.
pub(crate) struct Certified(pub(crate) Arc<Credentials>);

impl Notary for Certified {
    fn now_ms(&self) -> u64 {
        let since = UNIX_EPOCH.elapsed().unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn sign(&self, text: &str) -> Result<String, NotaryError> {
        let signature = self.0.sign(text.as_bytes());
        let signature = signature.map_err(|error| NotaryError(error.to_string()))?;
        Ok(signature.to_string())
    }

    fn verify(
        &self,
        signer: &str,
        text: &str,
        signature: &str,
        at_unix_s: u64,
    ) -> Result<(), NotaryError> {
        let authorities = self.0.authorities();
        authorities
            .verify_written(signer, text, signature, at_unix_s)
            .map_err(|error| NotaryError(error.to_string()))
    }
}
