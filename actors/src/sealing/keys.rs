//! A party's own sealing keys: the newest wraps, all unwrap.

use std::iter;

use super::{DataKey, KeyId, SealingKey, WrapError, WrapKeys, key::Wrapped};

/// A party's sealing keys, in its memory.
#[derive(Debug)]
pub struct SealingKeys {
    newest: SealingKey,
    former: Vec<SealingKey>,
}

impl SealingKeys {
    /// These.
    #[must_use]
    pub fn new(newest: SealingKey, former: Vec<SealingKey>) -> Self {
        Self { newest, former }
    }

    /// Which there are, the newest first.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.all().map(SealingKey::id)
    }

    fn all(&self) -> impl Iterator<Item = &SealingKey> {
        iter::once(&self.newest).chain(&self.former)
    }
}

impl WrapKeys for SealingKeys {
    fn wrap(&self, key: &DataKey, bound_to: &[u8]) -> Result<Vec<u8>, WrapError> {
        self.newest.wrap(key, bound_to)
    }

    fn unwrap(&self, wrapped: &[u8], bound_to: &[u8]) -> Result<DataKey, WrapError> {
        let wrapped = Wrapped::parse(wrapped).ok_or(WrapError::Damaged)?;
        match self.all().find(|key| key.id() == wrapped.id) {
            Some(key) => key.unwrap(&wrapped, bound_to),
            None => {
                let has: Vec<_> = self.ids().map(|id| id.to_string()).collect();
                Err(WrapError::OtherKey {
                    wanted: wrapped.id,
                    has: has.join(", "),
                })
            }
        }
    }
}
