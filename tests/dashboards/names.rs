//! No query asks for what nobody measures: every name is in the closed list of
//! metrics, every label is one of that metric's.

use std::collections::{BTreeMap, BTreeSet};

use entente_metrics::{ALL, PROCESS, Service};

use crate::{
    promql::{Mentions, Selector, legend_labels, mentions},
    rules::rules,
    source::{DASHBOARDS, Dashboard, Kind, variables},
};

/// Names that Prometheus makes itself, and their labels.
const ITS_OWN: [(&str, &[&str]); 2] = [
    ("up", &[]),
    ("ALERTS", &["alertname", "alertstate", "severity"]),
];

/// Labels that Prometheus gives to whatever it scrapes.
const OF_TARGETS: [&str; 2] = ["job", "instance"];
/// What it gives to parties besides.
const OF_PARTIES: &str = "party";

/// Every series that there can be, with its labels.
fn known() -> BTreeMap<String, BTreeSet<&'static str>> {
    let with_targets = |labels: &[&'static str], service| -> BTreeSet<&'static str> {
        let of_parties = (service != Service::Coordinator).then_some(OF_PARTIES);
        let labels = labels.iter().copied().chain(OF_TARGETS);
        labels.chain(of_parties).collect()
    };
    let measured = ALL.iter().flat_map(|metric| {
        metric.series().into_iter().map(|series| {
            let mut labels = with_targets(metric.labels, metric.service);
            if series.ends_with("_bucket") {
                labels.insert("le");
            }
            (series, labels)
        })
    });
    let process = PROCESS.iter();
    let process = process.map(|name| ((*name).to_owned(), with_targets(&[], Service::Both)));
    let its_own = ITS_OWN.iter();
    let its_own =
        its_own.map(|(name, labels)| ((*name).to_owned(), with_targets(labels, Service::Both)));
    measured.chain(process).chain(its_own).collect()
}

/// Metrics without labels are 0 where they mean nothing: a party has
/// `entente_leader`, too. Who asks for one has to say whose is meant.
fn without_a_side(selector: &Selector) -> bool {
    let of = ALL.iter().find(|metric| metric.name == selector.name);
    let asked = |label: &str| selector.labels.iter().any(|one| one == label);
    of.is_some_and(|metric| {
        metric.labels.is_empty()
            && match metric.service {
                Service::Coordinator => !asked("job"),
                Service::Party => !asked("party") && !asked("job"),
                Service::Both => false,
            }
    })
}

/// What is wrong with a query.
fn faults(query: &str, found: &Mentions) -> Vec<String> {
    let known = known();
    let sideless = found.selectors.iter().filter(|one| without_a_side(one));
    let mut faults: Vec<String> = sideless
        .map(|one| format!("{query}: whose {} is meant? say job or party", one.name))
        .collect();
    let mut possible: BTreeSet<&str> = BTreeSet::new();
    for selector in &found.selectors {
        let Some(labels) = known.get(&selector.name) else {
            faults.push(format!("{query}: nobody measures {}", selector.name));
            continue;
        };
        possible.extend(labels);
        for label in &selector.labels {
            if !labels.contains(label.as_str()) {
                faults.push(format!("{query}: {} has no label {label}", selector.name));
            }
        }
    }
    for label in &found.grouping {
        if !possible.contains(label.as_str()) {
            faults.push(format!("{query}: nothing in it has a label {label}"));
        }
    }
    faults
}

#[test]
fn dashboards_ask_for_what_is_measured() {
    let mut wrong = Vec::new();
    for name in DASHBOARDS {
        for panel in Dashboard::read(name).panels() {
            for query in &panel.queries {
                let found = mentions(&query.expr);
                wrong.extend(faults(&query.expr, &found));
                // What is not aggregated away is there to be named.
                let named = legend_labels(&query.legend).into_iter();
                let columns = panel.columns.iter().cloned();
                let shown = named.chain(columns.filter(|_| panel.kind == Kind::Table));
                let whole = !query.expr.contains(" by (");
                for label in shown {
                    let targets = [&OF_TARGETS[..], &[OF_PARTIES]].concat();
                    let of_target = whole && targets.contains(&label.as_str());
                    let joined = panel.queries.iter().any(|query| {
                        panel.kind == Kind::Table && mentions(&query.expr).grouping.contains(&label)
                    });
                    if !(found.grouping.contains(&label) || of_target || joined) {
                        wrong.push(format!(
                            "{}: {label} is not left of {}",
                            panel.title, query.expr
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn alerts_and_variables_ask_for_what_is_measured() {
    let rules = rules();
    let rules = rules.iter().map(|rule| rule.expr.clone());
    let variables = variables();
    let variables = variables
        .iter()
        .map(|one| format!("group by ({}) ({})", one.values_of, one.matches));
    let wrong: Vec<String> = rules
        .chain(variables)
        .flat_map(|query| faults(&query, &mentions(&query)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_nobody_measures_is_found() {
    for (query, complaint) in [
        ("rate(entente_round_total[5m])", "nobody measures"),
        (r#"entente_jobs{stat="running"}"#, "has no label stat"),
        (
            "sum by (stat) (entente_jobs)",
            "nothing in it has a label stat",
        ),
        ("entente_api_seconds", "nobody measures"),
        (r#"entente_api_seconds_sum{le="1"}"#, "has no label le"),
        (r#"entente_leader{party="a"}"#, "has no label party"),
        ("sum(entente_leader)", "whose entente_leader is meant"),
    ] {
        let faults = faults(query, &mentions(query));
        assert!(
            faults.iter().any(|fault| fault.contains(complaint)),
            "{faults:?}"
        );
    }
    let query = r#"sum by (le) (rate(entente_api_seconds_bucket{route="x"}[5m]))"#;
    assert_eq!(faults(query, &mentions(query)), Vec::<String>::new());
}

/// The whole list is shown somewhere: what is measured for nobody is only a cost.
#[test]
fn what_is_measured_is_asked_for_somewhere() {
    let mut asked: BTreeSet<String> = BTreeSet::new();
    for name in DASHBOARDS {
        let dashboard = Dashboard::read(name);
        let queries = dashboard.panels().flat_map(|panel| &panel.queries);
        let selectors = queries.flat_map(|query| mentions(&query.expr).selectors);
        asked.extend(selectors.map(|selector| selector.name));
    }
    let missing: Vec<&str> = ALL
        .iter()
        .filter(|metric| !metric.series().iter().any(|name| asked.contains(name)))
        .map(|metric| metric.name)
        .collect();
    assert!(missing.is_empty(), "on no dashboard: {missing:?}");
}
