//! `entente reproduce`: a part of it, gone on with, and what it refuses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use std::{fs, path::Path};

use house::{fail, succeed};
use serde_json::Value;

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

const IRIS: [&str; 8] = [
    "reproduce",
    "--quick",
    "--only",
    "table1",
    "--dataset",
    "iris",
    "--seeds",
    "1",
];

/// Irises under real keys, one seed; then as if it had been killed before its
/// last part was written.
#[test]
fn a_part_is_reproduced_and_a_run_goes_on_from_its_last_finished_unit() {
    let folder = tempfile::tempdir().unwrap();
    let printed = succeed(folder.path(), &IRIS);
    assert!(printed.contains("Table 1: accuracy"), "{printed}");
    let out = folder.path().join("reproduction");
    let report = json(&out.join("report.json"));
    let row = &report["table1"][0];
    assert_eq!(row["dataset"], "iris");
    assert_eq!(row["bit_identical"][0]["identical"], true);
    // 4-5-3: 25 below the cut, 18 above it.
    assert_eq!(row["bit_identical"][0]["weights"], 43);
    assert_eq!(row["encrypted"], row["fixed_point"]);
    assert_eq!(report["unfinished"], Value::Array(Vec::new()));
    assert!(row["cost"]["bytes_per_epoch"]["active"].as_f64().unwrap() > 10_000.0);
    let markdown = fs::read_to_string(out.join("report.md")).unwrap();
    assert!(markdown.contains("| Iris | 4-5-3 |"), "{markdown}");

    // It says what to do, and touches nothing.
    let (code, said) = fail(folder.path(), &IRIS);
    assert_eq!(code, 3, "{said}");
    assert!(
        said.contains("--resume") && said.contains("--restart"),
        "{said}"
    );

    let units = out.join("units.jsonl");
    let before = fs::read_to_string(&units).unwrap();
    let lines: Vec<&str> = before.lines().collect();
    assert_eq!(lines.len(), 4);
    fs::write(
        &units,
        format!("{}\n{}", lines[..3].join("\n"), &lines[3][..20]),
    )
    .unwrap();
    let resume = [&IRIS[..], &["--resume"]].concat();
    let printed = succeed(folder.path(), &resume);
    assert!(
        printed.contains("3 parts are finished already"),
        "{printed}"
    );
    let after = fs::read_to_string(&units).unwrap();
    let after: Vec<&str> = after.lines().collect();
    assert_eq!(after[..3], lines[..3]);
    let unit = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    assert_eq!(unit(after[3])["measured"], unit(lines[3])["measured"]);

    let other = [&resume[..], &["--key-bits", "3072"]].concat();
    let (code, said) = fail(folder.path(), &other);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("--key-bits 2048 there, 3072 now"), "{said}");
}

#[test]
fn what_cannot_be_done_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, code, word) in [
        (&["--only", "table9"][..], 2, "table1"),
        (&["--dataset", "cats"], 2, "kr-vs-kp"),
        (&["--key-bits", "1024"], 3, "1024"),
        (&["--resume", "--restart"], 2, "--restart"),
        (&["--seeds", "0"], 2, "--seeds"),
    ] {
        let (got, said) = fail(folder.path(), &[&["reproduce"][..], arguments].concat());
        assert_eq!(got, code, "{said}");
        assert!(said.contains(word), "{said}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Without their files the others are skipped by name, and all that is left is
/// done: here nothing.
#[test]
fn a_dataset_that_is_not_there_is_skipped_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "reproduce",
        "--quick",
        "--only",
        "leak",
        "--data",
        "nowhere",
    ];
    succeed(folder.path(), &arguments);
    let report = json(&folder.path().join("reproduction/report.json"));
    let skipped = report["skipped"].as_array().unwrap();
    let names: Vec<_> = skipped.iter().map(|one| &one["dataset"]).collect();
    assert_eq!(names, ["diabetes", "kr-vs-kp", "mnist"]);
    let why = skipped[0]["why"].as_str().unwrap();
    assert!(why.contains("pima-indians-diabetes.csv"), "{why}");
}
