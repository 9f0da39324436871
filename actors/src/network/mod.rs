//! Networks below the cut, on the burn crate.
//!
//! ```text
//!   job: [conv2d 6, tanh, ...]        weights: a generator of ours, seeded
//!            │ Blueprint (it fits)              or a file of this party's
//!            ▼                                        ▼
//!        [Stage] ◀──────────── Bottom ──────────▶ Learner (burn's optimisers)
//!                    forward: x -> a, graph kept
//!                    backward: dL/da -> gradients -> one step
//!                    infer: x -> a, no graph
//! ```
//!
//! The protocol knows all this as a [`BottomNetwork`] and no more: how gradients
//! come about and which optimiser runs is decided here. The gradient that comes
//! down the protocol is no loss; burn is given `sum(a * dL/da)` in its place,
//! whose gradient at `a` is `dL/da` exactly.
//!
//! A job must end in the same bits after a crash as without one. So nothing is
//! drawn from burn's generator (one per process, shared with whoever else uses
//! it) but from ChaCha20 under the party's own seed, and what is drawn in a
//! round hangs on the number of that round; burn is built without its thread
//! pool, so that no sum depends on how work was split; and burn's modules, with
//! their random identities and their statistics kept per thread, are not used:
//! layers are written on its tensors.

mod bottom;
mod initial;
mod learner;
mod norm;
mod parameter;
pub mod plaintext;
mod stage;
mod state;
mod tensors;
#[cfg(test)]
mod tests;
pub mod weights;
mod windows;

use entente_protocol::{
    job::Job,
    network::{BottomNetwork, NamedTensor, NetworkError},
};

use self::bottom::Bottom;

/// Builds the network below the cut of `job`: `B x d` in, `B x h` out.
///
/// Weights are those of `initial`, by PyTorch's names, all of them or none.
/// Without: Glorot uniform, drawn from `seed`; biases start at zero. What a
/// dropout drops is drawn from `seed` too. The same seed gives the same bits.
///
/// # Errors
/// [`NetworkError::Weights`] naming the initial tensor that does not fit.
pub fn build(
    job: &Job,
    seed: &[u8; 32],
    initial: Option<Vec<NamedTensor>>,
) -> Result<Box<dyn BottomNetwork>, NetworkError> {
    let mut bottom = Bottom::new(job.blueprint(), job.spec().training.bottom, seed);
    if let Some(tensors) = initial {
        bottom.set_parameters(tensors, |name, takes, got| NetworkError::Weights {
            name,
            takes,
            got,
        })?;
    }
    Ok(Box::new(bottom))
}
