//! What runbooks have people type is what the binary understands.
//!
//! Each command is given to it, in an empty folder: it finds no configuration there, or no
//! coordinator, and says so. What it must not say is that it does not understand (exit
//! code 2).

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::house::ENTENTE;

/// What has commands of ours in it.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![root.join("deploy/kubernetes/README.md")];
    let runbooks = fs::read_dir(root.join("deploy/runbooks")).unwrap();
    found.extend(runbooks.map(|entry| entry.unwrap().path()));
    found.retain(|path| path.extension().is_some_and(|kind| kind == "md"));
    found
}

/// The lines of a document's shell blocks, those that go on put together.
fn shell_lines(text: &str) -> Vec<String> {
    let (mut lines, mut inside, mut begun) = (Vec::new(), false, String::new());
    for line in text.lines() {
        match line.trim() {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside => match line.strip_suffix('\\') {
                Some(part) => begun.push_str(part),
                None => lines.push(std::mem::take(&mut begun) + line),
            },
            _ => {}
        }
    }
    assert!(!inside && begun.is_empty(), "a block that does not end");
    lines
}

/// The words of each command of a line, as a shell cuts them; no expansion but of quotes.
fn commands(line: &str) -> Vec<Vec<String>> {
    let (mut all, mut words, mut word) = (Vec::new(), Vec::new(), None::<String>);
    let mut quote = None;
    for letter in line.chars().chain(['\n']) {
        match (quote, letter) {
            (Some(open), close) if open == close => quote = None,
            (Some(_), other) => word.get_or_insert_default().push(other),
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, ' ' | '\t' | '\n') => words.extend(word.take()),
            (None, '|' | ';' | '&' | '(' | ')') => {
                words.extend(word.take());
                all.push(std::mem::take(&mut words));
            }
            (None, other) => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    all.push(words);
    all
}

/// Of a command the part that is ours: `entente ...` itself, behind `kubectl exec ... --`,
/// or behind variables; without where its output goes.
fn ours(words: &[String]) -> Option<Vec<String>> {
    let at = match words.first().map(String::as_str) {
        Some("kubectl") => words.iter().position(|word| word == "/entente")?,
        _ => words.iter().position(|word| !word.contains('='))?,
    };
    let (program, rest) = words[at..].split_first()?;
    let rest = rest
        .iter()
        .take_while(|word| !word.starts_with(['>', '<']) && *word != "2>");
    ["entente", "/entente"]
        .contains(&program.as_str())
        .then(|| rest.cloned().collect())
}

#[test]
fn every_command_is_understood() {
    let mut asked = BTreeSet::new();
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for line in shell_lines(&text) {
            for words in commands(&line) {
                let Some(args) = ours(&words) else { continue };
                let folder = tempfile::tempdir().unwrap();
                let output = Command::new(ENTENTE)
                    .current_dir(folder.path())
                    .args(&args)
                    .stdin(Stdio::null())
                    .output()
                    .unwrap();
                let errors = String::from_utf8_lossy(&output.stderr);
                let code = output.status.code();
                let place = path.display();
                assert!(
                    code.is_some_and(|code| code != 2),
                    "{place}: {line}\n{errors}"
                );
                assert!(!errors.contains("panicked"), "{place}: {line}\n{errors}");
                asked.insert(args.join(" "));
            }
        }
    }
    assert!(asked.len() > 20, "{asked:#?}");
}

/// What an operator is told to look at is there to be looked at.
#[test]
fn every_metric_that_is_named_exists() {
    let known: BTreeSet<_> = entente_metrics::ALL.iter().map(|one| one.name).collect();
    let mut named = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        let is_part = |letter: char| letter.is_ascii_lowercase() || letter == '_';
        let words = text.split(|letter| !is_part(letter));
        for word in words.filter(|word| word.starts_with("entente_")) {
            assert!(known.contains(word), "{}: {word}", path.display());
            named += 1;
        }
    }
    assert!(named > 10, "{named}");
}

#[test]
fn a_command_is_found_wherever_it_stands() {
    let found = |line: &str| -> Vec<String> {
        let all = commands(line);
        all.iter()
            .filter_map(|words| ours(words))
            .map(|args| args.join("|"))
            .collect()
    };
    for (line, expected) in [
        ("entente job list # all", &["job|list"][..]),
        ("RUST_LOG=info entente party list > a.txt", &["party|list"]),
        (
            "kubectl exec party-0 -- /entente probe live --config x",
            &["probe|live|--config|x"],
        ),
        (
            "entente party reject 1 --reason 'not # now' && entente api",
            &["party|reject|1|--reason|not # now", "api"],
        ),
        ("kubectl get pods -l app.kubernetes.io/name=entente", &[]),
        ("cd entente", &[]),
    ] {
        assert_eq!(found(line), expected, "{line}");
    }
}
