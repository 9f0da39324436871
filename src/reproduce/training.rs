//! Training, which the paper does not measure: seconds and bytes of an epoch,
//! as two parties have them that talk over TLS, and the accuracy after each
//! epoch, under encryption and in plaintext. The curves are one, since the
//! weights are the same bits.
//!
//! The curves are on validation rows, which neither learn nor test.

use super::{
    dataset::{Dataset, Task},
    settings::Settings,
    unit::{InProcesses, Variant},
    work::{Context, Unit, Work},
};
use crate::{cli::Experiment, demo, exit::Failure, sides::Sides};

/// The smallest network, and the one of most weights.
pub(super) const DATASETS: [Dataset; 2] = [Dataset::Iris, Dataset::Mnist];

/// The ways whose curves are drawn.
pub(super) const CURVES: [Variant; 3] = [
    Variant::Encrypted,
    Variant::FixedPoint,
    Variant::FloatingPoint,
];

/// What is trained: of the digits a part, since each epoch is tested on too.
fn task(dataset: Dataset, settings: &Settings) -> Result<Task, Failure> {
    let mut task = dataset.job(settings, 1)?;
    task.spec.data.validation_fraction = 0.2;
    if dataset == Dataset::Mnist {
        let (rows, epochs, batch_size) = match settings.quick {
            true => (640, 3, 32),
            false => (6400, 6, 64),
        };
        task.spec.data.dataset = dataset.name().to_owned();
        task.spec.data.test_rows = None;
        task.spec.data.test_fraction = 0.2;
        task.spec.training.epochs = epochs;
        task.spec.training.batch_size = batch_size;
        task.rows = Some(rows);
    }
    Ok(task)
}

pub(super) fn units(dataset: Dataset, settings: &Settings) -> Result<Vec<Unit>, Failure> {
    let task = task(dataset, settings)?;
    let mut units = vec![Unit {
        id: format!("training/{}/processes", dataset.name()),
        experiment: Experiment::Training,
        title: format!("{}, three processes over TLS", dataset.title()),
        work: Work::InProcesses {
            dataset,
            task: task.clone(),
        },
    }];
    units.extend(CURVES.map(|variant| Unit {
        id: format!("training/{}/{}", dataset.name(), variant.name()),
        experiment: Experiment::Training,
        title: format!("{} by epoch, {}", dataset.title(), variant.title()),
        work: Work::Train {
            dataset,
            variant,
            task: task.clone(),
        },
    }));
    Ok(units)
}

/// Trains as in the field: a coordinator and two parties, each a process.
pub(super) async fn in_processes(
    dataset: Dataset,
    task: &Task,
    context: &Context,
) -> Result<InProcesses, Failure> {
    let report = demo::measure(&task.job()?, &task.halves(&context.data)?).await?;
    Ok(InProcesses {
        dataset,
        first_rows: task.rows,
        batch_size: task.spec.training.batch_size,
        epochs: report.epochs,
        rounds: report.rounds,
        seconds: report.seconds,
        seconds_per_epoch: report.seconds_per_epoch,
        bytes_sent: Sides {
            active: report.bytes_sent.active as u64,
            passive: report.bytes_sent.passive as u64,
        },
        test_accuracy: report.test_accuracy,
        weights_bit_identical: report.weights_bit_identical,
    })
}
