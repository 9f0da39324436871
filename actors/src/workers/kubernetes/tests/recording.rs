//! What a real server has answered, as `../exchanges` keeps it.
//!
//! A test that asks a real server holds its answer against the file, and writes the
//! file if [`VARIABLE`] says so. What differs from run to run, or belongs to that
//! server alone, stands in it as the same each time.

use std::{env, fs, path::Path};

use serde_json::{Value, json};

/// Set to 1, answers are written and not compared.
const VARIABLE: &str = "ENTENTE_RECORD_EXCHANGES";
/// Counted on by nobody.
const DROPPED: [&str; 5] = [
    "managedFields",
    "selfLink",
    "eventTime",
    "reportingComponent",
    "reportingInstance",
];

/// Compares an answer with what is kept as `name`, or keeps it. Each of `calls` is
/// written as the word beside it.
pub(super) fn keep(name: &str, answer: &Value, calls: &[(&str, &str)]) {
    let mut answer = answer.clone();
    same_each_time(&mut answer, calls);
    let mut text = answer.to_string();
    text.push('\n');
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/workers/kubernetes/exchanges");
    let path = folder.join(format!("{name}.json"));
    if env::var_os(VARIABLE).is_some_and(|set| set == "1") {
        fs::write(path, text).unwrap();
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        text, kept,
        "the server does not answer as {name}.json has it: {VARIABLE}=1 records it anew"
    );
}

fn same_each_time(value: &mut Value, calls: &[(&str, &str)]) {
    match value {
        Value::Object(fields) => {
            fields.retain(|key, _| !DROPPED.contains(&key.as_str()));
            for (key, field) in fields {
                match key.as_str() {
                    "uid" => *field = json!("00000000-0000-0000-0000-000000000001"),
                    "resourceVersion" => *field = json!("1"),
                    key if is_time(key) && field.is_string() => {
                        *field = json!("2026-11-21T20:00:00Z");
                    }
                    "message" => {
                        let text = field.as_str().unwrap();
                        *field = json!(versions(&called(text, calls)));
                    }
                    _ => same_each_time(field, calls),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                same_each_time(item, calls);
            }
        }
        Value::String(text) => *text = called(text, calls),
        _ => {}
    }
}

fn is_time(key: &str) -> bool {
    key.ends_with("Time") || key.ends_with("Timestamp")
}

/// Names as the tests put them in, and what the server adds to them.
fn called(text: &str, calls: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (own, word) in calls {
        text = text.replace(own, word);
    }
    for joint in ["NAME-", "NAME."] {
        let mut parts = text.split(joint);
        let mut written = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let after = part.trim_start_matches(|next: char| next.is_ascii_alphanumeric());
            written.push_str(&format!("{joint}x7f2q{after}"));
        }
        text = written;
    }
    text
}

/// `too old resource version: 12 (34)`: which they were says nothing.
fn versions(text: &str) -> String {
    let before = "too old resource version: ";
    match text.strip_prefix(before) {
        Some(_) => format!("{before}1 (7)"),
        None => text.to_owned(),
    }
}
