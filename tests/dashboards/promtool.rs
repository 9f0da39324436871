//! Prometheus's own judge of rules and configurations, where it is installed.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Output},
};

use serde::Deserialize;

use crate::{
    prometheus::installed,
    rules::rules,
    source::{read, room},
};

/// Runs promtool in `dashboards/prometheus`; nothing if it is not installed.
fn promtool(arguments: &[&str]) -> Option<Output> {
    let program = installed("promtool")?;
    let output = Command::new(program)
        .current_dir(room().join("prometheus"))
        .args(arguments)
        .output();
    Some(output.unwrap())
}

fn expect_success(arguments: &[&str]) {
    let Some(output) = promtool(arguments) else {
        return;
    };
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "promtool {arguments:?}: {said}");
}

/// Files of cases, by name.
fn cases() -> Vec<String> {
    let folder = room().join("prometheus/tests");
    let files = fs::read_dir(folder).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.map(|name| format!("tests/{name}")).collect();
    names.sort();
    names
}

#[test]
fn rules_are_understood() {
    expect_success(&["check", "rules", "--lint=all", "--lint-fatal", "alerts.yml"]);
}

#[test]
fn alerts_fire_when_they_should_and_not_before() {
    let cases = cases();
    let mut arguments = vec!["test", "rules"];
    arguments.extend(cases.iter().map(String::as_str));
    expect_success(&arguments);
}

/// promtool says nothing of an alert that no case is about.
#[test]
fn every_alert_has_a_case_in_which_it_fires() {
    #[derive(Deserialize)]
    struct File {
        tests: Vec<Case>,
    }
    #[derive(Deserialize)]
    struct Case {
        alert_rule_test: Vec<Expectation>,
    }
    #[derive(Deserialize)]
    struct Expectation {
        alertname: String,
        #[serde(default)]
        exp_alerts: Vec<Alert>,
    }
    #[derive(Deserialize)]
    struct Alert {
        exp_labels: std::collections::BTreeMap<String, String>,
    }
    let mut fires = BTreeSet::new();
    let mut silent = BTreeSet::new();
    for name in cases() {
        let file: File = serde_saphyr::from_str(&read(&format!("prometheus/{name}"))).unwrap();
        let all = file.tests.into_iter().flat_map(|case| case.alert_rule_test);
        for expectation in all {
            let name = expectation.alertname;
            if expectation.exp_alerts.is_empty() {
                silent.insert(name.clone());
            }
            for alert in expectation.exp_alerts {
                fires.insert((name.clone(), alert.exp_labels["severity"].clone()));
            }
        }
    }
    for rule in rules() {
        let severity = &rule.labels["severity"];
        let name = rule.alert;
        assert!(
            fires.contains(&(name.clone(), severity.clone())),
            "{name} never fires"
        );
        assert!(silent.contains(&name), "{name} is never silent");
    }
}

/// Certificates are looked for, so those of the example are put somewhere else.
#[test]
fn the_configuration_is_understood() {
    let Some(_) = installed("promtool") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let pki = folder.path().join("pki");
    fs::create_dir(&pki).unwrap();
    for name in ["ca.pem", "prometheus.pem", "prometheus.key"] {
        fs::write(pki.join(name), "").unwrap();
    }
    let text = read("prometheus/prometheus.yml");
    let text = text.replace("/etc/prometheus/entente", &pki.display().to_string());
    let file: &Path = &folder.path().join("prometheus.yml");
    fs::write(file, text).unwrap();
    fs::write(
        folder.path().join("alerts.yml"),
        read("prometheus/alerts.yml"),
    )
    .unwrap();
    expect_success(&[
        "check",
        "config",
        "--syntax-only",
        &file.display().to_string(),
    ]);
    expect_success(&[
        "check",
        "rules",
        &folder.path().join("alerts.yml").display().to_string(),
    ]);
}
