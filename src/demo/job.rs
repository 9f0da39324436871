//! The demonstration's job: the dataset's sample in `deploy/`, with what the
//! command line says in its place.

use entente_protocol::job::{
    Bottom, EarlyStopping, Job, Keep, Metric, Network, Preset, SampleShape,
};

use crate::{cli::DemoArgs, exit::Failure};

/// The party that owns the features.
pub(super) const ACTIVE: &str = "bank-a";
/// The party that owns the labels.
pub(super) const PASSIVE: &str = "bank-b";
/// The coordinator.
pub(super) const COORDINATOR: &str = "coordinator";

/// The specification that is submitted.
pub(super) fn job(args: &DemoArgs) -> Result<Job, Failure> {
    let sample = Job::from_toml(args.dataset.job()).map_err(Failure::configuration)?;
    let mut spec = sample.spec().clone();
    if let Some(model) = args.model {
        spec.network = network(model, &spec.network).map_err(|problem| {
            let (model, dataset) = (model.name(), &spec.data.dataset);
            Failure::Configuration(format!(
                "--model {model} does not fit --dataset {dataset}: {problem}"
            ))
        })?;
    }
    spec.encryption.key_bits = args.key_bits;
    if let Some(epochs) = args.epochs {
        spec.training.epochs = epochs;
    }
    if let Some(patience) = args.patience {
        spec.data.validation_fraction = 0.2;
        spec.training.early_stopping = Some(EarlyStopping {
            patience,
            min_delta: 0.0,
            metric: Metric::Loss,
        });
        spec.training.keep = Keep::Best;
    }
    if let Some(batch_size) = args.batch_size {
        spec.training.batch_size = batch_size;
    }
    spec.training.seed = args.seed;
    Job::try_from(spec).map_err(Failure::configuration)
}

/// The preset in the place of the sample's network. It goes the way that a
/// person's `[network]` goes, so that a preset which is for one shape and one
/// loss says so, and brings its loss along.
fn network(model: Preset, sample: &Network) -> Result<Network, String> {
    let axes = sample.input.axes().into_iter();
    let number = |count: usize| toml::Value::Integer(i64::try_from(count).unwrap_or(i64::MAX));
    let written = toml::Table::from_iter([
        ("preset".to_owned(), model.name().into()),
        (
            "input".to_owned(),
            axes.map(number).collect::<Vec<_>>().into(),
        ),
        ("classes".to_owned(), number(sample.classes)),
    ]);
    let network: Network = written
        .try_into()
        .map_err(|error: toml::de::Error| error.message().to_owned())?;
    match network.blueprint() {
        Ok(_) => Ok(network),
        Err(error) => Err(error.to_string()),
    }
}

/// The network for people: its name, or how wide it is at input, cut and top.
pub(super) fn model(job: &Job) -> String {
    let network = &job.spec().network;
    match (&network.bottom, network.input) {
        (Bottom::Preset(preset), _) => preset.name().to_owned(),
        (Bottom::Layers(_), SampleShape::Row(inputs)) => {
            format!("{inputs}-{}-{}", job.blueprint().width(), network.classes)
        }
        (Bottom::Layers(_), _) => "layers".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use clap::Parser;
    use entente_protocol::job::Objective;

    use super::*;
    use crate::cli::{Cli, Command};

    fn args(said: &[&str]) -> DemoArgs {
        let words = ["entente", "demo"].iter().chain(said);
        match Cli::try_parse_from(words).unwrap().command {
            Command::Demo(args) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_said_is_the_sample_of_iris() {
        let sample = Job::from_toml(include_str!("../../deploy/iris.toml")).unwrap();
        let job = job(&args(&[])).unwrap();
        assert_eq!(job, sample);
        assert_eq!(model(&job), "4-5-3");
    }

    #[test]
    fn patience_keeps_the_best_epoch_and_needs_rows_to_choose_by() {
        let patient = job(&args(&["--patience", "3"])).unwrap();
        let selection = patient.selection().unwrap();
        assert_eq!((selection.patience, selection.keep), (Some(3), Keep::Best));
        assert!(!patient.schedule(150).validation_rows().is_empty());
        assert!(job(&args(&["--patience", "0"])).is_err());
        assert_eq!(job(&args(&[])).unwrap().selection(), None);
    }

    #[test]
    fn mnist_is_lenet_unless_another_model_is_named() {
        let usual = job(&args(&["--dataset", "mnist"])).unwrap();
        let named = job(&args(&["--dataset", "mnist", "--model", "lenet5"])).unwrap();
        assert_eq!(usual, named);
        assert_eq!(
            (model(&usual).as_str(), usual.blueprint().width()),
            ("lenet5", 84)
        );
        let other = job(&args(&["--dataset", "mnist", "--model", "mlr"])).unwrap();
        assert_eq!(
            (model(&other).as_str(), other.blueprint().width()),
            ("mlr", 784)
        );
        assert_eq!(other.spec().network.loss, Objective::CrossEntropy);
        assert_eq!(other.spec().training, usual.spec().training);
    }

    #[test]
    fn a_model_that_does_not_fit_is_refused_and_both_are_named() {
        for (dataset, bad) in [
            (
                "mnist",
                &["mlp-iris", "mlp-diabetes", "mlp-krkp", "resnet8"][..],
            ),
            (
                "iris",
                &["mlp-diabetes", "mlp-krkp", "conv1", "lenet5", "resnet8"],
            ),
        ] {
            for preset in bad {
                let said = args(&["--dataset", dataset, "--model", preset]);
                let problem = match job(&said) {
                    Err(Failure::Configuration(problem)) => problem,
                    other => panic!("{dataset}, {preset}: {other:?}"),
                };
                let both = format!("--model {preset} does not fit --dataset {dataset}: ");
                assert!(problem.starts_with(&both), "{problem}");
            }
        }
    }
}
