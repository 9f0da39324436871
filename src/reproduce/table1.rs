//! Table 1: accuracy, of networks that are trained under encryption, of the
//! same ones in plaintext, and of those that CryptoNets could compute.

use super::{
    dataset::Dataset,
    settings::Settings,
    unit::Variant,
    work::{Unit, Work},
};
use crate::{cli::Experiment, exit::Failure};

pub(super) fn units(dataset: Dataset, settings: &Settings) -> Result<Vec<Unit>, Failure> {
    let mut units = Vec::new();
    for seed in 1..=dataset.seeds(settings.seeds) {
        for variant in Variant::ALL {
            let task = dataset.job(settings, seed)?;
            let task = match variant {
                Variant::Square => task.squared(dataset)?,
                _ => task,
            };
            units.push(Unit {
                id: format!("table1/{}/seed-{seed}/{}", dataset.name(), variant.name()),
                experiment: Experiment::Table1,
                title: format!("{}, seed {seed}, {}", dataset.title(), variant.title()),
                work: Work::Train {
                    dataset,
                    variant,
                    task,
                },
            });
        }
    }
    Ok(units)
}
