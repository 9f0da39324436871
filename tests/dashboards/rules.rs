//! The alerts, as Prometheus reads them.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::source::read;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    #[allow(dead_code)]
    name: String,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    pub(crate) alert: String,
    pub(crate) expr: String,
    #[serde(rename = "for")]
    #[allow(dead_code)]
    pub(crate) lasting: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
}

/// All of them.
pub(crate) fn rules() -> Vec<Rule> {
    let file: File = serde_saphyr::from_str(&read("prometheus/alerts.yml")).unwrap();
    file.groups
        .into_iter()
        .flat_map(|group| group.rules)
        .collect()
}

/// The same file for a test that has no time: what must last for minutes need
/// not last, and what looks back over half an hour looks back over seconds.
pub(crate) fn impatient() -> String {
    let text = read("prometheus/alerts.yml");
    let lines = text.lines().map(|line| match line.trim_start() {
        rest if rest.starts_with("for: ") => {
            let indent = &line[..line.len() - rest.len()];
            format!("{indent}for: 1s\n")
        }
        _ => format!("{}\n", line.replace("[30m]", "[10s]")),
    });
    lines.collect()
}

mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn every_alert_says_how_bad_it_is_and_what_to_do() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut named = BTreeSet::new();
        for rule in rules() {
            let name = &rule.alert;
            assert!(name.starts_with("Entente"), "{name}");
            let severity = rule.labels.get("severity").map(String::as_str);
            assert!(matches!(severity, Some("page" | "ticket")), "{name}");
            // Twice under one name only for another severity.
            assert!(named.insert((name.clone(), severity.map(str::to_owned))));
            for annotation in ["summary", "description"] {
                let text = rule.annotations.get(annotation);
                assert!(
                    text.is_some_and(|text| text.len() > 15),
                    "{name}: {annotation}"
                );
            }
            let url = rule.annotations.get("runbook_url").unwrap();
            let (file, heading) = url.split_once('#').unwrap();
            assert_eq!(heading, name.to_lowercase());
            let runbook = fs::read_to_string(root.join(file)).unwrap();
            let headings = runbook.lines().filter_map(|line| line.strip_prefix("## "));
            let headings: Vec<&str> = headings.collect();
            assert!(headings.contains(&name.as_str()), "{file} has no ## {name}");
        }
    }

    #[test]
    fn every_runbook_is_of_an_alert() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/runbooks/alerts.md");
        let runbook = fs::read_to_string(path).unwrap();
        let alerts: BTreeSet<String> = rules().into_iter().map(|rule| rule.alert).collect();
        let headings = runbook.lines().filter_map(|line| line.strip_prefix("## "));
        for heading in headings.filter(|heading| heading.starts_with("Entente")) {
            assert!(alerts.contains(heading), "no alert {heading}");
        }
    }

    #[test]
    fn the_impatient_copy_has_the_same_alerts() {
        let names = |text: &str| -> Vec<String> {
            let file: File = serde_saphyr::from_str(text).unwrap();
            let rules = file.groups.into_iter().flat_map(|group| group.rules);
            rules.map(|rule| rule.alert).collect()
        };
        let copy = impatient();
        assert_eq!(names(&copy), names(&read("prometheus/alerts.yml")));
        assert!(!copy.contains("for: 2m") && copy.contains("for: 1s"));
    }
}
