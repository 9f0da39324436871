//! What an inference costs, by who pays.

use std::time::Instant;

use entente_he::KeyBits;
use serde::{Deserialize, Serialize};

use crate::exit::Failure;

/// What a batch costs. The client is the one that has the features (the active
/// party, where roles have those names), the server the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// B.
    pub(crate) samples: usize,
    /// The client's work, by the clock.
    pub(crate) client_seconds: f64,
    /// Of that, what it computes in plain: layers below the cut, activations.
    pub(crate) client_plain_seconds: f64,
    /// The server's work.
    pub(crate) server_seconds: f64,
    /// Of that, the biases and the fresh randomness of what it answers, where
    /// that can be told from the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) server_release_seconds: Option<f64>,
    /// Sent by the client.
    pub(crate) client_bytes: usize,
    /// Sent by the server.
    pub(crate) server_bytes: usize,
    /// In what the client sends.
    pub(crate) client_ciphertexts: usize,
    /// In what the server sends.
    pub(crate) server_ciphertexts: usize,
    /// How often the client waits for an answer.
    pub(crate) round_trips: usize,
}

impl Cost {
    pub(super) fn of(samples: usize) -> Self {
        Self {
            samples,
            ..Self::default()
        }
    }

    /// Of both parties.
    pub(crate) fn seconds(&self) -> f64 {
        self.client_seconds + self.server_seconds
    }

    /// Of both parties, for one of the samples.
    pub(crate) fn seconds_per_sample(&self) -> f64 {
        self.seconds() / self.samples.max(1) as f64
    }

    /// Of both parties, without what the client computes in plain: the
    /// encrypted part alone.
    pub(crate) fn encrypted_seconds_per_sample(&self) -> f64 {
        (self.seconds() - self.client_plain_seconds) / self.samples.max(1) as f64
    }

    pub(super) fn client<T>(
        &mut self,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        timed(&mut self.client_seconds, work)
    }

    pub(super) fn client_in_plain<T>(
        &mut self,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut seconds = 0.0;
        let done = timed(&mut seconds, work);
        self.client_seconds += seconds;
        self.client_plain_seconds += seconds;
        done
    }

    pub(super) fn server<T>(
        &mut self,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        timed(&mut self.server_seconds, work)
    }

    pub(super) fn server_releases<T>(
        &mut self,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut seconds = 0.0;
        let done = timed(&mut seconds, work);
        self.server_seconds += seconds;
        *self.server_release_seconds.get_or_insert_default() += seconds;
        done
    }

    /// Ciphertexts that the client sends.
    pub(super) fn client_sends(&mut self, message: &[u8], key: KeyBits) {
        self.client_bytes += message.len();
        self.client_ciphertexts += ciphertexts(message, key);
    }

    /// Ciphertexts that the server sends.
    pub(super) fn server_sends(&mut self, message: &[u8], key: KeyBits) {
        self.server_bytes += message.len();
        self.server_ciphertexts += ciphertexts(message, key);
    }
}

/// Each has twice the bits of the key, and what stands before the first is
/// shorter than one.
fn ciphertexts(message: &[u8], key: KeyBits) -> usize {
    message.len() / (2 * key.bits() as usize / 8)
}

fn timed<T>(seconds: &mut f64, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let since = Instant::now();
    let done = work();
    *seconds += since.elapsed().as_secs_f64();
    done
}
