//! How much there is of an encrypted matrix.

use core::ops::Add;

/// How much there is of an encrypted matrix. All of it follows from its shape, and
/// nothing from what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// Ciphertexts.
    pub ciphertexts: usize,
    /// Bytes of its encoding.
    pub bytes: usize,
    /// Values in the ciphertexts.
    pub values: usize,
    /// Values that there is room for in them.
    pub room: usize,
}

impl Extent {
    /// Values per value that there is room for, 0 to 1; nothing of nothing.
    pub fn fill(&self) -> Option<f64> {
        (self.room > 0).then(|| self.values as f64 / self.room as f64)
    }
}

impl Add for Extent {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            ciphertexts: self.ciphertexts + other.ciphertexts,
            bytes: self.bytes + other.bytes,
            values: self.values + other.values,
            room: self.room + other.room,
        }
    }
}

/// A matrix of ciphertexts.
pub trait Encrypted {
    /// How much there is of it, without encoding it.
    fn extent(&self) -> Extent;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_not_filled() {
        let half = Extent {
            ciphertexts: 1,
            bytes: 512,
            values: 4,
            room: 8,
        };
        assert_eq!(Extent::default().fill(), None);
        assert_eq!((half + half).fill(), Some(0.5));
    }
}
