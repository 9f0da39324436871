//! Asking a model that has been trained: joint inference, and nothing else.
//!
//! Each party brings its half, and no share is made or sent. The first messages
//! see that the halves belong together, then that the rows do:
//!
//! ```text
//!   active                                                   passive
//!       ── KeyAndModel: key, pairing, how many rows ───────▶
//!       ◀──────────────────────────────── ModelAnswer ──
//!   the same pairing?                                the same pairing?
//!       ── the rows are compared, as before a training ─────
//! ```
//!
//! A half of another training would answer noise and no error, so the pairing is
//! asked after first ([`Pairing`]). Rows are compared unless
//! they are predicted by position: then the labels' side knows of them only how
//! many there are.
//!
//! Then the forward pass, batch by batch. Who gets to see the logits hangs on
//! the question. An evaluation, and predictions for the labels' side, end as
//! the forward pass of a training does:
//!
//! ```text
//!   F0  a = f(x), without draws       B x h
//!       ── ActivationsForInference ────────────────────────▶
//!                                                       F2  Enc(a W~' + S1)
//!       ◀─────────────────────────────────── MaskedProduct ──
//!   F3  z - b2 + S1 = Dec - a E'      B x c
//!       ── MaskedLogits ───────────────────────────────────▶
//!                                                       F4  z = . - S1 + b2
//! ```
//!
//! Predictions for the features' side end one message earlier. The passive
//! party masks the product as ever, and hands over what the mask comes off
//! with:
//!
//! ```text
//!       ── ActivationsForInference ────────────────────────▶
//!                                                       F2' Enc(a W~' + S1)
//!                                                           M = S1 - b2
//!       ◀────────────────────────────────── ProductAndMask ──
//!   F3' z = Dec - a E' - M
//! ```
//!
//! Check: `(a W~' + S1) - a E' - (S1 - b2) = a (W~ - E)' + b2 = a W2' + b2`.
//!
//! The obvious design was to leave the mask away and send `Enc(a W~' + b2)`. It
//! was refused: a scheme over the integers hides the carries of a product behind
//! a mask that is uniform in the ring, together with the multiples that it adds
//! itself, and without one the plaintext would tell more of `W~` than the value
//! modulo 2^64. So the ciphertext is the one that is proven for training, and
//! what the active party learns on top is `M`: with it `a W~' + b2 mod 2^64`,
//! and nothing else, since `S1` is uniform and used up. The passive party sees a
//! ciphertext and nothing after it.
//!
//! **What logits tell the side that has the features.** It knows `a` and
//! `z = W2 a + b2`: `c` equations about `c (h + 1)` unknowns for each row. After
//! `h + 1` rows in general position it can solve for `W2` and `b2`, which is the
//! other half. That is not a weakness of the messages: whoever may ask a linear
//! map at points of its choice has the map. Rounding probabilities, or keeping
//! only classes, would have to be done by whoever gets to see the logits, which
//! is the same party; so nothing of the kind is offered. The labels' side must
//! want this: a party refuses such a job unless its operator allows it.

mod active;
mod checkpoint;
mod passive;

use entente_he::{CutBounds, KeyBits};
use entente_wire::{Digest, Public, Shape};
use ndarray::Array2;

pub use self::{
    active::{ActiveInference, ActiveInferenceSetUp},
    passive::{Aim, PassiveInference, PassiveInferenceSetUp},
};
use super::{
    half::{Pairing, cut_shape},
    loss,
};
use crate::{
    ProtocolError,
    fixed::Scales,
    job::{Inference, Job, Side},
    product::Judged,
    rows::RowIds,
    schedule::Schedule,
};

/// What both sides know.
struct Terms {
    inference: Inference,
    /// The job that trained the model.
    trained: Job,
    /// Of which training this side's half is.
    pairing: Pairing,
}

impl Terms {
    fn key_bits(&self) -> KeyBits {
        self.inference.key_bits()
    }

    fn bounds(&self) -> CutBounds {
        self.inference.bounds(&self.trained)
    }

    /// What the certificate of the active party says.
    fn signer(&self) -> String {
        format!(
            "party/{}",
            self.inference.spec().parties.party(Side::Active)
        )
    }

    fn scales(&self) -> Scales {
        self.trained.spec().fixed_point
    }

    /// `c x h`.
    fn cut(&self) -> Shape {
        cut_shape(&self.trained)
    }

    /// What the rows are compared under: the same rows in another job are
    /// other points.
    fn digest(&self) -> Digest {
        self.inference.digest()
    }

    fn schedule(&self, ids: &RowIds) -> Schedule {
        self.inference.schedule(&self.trained, ids)
    }

    /// Whether the labels' side has rows of its own to compare.
    fn compares_rows(&self) -> bool {
        self.inference.dataset(Side::Passive).is_some()
    }

    /// Whether it is the features' side that is answered.
    fn answers_active(&self) -> bool {
        self.inference.question().answered_at() == Side::Active
    }

    /// Classes that a label may be.
    fn classes(&self) -> usize {
        self.trained.spec().network.classes
    }

    /// What logits (`B x c`) say.
    fn judged(&self, z: &Array2<f64>) -> Judged {
        loss::judged(self.trained.spec().network.loss, z)
    }

    /// Holds the other side's half against this one's.
    fn check_pairing(&self, theirs: &Public<Digest>) -> Result<(), ProtocolError> {
        if *theirs == self.pairing.shown() {
            return Ok(());
        }
        Err(ProtocolError::ModelsDiffer)
    }
}
