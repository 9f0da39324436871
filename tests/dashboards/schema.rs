//! Grafana would load them: held against a schema of its dashboards, and against
//! what a schema cannot say.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    grafana::{DATASOURCE, identity},
    promql::mentions,
    source::{DASHBOARDS, read, variables},
};

fn dashboard(name: &str) -> Value {
    serde_json::from_str(&read(&format!("grafana/{name}.json"))).unwrap()
}

/// What is wrong with a dashboard.
fn faults(dashboard: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(&read("schema/dashboard.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut faults: Vec<String> = validator
        .iter_errors(dashboard)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    let panels: Vec<&Value> = dashboard["panels"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    let mut ids = BTreeSet::new();
    for (number, panel) in panels.iter().enumerate() {
        if !ids.insert(panel["id"].as_u64()) {
            faults.push(format!("panel id {} is there twice", panel["id"]));
        }
        let Some(place) = Place::of(panel) else {
            continue;
        };
        if place.right() > 24 {
            faults.push(format!("{} hangs over the edge", panel["title"]));
        }
        for other in &panels[..number] {
            if Place::of(other).is_some_and(|other| other.overlaps(place)) {
                faults.push(format!("{} lies on {}", panel["title"], other["title"]));
            }
        }
        let targets = panel["targets"].as_array().into_iter().flatten();
        let names: Vec<&Value> = targets.map(|target| &target["refId"]).collect();
        let distinct: BTreeSet<String> = names.iter().map(|name| name.to_string()).collect();
        if distinct.len() != names.len() {
            faults.push(format!("{} has a refId twice", panel["title"]));
        }
    }
    faults.extend(unknown_variables(dashboard));
    faults
}

#[derive(Debug, Clone, Copy)]
struct Place {
    x: u64,
    y: u64,
    w: u64,
    h: u64,
}

impl Place {
    fn of(panel: &Value) -> Option<Self> {
        let at = |key: &str| panel["gridPos"][key].as_u64();
        let (x, y, w, h) = (at("x")?, at("y")?, at("w")?, at("h")?);
        Some(Self { x, y, w, h })
    }

    fn right(self) -> u64 {
        self.x + self.w
    }

    fn overlaps(self, other: Self) -> bool {
        self.x < other.right()
            && other.x < self.right()
            && self.y < other.y + other.h
            && other.y < self.y + self.h
    }
}

/// Variables that are used and not declared; Grafana's own begin with `__`.
fn unknown_variables(dashboard: &Value) -> Vec<String> {
    let list = dashboard["templating"]["list"].as_array();
    let declared: Vec<&str> = list
        .into_iter()
        .flatten()
        .filter_map(|variable| variable["name"].as_str())
        .collect();
    let queries = dashboard["panels"].as_array().into_iter().flatten();
    let targets = queries.filter_map(|panel| panel["targets"].as_array());
    let texts = targets
        .flatten()
        .filter_map(|target| target["expr"].as_str());
    texts
        .flat_map(|text| text.split('$').skip(1))
        .map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            &rest[..end.unwrap_or(rest.len())]
        })
        .filter(|name| !name.starts_with("__") && !declared.contains(name))
        .map(|name| format!("the variable {name} is not declared"))
        .collect()
}

#[test]
fn grafana_would_load_them() {
    for name in DASHBOARDS {
        assert_eq!(faults(&dashboard(name)), Vec::<String>::new(), "{name}");
    }
}

/// A mistake in a dashboard.
type Mistake = fn(&mut Value);

#[test]
fn mistakes_are_found() {
    let mistakes: [(&str, Mistake); 13] = [
        ("kind of panel", |d| d["panels"][1]["type"] = json!("stats")),
        ("no place", |d| {
            d["panels"][1].as_object_mut().unwrap().remove("gridPos");
        }),
        ("two of one id", |d| d["panels"][2]["id"] = json!(2)),
        ("one on another", |d| {
            d["panels"][2]["gridPos"]["x"] = json!(1)
        }),
        ("over the edge", |d| {
            d["panels"][1]["gridPos"]["x"] = json!(23)
        }),
        ("datasource", |d| {
            d["panels"][1]["datasource"]["uid"] = json!("prom")
        }),
        ("datasource of a query", |d| {
            d["panels"][1]["targets"][0]["datasource"]["type"] = json!("loki");
        }),
        ("unit", |d| {
            d["panels"][1]["fieldConfig"]["defaults"]["unit"] = json!("seconds");
        }),
        ("no description", |d| {
            d["panels"][1]
                .as_object_mut()
                .unwrap()
                .remove("description");
        }),
        ("no query", |d| d["panels"][1]["targets"] = json!([])),
        ("old schema", |d| d["schemaVersion"] = json!(16)),
        ("a key that is not Grafana's", |d| {
            d["panels"][1]["gridPos"]["z"] = json!(1);
        }),
        ("a variable that is not there", |d| {
            d["panels"][1]["targets"][0]["expr"] = json!("up{party=\"$partei\"}");
        }),
    ];
    for (what, mistake) in mistakes {
        let mut dashboard = dashboard("overview");
        mistake(&mut dashboard);
        assert!(!faults(&dashboard).is_empty(), "{what} is not found");
    }
}

/// Identities are unique, and every link leads to one of them.
#[test]
fn links_lead_somewhere() {
    let known: BTreeSet<String> = DASHBOARDS.map(identity).into();
    assert_eq!(known.len(), DASHBOARDS.len());
    for name in DASHBOARDS {
        let text = read(&format!("grafana/{name}.json"));
        assert_eq!(dashboard(name)["uid"], identity(name));
        for link in text.split("\"/d/").skip(1) {
            let end = link.find(['?', '"']).unwrap();
            assert!(known.contains(&link[..end]), "{name}: {link:.40}");
        }
    }
}

/// A variable hangs on those before it alone.
#[test]
fn variables_are_in_order() {
    let mut before: Vec<String> = Vec::new();
    for variable in variables() {
        assert_eq!(mentions(&variable.matches).selectors.len(), 1);
        for used in variable.matches.split('$').skip(1) {
            let known = before.iter().any(|name| used.starts_with(name.as_str()));
            assert!(known, "{}", variable.matches);
        }
        before.push(variable.name);
    }
}

#[test]
fn what_is_provisioned_is_what_dashboards_ask() {
    #[derive(Deserialize)]
    struct Datasources {
        datasources: Vec<Datasource>,
    }
    #[derive(Deserialize)]
    struct Datasource {
        name: String,
        uid: String,
        #[serde(rename = "type")]
        kind: String,
    }
    let file = "grafana/provisioning/datasources/prometheus.yml";
    let file: Datasources = serde_saphyr::from_str(&read(file)).unwrap();
    let [datasource] = &file.datasources[..] else {
        panic!("one datasource");
    };
    let expected = ("entente", DATASOURCE, "prometheus");
    let Datasource { name, uid, kind } = datasource;
    assert_eq!((name.as_str(), uid.as_str(), kind.as_str()), expected);

    #[derive(Deserialize)]
    struct Providers {
        providers: Vec<serde_json::Value>,
    }
    let file = "grafana/provisioning/dashboards/entente.yml";
    let file: Providers = serde_saphyr::from_str(&read(file)).unwrap();
    assert_eq!(file.providers.len(), 1);
    assert_eq!(file.providers[0]["type"], "file");
    assert!(file.providers[0]["options"]["path"].is_string());
}
