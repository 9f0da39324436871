//! The PrometheusRules are the alerts of the dashboards, each where it can come true, and
//! each has its page of what to do.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use serde_json::Value;

use crate::overlay::{kubernetes, list};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> Value {
    let text = fs::read_to_string(root().join(path)).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

#[test]
fn rules_are_made_of_the_alerts() {
    let alerts = read("dashboards/prometheus/alerts.yml");
    let mut seen = BTreeSet::new();
    for role in ["coordinator", "party"] {
        let folder = kubernetes().join("components/monitoring/rules");
        let made = Command::new(folder.join("from-alerts")).arg(role).output();
        let made = String::from_utf8(made.unwrap().stdout).unwrap();
        let file = folder.join(role).join("prometheusrule.yaml");
        let lies = fs::read_to_string(&file).unwrap();
        assert_eq!(made, lies, "run from-alerts anew: {}", file.display());

        // And what the script makes is what it should: of a file that it does not parse.
        let rule: Value = serde_saphyr::from_str(&lies).unwrap();
        let of_role = |group: &&Value| {
            let name = group["name"].as_str().unwrap();
            let is = |of: &str| name == of || name.starts_with(&format!("{of}-"));
            is(&format!("entente-{role}")) || is("entente-both")
        };
        let expected: Vec<_> = list(&alerts["groups"]).iter().filter(of_role).collect();
        let groups: Vec<_> = list(&rule["spec"]["groups"]).iter().collect();
        assert_eq!(groups, expected, "{role}");
        seen.extend(groups.iter().map(|group| group["name"].to_string()));
    }
    let all = list(&alerts["groups"]).iter();
    let all: BTreeSet<_> = all.map(|group| group["name"].to_string()).collect();
    assert_eq!(seen, all, "a group that is for nobody");
}

#[test]
fn each_alert_has_its_page_and_each_page_its_alert() {
    let alerts = read("dashboards/prometheus/alerts.yml");
    let rules = list(&alerts["groups"])
        .iter()
        .flat_map(|group| list(&group["rules"]));
    let named: BTreeSet<_> = rules
        .map(|rule| {
            let name = rule["alert"].as_str().unwrap().to_owned();
            let url = rule["annotations"]["runbook_url"].as_str().unwrap();
            let page = format!("deploy/runbooks/alerts.md#{}", name.to_lowercase());
            assert!(url.ends_with(&page), "{url}");
            name
        })
        .collect();
    let text = fs::read_to_string(root().join("deploy/runbooks/alerts.md")).unwrap();
    let pages = text
        .lines()
        .filter_map(|line| line.strip_prefix("## Entente"));
    let pages: BTreeSet<_> = pages.map(|rest| format!("Entente{rest}")).collect();
    assert_eq!(pages, named);
    for page in text.split("\n## ").skip(1) {
        for part in ["**Means**", "**Look**", "**Do**", "**Escalate**"] {
            assert!(
                page.contains(part),
                "{part} of {}",
                page.lines().next().unwrap()
            );
        }
    }
}
