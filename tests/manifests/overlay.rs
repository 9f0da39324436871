//! What an overlay comes to.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use serde_json::Value;

/// Those that somebody applies, and parts that are built by themselves.
pub(crate) const OVERLAYS: [&str; 5] = ["coordinator", "party", "demo", "production", "launcher"];

pub(crate) fn kubernetes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/kubernetes")
}

/// An overlay, made.
#[derive(Debug)]
pub(crate) struct Overlay {
    pub(crate) name: &'static str,
    /// As it was printed.
    pub(crate) text: String,
    pub(crate) resources: Vec<Value>,
}

/// All of them; none where nobody can make them, which is said.
pub(crate) fn overlays(test: &str) -> &'static [Overlay] {
    static MADE: OnceLock<Vec<Overlay>> = OnceLock::new();
    let made = MADE.get_or_init(make);
    if made.is_empty() {
        println!("skipped: {test}: kubectl is not installed");
    }
    made
}

fn make() -> Vec<Overlay> {
    if Command::new("kubectl").arg("help").output().is_err() {
        return Vec::new();
    }
    let made = OVERLAYS.map(|name| {
        let folder = kubernetes().join("overlays").join(name);
        let output = Command::new("kubectl")
            .arg("kustomize")
            .arg(folder)
            .output();
        let output = output.unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && errors.is_empty(),
            "{name}: {errors}"
        );
        let text = String::from_utf8(output.stdout).unwrap();
        let resources = serde_saphyr::from_multiple(&text).unwrap();
        Overlay {
            name,
            text,
            resources,
        }
    });
    made.into()
}

impl Overlay {
    /// Its resources of a kind.
    pub(crate) fn of<'a>(&'a self, kind: &str) -> impl Iterator<Item = &'a Value> {
        self.resources.iter().filter(move |one| one["kind"] == kind)
    }

    /// Everything that pods are made of, with its namespace and its name.
    pub(crate) fn templates(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        let stateful = self.of("StatefulSet");
        stateful.map(|one| (namespace(one), name(one), &one["spec"]["template"]))
    }
}

pub(crate) fn name(resource: &Value) -> &str {
    resource["metadata"]["name"].as_str().unwrap()
}

pub(crate) fn namespace(resource: &Value) -> &str {
    resource["metadata"]["namespace"]
        .as_str()
        .unwrap_or_default()
}

/// The list at a place, or none.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Whether labels are among those that are asked for, all of them.
pub(crate) fn selects(wanted: &Value, labels: &Value) -> bool {
    let wanted = wanted.as_object().into_iter().flatten();
    wanted.into_iter().all(|(key, value)| labels[key] == *value)
}

#[test]
fn every_folder_of_overlays_is_made() {
    let folders = std::fs::read_dir(kubernetes().join("overlays")).unwrap();
    let mut found: Vec<_> = folders
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    let mut known = OVERLAYS;
    known.sort_unstable();
    assert_eq!(found, known);
    for overlay in overlays("every_folder_of_overlays_is_made") {
        assert!(overlay.templates().count() > 0, "{}", overlay.name);
    }
}
