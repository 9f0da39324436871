//! Models that two banks have trained: named, asked, exported and deleted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use house::{House, entente, eventually, fail, succeed};
use serde_json::Value;

const FEATURES: &str = r#"
[datasets.loans]
source = "csv"
path = "incomes-of-bank-a.csv"
columns = "features"
id = "customer"
features = ["income", { column = "home", categories = ["own", "rent"] }]

[datasets.applicants]
source = "csv"
path = "applicants-of-bank-a.csv"
columns = "features"
id = "customer"
features = ["income", { column = "home", categories = ["own", "rent"] }]

# bank-b has nothing of these.
[datasets.walk-ins]
source = "csv"
path = "applicants-of-bank-a.csv"
columns = "features"
features = ["income", { column = "home", categories = ["own", "rent"] }]
"#;

const LABELS: &str = r#"
[datasets.loans]
source = "csv"
path = "defaults-of-bank-b.csv"
columns = "labels"
id = "customer"
label = "late"
classes = ["no", "yes"]

[models]
give_logits = true

# Who has applied; whether they will pay nobody knows.
[datasets.applicants]
source = "csv"
path = "applicants-of-bank-b.csv"
columns = "ids"
id = "customer"
"#;

fn write(folder: &Path) {
    let incomes = |ids: &[u32]| {
        let line = |id: &u32| {
            let home = ["own", "rent"][(*id % 2) as usize];
            format!("C{id},{},{home}\n", 1000 + 37 * (id % 11))
        };
        format!(
            "customer,income,home\n{}",
            ids.iter().map(line).collect::<String>()
        )
    };
    let customers: Vec<u32> = (0..40).collect();
    let late = |id: &u32| format!("C{id},{}\n", ["no", "yes"][(*id % 2) as usize]);
    let late: String = customers.iter().rev().map(late).collect();
    for (file, text) in [
        ("incomes-of-bank-a.csv", incomes(&customers)),
        ("defaults-of-bank-b.csv", format!("customer,late\n{late}")),
        ("applicants-of-bank-a.csv", incomes(&[103, 102, 101])),
        (
            "applicants-of-bank-b.csv",
            "customer\nC101\nC102\nC103\n".to_owned(),
        ),
    ] {
        fs::write(folder.join(file), text).unwrap();
    }
}

/// Submits a question about the model "credit" and waits for its end.
fn ask(house: &House, question: &str) -> Value {
    ask_aloud(house, question).0
}

/// The same, with what a person is warned of.
fn ask_aloud(house: &House, question: &str) -> (Value, String) {
    let text = format!(
        "name = \"asks\"\nmodel = \"credit\"\nbatch_size = 16\n{question}\n\
         [parties]\nactive = \"bank-a\"\npassive = \"bank-b\"\n"
    );
    fs::write(house.path().join("asks.toml"), text).unwrap();
    let output = entente(house.path(), &["job", "submit", "asks.toml", "-o", "json"]);
    let warned = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{warned}");
    let job: Value = serde_json::from_slice(&output.stdout).unwrap();
    (house.end_of(job["id"].as_str().unwrap()), warned)
}

const EVALUATE: &str = r#"
task = "evaluate"
data = { dataset = "loans", match_on = "customer", rows = "test" }
"#;

fn train(house: &House) -> String {
    let id = house.submit(&[
        (
            "name = \"iris\"",
            "name = \"loans of May\"\nmodel = \"credit\"",
        ),
        (
            "dataset = \"iris\"",
            "dataset = \"loans\"\nmatch_on = \"customer\"",
        ),
        ("inputs = 4", "inputs = 3"),
        ("classes = 3", "classes = 2"),
        ("epochs = 30", "epochs = 2"),
    ]);
    let job = house.end_of(&id);
    assert_eq!(job["state"], "succeeded", "{job:#}");
    id
}

fn state(house: &House, party: &str) -> PathBuf {
    house.path().join("state").join(party)
}

/// The result of a job at the one party that has it, readable by it alone.
fn only_at(house: &House, party: &str, job: &Value, file: &str) -> String {
    let id = job["id"].as_str().unwrap();
    for other in ["bank-a", "bank-b", "coordinator"] {
        let path = state(house, other).join("results").join(id);
        assert_eq!(path.exists(), other == party, "{}", path.display());
    }
    let path = state(house, party).join("results").join(id).join(file);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::read_to_string(path).unwrap()
}

fn model(house: &House, party: &str, words: &str) -> String {
    let config = format!("{party}.toml");
    let mut arguments = vec!["model", "--config", &config];
    arguments.extend(words.split(' '));
    succeed(house.path(), &arguments)
}

fn refused(house: &House, party: &str, words: &str) -> (i32, String) {
    let config = format!("{party}.toml");
    let mut arguments = vec!["model", "--config", &config];
    arguments.extend(words.split(' '));
    fail(house.path(), &arguments)
}

/// The lines of a table of predictions, ascending, without its heading.
fn lines(table: &str, heading: &str) -> Vec<String> {
    let mut lines: Vec<String> = table.lines().map(str::to_owned).collect();
    assert_eq!(lines.remove(0), heading);
    lines.sort_unstable();
    lines
}

#[test]
fn a_model_is_named_asked_exported_and_deleted() {
    let house = House::with_datasets(|port| port, [FEATURES, LABELS], write);
    let path = house.path();

    // Before there is one.
    fs::write(
        path.join("early.toml"),
        format!(
            "name = \"early\"\nmodel = \"credit\"\n{EVALUATE}\n\
             parties = {{ active = \"bank-a\", passive = \"bank-b\" }}\n"
        ),
    )
    .unwrap();
    let (_, said) = fail(path, &["job", "submit", "early.toml"]);
    assert!(said.contains("no model 'credit'"), "{said}");

    let first = train(&house);
    let trained = house.show(&first);
    for (party, side) in [("bank-a", "active"), ("bank-b", "passive")] {
        let listed: Value = serde_json::from_str(&model(&house, party, "list -o json")).unwrap();
        let [only] = &listed.as_array().unwrap()[..] else {
            panic!("{listed:#}")
        };
        assert_eq!(only["name"], "credit");
        assert_eq!(only["version"], first.as_str());
        assert_eq!(only["side"], side);
        assert_eq!(only["specification_digest"], trained["spec_digest"]);
        let table = model(&house, party, "list");
        assert!(
            table.contains("credit") && table.contains(&first[first.len() - 8..]),
            "{table}"
        );
    }

    // Of the rows that it was tested on it says what it said then.
    let evaluated = ask(&house, EVALUATE);
    assert_eq!(evaluated["state"], "succeeded", "{evaluated:#}");
    assert_eq!(evaluated["model"]["version"], first.as_str());
    let found = &evaluated["evaluation"];
    assert_eq!(found["rows"], 8);
    assert_eq!(found["accuracy"], trained["test_accuracy"]);
    assert!(found["loss"].as_f64().unwrap() > 0.0);
    let kept = only_at(&house, "bank-b", &evaluated, "evaluation.json");
    let kept: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept["found"], *found);
    assert_eq!(kept["classes"], serde_json::json!(["no", "yes"]));
    assert!(!evaluated.to_string().contains("confusion"));
    let shown = model(&house, "bank-b", "show credit");
    assert!(shown.contains("was taken for"), "{shown}");

    // The same applicants, for one side and for the other: the same answers,
    // each at its side alone.
    let (at_labels, warned) = ask_aloud(
        &house,
        "task = \"predict\"\nresults_at = \"passive\"\n\
         data = { dataset = \"applicants\", match_on = \"customer\" }",
    );
    assert_eq!(at_labels["state"], "succeeded", "{at_labels:#}");
    assert_eq!(warned, "");
    let table = only_at(&house, "bank-b", &at_labels, "predictions.csv");
    let by_name = lines(&table, "customer,class,p(no),p(yes)");
    assert_eq!(by_name.len(), 3);
    let (at_features, warned) = ask_aloud(
        &house,
        "task = \"predict\"\nresults_at = \"active\"\n\
         data = { dataset = \"walk-ins\" }",
    );
    assert_eq!(at_features["state"], "succeeded", "{at_features:#}");
    assert!(warned.contains("bank-b's half of the model"), "{warned}");
    for (job, words) in [(&at_features, "at bank-a alone"), (&evaluated, "AUC")] {
        let shown = succeed(path, &["job", "show", job["id"].as_str().unwrap()]);
        assert!(shown.contains(words), "{shown}");
    }
    let table = only_at(&house, "bank-a", &at_features, "predictions.csv");
    // bank-a does not know what the classes are called.
    let by_row = lines(&table, "row,class,p(0),p(1)");
    for (named, id) in by_name.iter().zip(["C101", "C102", "C103"]) {
        // The applicants stand in the file the other way round.
        let row = match id {
            "C101" => "3",
            "C102" => "2",
            _ => "1",
        };
        let numbered = by_row.iter().find(|line| line.starts_with(row)).unwrap();
        let probabilities = |line: &str| line.splitn(3, ',').nth(2).unwrap().to_owned();
        assert!(named.starts_with(id), "{named}");
        assert_eq!(probabilities(named), probabilities(numbered));
        let class = |line: &str| line.split(',').nth(1).unwrap().to_owned();
        let number = ["no", "yes"].iter().position(|name| *name == class(named));
        assert_eq!(number.map(|n| n.to_string()), Some(class(numbered)));
    }

    // Exports, at whoever has what is asked for.
    model(&house, "bank-a", "export credit --out credit.safetensors");
    let exported = path.join("credit.safetensors");
    assert!(fs::metadata(&exported).unwrap().len() > 100);
    assert_eq!(
        fs::metadata(&exported).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let (code, said) = refused(&house, "bank-a", "export credit --out credit.safetensors");
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("credit.safetensors"), "{said}");
    let (_, said) = refused(&house, "bank-b", "export credit --out b.safetensors");
    assert!(said.contains("--half"), "{said}");
    model(&house, "bank-b", "export credit --half --out b.half");
    assert_eq!(
        fs::read(path.join("b.half")).unwrap(),
        house.half("bank-b", &first)
    );

    // Another training is another version, and the newest is meant.
    let second = train(&house);
    let again = ask(&house, EVALUATE);
    assert_eq!(again["model"]["version"], second.as_str());
    assert_eq!(again["state"], "succeeded", "{again:#}");

    // bank-b's half of the first, where that of the second should be: all that
    // can be checked at bank-b is right, and both sides refuse.
    let entry = |version: &str| state(&house, "bank-b").join("models").join(version);
    let kept = fs::read_to_string(entry(&second).join("manifest.json")).unwrap();
    let (of_second, of_first) = (manifest(&entry(&second)), manifest(&entry(&first)));
    let forged = kept.replace(
        of_second["half_digest"].as_str().unwrap(),
        of_first["half_digest"].as_str().unwrap(),
    );
    fs::write(entry(&second).join("manifest.json"), forged).unwrap();
    fs::copy(
        entry(&first).join("half.bin"),
        entry(&second).join("half.bin"),
    )
    .unwrap();
    let mixed = ask(&house, EVALUATE);
    assert_eq!(mixed["state"], "failed", "{mixed:#}");
    let failures = mixed["failures"].as_array().unwrap();
    assert!(!failures.is_empty());
    for failure in failures {
        assert_eq!(failure["label"], "models_differ", "{mixed:#}");
    }

    // Deleted at one party: the other one's half is of no use.
    let (code, said) = refused(&house, "bank-b", "delete credit");
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("--yes"), "{said}");
    // A party leaves a job that has failed when it next hears of it.
    eventually("nobody asks the model any more", || {
        let delete = [
            "model",
            "--config",
            "bank-b.toml",
            "delete",
            &second,
            "--yes",
        ];
        let output = entente(house.path(), &delete);
        output.status.success().then_some(())
    });
    let listed: Value = serde_json::from_str(&model(&house, "bank-b", "list -o json")).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let (_, said) = refused(&house, "bank-b", &format!("show {second}"));
    assert!(said.contains("there are: credit"), "{said}");
    let gone = ask(&house, EVALUATE);
    assert_eq!(gone["state"], "failed", "{gone:#}");
    let failures = gone["failures"].as_array().unwrap();
    let at_labels = failures.iter().find(|failure| failure["side"] == "passive");
    let failure = at_labels.unwrap_or(&failures[0]);
    assert_eq!(failure["label"], "no_model", "{gone:#}");
    assert!(
        failure["message"].as_str().unwrap().contains(&second),
        "{gone:#}"
    );
}

fn manifest(entry: &Path) -> Value {
    let text = fs::read_to_string(entry.join("manifest.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}
