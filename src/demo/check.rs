//! What only the demonstration can do: both parties' halves in one place, held
//! against training without any protocol.

use entente_actors::{
    data::{open_features, open_labels},
    fixed_weight_seed,
    network::{self, plaintext::PlaintextClassifier},
};
use entente_protocol::{
    acml::{ActiveHalf, Model, PassiveHalf, Purpose, private_seed, reference::Reference},
    job::{Job, Side},
    network::BottomNetwork,
};

use super::{data::Half, report::Sides};
use crate::exit::Failure;

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
    let trained = Model::join(
        ActiveHalf::open(job, active_half).map_err(Failure::runtime)?,
        PassiveHalf::open(job, passive_half).map_err(Failure::runtime)?,
    );
    let (features, labels) = (data.active.config()?, data.passive.config()?);
    let features = || open_features(&features, job).map_err(Failure::runtime);
    let labels = || open_labels(&labels, job).map_err(Failure::runtime);
    let seed = job.spec().training.seed;
    let [active, passive] =
        [Side::Active, Side::Passive].map(|side| fixed_weight_seed(seed, job.party(side)));
    let bottom = || -> Result<Box<dyn BottomNetwork>, Failure> {
        let seed = private_seed(&active, job, Purpose::Bottom);
        network::build(job, seed.expose(), None).map_err(Failure::runtime)
    };
    let mut reference = Reference::new(job, features()?, labels()?, bottom()?, [&active, &passive])
        .map_err(Failure::runtime)?;
    let start = reference.model();
    reference.run().map_err(Failure::runtime)?;
    let scale = f64::from(job.spec().fixed_point.weight_bits()).exp2();
    let initial_top = start
        .weights
        .as_array()
        .mapv(|weight| weight.0.cast_signed() as f64 / scale);
    let plaintext = PlaintextClassifier::train(
        job,
        features()?.as_ref(),
        labels()?.as_ref(),
        initial_top,
        bottom()?,
    )
    .map_err(Failure::runtime)?;
    let bottom_weights: usize = trained
        .bottom
        .iter()
        .map(|tensor| tensor.values.len())
        .sum();
    Ok(Verdict {
        weights_bit_identical: trained.is_bit_identical(&reference.model()),
        weights: trained.weights.shape().len() + trained.bias.shape().len() + bottom_weights,
        plaintext_accuracy: plaintext.test_accuracy,
    })
}
