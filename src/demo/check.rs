//! What only the demonstration can do: both parties' halves in one place, held
//! against training without any protocol.

use entente_protocol::job::Job;

use crate::{
    data::declared::Half,
    exit::Failure,
    sides::Sides,
    together::{self, Together},
};

/// The verdict.
pub(super) struct Verdict {
    /// Whether every weight equals the plaintext fixed-point reference's.
    pub(super) weights_bit_identical: bool,
    /// How many weights were compared.
    pub(super) weights: usize,
    /// The plaintext (floating-point) network's test accuracy.
    pub(super) plaintext_accuracy: Option<f64>,
}

/// Joins the halves that the parties saved and trains the same network twice
/// more in plain: in fixed point, to compare every weight, and in floating
/// point, to compare the accuracy.
pub(super) fn check(
    job: &Job,
    data: &Sides<Half>,
    active_half: &[u8],
    passive_half: &[u8],
) -> Result<Verdict, Failure> {
    let together = Together::new(job.clone(), data)?;
    let trained = together.join(active_half, passive_half)?;
    let reference = together.fixed_point(&mut |_, _| Ok(()))?;
    Ok(Verdict {
        weights_bit_identical: trained.is_bit_identical(&reference.model),
        weights: together::weights(&trained),
        plaintext_accuracy: together.floating_point()?.test_accuracy,
    })
}
