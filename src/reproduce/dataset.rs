//! The paper's four datasets of Table 1, and the job of each.
//!
//! The jobs are files that a person could submit; what was chosen in them, and
//! how, stands in their comments.

use std::path::Path;

use entente_protocol::job::{Job, JobSpec, Optimizer, network::Activation};
use serde::{Deserialize, Serialize};

use super::settings::Settings;
use crate::{
    data::declared::{self, Half},
    exit::Failure,
    sides::Sides,
};

/// Seeds that share one deal of the rows, each with another fifth to test on:
/// five of them test on every row once. With a deal for each seed the mean
/// would hang on which rows come up twice: of the irises, four or five are
/// hard, and all the rest easy.
const FOLDS: u64 = 5;

/// A dataset of Table 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Dataset {
    /// Fisher's irises, 150 rows.
    Iris,
    /// Diabetes of the Pima, 768 rows.
    Diabetes,
    /// Chess: king and rook against king and pawn, 3,196 rows.
    KrVsKp,
    /// Handwritten digits, 60,000 and 10,000.
    Mnist,
}

/// Accuracies that the paper prints in its Table 1.
pub(super) struct Printed {
    pub(super) ours: f64,
    pub(super) cryptonets: f64,
    pub(super) gelu_net: f64,
}

impl Dataset {
    pub(super) const ALL: [Self; 4] = [Self::Iris, Self::Diabetes, Self::KrVsKp, Self::Mnist];

    /// In the names of units and on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Iris => "iris",
            Self::Diabetes => "diabetes",
            Self::KrVsKp => "kr-vs-kp",
            Self::Mnist => "mnist",
        }
    }

    /// For people.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Iris => "Iris",
            Self::Diabetes => "Diabetes",
            Self::KrVsKp => "kr-vs-kp",
            Self::Mnist => "MNIST",
        }
    }

    /// How many rows its files have, the test set included.
    pub(super) fn rows(self) -> usize {
        match self {
            Self::Iris => 150,
            Self::Diabetes => 768,
            Self::KrVsKp => 3196,
            Self::Mnist => 70_000,
        }
    }

    pub(super) fn network(self) -> &'static str {
        match self {
            Self::Iris => "4-5-3",
            Self::Diabetes => "8-12-1",
            Self::KrVsKp => "36-15-1",
            Self::Mnist => "LeNet-5",
        }
    }

    pub(super) fn printed(self) -> Printed {
        let [ours, cryptonets, gelu_net] = match self {
            Self::Iris => [0.980, 0.966, 0.982],
            Self::Diabetes => [0.760, 0.741, 0.758],
            Self::KrVsKp => [0.965, 0.948, 0.967],
            Self::Mnist => [0.970, 0.919, 0.969],
        };
        Printed {
            ours,
            cryptonets,
            gelu_net,
        }
    }

    fn written(self) -> &'static str {
        match self {
            Self::Iris => include_str!("jobs/iris.toml"),
            Self::Diabetes => include_str!("jobs/diabetes.toml"),
            Self::KrVsKp => include_str!("jobs/kr-vs-kp.toml"),
            Self::Mnist => include_str!("jobs/mnist.toml"),
        }
    }

    /// Seeds of a run that is asked for `seeds` of them. One pass over the
    /// digits costs what a whole run of the others does: one seed is trained.
    pub(super) fn seeds(self, seeds: u64) -> u64 {
        match self {
            Self::Mnist => 1,
            _ => seeds,
        }
    }

    /// The job as it is written.
    pub(super) fn sample(self) -> Result<JobSpec, Failure> {
        let job = Job::from_toml(self.written()).map_err(Failure::runtime)?;
        Ok(job.spec().clone())
    }

    /// The job under `seed`, as these settings have it.
    pub(super) fn job(self, settings: &Settings, seed: u64) -> Result<Task, Failure> {
        let mut spec = self.sample()?;
        spec.training.seed = seed;
        if spec.data.test_rows.is_none() {
            let (deal, fold) = ((seed - 1) / FOLDS, (seed - 1) % FOLDS);
            spec.data.split_seed = Some(1 + deal);
            spec.data.test_fold = fold as u32;
        }
        spec.encryption.key_bits = settings.key_bits;
        let mut rows = None;
        if settings.quick {
            let (epochs, first) = self.quick();
            spec.training.epochs = epochs;
            if first.is_some() {
                // The last of these few rows are not the test set.
                spec.data.dataset = self.name().to_owned();
                spec.data.test_rows = None;
                spec.data.test_fraction = 0.2;
            }
            spec.training.warm_up_epochs = spec.training.warm_up_epochs.min(epochs);
            rows = first;
        }
        Ok(Task { spec, rows })
    }

    /// What a quick run leaves out of Table 1, for people.
    pub(super) fn shortened(self) -> Result<String, Failure> {
        let (epochs, rows) = self.quick();
        let all = self.sample()?.training.epochs;
        let rows = rows.map_or_else(String::new, |rows| {
            format!(" on the first {rows} rows, a fifth of them tested on")
        });
        Ok(format!("{} {epochs} of {all} epochs{rows}", self.title()))
    }

    /// Epochs of a quick run, and how many rows it takes.
    fn quick(self) -> (u32, Option<u64>) {
        match self {
            Self::Iris => (15, None),
            Self::Diabetes => (4, None),
            Self::KrVsKp => (3, None),
            Self::Mnist => (2, Some(1500)),
        }
    }
}

/// A job on the first so many rows of its dataset.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) spec: JobSpec,
    pub(super) rows: Option<u64>,
}

impl Task {
    pub(super) fn job(&self) -> Result<Job, Failure> {
        Job::try_from(self.spec.clone()).map_err(Failure::runtime)
    }

    /// Both halves of its data, from the files below `folder`.
    pub(super) fn halves(&self, folder: &Path) -> Result<Sides<Half>, Failure> {
        declared::halves(&self.spec.data.dataset, self.rows, folder)
    }

    /// The same network as CryptoNets can compute it under encryption: the
    /// square in the place of each other activation.
    ///
    /// Squares of squares grow where tanh is bounded: through LeNet-5's four
    /// they are taught with a tenth of the steps.
    pub(super) fn squared(mut self, dataset: Dataset) -> Result<Self, Failure> {
        if dataset == Dataset::Mnist {
            let training = &mut self.spec.training;
            training.learning_rate *= 0.1;
            training.bottom = Optimizer::Adam {
                learning_rate: 0.1 * training.bottom.learning_rate(),
            };
        }
        let network = self.spec.network.with_activation(Activation::Square);
        self.spec.network = network.map_err(Failure::runtime)?;
        Ok(self)
    }
}
