//! Sealing keys for tests.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use entente_wire::Digest;

use super::{DataKey, SealingKey, SealingKeys, WrapError, WrapKeys};

/// The sealing key of this name.
pub(crate) fn key(name: &[u8]) -> SealingKey {
    let digits = hex::encode(Digest::of("test", &[name]).as_bytes());
    SealingKey::parse(digits.as_bytes(), "a test").unwrap()
}

/// The sealing key of this name alone.
pub(crate) fn keys(name: &[u8]) -> Arc<dyn WrapKeys> {
    Arc::new(SealingKeys::new(key(name), Vec::new()))
}

/// A service that is down.
pub(crate) struct Unreachable;

impl WrapKeys for Unreachable {
    fn wrap(&self, _: &DataKey, _: &[u8]) -> Result<Vec<u8>, WrapError> {
        Err(WrapError::Unreachable("time-out".to_owned()))
    }

    fn unwrap(&self, _: &[u8], _: &[u8]) -> Result<DataKey, WrapError> {
        Err(WrapError::Unreachable("time-out".to_owned()))
    }
}
