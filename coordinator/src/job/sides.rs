//! Something that each side has one of.

use entente_protocol::job::Side;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that each side has one of.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Sides<T> {
    /// The active side's.
    pub active: T,
    /// The passive side's.
    pub passive: T,
}

impl<T> Sides<T> {
    /// One for each side.
    pub fn from_fn(mut make: impl FnMut(Side) -> T) -> Self {
        Self {
            active: make(Side::Active),
            passive: make(Side::Passive),
        }
    }

    /// The one of `side`.
    pub fn of(&self, side: Side) -> &T {
        match side {
            Side::Active => &self.active,
            Side::Passive => &self.passive,
        }
    }

    /// The one of `side`, to be changed.
    pub fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Active => &mut self.active,
            Side::Passive => &mut self.passive,
        }
    }

    /// Both, active first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        [&self.active, &self.passive].into_iter()
    }
}
