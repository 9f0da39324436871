//! `entente demo`, as a newcomer runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use std::fs;

use house::succeed;
use serde_json::Value;

#[test]
fn it_trains_under_encryption_and_compares_every_weight() {
    let folder = tempfile::tempdir().unwrap();
    let printed = succeed(
        folder.path(),
        &[
            "demo",
            "--epochs",
            "1",
            "--batch-size",
            "40",
            "--report",
            "report.json",
        ],
    );
    assert!(printed.contains("yes, bit for bit"), "{printed}");
    let report = fs::read_to_string(folder.path().join("report.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["dataset"], "iris");
    assert_eq!(report["scheme"], "paillier");
    assert_eq!(report["key_bits"], 2048);
    assert_eq!(report["epochs"], 1);
    assert_eq!(report["rounds"], 3);
    assert_eq!(report["weights_bit_identical"], true);
    assert_eq!(report["test_accuracy"], report["plaintext_accuracy"]);
    for figure in ["samples_per_second", "seconds"] {
        assert!(report[figure].as_f64().unwrap() > 0.0, "{report:#}");
    }
    for side in ["active", "passive"] {
        assert!(
            report["bytes_sent"][side].as_f64().unwrap() > 10_000.0,
            "{report:#}"
        );
    }
    // 3 mini-batches of training and 1 batch of the test rows.
    for (operation, operations, items) in [
        ("encrypt_activations", 3.0, 600.0),
        ("encrypt_for_inference", 1.0, 150.0),
    ] {
        let counted = &report["he_ops"][operation];
        assert_eq!(counted["operations"], operations, "{operation}");
        assert_eq!(counted["items"], items, "{operation}");
    }
    assert_eq!(report["he_ops"]["input_gradient"]["operations"], 3.0);
    assert_eq!(
        report["step_seconds"]["active"]["expect_input_gradient"]["count"],
        3.0
    );
    assert_eq!(
        report["step_seconds"]["passive"]["expect_activations"]["count"],
        4.0
    );
}

/// Whichever epoch is the best: its weights are compared, and tested.
#[test]
fn it_may_stop_early_and_compares_the_weights_that_it_keeps() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = "demo --epochs 3 --patience 1 --batch-size 90 --report report.json";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let printed = succeed(folder.path(), &arguments);
    assert!(printed.contains("yes, bit for bit"), "{printed}");
    let report = fs::read_to_string(folder.path().join("report.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["weights_bit_identical"], true);
    let number = |name: &str| report[name].as_u64().unwrap();
    let (done, best) = (number("epochs_done"), number("best_epoch"));
    assert!((1..=done).contains(&best) && done <= 3, "{report:#}");
    // 90 rows are learnt from, at one go.
    assert_eq!((number("epochs"), number("rounds")), (3, done));
    let words = format!("of epoch {best}, the best of {done} (3 were asked for)");
    assert!(printed.contains(&words), "{printed}");
}

/// The folder of public datasets, if it has `dataset/file`.
fn public(dataset: &str, file: &str) -> Option<String> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data");
    let folder = std::env::var_os("ENTENTE_DATA_DIR").unwrap_or_else(|| beside.into());
    let folder = std::path::absolute(folder).unwrap();
    let path = folder.join(dataset).join(file);
    if path.is_file() {
        return Some(folder.display().to_string());
    }
    eprintln!(
        "skipped: {dataset}, because {} is not there",
        path.display()
    );
    None
}

#[test]
fn a_few_digits_train_lenet_bit_for_bit() {
    let Some(data) = public("mnist", "train-images-idx3-ubyte.gz") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let few = "demo --dataset mnist --model lenet5 --rows 20 --epochs 1 --report r.json --data";
    let arguments: Vec<&str> = few.split(' ').chain([data.as_str()]).collect();
    let printed = succeed(folder.path(), &arguments);
    assert!(printed.contains("MNIST, lenet5, 2048 bits"), "{printed}");
    assert!(printed.contains("yes, bit for bit"), "{printed}");
    let report = fs::read_to_string(folder.path().join("r.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["dataset"], "mnist");
    assert_eq!(report["model"], "lenet5");
    // 16 of the 20 rows are learnt from, in one mini-batch.
    assert_eq!(report["rounds"], 1);
    // LeNet-5 below the cut; 10 x 84 weights and 10 biases above it.
    assert_eq!(report["weights"], 60_856 + 850);
    assert_eq!(report["weights_bit_identical"], true);
    assert_eq!(report["test_accuracy"], report["plaintext_accuracy"]);
}

/// How it ends, seen through Linux's list of processes.
#[cfg(target_os = "linux")]
mod ending {
    use std::{
        fs,
        io::{BufRead, BufReader},
        path::Path,
        process::{Command, Stdio},
    };

    use super::house::{ENTENTE, eventually};

    /// Processes whose parent is `parent`.
    fn children(parent: u32) -> Vec<u32> {
        let list = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
        let parse = |text: String| {
            text.split_whitespace()
                .map(|id| id.parse().unwrap())
                .collect()
        };
        list.map(parse).unwrap_or_default()
    }

    fn is_running(id: u32) -> bool {
        Path::new(&format!("/proc/{id}/stat")).exists()
    }

    fn signal(name: &str, id: u32) {
        let status = Command::new("kill")
            .args([format!("-{name}"), id.to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// A demonstration with far too many epochs, its three processes running.
    fn endless(temporary: &Path) -> (std::process::Child, Vec<u32>) {
        let child = Command::new(ENTENTE)
            .args(["demo", "--epochs", "100000"])
            .env("TMPDIR", temporary)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let services = eventually("three processes run", || {
            let children = children(child.id());
            (children.len() == 3).then_some(children)
        });
        (child, services)
    }

    #[test]
    fn ctrl_c_stops_every_process_and_leaves_nothing_behind() {
        let temporary = tempfile::tempdir().unwrap();
        let (mut child, services) = endless(temporary.path());
        signal("INT", child.id());
        assert_eq!(child.wait().unwrap().code(), Some(130));
        for id in services {
            assert!(!is_running(id), "process {id} is left behind");
        }
        assert_eq!(
            fs::read_dir(temporary.path()).unwrap().count(),
            0,
            "files are left behind"
        );
    }

    #[test]
    fn killing_the_demonstration_leaves_no_process_behind() {
        let temporary = tempfile::tempdir().unwrap();
        let (mut child, services) = endless(temporary.path());
        signal("KILL", child.id());
        child.wait().unwrap();
        for id in services {
            eventually("the orphan ends", || (!is_running(id)).then_some(()));
        }
    }

    #[test]
    fn a_process_that_dies_ends_the_demonstration_with_its_name() {
        let temporary = tempfile::tempdir().unwrap();
        let (mut child, services) = endless(temporary.path());
        signal("KILL", services[2]);
        let said: Vec<String> = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .map(Result::unwrap)
            .collect();
        assert_eq!(child.wait().unwrap().code(), Some(1));
        assert!(
            said.iter().any(|line| line.contains("bank-a ended")),
            "{said:?}"
        );
        for id in services {
            assert!(!is_running(id), "process {id} is left behind");
        }
    }
}

#[test]
fn nonsense_on_the_command_line_is_refused_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, word) in [
        (["--key-bits", "1024"], "key_bits"),
        (["--epochs", "0"], "epochs"),
        (["--batch-size", "0"], "batch_size"),
    ] {
        let (code, said) = house::fail(folder.path(), &[&["demo"][..], &arguments].concat());
        assert_eq!(code, 3, "{said}");
        assert!(said.contains(word), "{said}");
    }
}

#[test]
fn a_dataset_or_model_that_cannot_be_is_refused_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, code, words) in [
        ("--dataset cifar11", 2, ["--dataset", "mnist"]),
        ("--model lenet6", 2, ["--model", "lenet5"]),
        (
            "--dataset mnist --model mlp-iris",
            3,
            ["--model mlp-iris", "--dataset mnist"],
        ),
        ("--model lenet5", 3, ["--model lenet5", "--dataset iris"]),
        ("--rows 10", 3, ["--rows", "iris"]),
        (
            "--dataset mnist --data nowhere",
            3,
            ["nowhere/mnist/train-images-idx3-ubyte.gz", "--data"],
        ),
    ] {
        let arguments: Vec<&str> = ["demo"].into_iter().chain(arguments.split(' ')).collect();
        let (ended, said) = house::fail(folder.path(), &arguments);
        assert_eq!(ended, code, "{said}");
        for word in words {
            assert!(said.contains(word), "{said}");
        }
    }
}
