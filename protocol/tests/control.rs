//! What parties and coordinator tell each other, as it was committed: what a party
//! or a coordinator of the first release says is understood for ever, and what
//! they can say is said to them in the same words.
//!
//! A new field is left out where it has its default, so that these stay what they
//! are. To commit to something new, add it to `committed` and run once
//! `cargo test -p entente-protocol --test control -- --ignored`: it writes what is
//! not there and never touches what is.
#![allow(clippy::unwrap_used)]

use std::{fmt::Debug, fs, path::PathBuf};

use entente_protocol::{
    KeyState,
    contract::{Signatures, Signed},
    control::{
        Answer, Assignment, Decision, Evaluated, Failure, FailureClass, JobReport, Phase, Progress,
        Proposal, Sync, Validation, Wish,
    },
    job::{JobId, Side, Task, TaskSpec},
    privacy::Leak,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

fn job(number: u8) -> JobId {
    let text = format!("01890a5d-ac96-774b-bcce-b302099a80{number:02x}");
    text.parse().unwrap()
}

fn training() -> TaskSpec {
    let text = r#"
        name = "credit"
        parties = { active = "bank-a", passive = "bank-b" }
        data = { dataset = "customers", match_on = "id", validation_fraction = 0.1 }
        network = { inputs = 4, bottom = [{ kind = "dense", units = 5 }], classes = 3 }
        [training]
        epochs = 3
        batch_size = 16
        learning_rate = 0.3
        bottom = { optimizer = "sgd", learning_rate = 0.1 }
        seed = 10
    "#;
    Task::from_toml(text).unwrap().spec()
}

fn inference() -> TaskSpec {
    let text = r#"
        name = "asked"
        task = "predict"
        results_at = "passive"
        model = { name = "credit", version = "01890a5d-ac96-774b-bcce-b302099a8001" }
        batch_size = 100
        parties = { active = "bank-a", passive = "bank-b" }
        [data]
        dataset = "customers"
    "#;
    Task::from_toml(text).unwrap().spec()
}

fn signed() -> Signed {
    Signed {
        at_ms: 1_700_000_000_123,
        signature: "-----BEGIN\nsigned\n".to_owned(),
    }
}

fn progress() -> Progress {
    let validation = Validation {
        epoch: 2,
        loss: 0.25,
        accuracy: 0.75,
    };
    Progress {
        exchanges_done: 41,
        exchanges: 900,
        rounds_done: 40,
        rounds: 890,
        epoch: 3,
        samples: 640,
        loss: Some(0.5),
        validation: Some(validation),
        best: Some(validation),
        stopped_early: true,
        test_accuracy: Some(0.875),
        leak: Some(Leak {
            norm_auc: 0.5,
            cosine_auc: 0.625,
        }),
        key: Some(KeyState {
            epoch: 2,
            since_ms: 1_700_000_000_000,
            rotating: true,
        }),
        evaluation: Some(Evaluated {
            rows: 100,
            loss: 0.5,
            accuracy: 0.75,
            auc: Some(0.875),
        }),
    }
}

fn phases() -> Vec<Phase> {
    let classes = [
        FailureClass::Retry,
        FailureClass::Abort,
        FailureClass::Operator,
        FailureClass::Bug,
    ];
    let failed = classes.map(|class| Phase::Failed {
        failure: Failure {
            class,
            label: "stalled".to_owned(),
            message: "nothing came from bank-b".to_owned(),
            state: Some("expect_masked_logits".to_owned()),
            exchange: 7,
        },
    });
    let mut phases = vec![
        Phase::Preparing,
        Phase::Running,
        Phase::Waiting {
            what: "bank-b".to_owned(),
            for_ms: 1200,
        },
        Phase::Held,
        Phase::Finished,
    ];
    phases.extend(failed);
    phases
}

/// All that a party can say.
fn sync() -> Sync {
    let report = |(number, phase)| JobReport {
        job: job(number),
        attempt: 2,
        phase,
        progress: progress(),
    };
    let answer = |number, decision| Answer {
        job: job(number),
        decision,
    };
    Sync {
        software: "0.1.0".to_owned(),
        datasets: vec!["customers".to_owned(), "iris".to_owned()],
        capacity: 4,
        threads: Some(8),
        memory_bytes: Some(1 << 33),
        draining: true,
        wire: vec![1],
        jobs: (1..).zip(phases()).map(report).collect(),
        answers: vec![
            answer(100, Decision::Approved(signed())),
            answer(
                101,
                Decision::Rejected {
                    rule: "max_epochs".to_owned(),
                    reason: "too many epochs".to_owned(),
                },
            ),
            answer(102, Decision::NeedsPerson),
        ],
        seen_revision: 7,
        wait_ms: 10_000,
    }
}

fn assignment() -> Assignment {
    Assignment {
        job: job(1),
        attempt: 2,
        wire: 1,
        side: Side::Active,
        spec: training(),
        signatures: Signatures {
            active: Some(signed()),
            passive: Some(signed()),
        },
        granted: 64,
        exchanges_done: 41,
        key_epoch: 2,
        hold: true,
    }
}

/// All that a coordinator can say.
fn wish() -> Wish {
    let asked = Assignment {
        job: job(2),
        side: Side::Passive,
        spec: inference(),
        signatures: Signatures::default(),
        exchanges_done: 0,
        key_epoch: 0,
        hold: false,
        ..assignment()
    };
    Wish {
        revision: 9,
        jobs: vec![assignment(), asked],
        proposals: vec![Proposal {
            job: job(3),
            side: Side::Passive,
            spec: training(),
        }],
    }
}

/// As little as either can say.
fn least() -> (Sync, Wish) {
    let sync = Sync {
        threads: None,
        memory_bytes: None,
        draining: false,
        jobs: Vec::new(),
        answers: Vec::new(),
        ..sync()
    };
    let wish = Wish {
        revision: 0,
        jobs: Vec::new(),
        proposals: Vec::new(),
    };
    (sync, wish)
}

/// What two of the second version say to each other.
fn of_version_2() -> (Sync, Assignment) {
    let sync = Sync {
        wire: vec![2, 1],
        ..least().0
    };
    let assignment = Assignment {
        wire: 2,
        ..assignment()
    };
    (sync, assignment)
}

fn path(name: &str) -> PathBuf {
    let vectors = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    vectors.join(format!("{name}.json"))
}

trait Visit {
    fn see<T: Serialize + DeserializeOwned + PartialEq + Debug>(&mut self, name: &str, value: &T);
}

fn committed(visit: &mut impl Visit) {
    visit.see("v1/sync", &sync());
    visit.see("v1/sync_least", &least().0);
    visit.see("v1/wish", &wish());
    visit.see("v1/wish_least", &least().1);
    visit.see("v2/sync", &of_version_2().0);
    visit.see("v2/assignment", &of_version_2().1);
}

struct Reads;

impl Visit for Reads {
    fn see<T: Serialize + DeserializeOwned + PartialEq + Debug>(&mut self, name: &str, value: &T) {
        let text = fs::read_to_string(path(name)).unwrap();
        let read: T = serde_json::from_str(&text).unwrap();
        assert_eq!(&read, value, "{name}");
        let written: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), written, "{name}");
    }
}

#[test]
fn what_was_said_once_is_understood_for_ever_and_said_the_same() {
    committed(&mut Reads);
}

#[test]
fn what_the_first_release_does_not_know_is_not_said_to_it() {
    let said = serde_json::to_string(&(sync(), wish())).unwrap();
    assert!(!said.contains("\"wire\""));
}

struct Writes;

impl Visit for Writes {
    fn see<T: Serialize + DeserializeOwned + PartialEq + Debug>(&mut self, name: &str, value: &T) {
        let path = path(name);
        if !path.exists() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let text = serde_json::to_string_pretty(value).unwrap();
            fs::write(path, text + "\n").unwrap();
        }
    }
}

#[test]
#[ignore = "writes what was not committed to yet, once"]
fn write_what_is_not_there() {
    committed(&mut Writes);
}
