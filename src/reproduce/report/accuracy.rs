//! Table 1, put together.

use serde::Serialize;

use super::statistic::Statistic;
use crate::{
    reproduce::{
        dataset::Dataset,
        unit::{Trained, Variant},
    },
    sides::Sides,
};

/// A row: a dataset.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Accuracy {
    pub(super) dataset: Dataset,
    pub(super) network: &'static str,
    /// Only the first so many rows of the files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_rows: Option<u64>,
    pub(super) training_rows: u64,
    pub(super) test_rows: u64,
    pub(super) epochs: usize,
    pub(super) batch_size: usize,
    pub(super) encrypted: Option<Statistic>,
    pub(super) fixed_point: Option<Statistic>,
    pub(super) floating_point: Option<Statistic>,
    /// The network that CryptoNets could compute.
    pub(super) square: Option<Statistic>,
    pub(super) paper: Printed,
    /// Of each seed that was trained both under encryption and in fixed point:
    /// whether all weights are the same.
    pub(super) bit_identical: Vec<Identity>,
    /// Of encrypted training, the mean over seeds.
    pub(super) cost: Option<Cost>,
}

/// What the paper prints.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Printed {
    pub(super) ours: f64,
    pub(super) cryptonets: f64,
    pub(super) gelu_net: f64,
}

/// Whether two models are one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Identity {
    pub(super) seed: u64,
    pub(super) weights: usize,
    pub(super) identical: bool,
}

/// What training took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Cost {
    pub(super) seconds: f64,
    pub(super) seconds_per_epoch: f64,
    pub(super) samples_per_second: f64,
    pub(super) bytes_per_epoch: Sides<f64>,
}

/// All datasets of which something is there, in the order of the paper.
pub(super) fn rows(trained: &[&Trained]) -> Vec<Accuracy> {
    let of = |dataset| {
        let trained: Vec<&Trained> = trained
            .iter()
            .filter(|one| one.dataset == dataset)
            .copied()
            .collect();
        Accuracy::of(dataset, &trained)
    };
    Dataset::ALL.into_iter().filter_map(of).collect()
}

impl Accuracy {
    fn of(dataset: Dataset, trained: &[&Trained]) -> Option<Self> {
        let first = trained.first()?;
        let all = |variant| trained.iter().filter(move |one| one.variant == variant);
        let accuracy =
            |variant| Statistic::of(all(variant).filter_map(|one| one.course.test_accuracy));
        let printed = dataset.printed();
        let identity = |one: &&Trained| {
            let twin = all(Variant::FixedPoint).find(|twin| twin.seed == one.seed)?;
            Some(Identity {
                seed: one.seed,
                weights: one.weights?,
                identical: one.weights_sha256.as_ref()? == twin.weights_sha256.as_ref()?,
            })
        };
        let encrypted = all(Variant::Encrypted).copied();
        Some(Self {
            dataset,
            network: dataset.network(),
            first_rows: first.first_rows,
            training_rows: first.course.training_rows,
            test_rows: first.course.test_rows,
            epochs: first.epochs(),
            batch_size: first.batch_size,
            encrypted: accuracy(Variant::Encrypted),
            fixed_point: accuracy(Variant::FixedPoint),
            floating_point: accuracy(Variant::FloatingPoint),
            square: accuracy(Variant::Square),
            paper: Printed {
                ours: printed.ours,
                cryptonets: printed.cryptonets,
                gelu_net: printed.gelu_net,
            },
            bit_identical: encrypted.clone().filter_map(|one| identity(&one)).collect(),
            cost: Cost::of(encrypted),
        })
    }

    /// Whether every pair of models is one; nothing when there is no pair.
    pub(super) fn is_bit_identical(&self) -> Option<bool> {
        let mut pairs = self.bit_identical.iter();
        (!self.bit_identical.is_empty()).then(|| pairs.all(|pair| pair.identical))
    }

    /// Whether the mean under encryption is not below the paper's, in the three
    /// digits that it prints.
    pub(super) fn reaches_the_paper(&self) -> Option<bool> {
        let thousandths = |x: f64| (1000.0 * x).round();
        let ours = self.encrypted?.mean;
        Some(thousandths(ours) >= thousandths(self.paper.ours))
    }
}

impl Cost {
    fn of<'a>(trained: impl Iterator<Item = &'a Trained>) -> Option<Self> {
        let (mut runs, mut seconds, mut epochs, mut samples) = (0.0, 0.0, 0.0, 0.0);
        let mut bytes: Sides<f64> = Sides::default();
        for one in trained {
            let (Some(took), Some(sent)) = (one.training_seconds, one.training_bytes) else {
                continue;
            };
            runs += 1.0;
            seconds += took;
            epochs += one.epochs() as f64;
            samples += one.epochs() as f64 * one.course.training_rows as f64;
            bytes.active += sent.active as f64;
            bytes.passive += sent.passive as f64;
        }
        (epochs > 0.0 && seconds > 0.0).then(|| Self {
            seconds: seconds / runs,
            seconds_per_epoch: seconds / epochs,
            samples_per_second: samples / seconds,
            bytes_per_epoch: Sides {
                active: bytes.active / epochs,
                passive: bytes.passive / epochs,
            },
        })
    }
}
