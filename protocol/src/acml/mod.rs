//! ACML: asymmetrically collaborative machine learning.
//!
//! Zhang and Zhu, arXiv:2007.06849, corrected: the printed algorithms add a
//! mask where it must be taken away, ascend the gradient, and mix the shares
//! of two rounds. They still train to a good accuracy, so accuracy proves
//! nothing here; what is compared is every weight, bit for bit, with
//! the [plaintext reference](mod@reference).
//!
//! The paper's words are kept, and most of the literature has them the other
//! way round: the **active** party owns the features, the **passive** party
//! the labels.
//!
//! | | active | passive |
//! |---|---|---|
//! | private | features, bottom network `f`, secret key | labels `T`, bias `b2` |
//! | share of `W2` | `E` | `W~ = W2 + E` |
//!
//! Nobody ever holds `W2`. One mini-batch (B samples, cut of width h, c
//! classes; shares modulo 2^64, scales in [`crate::fixed`]):
//!
//! ```text
//!   active                                                   passive
//!   F0  a = f(x)                      B x h
//!   F1  ── EncryptedActivations ───────────────────────────▶
//!          (inference: ActivationsForInference)
//!                                                       F2  Enc(a W~' + S1)
//!       ◀─────────────────────────────────── MaskedProduct ──
//!   F3  z + S1 = Dec - a E'           B x c
//!       ── MaskedLogits ───────────────────────────────────▶
//!                                                       F4  z = . - S1 + b2
//!                                                           p = softmax z (or
//!                                                               sigmoid z, c = 1)
//!                                  (inference ends here)    Delta = (p - T)/B
//!                                                       B1  Enc((eta Delta)' a + S2)
//!       ◀───────────────────────── EncryptedWeightGradient ──
//!   B2  U = Dec - e_w                 c x h
//!       Enc(E), then E <- E + e_w
//!       ── UpdateAndShare ─────────────────────────────────▶
//!                                                       B3  H = U - S2 = eta G - e_w
//!                                                           Enc(Delta W~ - Delta E)
//!                                                           W~ <- W~ - H
//!                                                           b2 <- b2 - eta sum Delta
//!       ◀────────────────────────── EncryptedInputGradient ──
//!   B4  dA = Dec; f learns from dA    B x h
//! ```
//!
//! After the last validation rows of an epoch, where a job selects among its
//! epochs' models, inference ends with one bit more, and both parties go on by
//! it as [`crate::course`] says:
//!
//! ```text
//!                                                       F4  z, loss
//!       ◀──────────────────────────────────── EpochVerdict ──
//! ```
//!
//! Check: `W~' - E' = (W~ - eta G + e_w) - (E + e_w) = W2 - eta G`, and
//! `Delta W~ - Delta E = Delta W2` with both taken before the update.
//!
//! Every message above says under which key it is (`keys`), and where the key is
//! to change, one goes before F1:
//!
//! ```text
//!       ── NextKey ────────────────────────────────────────▶   is it well formed?
//!       ── EncryptedActivations ───────────────────────────▶   under the last one,
//!                                                              for the last time
//! ```
//!
//! What asks a model that has been trained is in [`inference`].
//!
//! S1, S2 and e_w are uniform in the ring, fresh per message and per entry; and
//! the same again where a party that crashed goes through a step once more
//! (`masks.rs`).
//! What the protocol leaks all the same (`dA` clusters by label at the active
//! party; `z` is a linear function of `a` at the passive party; a malicious
//! party is not caught) is said in the README, not hidden here.

mod active;
#[cfg(any(test, feature = "fuzzing"))]
mod again;
mod algebra;
mod half;
pub mod inference;
mod keys;
pub mod loss;
mod masks;
mod messages;
mod passive;
pub mod reference;
mod release;
#[cfg(test)]
mod tests;
mod weights;

pub use active::{ActiveRole, ActiveSetUp};
#[cfg(any(test, feature = "fuzzing"))]
pub use again::Receiver;
pub use half::{ActiveHalf, Model, Pairing, PassiveHalf};
pub use inference::{
    ActiveInference, ActiveInferenceSetUp, Aim, PassiveInference, PassiveInferenceSetUp,
};
pub use keys::{
    KeyEpoch, KeyFault, MadeInTurn, NextKeys, Notary, NotaryError, Turn, Wanted, Witness,
};
pub use passive::{PassiveRole, PassiveSetUp};
pub use weights::{Purpose, private_seed};

/// The protocol's name in metrics.
const NAME: &str = "acml";
