//! What a job will cost, before it is submitted: its own cut, measured here.

use std::{fs, path::Path};

use entente_he::Layout;
use entente_protocol::job::Job;
use serde::Serialize;

use super::{
    cut::Cut,
    effort::{Effort, say},
    round,
};
use crate::{cli::Format, exit::Failure, output};

/// The forecast.
#[derive(Debug, Serialize)]
struct Estimate {
    key_bits: u32,
    batch_size: usize,
    width: usize,
    classes: usize,
    training_rows: u64,
    rounds_per_epoch: u64,
    epochs: u32,
    set_up_seconds: f64,
    seconds_per_round: f64,
    seconds_per_epoch: f64,
    seconds: f64,
    bytes_per_epoch: BytesSent,
}

#[derive(Debug, Serialize)]
struct BytesSent {
    active: u64,
    passive: u64,
}

/// Measures a round of the job's cut and multiplies. The protocol's two sides
/// take turns, so that two machines like this one need as long as this one
/// does for both; the network below the cut, the network between the parties
/// and joint inference over validation and test rows come on top.
pub(super) fn estimate(path: &Path, rows: usize, format: Format) -> Result<(), Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::Configuration(format!("{}: {error}", path.display())))?;
    let job = Job::from_toml(&text)
        .map_err(|error| Failure::Configuration(format!("{}: {error}", path.display())))?;
    let spec = job.spec();
    let cut = Cut {
        batch: spec.training.batch_size,
        width: job.width(),
        classes: job.logits(),
    };
    let schedule = job.schedule(rows);
    let rounds = schedule.rounds_per_epoch();
    say("whole rounds");
    let round = round::measure(job.key_bits(), Layout::Packed, cut, Effort::Full)?;
    say("");
    let seconds_per_epoch = round.median_seconds * rounds as f64;
    let estimate = Estimate {
        key_bits: job.key_bits().bits(),
        batch_size: cut.batch,
        width: cut.width,
        classes: cut.classes,
        training_rows: schedule.train_rows().len() as u64,
        rounds_per_epoch: rounds,
        epochs: spec.training.epochs,
        set_up_seconds: round.set_up_seconds,
        seconds_per_round: round.median_seconds,
        seconds_per_epoch,
        seconds: round.set_up_seconds + seconds_per_epoch * f64::from(spec.training.epochs),
        bytes_per_epoch: BytesSent {
            active: round.active_bytes as u64 * rounds,
            passive: round.passive_bytes as u64 * rounds,
        },
    };
    if format == Format::Json {
        return output::json(&estimate);
    }
    let rows = [
        [
            "rounds of an epoch".to_owned(),
            estimate.rounds_per_epoch.to_string(),
        ],
        [
            "a round".to_owned(),
            output::duration(estimate.seconds_per_round),
        ],
        [
            "an epoch".to_owned(),
            output::duration(estimate.seconds_per_epoch),
        ],
        [
            format!("all {} epochs", estimate.epochs),
            output::duration(estimate.seconds),
        ],
        [
            "sent in an epoch by the active party".to_owned(),
            output::bytes(estimate.bytes_per_epoch.active as f64),
        ],
        [
            "sent in an epoch by the passive party".to_owned(),
            output::bytes(estimate.bytes_per_epoch.passive as f64),
        ],
    ];
    println!("{}", output::table(["Estimate", ""], rows));
    Ok(())
}
