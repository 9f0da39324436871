//! Which layer does not fit.

use core::fmt;

use thiserror::Error;

/// Where a layer stands: its number from 0, and within a residual block the
/// number there: `3.1` is the second layer of the block that is the fourth.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LayerPath(Vec<usize>);

impl LayerPath {
    /// At the outermost level.
    pub fn outermost(place: usize) -> Self {
        Self(vec![place])
    }

    /// The layer at `place` inside the block at `self`.
    #[must_use]
    pub fn inside(&self, place: usize) -> Self {
        let mut path = self.0.clone();
        path.push(place);
        Self(path)
    }

    /// The places, outermost first.
    pub fn places(&self) -> &[usize] {
        &self.0
    }
}

impl fmt::Display for LayerPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<String> = self.0.iter().map(usize::to_string).collect();
        f.write_str(&places.join("."))
    }
}

/// A layer does not take the shape that comes to it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("layer {layer} ({kind}) takes {takes}, got {got}")]
pub struct LayerError {
    /// Where it stands.
    pub layer: LayerPath,
    /// Its kind.
    pub kind: &'static str,
    /// The shape that it takes.
    pub takes: String,
    /// The shape that came.
    pub got: String,
}
