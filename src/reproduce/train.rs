//! A network trained in one of the ways that are compared.

use super::{
    dataset::Task,
    unit::{Trained, Variant},
    work::Context,
};
use crate::{
    exit::Failure,
    reproduce::Dataset,
    together::{self, Course, Epoch, Learnt, Together, Watch},
};

/// Trains the network of `task` as `variant` says.
pub(super) fn train(
    dataset: Dataset,
    variant: Variant,
    task: &Task,
    context: &Context,
    watch: Watch<'_>,
) -> Result<Trained, Failure> {
    let job = task.job()?;
    let together = Together::new(job.clone(), &task.halves(&context.data)?)?;
    let training = &task.spec.training;
    let blank = Trained {
        dataset,
        variant,
        seed: training.seed,
        batch_size: training.batch_size,
        first_rows: task.rows,
        course: Course::default(),
        set_up_seconds: 0.0,
        training_seconds: None,
        training_bytes: None,
        weights_sha256: None,
        weights: None,
    };
    let exactly = |learnt: Learnt| Trained {
        course: learnt.course,
        set_up_seconds: learnt.set_up_seconds,
        training_seconds: Some(learnt.training_seconds),
        weights_sha256: Some(together::digest(&learnt.model)),
        weights: Some(together::weights(&learnt.model)),
        ..blank.clone()
    };
    Ok(match variant {
        Variant::Encrypted => {
            let learnt = together.encrypted(watch)?;
            let training_bytes = Some(learnt.training_bytes);
            Trained {
                training_bytes,
                ..exactly(learnt)
            }
        }
        Variant::FixedPoint => exactly(together.fixed_point(watch)?),
        Variant::FloatingPoint | Variant::Square => {
            let result = together.floating_point()?;
            let schedule = together.schedule()?;
            let validated = |epoch: usize| result.validated.get(epoch).copied();
            let epochs = result.losses.iter().enumerate();
            Trained {
                course: Course {
                    epochs: epochs
                        .map(|(epoch, loss)| Epoch {
                            loss: *loss,
                            validation_accuracy: validated(epoch),
                            leak: None,
                        })
                        .collect(),
                    test_accuracy: result.test_accuracy,
                    test_rows: schedule.test_rows().len() as u64,
                    training_rows: schedule.train_rows().len() as u64,
                },
                ..blank
            }
        }
    })
}
