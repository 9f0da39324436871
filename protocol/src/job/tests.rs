//! What a specification may say, and what it is told otherwise.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

const IRIS: &str = include_str!("../../../deploy/iris.toml");

fn changed(from: &str, to: &str) -> Result<Job, JobError> {
    assert!(IRIS.contains(from), "the sample has no {from:?}");
    Job::from_toml(&IRIS.replace(from, to))
}

#[test]
fn the_sample_is_a_job() {
    let job = Job::from_toml(IRIS).unwrap();
    assert_eq!((job.width(), job.spec().network.classes), (5, 3));
    assert_eq!(job.key_bits(), KeyBits::B2048);
    assert_eq!(job.side_of(&"bank-a".parse().unwrap()), Some(Side::Active));
    assert_eq!(job.side_of(&"bank-b".parse().unwrap()), Some(Side::Passive));
    assert_eq!(job.side_of(&"bank-c".parse().unwrap()), None);
}

#[test]
fn each_field_is_held_against_its_range_and_named() {
    for (from, to, field) in [
        (r#"name = "iris""#, r#"name = """#, "name"),
        (r#"name = "iris""#, r#"name = "a\u001b[31mb""#, "name"),
        (r#"passive = "bank-b""#, r#"passive = "bank-a""#, "parties"),
        (r#"dataset = "iris""#, r#"dataset = """#, "data.dataset"),
        (
            "[liveness]",
            "[resources]\nthreads = 0\n[liveness]",
            "resources.threads",
        ),
        (
            "[liveness]",
            "[resources]\nmemory_bytes = 1000\n[liveness]",
            "resources.memory_bytes",
        ),
        (
            "test_fraction = 0.2",
            "test_fraction = 1.0",
            "data.test_fraction",
        ),
        (
            "test_fraction = 0.2",
            "test_fraction = nan",
            "data.test_fraction",
        ),
        (
            "test_fraction = 0.2",
            "test_fraction = 0.2\nvalidation_fraction = 0.8",
            "data.validation_fraction",
        ),
        (
            "test_fraction = 0.2",
            "validation_fraction = -0.1",
            "data.validation_fraction",
        ),
        (
            "test_fraction = 0.2",
            "test_fraction = 0.2\ntest_rows = 30",
            "data.test_rows",
        ),
        (
            "test_fraction = 0.2",
            "test_fraction = 0.2\ntest_fold = 5",
            "data.test_fold",
        ),
        (
            "test_fraction = 0.2",
            "test_rows = 30\ntest_fold = 1",
            "data.test_fold",
        ),
        (
            "test_fraction = 0.2",
            "test_rows = 30\nmatch_on = \"customer\"",
            "data.test_rows",
        ),
        ("test_fraction = 0.2", "match_on = \"\"", "data.match_on"),
        ("test_fraction = 0.2", "order = \"by_id\"", "data.order"),
        ("inputs = 4", "inputs = 0", "network.inputs"),
        ("classes = 3", "classes = 1", "network.classes"),
        ("units = 5", "units = 0", "network.bottom"),
        ("inputs = 4", "input = [4, 1]", "network.bottom"),
        ("inputs = 4", "input = [0, 4]", "network.input"),
        (
            "classes = 3",
            "classes = 3\nloss = \"binary_cross_entropy\"",
            "network.loss",
        ),
        (
            "classes = 3",
            "classes = 3\ninitial = \"\"",
            "network.initial",
        ),
        (
            "epochs = 30",
            "epochs = 30\nwarm_up_epochs = 31",
            "training.warm_up_epochs",
        ),
        (
            "epochs = 30",
            "epochs = 30\ndecay = { kind = \"step\", every_epochs = 1, factor = 1.5 }",
            "training.decay",
        ),
        (
            "epochs = 30",
            "epochs = 30\nearly_stopping = { patience = 3 }",
            "training.early_stopping",
        ),
        (
            "epochs = 30",
            "epochs = 30\nearly_stopping = { patience = 0 }",
            "training.early_stopping",
        ),
        (
            "epochs = 30",
            "epochs = 30\nearly_stopping = { patience = 3, min_delta = -0.1 }",
            "training.early_stopping",
        ),
        (
            "epochs = 30",
            "epochs = 30\nkeep = \"best\"",
            "training.keep",
        ),
        ("epochs = 30", "epochs = 0", "training.epochs"),
        ("batch_size = 16", "batch_size = 0", "training.batch_size"),
        (
            "learning_rate = 0.3",
            "learning_rate = inf",
            "training.learning_rate",
        ),
        (
            "learning_rate = 0.05",
            "learning_rate = -1.0",
            "training.bottom",
        ),
        (
            "\"adam\", learning_rate = 0.05",
            "\"sgd\", learning_rate = 0.05, momentum = 1.0",
            "training.bottom",
        ),
        (
            "\"adam\", learning_rate = 0.05",
            "\"adamw\", learning_rate = 0.05, weight_decay = -0.1",
            "training.bottom",
        ),
        ("key_bits = 2048", "key_bits = 1024", "encryption.key_bits"),
        (
            "stall_budget_s = 1800",
            "stall_budget_s = 0",
            "liveness.stall_budget_s",
        ),
        (
            "[liveness]",
            "[fixed_point]\nstep_bits = 40\n[liveness]",
            "fixed_point",
        ),
        (
            "[liveness]",
            "[fixed_point]\nactivation_bits = 24\n[liveness]",
            "fixed_point",
        ),
    ] {
        let error = changed(from, to).expect_err(to);
        assert_eq!(error.field, field, "{to}: {error}");
        assert!(error.to_string().contains(field), "{error}");
    }
}

/// A job with validation rows, and this in `[training]`.
fn selecting(written: &str) -> Result<Job, JobError> {
    let validated = "test_fraction = 0.2\nvalidation_fraction = 0.1";
    let text = IRIS.replace("test_fraction = 0.2", validated);
    Job::from_toml(&text.replace("[training]", &format!("[training]\n{written}")))
}

#[test]
fn epochs_are_compared_by_what_is_written_and_not_at_all_without_it() {
    assert_eq!(selecting("").unwrap().selection(), None);
    assert_eq!(selecting("keep = \"last\"").unwrap().selection(), None);
    let by_loss = Selection {
        metric: Metric::Loss,
        min_delta: 0.0,
        patience: None,
        keep: Keep::Best,
    };
    let best = selecting("keep = \"best\"").unwrap();
    assert_eq!(best.selection(), Some(by_loss));
    let early = selecting("early_stopping = { patience = 3 }").unwrap();
    let waits = Selection {
        patience: Some(3),
        keep: Keep::Last,
        ..by_loss
    };
    assert_eq!(early.selection(), Some(waits));
    let all = "keep = \"best\"\nearly_stopping = \
               { patience = 2, min_delta = 0.01, metric = \"accuracy\" }";
    let all_of_it = Selection {
        metric: Metric::Accuracy,
        min_delta: 0.01,
        patience: Some(2),
        keep: Keep::Best,
    };
    assert_eq!(selecting(all).unwrap().selection(), Some(all_of_it));
    for wrong in [
        "early_stopping = { patience = 3, min_delta = inf }",
        "early_stopping = { min_delta = 0.1 }",
        "early_stopping = { patience = 3, metric = \"auc\" }",
        "early_stopping = { patience = 3, patiens = 3 }",
        "keep = \"first\"",
    ] {
        assert!(selecting(wrong).is_err(), "{wrong}");
    }
}

/// A job that says nothing of it is the job that it was: the digest is over
/// what is said.
#[test]
fn what_is_left_out_is_not_in_the_digest() {
    let job = selecting("").unwrap();
    let json = serde_json::to_string(job.spec()).unwrap();
    assert!(
        !json.contains("early_stopping") && !json.contains("keep"),
        "{json}"
    );
    let last = selecting("keep = \"last\"").unwrap();
    assert_eq!(last.digest(), job.digest());
    assert_ne!(selecting("keep = \"best\"").unwrap().digest(), job.digest());
}

#[test]
fn unknown_keys_and_names_are_errors_that_name_them() {
    for (from, to, word) in [
        ("epochs = 30", "epochs = 30\nepoch = 3", "epoch"),
        ("[data]", "[dta]\n[data]", "dta"),
        (r#"kind = "tanh""#, r#"kind = "tnh""#, "tnh"),
        (
            r#"scheme = "paillier""#,
            r#"scheme = "plaintext""#,
            "plaintext",
        ),
        (r#"active = "bank-a""#, r#"active = "Bank A""#, "Bank A"),
    ] {
        let error = changed(from, to).expect_err(to);
        assert!(error.problem.contains(word), "{error}");
    }
}

#[test]
fn the_digest_is_over_what_is_said_and_not_how() {
    let job = Job::from_toml(IRIS).unwrap();
    let without_comments: String = IRIS
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().to_owned() + "\n")
        .collect();
    assert_eq!(
        Job::from_toml(&without_comments).unwrap().digest(),
        job.digest()
    );
    let json = serde_json::to_string(job.spec()).unwrap();
    let again: JobSpec = serde_json::from_str(&json).unwrap();
    assert_eq!(Job::try_from(again).unwrap().digest(), job.digest());
    assert_ne!(
        changed("seed = 10", "seed = 11").unwrap().digest(),
        job.digest()
    );
    assert_ne!(
        changed("0.3 ", "0.30000000000000004 ").unwrap().digest(),
        job.digest()
    );
}

#[test]
fn names_of_parties_are_those_of_certificates() {
    for good in ["a", "bank-a", "0", &"x".repeat(63)] {
        assert!(good.parse::<PartyName>().is_ok(), "{good}");
    }
    for bad in [
        "",
        "-a",
        "a-",
        "A",
        "a_b",
        "a.b",
        "ü",
        "a b",
        &"x".repeat(64),
    ] {
        assert!(bad.parse::<PartyName>().is_err(), "{bad}");
    }
}

#[test]
fn sessions_differ_by_job_specification_and_attempt() {
    use crate::session::session;
    use entente_wire::WireVersion::{V1, V2};
    let id = |byte| JobId::new(uuid::Uuid::from_bytes([byte; 16]));
    let (job, other) = (
        Job::from_toml(IRIS).unwrap(),
        changed("seed = 10", "seed = 11").unwrap(),
    );
    for version in [V1, V2] {
        let of = |of, job: &Job, attempt, version| session(id(of), job.digest(), attempt, version);
        let one = of(1, &job, 1, version);
        assert_eq!(one, of(1, &job, 1, version));
        let elsewhere = [V1, V2].into_iter().find(|other| *other != version);
        for other in [
            of(2, &job, 1, version),
            of(1, &other, 1, version),
            of(1, &job, 2, version),
            of(1, &job, 1, elsewhere.unwrap()),
        ] {
            assert_ne!(one.id(), other.id());
        }
    }
}
