//! A value of each party.

use serde::{Deserialize, Serialize};

/// A value of each party.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sides<T> {
    /// Of the one that owns the features.
    pub(crate) active: T,
    /// Of the one that owns the labels.
    pub(crate) passive: T,
}
