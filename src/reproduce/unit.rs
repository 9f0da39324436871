//! Units: the parts that a run is made of, each finished as a whole or not at
//! all.

use serde::{Deserialize, Serialize};

use super::{dataset::Dataset, inference::Inference};
use crate::{cli::Experiment, sides::Sides, together::Course};

/// A unit that is finished: a line of `units.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Finished {
    /// Its name, `table1/iris/seed-1/encrypted`.
    pub(super) unit: String,
    /// What it took, reading its data included.
    pub(super) seconds: f64,
    pub(super) measured: Measured,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Measured {
    /// A network was trained in this process.
    Trained(Trained),
    /// A network was trained by three processes, over TLS.
    InProcesses(InProcesses),
    /// Samples were classified.
    Inferred(Inference),
}

/// How a network was trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Variant {
    /// Under the protocol.
    Encrypted,
    /// In plaintext fixed point: the same bits.
    FixedPoint,
    /// In plaintext floating point.
    FloatingPoint,
    /// In plaintext floating point, the square for activation.
    Square,
}

impl Variant {
    pub(super) const ALL: [Self; 4] = [
        Self::Encrypted,
        Self::FixedPoint,
        Self::FloatingPoint,
        Self::Square,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Encrypted => "encrypted",
            Self::FixedPoint => "fixed-point",
            Self::FloatingPoint => "floating-point",
            Self::Square => "square",
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Encrypted => "under encryption",
            Self::FixedPoint => "in plaintext fixed point",
            Self::FloatingPoint => "in plaintext floating point",
            Self::Square => "with squares, in plaintext",
        }
    }
}

/// A network that was trained in this process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trained {
    pub(super) dataset: Dataset,
    pub(super) variant: Variant,
    pub(super) seed: u64,
    pub(super) batch_size: usize,
    /// Only the first so many rows of the files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) first_rows: Option<u64>,
    pub(super) course: Course,
    /// Key generation and the comparison of rows.
    pub(super) set_up_seconds: f64,
    /// All epochs; nothing where it was not measured apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) training_seconds: Option<f64>,
    /// What each party sent in all epochs, without TLS and framing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) training_bytes: Option<Sides<u64>>,
    /// SHA-256 over all weights, where they stand on the protocol's grid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) weights_sha256: Option<String>,
    /// How many weights that are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) weights: Option<usize>,
}

impl Trained {
    pub(super) fn epochs(&self) -> usize {
        self.course.epochs.len()
    }
}

/// A network that was trained by three processes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InProcesses {
    pub(super) dataset: Dataset,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) first_rows: Option<u64>,
    pub(super) batch_size: usize,
    pub(super) epochs: u32,
    pub(super) rounds: u64,
    /// From submission to the end, key generation and testing included.
    pub(super) seconds: f64,
    /// Of a mini-batch, once the first is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) seconds_per_epoch: Option<f64>,
    /// In the whole job, with envelopes and frames, without TLS.
    pub(super) bytes_sent: Sides<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) test_accuracy: Option<f64>,
    pub(super) weights_bit_identical: bool,
}

impl Experiment {
    /// In the names of its units.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Table1 => "table1",
            Self::Table2 => "table2",
            Self::Figure1 => "figure1",
            Self::Training => "training",
            Self::Leak => "leak",
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Table1 => "Table 1: accuracy",
            Self::Table2 => "Tables 2, 3, 4: inference",
            Self::Figure1 => "Figure 1: input dimension",
            Self::Training => "Training (not in the paper)",
            Self::Leak => "Leak (not in the paper)",
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A unit of this name.
    pub(in crate::reproduce) fn finished(unit: &str) -> Finished {
        Finished {
            unit: unit.to_owned(),
            seconds: 1.5,
            measured: Measured::Trained(trained(Dataset::Iris, Variant::Encrypted, 1, 0.9)),
        }
    }

    pub(in crate::reproduce) fn trained(
        dataset: Dataset,
        variant: Variant,
        seed: u64,
        accuracy: f64,
    ) -> Trained {
        let exact = matches!(variant, Variant::Encrypted | Variant::FixedPoint);
        Trained {
            dataset,
            variant,
            seed,
            batch_size: 16,
            first_rows: None,
            course: Course {
                epochs: vec![crate::together::Epoch::default(); 2],
                test_accuracy: Some(accuracy),
                test_rows: 30,
                training_rows: 120,
            },
            set_up_seconds: 0.5,
            training_seconds: Some(4.0),
            training_bytes: Some(Sides {
                active: 4096,
                passive: 2048,
            }),
            weights_sha256: exact.then(|| format!("{}-{seed}", dataset.name())),
            weights: exact.then_some(43),
        }
    }
}
