//! Randomness from the operating system.

use rand::{SeedableRng, TryRng, rngs::SysRng};
use rand_chacha::ChaCha20Rng;
use thiserror::Error;

/// The operating system has no randomness to give.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the operating system gives no randomness: {0}")]
pub(crate) struct NoEntropy(String);

/// A generator of its own, for one job.
///
/// # Errors
/// [`NoEntropy`]; nothing secret can be made then.
pub(crate) fn generator() -> Result<ChaCha20Rng, NoEntropy> {
    ChaCha20Rng::try_from_rng(&mut SysRng).map_err(|error| NoEntropy(error.to_string()))
}

/// A generator that spreads waits. Not for secrets: without randomness from the
/// operating system it takes the clock.
pub(crate) fn jitter() -> ChaCha20Rng {
    generator().unwrap_or_else(|_| {
        let clock = std::time::SystemTime::UNIX_EPOCH.elapsed();
        ChaCha20Rng::seed_from_u64(clock.map_or(0, |since| since.as_nanos() as u64))
    })
}

/// 32 secret bytes.
///
/// # Errors
/// [`NoEntropy`].
pub(crate) fn seed() -> Result<entente_wire::Secret<[u8; 32]>, NoEntropy> {
    let mut seed = entente_wire::Secret::new([0; 32]);
    SysRng
        .try_fill_bytes(seed.expose_mut())
        .map_err(|error| NoEntropy(error.to_string()))?;
    Ok(seed)
}
