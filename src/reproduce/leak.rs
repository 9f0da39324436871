//! What released gradients tell of labels, which the paper does not look at:
//! two published attacks, mounted at each epoch's end on what was released,
//! without a defence and with each of them.
//!
//! On Diabetes: with two classes and one logit the attacks see exactly what the
//! features' side sees.

use entente_protocol::privacy::Defence;

use super::{
    dataset::Dataset,
    settings::Settings,
    unit::Variant,
    work::{Unit, Work},
};
use crate::{cli::Experiment, exit::Failure};

/// The one whose labels are worth hiding.
pub(super) const DATASET: Dataset = Dataset::Diabetes;

/// The defences, by the name of their units; none first.
pub(super) const DEFENCES: [(&str, Option<Defence>); 4] = [
    ("none", None),
    ("max-norm", Some(Defence::MaxNorm)),
    ("isotropic", Some(Defence::Isotropic { ratio: 1.0 })),
    ("marvell", Some(Defence::Marvell { power: 4.0 })),
];

/// Of a defence, for people.
pub(super) fn title(defence: &str) -> String {
    match DEFENCES.iter().find(|(name, _)| *name == defence) {
        Some((_, Some(Defence::MaxNorm))) => "max-norm".to_owned(),
        Some((_, Some(Defence::Isotropic { ratio }))) => format!("isotropic, ratio {ratio}"),
        Some((_, Some(Defence::Marvell { power }))) => format!("Marvell, power {power}"),
        _ => "none".to_owned(),
    }
}

pub(super) fn units(settings: &Settings) -> Result<Vec<Unit>, Failure> {
    let job = DATASET.job(settings, 1)?;
    Ok(DEFENCES
        .map(|(name, defence)| {
            let mut task = job.clone();
            task.spec.privacy.defence = defence;
            Unit {
                id: format!("leak/{}/{name}", DATASET.name()),
                experiment: Experiment::Leak,
                title: format!("{}, defence: {}", DATASET.title(), title(name)),
                work: Work::Train {
                    dataset: DATASET,
                    variant: Variant::Encrypted,
                    task,
                },
            }
        })
        .into())
}
