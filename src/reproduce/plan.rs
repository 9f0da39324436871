//! What a run will do, and how long it will take: said before it starts.

use super::{
    calibration::Calibration,
    dataset::Dataset,
    figure1, inference, leak, table1, training,
    work::{Context, Unit, Work},
};
use crate::{
    cli::{Experiment, ReproduceArgs},
    exit::Failure,
    output,
};

/// All experiments, in the order of the report.
pub(super) const EXPERIMENTS: [Experiment; 5] = [
    Experiment::Table1,
    Experiment::Table2,
    Experiment::Figure1,
    Experiment::Training,
    Experiment::Leak,
];

/// Units that are to be done, and datasets that are not there.
pub(super) struct Plan {
    pub(super) units: Vec<Unit>,
    pub(super) skipped: Vec<Skipped>,
}

/// A dataset that is not trained on.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub(super) struct Skipped {
    pub(super) dataset: Dataset,
    pub(super) why: String,
}

/// A unit, and what it is forecast to take.
pub(super) struct Planned {
    pub(super) unit: Unit,
    pub(super) seconds: f64,
}

impl Plan {
    /// Everything that is asked for.
    pub(super) fn new(args: &ReproduceArgs, context: &Context) -> Result<Self, Failure> {
        let wanted = |experiment| args.only.is_empty() || args.only.contains(&experiment);
        let settings = &context.settings;
        let (mut units, mut skipped) = (Vec::new(), Vec::new());
        let mut datasets = Vec::new();
        for dataset in Dataset::ALL {
            let chosen = args.dataset.is_empty() || args.dataset.contains(&dataset);
            match dataset.job(settings, 1)?.halves(&context.data) {
                _ if !chosen => {}
                Ok(_) => datasets.push(dataset),
                Err(why) => skipped.push(Skipped {
                    dataset,
                    why: why.to_string(),
                }),
            }
        }
        for experiment in EXPERIMENTS.into_iter().filter(|one| wanted(*one)) {
            let there = |dataset: &&Dataset| datasets.contains(*dataset);
            match experiment {
                Experiment::Table1 => {
                    for dataset in &datasets {
                        units.extend(table1::units(*dataset, settings)?);
                    }
                }
                Experiment::Table2 => units.extend(inference::units(settings)),
                Experiment::Figure1 => units.extend(figure1::units()),
                Experiment::Training => {
                    for dataset in training::DATASETS.iter().filter(there) {
                        units.extend(training::units(*dataset, settings)?);
                    }
                }
                Experiment::Leak if datasets.contains(&leak::DATASET) => {
                    units.extend(leak::units(settings)?);
                }
                Experiment::Leak => {}
            }
        }
        Ok(Self { units, skipped })
    }

    /// With a forecast for each, without those that `done` knows.
    pub(super) fn forecast(
        self,
        context: &Context,
        done: impl Fn(&str) -> bool,
    ) -> Result<Vec<Planned>, Failure> {
        let mut calibration = Calibration::new(context.settings.clone());
        let left = self.units.into_iter().filter(|unit| !done(&unit.id));
        left.map(|unit| {
            let seconds = forecast(&unit, &mut calibration)?;
            Ok(Planned { unit, seconds })
        })
        .collect()
    }
}

fn forecast(unit: &Unit, by: &mut Calibration) -> Result<f64, Failure> {
    let rows = |dataset: Dataset, first: Option<u64>| {
        let all = dataset.rows();
        first.map_or(all, |first| all.min(first as usize))
    };
    match &unit.work {
        Work::Train {
            dataset,
            variant,
            task,
        } => by.training(&task.job()?, rows(*dataset, task.rows), *variant),
        Work::InProcesses { dataset, task } => {
            by.in_processes(&task.job()?, rows(*dataset, task.rows))
        }
        Work::Infer(case) => by.inference(case),
    }
}

/// The plan for a person: a line for each experiment.
pub(super) fn print(units: &[Planned], done: usize) {
    let rows = EXPERIMENTS.into_iter().filter_map(|experiment| {
        let of = units
            .iter()
            .filter(|planned| planned.unit.experiment == experiment);
        let (count, seconds) = of.fold((0, 0.0), |(count, seconds), planned| {
            (count + 1, seconds + planned.seconds)
        });
        (count > 0).then(|| {
            [
                experiment.title().to_owned(),
                count.to_string(),
                output::duration(seconds),
            ]
        })
    });
    println!("{}", output::table(["Experiment", "parts", "about"], rows));
    let all = output::duration(units.iter().map(|planned| planned.seconds).sum());
    match done {
        0 => println!("\n{} parts, about {all} in all.", units.len()),
        _ => println!(
            "\n{done} parts are finished already; {} more, about {all} in all.",
            units.len()
        ),
    }
}
