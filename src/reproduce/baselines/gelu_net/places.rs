//! What shares a ciphertext: values of many samples, or of many places of one.
//!
//! One weight multiplies all values of a ciphertext, so what may share one is
//! what meets the same weight: the k-th values that a convolution's places see.
//! Values of other samples do so by themselves. For those of other places the
//! client has to lay out what each place sees, and encrypt a value once for
//! every place that sees it:
//!
//! ```text
//!                     rows x columns     ciphertexts there, and back
//!   over samples      B x N              N ceil(B / s),   P O ceil(B / s)
//!   over places       B P x K            K ceil(B P / s),   O ceil(B P / s)
//! ```
//!
//! In one digit through the first convolution of LeNet-5 (N = 784, P = 784,
//! K = 25, O = 6, s = 31 at 2048 bits) that is 784 and 4704, or 650 and 156. With
//! 128 digits, 3920 and 23520, or 80950 and 19428. The original knows neither
//! packing; over samples is what ours does.

use std::borrow::Cow;

use entente_he::Windows;
use entente_wire::{RingMatrix, Shape};

use super::layers::Linear;

/// What may share a ciphertext.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Packing {
    /// Samples alone, as with ours.
    OverSamples,
    /// In each layer what makes for fewer ciphertexts.
    OverSamplesOrPlaces,
}

/// What does, in one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Along {
    Samples,
    Places,
}

impl Packing {
    /// In `linear`, on so many samples, with room for so many values.
    pub(super) fn of(self, linear: &Linear, samples: usize, room: usize) -> Along {
        let count = |along: Along| {
            let windows = along.windows(linear);
            let columns = windows.values() + windows.places() * linear.outputs();
            along.rows(linear, samples).div_ceil(room.max(1)) * columns
        };
        match self {
            Self::OverSamplesOrPlaces if count(Along::Places) < count(Along::Samples) => {
                Along::Places
            }
            _ => Along::Samples,
        }
    }
}

impl Along {
    /// What the server's products see, of the rows that it gets.
    pub(super) fn windows(self, linear: &Linear) -> Cow<'_, Windows> {
        match self {
            Self::Samples => Cow::Borrowed(&linear.windows),
            Self::Places => Cow::Owned(Windows::dense(linear.windows.terms())),
        }
    }

    /// Rows of what is encrypted, and of what comes back.
    pub(super) fn rows(self, linear: &Linear, samples: usize) -> usize {
        match self {
            Self::Samples => samples,
            Self::Places => samples * linear.windows.places(),
        }
    }

    /// What is encrypted, of values `B x N`. (What comes back needs no folding:
    /// `BP x O` by rows is `B x PO` by rows.)
    pub(super) fn unfolded(self, linear: &Linear, values: RingMatrix) -> RingMatrix {
        let windows = &linear.windows;
        match self {
            Self::Samples => values,
            Self::Places => {
                let rows = self.rows(linear, values.shape().rows);
                RingMatrix::from_fn(Shape::new(rows, windows.terms()), |row, term| {
                    let (sample, place) = (row / windows.places(), row % windows.places());
                    let seen = windows.seen(place, term);
                    let value = seen.and_then(|seen| values.signed(sample, seen));
                    value.unwrap_or(0).cast_unsigned()
                })
            }
        }
    }
}
