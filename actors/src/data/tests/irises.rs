//! The data that comes with the software.

use super::*;

fn features_error(config: &DatasetConfig, job: &Job) -> DataError {
    open_features(config, job).err().unwrap()
}

#[test]
fn there_are_150_rows_of_4_features_and_3_classes_of_50() {
    let job = iris_job(|_| ());
    let features = open_features(&iris(Columns::Features), &job).unwrap();
    let labels = open_labels(&iris(Columns::Labels), &job).unwrap();
    assert_eq!((features.rows(), labels.rows()), (150, 150));
    let all: Vec<usize> = (0..150).collect();
    assert_eq!(features.batch(&all).unwrap().dim(), (150, 4));
    let classes = labels.batch(&all).unwrap();
    for class in 0..3 {
        assert_eq!(classes.iter().filter(|x| **x == class).count(), 50);
    }
}

#[test]
fn training_rows_have_mean_0_and_variance_1_and_test_rows_do_not() {
    let job = iris_job(|_| ());
    let features = open_features(&iris(Columns::Features), &job).unwrap();
    let schedule = job.schedule(150);
    let moments = |rows: &[usize]| {
        let batch = features.batch(rows).unwrap().mapv(f64::from);
        let mean = batch.mean_axis(ndarray::Axis(0)).unwrap();
        (mean, batch.var_axis(ndarray::Axis(0), 0.0))
    };
    let (mean, variance) = moments(schedule.train_rows());
    assert!(mean.iter().all(|x| x.abs() < 1e-6), "{mean}");
    assert!(variance.iter().all(|x| (x - 1.0).abs() < 1e-6));
    let (mean, _) = moments(schedule.test_rows());
    assert!(mean.iter().any(|x| x.abs() > 1e-3), "{mean}");
}

#[test]
fn rows_come_in_the_order_asked_for_and_a_missing_one_is_named() {
    let job = iris_job(|_| ());
    let features = open_features(&iris(Columns::Features), &job).unwrap();
    let labels = open_labels(&iris(Columns::Labels), &job).unwrap();
    assert_eq!(labels.batch(&[149, 0, 75, 0]).unwrap(), [2, 0, 1, 0]);
    let pair = features.batch(&[149, 3]).unwrap();
    assert_eq!(pair.row(1), features.batch(&[3]).unwrap().row(0));
    for error in [
        features.batch(&[0, 150]).unwrap_err(),
        labels.batch(&[0, 150]).unwrap_err(),
    ] {
        assert!(error.to_string().contains("row 150"), "{error}");
    }
}

#[test]
fn the_wrong_half_is_refused_with_what_to_do() {
    let job = iris_job(|_| ());
    let error = features_error(&iris(Columns::Labels), &job);
    assert_eq!(error.label(), "wrong_half");
    assert_eq!(
        error.to_string(),
        "dataset 'iris': this party holds its labels, the job needs its features (this party is \
         active): give the dataset columns = \"features\" if it has them, or exchange the \
         parties in the job"
    );
    let error = open_labels(&iris(Columns::Features), &job).err().unwrap();
    assert!(error.to_string().contains("this party is passive"));
}

#[test]
fn data_that_does_not_fit_the_job_is_refused() {
    let features = iris(Columns::Features);
    let shape = SampleShape::Row(5);
    let error = features_error(&features, &iris_job(|spec| spec.network.input = shape));
    let (columns, inputs) = (4, 5);
    assert_eq!(error.fault, Fault::Inputs { columns, inputs });
    // Class 2 first stands in the 101st row.
    let two = iris_job(|spec| spec.network.classes = 2);
    let error = open_labels(&iris(Columns::Labels), &two).err().unwrap();
    assert_eq!((error.label(), error.place.row), ("label", Some(101)));
    let untaught = iris_job(|spec| spec.data.test_fraction = 0.999);
    for error in [
        features_error(&features, &untaught),
        open_labels(&iris(Columns::Labels), &untaught)
            .err()
            .unwrap(),
    ] {
        assert_eq!(error.label(), "nothing_to_learn");
        assert!(error.to_string().contains("sets 150 apart"), "{error}");
    }
}

#[test]
fn a_configuration_is_read_strictly_and_an_unknown_name_lists_the_known() {
    let read = serde_json::from_str::<Datasets>;
    let datasets = read(r#"{"iris": {"source": "iris", "columns": "labels"}}"#).unwrap();
    assert_eq!(datasets.named("iris").unwrap(), &iris(Columns::Labels));
    let error = datasets.named("irises").unwrap_err();
    assert_eq!(error.label(), "unknown_dataset");
    assert!(error.to_string().contains("it has: iris"), "{error}");
    for wrong in [
        r#"{"iris": {"source": "iris"}}"#,
        r#"{"iris": {"source": "iris", "columns": "both"}}"#,
        r#"{"iris": {"source": "roses", "columns": "labels"}}"#,
        r#"{"iris": {"source": "iris", "columns": "labels", "path": "x"}}"#,
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}
