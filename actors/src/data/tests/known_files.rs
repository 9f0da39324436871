//! The public datasets that the samples in deploy/ name, where they are:
//! `ENTENTE_DATA_DIR`, else `../shared/data` beside the checkout.

use super::*;

const FEATURES: &str = include_str!("../../../../deploy/datasets-features.toml");
const LABELS: &str = include_str!("../../../../deploy/datasets-labels.toml");

fn folder() -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    std::env::var_os("ENTENTE_DATA_DIR").map_or_else(|| beside.into(), PathBuf::from)
}

/// The samples, with their files where they are here.
fn samples(text: &str) -> Datasets {
    #[derive(serde::Deserialize)]
    struct Sample {
        datasets: Datasets,
    }
    let folder = folder().display().to_string();
    let text = text.replace("\"data/", &format!("\"{folder}/"));
    let sample: Sample = toml::from_str(&text).unwrap();
    sample.datasets.check().unwrap();
    sample.datasets
}

#[test]
fn both_samples_name_the_same_datasets() {
    let names = |text| samples(text).names().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(names(FEATURES), names(LABELS));
}

/// Opens both halves; their rows and the first row's classes.
fn open(
    dataset: &str,
    inputs: usize,
    classes: usize,
    edit: impl Fn(&mut JobSpec),
) -> Option<(usize, Vec<usize>)> {
    let (features, labels) = (samples(FEATURES), samples(LABELS));
    let features = features.named(dataset).unwrap();
    if let Some(path) = features.paths().iter().find(|path| !path.is_file()) {
        eprintln!(
            "skipped: {dataset}, because {} is not there",
            path.display()
        );
        return None;
    }
    let job = job(inputs, classes, |spec| {
        spec.data.dataset = dataset.to_owned();
        edit(spec);
    });
    let features = open_features(features, &job).unwrap();
    let labels = open_labels(labels.named(dataset).unwrap(), &job).unwrap();
    assert_eq!(features.ids(), labels.ids());
    let x = features.batch(&[0, features.rows() - 1]).unwrap();
    assert_eq!(x.dim(), (2, inputs));
    assert!(x.iter().all(|x| x.is_finite()));
    Some((labels.rows(), labels.batch(&[0, 1, 2, 3]).unwrap()))
}

#[test]
fn diabetes() {
    if let Some((rows, classes)) = open("diabetes", 8, 2, |_| ()) {
        assert_eq!((rows, &classes[..]), (768, &[1, 0, 1, 0][..]));
    }
}

#[test]
fn kr_vs_kp() {
    if let Some((rows, classes)) = open("kr-vs-kp", 36, 2, |_| ()) {
        assert_eq!((rows, &classes[..]), (3196, &[1, 1, 1, 1][..]));
    }
}

#[test]
fn mnist_test() {
    if let Some((rows, classes)) = open("mnist-test", 784, 10, |_| ()) {
        assert_eq!((rows, &classes[..]), (10_000, &[7, 2, 1, 0][..]));
    }
}

#[test]
fn cifar10_test() {
    if let Some((rows, _)) = open("cifar10-test", 3072, 10, |_| ()) {
        assert_eq!(rows, 1000);
    }
}

#[test]
fn credit_matches_by_id() {
    let by_id = |spec: &mut JobSpec| spec.data.match_on = Some("customer".into());
    if let Some((rows, _)) = open("credit", 10, 2, by_id) {
        assert_eq!(rows, 30_000);
    }
}
