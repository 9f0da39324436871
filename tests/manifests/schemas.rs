//! That Kubernetes takes the resources: strictly, so that a misspelt key is an error and
//! not a setting that is silently left out.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::overlay::{Overlay, name, overlays};

/// Kinds that Kubernetes itself does not know, and what we use of each.
const FOREIGN: [&str; 4] = ["Certificate", "Issuer", "ServiceMonitor", "PrometheusRule"];

/// How many minors are supported at a time.
const MINORS: u32 = 3;

fn schema(kind: &str) -> Value {
    let file = format!("tests/manifests/schemas/{}.json", kind.to_lowercase());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

fn check_foreign(overlay: &Overlay) {
    for kind in FOREIGN {
        let validator = jsonschema::draft202012::new(&schema(kind)).unwrap();
        for resource in overlay.of(kind) {
            if let Err(error) = validator.validate(resource) {
                let at = error.instance_path().to_string();
                panic!("{}, {kind} {}: {at}: {error}", overlay.name, name(resource));
            }
        }
    }
}

#[test]
fn resources_of_operators_are_what_those_read() {
    for overlay in overlays("resources_of_operators_are_what_those_read") {
        check_foreign(overlay);
        let mut resource = overlay.of("Certificate").next().cloned();
        if let Some(resource) = &mut resource {
            // A check that refuses nothing would find nothing.
            resource["spec"]["uriSANs"] = Value::Null;
            let validator = jsonschema::draft202012::new(&schema("Certificate")).unwrap();
            assert!(!validator.is_valid(resource));
        }
    }
}

/// The newest minor that the validator knows.
fn newest() -> Option<u32> {
    let output = Command::new("kubernetes-validate")
        .arg("--version")
        .output();
    let version = String::from_utf8(output.ok()?.stdout).unwrap();
    let mut parts = version.trim().rsplit(' ').next()?.split('.').skip(1);
    parts.next()?.parse().ok()
}

/// What the validator says of files, for a minor.
fn validate(files: &[PathBuf], minor: u32) -> (bool, String) {
    let output = Command::new("kubernetes-validate")
        .args(["--strict", "-k", &format!("1.{minor}")])
        .args(files)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn resources_are_those_of_the_last_three_minors() {
    let made = overlays("resources_are_those_of_the_last_three_minors");
    let Some(newest) = newest() else {
        return println!(
            "skipped: resources_are_those_of_the_last_three_minors: kubernetes-validate is not \
             installed"
        );
    };
    if made.is_empty() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(format!("{name}.yaml"));
        fs::write(&file, text).unwrap();
        file
    };
    let files: Vec<_> = made
        .iter()
        .map(|overlay| write(overlay.name, &overlay.text))
        .collect();
    let wrong = made.iter().map(|overlay| {
        overlay
            .text
            .replace("serviceAccountName:", "serviceAcountName:")
    });
    let wrong: Vec<_> = wrong.take(1).map(|text| write("misspelt", &text)).collect();
    for minor in newest - MINORS + 1..=newest {
        let (good, said) = validate(&files, minor);
        assert!(good, "for 1.{minor}: {said}");
        // What it has no schema of is passed over, and is ours to hold.
        for line in said.lines().filter(|line| line.contains("find schema")) {
            let known = FOREIGN.map(|kind| format!("kind {kind} "));
            assert!(known.iter().any(|kind| line.contains(kind)), "{line}");
        }
        // And it finds what is wrong.
        let (good, said) = validate(&wrong, minor);
        assert!(!good && said.contains("serviceAcountName"), "{said}");
    }
}
