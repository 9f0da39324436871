//! What a report has, from measurements that are made up.
#![allow(clippy::unwrap_used)]

use serde_json::Value;

use super::*;
use crate::{
    reproduce::{
        baselines::Cost,
        figure1::DIMENSIONS,
        inference::{BATCHES, How, Inference, ROWS, Subjects},
        leak,
        settings::tests::settings,
        unit::{InProcesses, Variant, tests::trained},
    },
    sides::Sides,
    together::Epoch,
};

fn unit(name: String, measured: Measured) -> Finished {
    Finished {
        unit: name,
        seconds: 2.0,
        measured,
    }
}

fn inferred(
    subject: Subjects,
    how: How,
    input: Vec<usize>,
    batch: usize,
    seconds: f64,
) -> Measured {
    Measured::Inferred(Inference {
        subject,
        how,
        batch,
        inputs: input.iter().product(),
        input,
        encrypted_width: 84,
        repetitions: 1,
        cost: Cost {
            samples: batch,
            client_seconds: seconds / 2.0,
            server_seconds: seconds / 2.0,
            client_bytes: 1000,
            server_bytes: 24,
            round_trips: 1,
            ..Cost::default()
        },
    })
}

/// A unit of every kind.
fn finished() -> Vec<Finished> {
    let mut units = Vec::new();
    for dataset in Dataset::ALL {
        for variant in Variant::ALL {
            for seed in 1..=dataset.seeds(2) {
                let accuracy = dataset.printed().ours + 0.001 * seed as f64;
                let trained = Measured::Trained(trained(dataset, variant, seed, accuracy));
                let (dataset, variant) = (dataset.name(), variant.name());
                units.push(unit(
                    format!("table1/{dataset}/seed-{seed}/{variant}"),
                    trained,
                ));
            }
        }
    }
    for batch in BATCHES {
        for (place, row) in ROWS.iter().enumerate() {
            let seconds = batch as f64 * (1.0 + place as f64);
            let axes = row.input.axes();
            let ours = inferred(row.subject, How::Ours, axes.clone(), batch, seconds);
            units.push(unit(format!("table2/{place}/{batch}/ours"), ours));
            let theirs = inferred(row.subject, How::GeluNet, axes, batch, 10.0 * seconds);
            units.push(unit(format!("table2/{place}/{batch}/gelu-net"), theirs));
        }
        for inputs in DIMENSIONS {
            for subject in [Subjects::Dense84, Subjects::Mlr] {
                let measured = inferred(subject, How::Ours, vec![inputs], batch, 0.5);
                units.push(unit(format!("figure1/{inputs}/{batch}"), measured));
            }
        }
    }
    let in_processes = InProcesses {
        dataset: Dataset::Iris,
        first_rows: None,
        batch_size: 16,
        epochs: 2,
        rounds: 16,
        seconds: 9.0,
        seconds_per_epoch: Some(1.25),
        bytes_sent: Sides {
            active: 1 << 20,
            passive: 1 << 20,
        },
        test_accuracy: Some(0.9),
        weights_bit_identical: true,
    };
    units.push(unit(
        "training/iris/processes".to_owned(),
        Measured::InProcesses(in_processes),
    ));
    for variant in [Variant::Encrypted, Variant::FixedPoint] {
        let mut one = trained(Dataset::Iris, variant, 1, 0.9);
        one.course.epochs = vec![
            Epoch {
                validation_accuracy: Some(0.8125),
                ..Epoch::default()
            };
            2
        ];
        let name = format!("training/iris/{}", variant.name());
        units.push(unit(name, Measured::Trained(one)));
    }
    for (name, _) in leak::DEFENCES {
        let trained = trained(leak::DATASET, Variant::Encrypted, 1, 0.7);
        units.push(unit(
            format!("leak/diabetes/{name}"),
            Measured::Trained(trained),
        ));
    }
    units
}

fn report(finished: &[Finished]) -> Report {
    Report::new(&settings(), finished, Vec::new(), Vec::new())
}

fn written(report: &Report) -> (String, Value, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    report.write(folder.path()).unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let json = serde_json::from_str(&read("report.json")).unwrap();
    (read("report.md"), json, folder)
}

#[test]
fn everything_that_was_measured_has_its_place() {
    let (markdown, json, folder) = written(&report(&finished()));
    let sections: Vec<&str> = markdown
        .lines()
        .filter(|line| line.starts_with("## ") || line.starts_with("### "))
        .collect();
    assert_eq!(
        sections,
        [
            "## Table 1: accuracy on test rows",
            "## Tables 2, 3 and 4: seconds per inference, 2048 bits",
            "### Ratios, 2048 bits",
            "## Figure 1: seconds per inference by the input's dimension, 2048 bits",
            "## Beyond the paper: training, 2048 bits",
            "## Beyond the paper: what released gradients tell of labels, 2048 bits",
        ]
    );
    for row in [
        "| Iris | 4-5-3 | 0.9815 ± 0.0007 | 0.9815 ± 0.0007 | 0.9815 ± 0.0007 | 0.980 | 0.966 \
         | 0.982 | yes |",
        "| MNIST | LeNet-5 | 0.9710 | 0.9710 | 0.9710 | 0.970 | 0.919 | 0.969 | yes |",
        "| LeNet-5 | MNIST | 84, 784 | 1 | 3.00000 | 3.00000 | 1.0 | 0.0583 | 30.00000 | 1.0, 1 \
         | 7.8550 | – |",
        "| GELU-Net over ours, LeNet-5, MNIST | 128 | 134.73 | 10.00 | 10.00 |",
        "| 3072 | 128 | 0.00391 | 0.00391 |",
        "| Iris | 2 | 0.8125 | 0.8125 | – |",
        "| Diabetes | Marvell, power 4 | –, – | –, – | 0.7000 |",
    ] {
        assert!(markdown.contains(row), "{row}\nis not in\n{markdown}");
    }
    // Tables are tables: each row as wide as its header.
    let mut width = 0;
    for line in markdown.lines() {
        match line.starts_with('|') {
            true if width == 0 => width = line.matches('|').count(),
            true => assert_eq!(line.matches('|').count(), width, "{line}"),
            false => width = 0,
        }
    }
    for figure in ["figure1-batch-1", "figure1-batch-128", "training-iris"] {
        for extension in ["svg", "png"] {
            let name = format!("figures/{figure}.{extension}");
            assert!(markdown.contains(&name), "{name}");
            let length = folder.path().join(&name).metadata().unwrap().len();
            assert!(length > 1000, "{name}");
        }
    }
    assert_eq!(json["settings"]["key_bits"], 2048);
    assert_eq!(json["table1"][3]["encrypted"]["mean"], 0.971);
    assert_eq!(json["table1"][0]["bit_identical"][1]["identical"], true);
    assert_eq!(
        json["tables_2_3_4"][2]["batches"][1]["ours"]["seconds"],
        3.0
    );
    assert_eq!(json["ratios"].as_array().unwrap().len(), 10);
    assert_eq!(json["units"].as_array().unwrap().len(), finished().len());
}

#[test]
fn what_is_missing_is_said_and_an_empty_run_has_no_tables() {
    let skipped = Skipped {
        dataset: Dataset::Mnist,
        why: "the file is not there".to_owned(),
    };
    let left = vec!["Iris, seed 2".to_owned()];
    let report = Report::new(&settings(), &[], vec![skipped], left);
    let (markdown, json, _) = written(&report);
    assert!(markdown.contains("**Skipped: MNIST.** the file is not there"));
    assert!(markdown.contains("**Not finished:** Iris, seed 2."));
    assert!(!markdown.contains("\n## "), "{markdown}");
    assert_eq!(json["skipped"][0]["dataset"], "mnist");
    assert_eq!(json["unfinished"][0], "Iris, seed 2");
}

#[test]
fn a_quick_run_says_what_it_leaves_out() {
    let quick = Settings {
        quick: true,
        ..settings()
    };
    let report = Report::new(&quick, &[], Vec::new(), Vec::new());
    let (markdown, json, _) = written(&report);
    assert!(markdown.contains("Iris 15 of 100 epochs"), "{markdown}");
    assert!(markdown.contains("MNIST 2 of 4 epochs on the first 1500 rows"));
    assert_eq!(json["quick"].as_array().unwrap().len(), 4);
}

#[test]
fn other_weights_than_in_plaintext_are_a_defect_that_is_named() {
    let mut finished = finished();
    assert!(report(&finished).mismatches().is_empty());
    for one in &mut finished {
        if let (Measured::Trained(trained), "table1/kr-vs-kp/seed-2/encrypted") =
            (&mut one.measured, one.unit.as_str())
        {
            trained.weights_sha256 = Some("another".to_owned());
        }
    }
    let report = report(&finished);
    assert_eq!(report.mismatches(), ["kr-vs-kp, seed 2"]);
    let (markdown, ..) = written(&report);
    assert!(markdown.contains("**A defect: the weights of kr-vs-kp, seed 2 differ"));
    assert!(markdown.contains("| NO |"));
}
