//! What may be asked for, and what is told otherwise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

const IRIS: &str = include_str!("../../../../deploy/iris.toml");

const EVALUATE: &str = r#"
name = "how good"
task = "evaluate"
model = "iris"
parties = { active = "bank-a", passive = "bank-b" }
data = { dataset = "iris" }
"#;

const PREDICT: &str = r#"
name = "who"
task = "predict"
results_at = "passive"
model = { name = "iris", version = "01890a5d-ac96-774b-bcce-b302099a8057" }
batch_size = 32
[parties]
active = "bank-a"
passive = "bank-b"
[data]
dataset = "new"
match_on = "customer"
rows = "test"
"#;

/// From before there were tasks.
const BEFORE: &str = r#"
name = "iris"
protocol = "acml"
parties = { active = "bank-a", passive = "bank-b" }
data = { dataset = "iris", test_fraction = 0.2 }
network = { inputs = 4, bottom = [{ kind = "dense", units = 5 }, { kind = "tanh" }], classes = 3 }
[training]
epochs = 30
batch_size = 16
learning_rate = 0.3
bottom = { optimizer = "adam", learning_rate = 0.05 }
seed = 10
"#;

fn inference(text: &str) -> Inference {
    match Task::from_toml(text).unwrap() {
        Task::Infer(inference) => *inference,
        other => panic!("{other:?}"),
    }
}

fn refused(text: &str, from: &str, to: &str) -> JobError {
    assert!(text.contains(from), "{from}");
    Task::from_toml(&text.replace(from, to)).expect_err(to)
}

#[test]
fn a_training_is_the_same_with_and_without_saying_so() {
    let job = Job::from_toml(IRIS).unwrap();
    let task = Task::from_toml(IRIS).unwrap();
    assert_eq!(task, Task::from(job.clone()));
    assert_eq!((task.digest(), task.label()), (job.digest(), "train"));
    let said = format!("task = \"train\"\n{IRIS}");
    assert_eq!(Task::from_toml(&said).unwrap(), task);
    assert_eq!(task.model().as_str(), "iris", "as the job is called");
    let named = Task::from_toml(&format!("model = \"credit\"\n{IRIS}")).unwrap();
    assert_eq!(named.model().as_str(), "credit");
    assert_ne!(named.digest(), task.digest());
}

/// Digests stand in sessions, manifests and records: a specification of before
/// there were other tasks must keep its own.
#[test]
fn the_digest_of_a_training_is_what_it_was() {
    let job = Job::from_toml(BEFORE).unwrap();
    let digest = "35b237cae57e47787426425c83f4f96c2b2a446137703a7d075d057bdf046766";
    assert_eq!(job.digest().to_string(), digest);
}

#[test]
fn every_task_comes_back_from_json_with_its_digest() {
    for text in [IRIS, EVALUATE, PREDICT] {
        let task = Task::from_toml(text).unwrap();
        let json = serde_json::to_string(&task.spec()).unwrap();
        let spec: TaskSpec = serde_json::from_str(&json).unwrap();
        let again = Task::try_from(spec).unwrap();
        assert_eq!((&again, again.digest()), (&task, task.digest()));
    }
    let json = serde_json::to_string(&Task::from_toml(IRIS).unwrap().spec()).unwrap();
    assert!(!json.contains("task") && !json.contains("model"), "{json}");
}

#[test]
fn what_is_asked_is_one_of_three_things() {
    let evaluation = inference(EVALUATE);
    assert_eq!(evaluation.question(), Question::Evaluate);
    assert_eq!(evaluation.spec().model.version, None);
    let predictions = inference(PREDICT);
    let results_at = Side::Passive;
    assert_eq!(predictions.question(), Question::Predict { results_at });
    assert_eq!(predictions.question().answered_at(), Side::Passive);
    let version = predictions.spec().model.version.unwrap();
    let fixed = evaluation.clone().of_version(version);
    assert_eq!(fixed.spec().model.version, Some(version));
    assert_ne!(fixed.digest(), evaluation.digest());
    assert_eq!(
        Task::from(fixed.clone()).spec(),
        TaskSpec::Infer(Box::new(fixed.spec().clone()))
    );
}

#[test]
fn only_predictions_by_position_need_nothing_at_the_labels_side() {
    let by_id = inference(PREDICT);
    let by_position = inference(&PREDICT.replace("match_on = \"customer\"", ""));
    let datasets =
        |asked: &Inference| [Side::Active, Side::Passive].map(|x| asked.dataset(x).is_some());
    assert_eq!(datasets(&by_id), [true, true]);
    assert_eq!(datasets(&by_position), [true, false]);
    assert_eq!(datasets(&inference(EVALUATE)), [true, true]);
}

#[test]
fn each_field_is_held_against_its_range_and_named() {
    for (text, from, to, field) in [
        (EVALUATE, "name = \"how good\"", "name = \"\"", "name"),
        (EVALUATE, "\"bank-b\"", "\"bank-a\"", "parties"),
        (
            EVALUATE,
            "\"evaluate\"",
            "\"evaluate\"\nresults_at = \"active\"",
            "results_at",
        ),
        (PREDICT, "results_at = \"passive\"", "", "results_at"),
        (PREDICT, "batch_size = 32", "batch_size = 0", "batch_size"),
        (
            PREDICT,
            "match_on = \"customer\"",
            "match_on = \"\"",
            "data.match_on",
        ),
        (
            PREDICT,
            "match_on = \"customer\"",
            "order = \"by_id\"",
            "data.order",
        ),
        (
            PREDICT,
            "dataset = \"new\"",
            "dataset = \"\"",
            "data.dataset",
        ),
        (
            PREDICT,
            "[data]",
            "[encryption]\nkey_bits = 1024\n[data]",
            "encryption.key_bits",
        ),
    ] {
        let error = refused(text, from, to);
        assert_eq!(error.field, field, "{to}: {error}");
    }
}

#[test]
fn what_does_not_go_together_is_named() {
    for (text, from, to, word) in [
        (EVALUATE, "\"evaluate\"", "\"guess\"", "guess"),
        (EVALUATE, "model = \"iris\"", "", "model"),
        (
            EVALUATE,
            "model = \"iris\"",
            "model = 3",
            "the name of a model",
        ),
        (EVALUATE, "model = \"iris\"", "model = \"\"", "model"),
        (PREDICT, "version = \"0189", "version = \"x189", "model"),
        (
            PREDICT,
            "[data]",
            "[network]\ninputs = 4\n[data]",
            "network",
        ),
        (
            PREDICT,
            "rows = \"test\"",
            "test_fraction = 0.2",
            "test_fraction",
        ),
        (
            IRIS,
            "name = \"iris\"",
            "name = \"iris\"\nresults_at = \"active\"",
            "results_at",
        ),
        (
            IRIS,
            "name = \"iris\"",
            "name = \"iris\"\nmodel = \"\"",
            "model",
        ),
        (
            IRIS,
            "name = \"iris\"",
            "name = \"iris\"\ntask = \"evaluate\"",
            "test_fraction",
        ),
    ] {
        let error = refused(text, from, to);
        assert!(error.problem.contains(word), "{to}: {error}");
    }
}
