//! The borders of the house, held: who uses whom, who may send what, and who
//! declares what public. A change here is a review, not a habit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(["--locked".to_owned()])
        .exec()
        .unwrap()
}

/// Crates of this workspace, and which of the others each is built on.
#[test]
fn crates_use_only_whom_they_may() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("entente-wire", &[][..]),
        ("entente-he", &["entente-wire"][..]),
        ("entente-protocol", &["entente-he", "entente-wire"][..]),
        ("entente-metrics", &[][..]),
        ("entente-tls", &[][..]),
        (
            "entente-actors",
            &[
                "entente-he",
                "entente-metrics",
                "entente-protocol",
                "entente-tls",
                "entente-wire",
            ][..],
        ),
        (
            "entente-coordinator",
            &[
                "entente-metrics",
                "entente-protocol",
                "entente-tls",
                "entente-wire",
            ][..],
        ),
        (
            "entente",
            &[
                "entente-actors",
                "entente-coordinator",
                "entente-he",
                "entente-metrics",
                "entente-protocol",
                "entente-tls",
                "entente-wire",
            ][..],
        ),
    ]);
    let metadata = metadata();
    let mut seen = BTreeSet::new();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        seen.insert(name);
        let may = allowed
            .get(name)
            .unwrap_or_else(|| panic!("{name} is not in the list of rooms"));
        for dependency in &package.dependencies {
            if dependency.kind == DependencyKind::Normal && dependency.name.starts_with("entente") {
                assert!(
                    may.contains(&dependency.name.as_str()),
                    "{name} must not use {}",
                    dependency.name
                );
            }
        }
    }
    assert_eq!(seen, allowed.into_keys().collect());
}

/// No runtime, socket, TLS or metric reaches the mathematics, however many
/// crates lie between.
#[test]
fn the_protocol_knows_no_runtime() {
    let metadata = metadata();
    let resolve = metadata.resolve.as_ref().unwrap();
    let name_of = |id| metadata[id].name.as_str();
    for start in ["entente-wire", "entente-he", "entente-protocol"] {
        let mut open: Vec<_> = resolve
            .nodes
            .iter()
            .filter(|node| name_of(&node.id) == start)
            .collect();
        let mut seen = BTreeSet::new();
        while let Some(node) = open.pop() {
            for dependency in &node.deps {
                let normal =
                    |kind: &cargo_metadata::DepKindInfo| kind.kind == DependencyKind::Normal;
                if dependency.dep_kinds.iter().any(normal) && seen.insert(&dependency.pkg) {
                    open.extend(
                        resolve
                            .nodes
                            .iter()
                            .filter(|node| node.id == dependency.pkg),
                    );
                }
            }
        }
        for id in seen {
            let name = name_of(id);
            let runtime = [
                "tokio",
                "actix",
                "rustls",
                "prometheus",
                "hyper",
                "async-std",
            ]
            .iter()
            .any(|forbidden| name.starts_with(forbidden));
            assert!(!runtime, "{start} reaches {name}");
        }
    }
}

/// The source files of the product, tests left out, without comment lines.
fn product_lines() -> Vec<(PathBuf, String)> {
    let mut lines = Vec::new();
    let rooms = [
        "src",
        "actors/src",
        "coordinator/src",
        "protocol",
        "tls/src",
    ];
    let mut open: Vec<PathBuf> = rooms.iter().map(|room| root().join(room)).collect();
    while let Some(path) = open.pop() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["tests", "benches", "examples", "target", "fuzz"].contains(&name.as_str()) {
                open.extend(
                    fs::read_dir(&path)
                        .unwrap()
                        .map(|entry| entry.unwrap().path()),
                );
            }
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
            let relative = path.strip_prefix(root()).unwrap().to_owned();
            let text = fs::read_to_string(&path).unwrap();
            let mut rest = text.lines().peekable();
            while let Some(line) = rest.next() {
                // An inline module of tests ends a file; a declaration of one
                // stands at its top, and what follows is the product.
                let inline = |next: &&str| next.contains("mod ") && next.ends_with('{');
                if line.trim() == "#[cfg(test)]" && rest.peek().is_some_and(inline) {
                    break;
                }
                if !line.trim_start().starts_with("//") {
                    lines.push((relative.clone(), line.trim().to_owned()));
                }
            }
        }
    }
    lines
}

fn files_with(lines: &[(PathBuf, String)], text: &str) -> BTreeMap<String, usize> {
    let mut files = BTreeMap::new();
    for (path, line) in lines {
        if line.contains(text) {
            *files
                .entry(path.to_string_lossy().replace('\\', "/"))
                .or_default() += 1;
        }
    }
    files
}

/// What is `Wire`: the whole list.
#[test]
fn the_seal_is_broken_nowhere_else() {
    let lines = product_lines();
    let expected = [
        ("protocol/he/src/paillier/ciphertexts.rs", 2), // activations, and a macro
        ("protocol/he/src/paillier/proof.rs", 1),       // roots of hashes
        ("protocol/he/src/paillier/public_key.rs", 1),
        ("protocol/he/src/transparent.rs", 4), // tests alone
        ("protocol/src/rows/blinded.rs", 2),   // a point, and a set of them
        ("protocol/wire/src/mask.rs", 2),      // what is masked, and a mask given away
        ("protocol/wire/src/public.rs", 1),
        ("protocol/wire/src/share.rs", 1),
    ];
    // The metrics seal a trait of their own by the same name.
    let mut sealed = files_with(&lines, "Sealed for");
    sealed.retain(|path, _| !path.starts_with("protocol/metrics/"));
    assert_eq!(
        sealed,
        expected
            .map(|(path, count)| (path.to_owned(), count))
            .into()
    );
}

/// What is declared public, and where: the whole list.
#[test]
fn values_are_declassified_nowhere_else() {
    let lines = product_lines();
    let expected = [
        ("protocol/src/acml/half.rs", 1), // of which training a half is
        // who announces a key and when; and the number of a key
        ("protocol/src/acml/keys/announcement.rs", 1),
        ("protocol/src/acml/keys/epoch.rs", 1),
        ("protocol/src/acml/inference/active.rs", 1), // the number of rows
        // whether an epoch was the best so far
        ("protocol/src/acml/passive/exchange.rs", 1),
        ("protocol/src/rows/own.rs", 1), // the number of rows
    ];
    assert_eq!(
        files_with(&lines, "Public::declassify("),
        expected
            .map(|(path, count)| (path.to_owned(), count))
            .into()
    );
}

/// Who gives a mask away, and with it what was under it: the whole list.
#[test]
fn masks_are_given_away_nowhere_else() {
    let lines = product_lines();
    let expected = [
        ("protocol/src/acml/inference/passive.rs", 1), // predictions for the features' side
        ("protocol/wire/src/mask.rs", 1),              // how it is done
    ];
    assert_eq!(
        files_with(&lines, "give_away("),
        expected
            .map(|(path, count)| (path.to_owned(), count))
            .into()
    );
}

/// Who may say that a decryption is masked: the key owners of the schemes.
#[test]
fn only_a_key_owner_calls_a_decryption_masked() {
    let files = files_with(&product_lines(), "from_masked_decryption(");
    for path in files.keys() {
        assert!(
            path.starts_with("protocol/he/src/") || path == "protocol/wire/src/mask.rs",
            "{path} calls a decryption masked"
        );
    }
}

/// Rooms around the protocol work for any scheme.
#[test]
fn only_the_binary_names_a_scheme() {
    for (path, line) in product_lines() {
        let room = path.to_string_lossy().replace('\\', "/");
        if room.starts_with("actors/") || room.starts_with("coordinator/") {
            assert!(!line.contains("Paillier"), "{room}: {line}");
        }
    }
}
