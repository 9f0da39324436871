//! What the demonstration ends with.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Serialize;

use crate::{exit::Failure, output, sides::Sides};

/// Everything that was measured; `--report` writes it as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(super) dataset: String,
    pub(super) model: String,
    pub(super) scheme: String,
    pub(super) key_bits: u32,
    /// That were asked for.
    pub(crate) epochs: u32,
    /// That were gone through: fewer where training stopped early.
    pub(super) epochs_done: u32,
    /// The one whose weights were tested and compared, where one was chosen.
    pub(super) best_epoch: Option<u32>,
    /// Mini-batches.
    pub(crate) rounds: u64,
    pub(crate) test_accuracy: Option<f64>,
    pub(super) plaintext_accuracy: Option<f64>,
    pub(crate) weights_bit_identical: bool,
    /// Weights that were compared.
    pub(super) weights: usize,
    /// Training samples over all seconds of the job, key generation and
    /// testing included.
    pub(super) samples_per_second: f64,
    pub(crate) seconds: f64,
    /// Once key generation and the first mini-batches are done; nothing when a
    /// job is too short to tell.
    pub(crate) seconds_per_epoch: Option<f64>,
    pub(crate) bytes_sent: Sides<f64>,
    /// By operation.
    pub(super) he_ops: BTreeMap<String, Operations>,
    /// By state: from the message's arrival to the machine's answer.
    pub(super) step_seconds: Sides<BTreeMap<String, Steps>>,
}

/// One kind of homomorphic operation, over whole matrices.
#[derive(Debug, Default, Serialize)]
pub(super) struct Operations {
    pub(super) operations: f64,
    /// Entries of the matrices.
    pub(super) items: f64,
    pub(super) seconds: f64,
}

/// One step of the protocol.
#[derive(Debug, Default, Serialize)]
pub(super) struct Steps {
    pub(super) count: f64,
    pub(super) seconds: f64,
}

impl Report {
    /// Writes it as JSON.
    pub(super) fn write(&self, path: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).map_err(Failure::runtime)?;
        fs::write(path, text + "\n")
            .map_err(|error| Failure::Runtime(format!("{}: {error}", path.display())))
    }

    /// Prints it for a person.
    pub(super) fn print(&self) {
        let accuracy = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), output::percent);
        println!("\nStep of the protocol (seconds, all rounds)");
        let steps = [
            ("active", &self.step_seconds.active),
            ("passive", &self.step_seconds.passive),
        ]
        .into_iter()
        .flat_map(|(side, steps)| steps.iter().map(move |(state, step)| (side, state, step)))
        .map(|(side, state, step)| {
            let each = 1000.0 * step.seconds / step.count.max(1.0);
            [
                side.to_owned(),
                state.clone(),
                format!("{:.0}", step.count),
                format!("{:.2}", step.seconds),
                format!("{each:.1}"),
            ]
        });
        println!(
            "{}",
            output::table(["party", "state", "times", "seconds", "ms each"], steps)
        );
        println!("\nHomomorphic operations (on whole matrices)");
        let operations = self.he_ops.iter().map(|(name, ops)| {
            let each = 1e6 * ops.seconds / ops.items.max(1.0);
            [
                name.clone(),
                format!("{:.0}", ops.operations),
                format!("{:.0}", ops.items),
                format!("{:.2}", ops.seconds),
                format!("{each:.0}"),
            ]
        });
        let header = ["operation", "times", "entries", "seconds", "us an entry"];
        println!("{}", output::table(header, operations));
        let chosen = self.best_epoch.map(|best| {
            let (done, asked) = (self.epochs_done, self.epochs);
            [
                "weights".into(),
                format!("of epoch {best}, the best of {done} ({asked} were asked for)"),
            ]
        });
        let rows = [
            [
                "test accuracy, trained under encryption".into(),
                accuracy(self.test_accuracy),
            ],
            [
                "test accuracy, same network in plaintext".into(),
                accuracy(self.plaintext_accuracy),
            ],
            [
                format!(
                    "all {} weights equal the plaintext fixed-point reference",
                    self.weights
                ),
                if self.weights_bit_identical {
                    "yes, bit for bit"
                } else {
                    "NO"
                }
                .into(),
            ],
            [
                "training".into(),
                format!("{:.1} samples/s", self.samples_per_second),
            ],
            ["time".into(), output::duration(self.seconds)],
            [
                "sent by the active party".into(),
                output::bytes(self.bytes_sent.active),
            ],
            [
                "sent by the passive party".into(),
                output::bytes(self.bytes_sent.passive),
            ],
        ];
        let rows = chosen.into_iter().chain(rows);
        println!("\n{}", output::table(["Result", ""], rows));
    }
}
