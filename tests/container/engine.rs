//! The engine of this machine, by its command line.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;

/// A docker engine that answers, and compose.
pub(crate) struct Engine {
    /// The plugin, or the program of its own that came before it.
    compose: &'static [&'static str],
}

impl Engine {
    /// Nothing where something is missing, which is said by name.
    pub(crate) fn find() -> Option<Self> {
        let answers = |command: &[&str]| {
            let quiet = Command::new(command[0])
                .args(&command[1..])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            quiet.is_ok_and(|status| status.success())
        };
        for (command, missing) in [
            (&["python3", "--version"][..], "python3 is not installed"),
            (&["docker", "--version"][..], "docker is not installed"),
            (&["docker", "info"][..], "no docker engine answers"),
        ] {
            if !answers(command) {
                println!("skipped: {missing}");
                return None;
            }
        }
        let ways: [&[&str]; 2] = [&["docker", "compose"], &["docker-compose"]];
        let compose = ways
            .into_iter()
            .find(|way| answers(&[way, &["version"][..]].concat()));
        if compose.is_none() {
            println!("skipped: docker compose is not installed");
        }
        Some(Self { compose: compose? })
    }

    /// A command of compose that is not started yet.
    pub(crate) fn compose(&self) -> Command {
        let mut command = Command::new(self.compose[0]);
        command.args(&self.compose[1..]);
        command
    }

    /// Whether an image is here; none is fetched.
    pub(crate) fn has_image(&self, image: &str) -> bool {
        let output = Command::new("docker")
            .args(["image", "inspect", image])
            .output();
        output.unwrap().status.success()
    }

    /// Does it, and expects it to go well; what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.bytes(arguments)).unwrap()
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(arguments)).unwrap()
    }

    fn bytes(&self, arguments: &[&str]) -> Vec<u8> {
        let output = Command::new("docker").args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "docker {arguments:?}: {said}");
        output.stdout
    }

    /// Does it, and expects an error: the exit code, and what was said.
    pub(crate) fn fail(&self, arguments: &[&str]) -> (i32, String) {
        let output = Command::new("docker").args(arguments).output().unwrap();
        assert!(!output.status.success(), "docker {arguments:?} succeeded");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code().unwrap_or(-1), said)
    }

    /// What a file of an image contains.
    pub(crate) fn file_in(&self, image: &str, path: &str) -> Vec<u8> {
        self.of_image(image, |container| self.file_of(container, path))
    }

    /// What a file of a container contains.
    pub(crate) fn file_of(&self, container: &str, path: &str) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy");
        self.run(&["cp", &format!("{container}:{path}"), text(&copy)]);
        std::fs::read(copy).unwrap()
    }

    /// Something about a container that is made, never started, and removed.
    fn of_image<T>(&self, image: &str, about: impl FnOnce(&str) -> T) -> T {
        let container = self.run(&["create", image]);
        let told = about(container.trim());
        self.run(&["rm", "--force", container.trim()]);
        told
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
