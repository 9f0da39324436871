//! The stack of `deploy/compose`, under a name of its own.

use std::{
    fs,
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{engine::Engine, house::eventually, image::Image};

const COMPOSE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/compose/compose.yml");
const SERVICES: [&str; 3] = ["coordinator", "bank-a", "bank-b"];

/// Where a service keeps what must last.
const STATE: &str = "/var/lib/entente/state";

pub(crate) struct Stack<'a> {
    engine: &'a Engine,
    image: &'a str,
    project: String,
    /// What is otherwise than in the sample.
    folder: TempDir,
}

impl<'a> Stack<'a> {
    /// Starts it with the sample job so changed. Both parties draw their weights
    /// from a known seed.
    pub(crate) fn up(engine: &'a Engine, image: &'a Image, changes: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut job = include_str!("../../deploy/iris.toml").to_owned();
        for (from, to) in changes {
            assert!(job.contains(from), "iris.toml has no {from:?}");
            job = job.replace(from, to);
        }
        // The users of containers are others than whoever runs the tests.
        let spec = folder.path().join("job.toml");
        fs::write(&spec, job).unwrap();
        let seed = "{environment: {ENTENTE__WEIGHTS__DANGEROUSLY_FIXED_SEED: \"7\"}}";
        let otherwise = format!(
            "services:\n  bank-a: {seed}\n  bank-b: {seed}\n  \
             alice: {{volumes: [\"{}:/etc/entente/job.toml:ro\"]}}\n",
            spec.display()
        );
        fs::write(folder.path().join("otherwise.yml"), otherwise).unwrap();
        let stack = Self {
            engine,
            image: image.tag(),
            project: format!("entente-test-{}", std::process::id()),
            folder,
        };
        let mut up = vec!["up", "--detach", "certificate-of-alice"];
        up.extend(SERVICES);
        up.extend(stack.those_to_be_watched_with());
        stack.compose(&up);
        stack
    }

    /// Prometheus and Grafana, if their images are on this machine.
    fn those_to_be_watched_with(&self) -> Vec<&'static str> {
        let named = include_str!("../../deploy/compose/.env");
        let here = [
            ("prometheus", "PROMETHEUS_IMAGE="),
            ("grafana", "GRAFANA_IMAGE="),
        ];
        let here = here.into_iter().filter_map(|(service, variable)| {
            let image = named.lines().find_map(|line| line.strip_prefix(variable));
            let image = image.unwrap();
            let here = self.engine.has_image(image);
            if !here {
                println!("skipped: {service}: the image {image} is not here");
            }
            here.then_some(service)
        });
        here.collect()
    }

    fn command(&self) -> Command {
        let mut command = self.engine.compose();
        command
            .args(["--project-name", &self.project])
            .args(["--file", COMPOSE, "--file"])
            .arg(self.folder.path().join("otherwise.yml"))
            .env("ENTENTE_IMAGE", self.image)
            .env("GRAFANA_PORT", "0");
        command
    }

    fn attempt(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    fn compose(&self, arguments: &[&str]) -> String {
        let output = self.attempt(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        let words = || self.last_words();
        assert!(
            output.status.success(),
            "compose {arguments:?}: {said}\n{}",
            words()
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Has a service do something else, or what it does, to its end.
    pub(crate) fn run(&self, service: &str, arguments: &[&str]) -> String {
        let run = ["run", "--rm", "--no-deps", "-T", service];
        self.compose(&[&run[..], arguments].concat())
    }

    /// What alice is told.
    pub(crate) fn alice(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run("alice", arguments)).unwrap()
    }

    /// Waits until every service says of itself that it is well.
    pub(crate) fn is_healthy(&self) {
        for service in SERVICES {
            let container = self.container(service);
            eventually(&format!("{service} is healthy"), || {
                let known = self.engine.json(&["inspect", &container]);
                (known[0]["State"]["Health"]["Status"] == "healthy").then_some(())
            });
        }
    }

    /// Submits the job; its identity.
    pub(crate) fn submit(&self) -> String {
        let job = self.alice(&["job", "submit", "/etc/entente/job.toml", "-o", "json"]);
        job["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn show(&self, id: &str) -> Value {
        self.alice(&["job", "show", id, "-o", "json"])
    }

    /// Waits until the job has ended; how.
    pub(crate) fn end_of(&self, id: &str) -> Value {
        eventually("the job ends", || {
            let job = self.show(id);
            let state = job["state"].as_str().unwrap();
            ["succeeded", "failed", "cancelled", "rejected"]
                .contains(&state)
                .then_some(job)
        })
    }

    /// What the job says.
    pub(crate) fn specification(&self) -> String {
        fs::read_to_string(self.folder.path().join("job.toml")).unwrap()
    }

    fn container(&self, service: &str) -> String {
        self.compose(&["ps", "-q", service]).trim().to_owned()
    }

    /// As power does.
    pub(crate) fn kill(&self, service: &str) {
        self.engine.run(&["kill", &self.container(service)]);
    }

    pub(crate) fn start(&self, service: &str) {
        self.compose(&["start", service]);
    }

    pub(crate) fn cut(&self, network: &str, service: &str) {
        let (network, container) = (self.network(network), self.container(service));
        self.engine
            .run(&["network", "disconnect", &network, &container]);
    }

    pub(crate) fn mend(&self, network: &str, service: &str) {
        let (network, container) = (self.network(network), self.container(service));
        let connect = [
            "network", "connect", "--alias", service, &network, &container,
        ];
        self.engine.run(&connect);
    }

    fn network(&self, name: &str) -> String {
        format!("{}_{name}", self.project)
    }

    /// A party's half of a job's model.
    pub(crate) fn half(&self, party: &str, id: &str) -> Vec<u8> {
        let path = format!("{STATE}/models/{id}/half.bin");
        self.engine.file_of(&self.container(party), &path)
    }

    /// Every service runs as a user that is nobody, and can change its volumes alone.
    pub(crate) fn is_confined(&self) {
        for service in SERVICES {
            let container = self.container(service);
            let known = self.engine.json(&["inspect", &container]);
            let host = &known[0]["HostConfig"];
            assert_eq!(host["ReadonlyRootfs"], true, "{service}");
            assert_eq!(host["CapDrop"], serde_json::json!(["ALL"]), "{service}");
            assert_eq!(host["Privileged"], false, "{service}");
            let options = host["SecurityOpt"].to_string();
            assert!(
                options.contains("no-new-privileges"),
                "{service}: {options}"
            );
            let users = self.engine.run(&["top", &container, "-eo", "pid,uid"]);
            let users: Vec<&str> = users.lines().skip(1).collect();
            assert_eq!(users.len(), 1, "{service}: {users:?}");
            assert!(
                users[0].trim_end().ends_with(" 65532"),
                "{service}: {users:?}"
            );
        }
    }

    /// What the services have logged last, for a test that fails.
    pub(crate) fn last_words(&self) -> String {
        let output = self.attempt(&["logs", "--no-color", "--tail", "25"]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Stack<'_> {
    fn drop(&mut self) {
        let down = ["down", "--volumes", "--remove-orphans", "--timeout", "5"];
        let _ = self.attempt(&down);
    }
}
