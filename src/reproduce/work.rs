//! What a unit does.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use super::{
    dataset::{Dataset, Task},
    inference::Case,
    settings::Settings,
    train::train,
    training,
    unit::{Finished, Measured, Variant},
};
use crate::{cli::Experiment, exit::Failure};

/// A part of a run.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    /// Its name, which does not change from run to run.
    pub(super) id: String,
    pub(super) experiment: Experiment,
    /// For people.
    pub(super) title: String,
    pub(super) work: Work,
}

/// What it does.
#[derive(Debug, Clone)]
pub(super) enum Work {
    /// Trains a network in this process.
    Train {
        dataset: Dataset,
        variant: Variant,
        task: Task,
    },
    /// Trains a network in three processes.
    InProcesses { dataset: Dataset, task: Task },
    /// Classifies samples.
    Infer(Case),
}

/// What all units are done with.
#[derive(Debug, Clone)]
pub(super) struct Context {
    pub(super) settings: Settings,
    /// The folder of all datasets.
    pub(super) data: PathBuf,
}

/// How far a unit is, in thousandths; read from another thread.
#[derive(Debug, Clone, Default)]
pub(super) struct Gauge(Arc<AtomicU64>);

impl Gauge {
    fn set(&self, done: u64, of: u64) {
        self.0.store(done * 1000 / of.max(1), Ordering::Relaxed);
    }

    /// 0 to 1.
    pub(super) fn part(&self) -> f64 {
        self.0.load(Ordering::Relaxed) as f64 / 1000.0
    }
}

impl Unit {
    /// Does it.
    pub(super) async fn run(&self, context: &Context, gauge: &Gauge) -> Result<Finished, Failure> {
        let begun = Instant::now();
        let measured = match &self.work {
            Work::InProcesses { dataset, task } => {
                Measured::InProcesses(training::in_processes(*dataset, task, context).await?)
            }
            Work::Train {
                dataset,
                variant,
                task,
            } => {
                let (dataset, variant, task) = (*dataset, *variant, task.clone());
                let (context, gauge) = (context.clone(), gauge.clone());
                Measured::Trained(
                    elsewhere(move || {
                        let mut watch = |done, of| {
                            gauge.set(done, of);
                            Ok(())
                        };
                        train(dataset, variant, &task, &context, &mut watch)
                    })
                    .await?,
                )
            }
            Work::Infer(case) => {
                let (case, settings) = (*case, context.settings.clone());
                Measured::Inferred(elsewhere(move || case.measure(&settings)).await?)
            }
        };
        Ok(Finished {
            unit: self.id.clone(),
            seconds: begun.elapsed().as_secs_f64(),
            measured,
        })
    }
}

/// Computes on a thread of its own, so that Ctrl-C is heard meanwhile. Not on
/// one of the runtime's, which would wait for it before it ends.
async fn elsewhere<T: Send + 'static>(
    compute: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("unit".to_owned())
        .spawn(move || {
            // Nobody listens any more when the run was interrupted.
            let _ = tell.send(compute());
        })
        .map_err(Failure::runtime)?;
    told.await
        .map_err(|_| Failure::runtime("a measurement panicked; please report this"))?
}
