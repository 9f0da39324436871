//! An image that is built for a test, and is gone after it.

use std::{
    collections::BTreeSet,
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

use cargo_metadata::{DependencyKind, MetadataCommand};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::{
    engine::{Engine, text},
    house::ENTENTE,
};

/// What a released image may weigh, as deploy/image/README.md says; one around a binary
/// that is for trying out is let off with more.
const MOST_BYTES: u64 = 64 << 20;
const MOST_BYTES_TRYING_OUT: u64 = 400 << 20;

pub(crate) struct Image {
    tag: String,
    /// What the builder said.
    pub(crate) made: Value,
    folder: TempDir,
}

impl Image {
    /// In the engine that was found, under a name of its own.
    pub(crate) fn build(_: &Engine, name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tag = format!("entente-test-{name}:{}", std::process::id());
        let builder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/image/build");
        let mut build = Command::new(builder);
        match env::var("ENTENTE_IMAGE_BINARY") {
            Ok(binary) => build.args(["--binary", &binary]),
            Err(_) => build.args(["--binary", ENTENTE, "--with-shared-objects"]),
        };
        let out = text(folder.path());
        build.args(["--tag", &tag, "--out", out, "--load", "-o", "json"]);
        let output = build.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        Self {
            tag,
            made: serde_json::from_slice(&output.stdout).unwrap(),
            folder,
        }
    }

    pub(crate) fn tag(&self) -> &str {
        &self.tag
    }

    pub(crate) fn is_static(&self) -> bool {
        self.made["linked"] == "statically"
    }

    /// And what was built to be static is.
    pub(crate) fn is_of_known_size(&self) {
        let bytes = self.made["bytes"].as_u64().unwrap();
        let given = env::var("ENTENTE_IMAGE_BINARY").unwrap_or_default();
        assert!(
            given.is_empty() || self.is_static(),
            "{given} is not static"
        );
        let most = match given.contains("/release/") {
            true => MOST_BYTES,
            false => MOST_BYTES_TRYING_OUT,
        };
        assert!(bytes < most, "{bytes} bytes");
    }

    /// The files of its layer: mode, as `ls` shows it, and path. An engine adds its
    /// own to those of a container.
    pub(crate) fn files(&self) -> Vec<(String, String)> {
        let archive = self.made["archive"].as_str().unwrap();
        let read = |arguments: &[&str], input: Stdio| {
            let output = Command::new("tar").args(arguments).stdin(input).output();
            let output = output.unwrap();
            assert!(output.status.success(), "tar {arguments:?}");
            output.stdout
        };
        let manifest = read(&["-xOf", archive, "manifest.json"], Stdio::null());
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        let layer = manifest[0]["Layers"][0].as_str().unwrap();
        let at = self.folder.path().join("layer.tar");
        fs::write(&at, read(&["-xOf", archive, layer], Stdio::null())).unwrap();
        let listed = read(&["-tv"], fs::File::open(&at).unwrap().into());
        let listed = String::from_utf8(listed).unwrap();
        let entry = |line: &str| {
            let mut fields = line.split_whitespace();
            let mode = fields.next()?.to_owned();
            // Owner, size, day and time stand between them.
            Some((mode, fields.nth(4)?.to_owned()))
        };
        listed.lines().filter_map(entry).collect()
    }

    /// The bill of materials that lies beside the archive.
    pub(crate) fn beside(&self) -> Vec<u8> {
        fs::read(self.made["sbom"].as_str().unwrap()).unwrap()
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // A test that fails has said why already.
        let remove = ["image", "rm", "--force", &self.tag];
        let _ = Command::new("docker").args(remove).output();
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The bill lists what is linked in: as another tool sees it.
pub(crate) fn holds_what_is_linked(components: &[Value]) {
    let metadata = MetadataCommand::new().exec().unwrap();
    let root = metadata.root_package().unwrap();
    let named = |name: &str, scope: &str| {
        let same = |of: &&Value| of["name"] == name && of["scope"] == scope;
        components.iter().any(|of| same(&of))
    };
    for dependency in &root.dependencies {
        if dependency.kind == DependencyKind::Normal && !dependency.optional {
            assert!(named(&dependency.name, "required"), "{}", dependency.name);
        }
    }
    for (name, scope) in [
        ("rust-std", "required"),
        ("aws-lc", "required"),
        ("sqlite", "required"),
        ("cc", "excluded"),
        ("serde_derive", "excluded"),
    ] {
        assert!(named(name, scope), "{name}");
    }
    let locked: BTreeSet<(&str, String)> = metadata
        .packages
        .iter()
        .map(|of| (of.name.as_str(), of.version.to_string()))
        .collect();
    for component in components {
        let crates = component["purl"].as_str().unwrap_or_default();
        if crates.starts_with("pkg:cargo/") {
            let name = component["name"].as_str().unwrap();
            let version = component["version"].as_str().unwrap().to_owned();
            assert!(locked.contains(&(name, version)), "{component:#}");
            assert!(component["licenses"][0]["expression"].is_string());
            assert_eq!(component["hashes"][0]["alg"], "SHA-256");
        }
    }
    // What tests alone use is not in it.
    assert!(!components.iter().any(|of| of["name"] == "proptest"));
}
