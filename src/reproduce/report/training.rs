//! Training and leaks, put together.

use entente_protocol::privacy::Leak;
use serde::Serialize;

use crate::{
    reproduce::{
        dataset::Dataset,
        leak,
        training::DATASETS,
        unit::{Finished, InProcesses, Measured, Trained, Variant},
    },
    sides::Sides,
};

/// What training costs two parties that talk over TLS.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Training {
    pub(super) dataset: Dataset,
    pub(super) processes: Option<InProcesses>,
    /// Sent in an epoch, the messages alone.
    pub(super) bytes_per_epoch: Option<Sides<f64>>,
    /// Both parties in one process, taking turns on all threads.
    pub(super) one_process_seconds_per_epoch: Option<f64>,
    pub(super) training_rows: Option<u64>,
    pub(super) curves: Curves,
}

/// Accuracy on validation rows, by epoch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Curves {
    pub(super) dataset: Dataset,
    pub(super) encrypted: Vec<f64>,
    pub(super) fixed_point: Vec<f64>,
    pub(super) floating_point: Vec<f64>,
    /// Whether all weights under encryption equal those in fixed point.
    pub(super) bit_identical: Option<bool>,
}

/// What gradients told under one defence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Leaking {
    pub(super) dataset: Dataset,
    pub(super) defence: String,
    pub(super) epochs: usize,
    pub(super) first: Option<Leak>,
    pub(super) last: Option<Leak>,
    pub(super) test_accuracy: Option<f64>,
}

/// All datasets of which something is there.
pub(super) fn training(finished: &[Finished]) -> Vec<Training> {
    DATASETS
        .into_iter()
        .filter_map(|dataset| {
            let find = |what: &str| {
                let unit = format!("training/{}/{what}", dataset.name());
                finished.iter().find(|finished| finished.unit == unit)
            };
            let trained = |variant: Variant| match &find(variant.name())?.measured {
                Measured::Trained(trained) => Some(trained),
                _ => None,
            };
            let processes = match find("processes").map(|finished| &finished.measured) {
                Some(Measured::InProcesses(measured)) => Some(measured.clone()),
                _ => None,
            };
            let curve = |variant| {
                let epochs = trained(variant).map(|one| one.course.epochs.as_slice());
                let epochs = epochs.unwrap_or_default().iter();
                epochs
                    .filter_map(|epoch| epoch.validation_accuracy)
                    .collect()
            };
            let (encrypted, exact) = (trained(Variant::Encrypted), trained(Variant::FixedPoint));
            if processes.is_none() && encrypted.is_none() && exact.is_none() {
                return None;
            }
            let sha256 = |one: Option<&Trained>| one.and_then(|one| one.weights_sha256.clone());
            let pair = sha256(encrypted).zip(sha256(exact));
            let epochs = encrypted.map_or(1, Trained::epochs).max(1) as f64;
            let sent = encrypted.and_then(|one| one.training_bytes);
            Some(Training {
                dataset,
                processes,
                bytes_per_epoch: sent.map(|sent| Sides {
                    active: sent.active as f64 / epochs,
                    passive: sent.passive as f64 / epochs,
                }),
                one_process_seconds_per_epoch: encrypted
                    .and_then(|one| one.training_seconds)
                    .map(|seconds| seconds / epochs),
                training_rows: encrypted.or(exact).map(|one| one.course.training_rows),
                curves: Curves {
                    dataset,
                    encrypted: curve(Variant::Encrypted),
                    fixed_point: curve(Variant::FixedPoint),
                    floating_point: curve(Variant::FloatingPoint),
                    bit_identical: pair.map(|(one, other)| one == other),
                },
            })
        })
        .collect()
}

/// All defences of which something is there.
pub(super) fn leaks(finished: &[Finished]) -> Vec<Leaking> {
    let dataset = leak::DATASET;
    leak::DEFENCES
        .into_iter()
        .filter_map(|(name, _)| {
            let unit = format!("leak/{}/{name}", dataset.name());
            let found = finished.iter().find(|finished| finished.unit == unit)?;
            let Measured::Trained(trained) = &found.measured else {
                return None;
            };
            let epochs = &trained.course.epochs;
            Some(Leaking {
                dataset,
                defence: leak::title(name),
                epochs: epochs.len(),
                first: epochs.first().and_then(|epoch| epoch.leak),
                last: epochs.last().and_then(|epoch| epoch.leak),
                test_accuracy: trained.course.test_accuracy,
            })
        })
        .collect()
}
