//! The probe, at real services: what a supervisor is told while they work, are drained,
//! lack something, hang and end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
};

use entente_tls::{DevelopmentCa, Identity, Validity};
use house::{ENTENTE, House, Service, eventually, succeed};
use time::{Duration, OffsetDateTime};

/// Where a test has the probe find a service that took a free port.
const PARTY: (&str, &str) = ("ENTENTE__METRICS__LISTEN", "metrics");
const COORDINATOR: (&str, &str) = ("ENTENTE__COORDINATOR__LISTEN", "api");

/// A service and how it is asked.
struct Asked<'a> {
    folder: &'a Path,
    config: String,
    /// The variable that says where it listens, and what it says.
    at: (&'static str, String),
}

impl<'a> Asked<'a> {
    fn of(folder: &'a Path, name: &str, service: &Service, at: (&'static str, &str)) -> Self {
        Self::at(folder, name, at.0, service.port(at.1))
    }

    fn at(folder: &'a Path, name: &str, variable: &'static str, port: u16) -> Self {
        Self {
            folder,
            config: format!("{name}.toml"),
            at: (variable, format!("127.0.0.1:{port}")),
        }
    }

    /// Exit code, and the one line that was said.
    fn ask(&self, question: &str) -> (i32, String) {
        let output = Command::new(ENTENTE)
            .current_dir(self.folder)
            .args(["probe", question, "--config", &self.config])
            .env(self.at.0, &self.at.1)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert_eq!(said.lines().count(), 1, "{question}: {said}");
        (output.status.code().unwrap(), said)
    }

    fn yes(&self, questions: &[&str]) {
        for question in questions {
            let (code, said) = self.ask(question);
            assert_eq!(code, 0, "{question} of {}: {said}", self.config);
        }
    }

    fn no(&self, questions: &[&str], word: &str) {
        for question in questions {
            let (code, said) = self.ask(question);
            assert_eq!(code, 1, "{question} of {}: {said}", self.config);
            assert!(said.contains(word), "{question}: {said}");
        }
    }

    fn comes_to_be(&self, question: &str, word: &str) {
        eventually(&format!("{} of {}: {word}", question, self.config), || {
            self.ask(question).1.contains(word).then_some(())
        });
    }
}

const ALL: [&str; 4] = ["live", "started", "serving", "ready"];

#[test]
fn ready_is_who_takes_work_and_live_is_who_answers() {
    let mut house = House::start(|port| port);
    let folder = house.path().to_owned();
    let path = folder.as_path();
    let bank_a = Asked::of(path, "bank-a", &house.active, PARTY);
    let bank_b = Asked::of(path, "bank-b", &house.passive, PARTY);
    let coordinator = Asked::of(path, "coordinator", &house.coordinator, COORDINATOR);
    for asked in [&bank_a, &bank_b, &coordinator] {
        asked.comes_to_be("ready", "ready\n");
        asked.yes(&ALL);
    }

    // Drained: nothing new begins, and who has begun is served.
    let of_b = ["--config", "bank-b.toml"];
    succeed(path, &[&["party", "drain"], &of_b[..]].concat());
    bank_b.comes_to_be("ready", "drained");
    bank_b.no(&["ready"], "drained");
    bank_b.yes(&["live", "started", "serving"]);
    bank_a.yes(&ALL);
    succeed(path, &[&["party", "resume"], &of_b[..]].concat());
    bank_b.comes_to_be("ready", "ready\n");

    let issue = [
        "cert", "issue", "operator", "olga", "--ca", "pki", "--out", "pki",
    ];
    succeed(path, &issue);
    let alices = fs::read_to_string(path.join("client.toml")).unwrap();
    fs::write(path.join("olga.toml"), alices.replace("alice", "olga")).unwrap();
    succeed(path, &["coordinator", "drain", "--client", "olga.toml"]);
    coordinator.no(&["ready"], "drained");
    coordinator.yes(&["live", "started", "serving"]);
    bank_a.yes(&ALL);
    succeed(path, &["coordinator", "resume", "--client", "olga.toml"]);
    coordinator.yes(&ALL);

    // Without its coordinator a party takes no work; a restart of it would not help.
    house.coordinator.stop();
    coordinator.no(&ALL, "127.0.0.1");
    bank_a.comes_to_be("ready", "no coordinator");
    bank_a.yes(&["live", "started", "serving"]);

    // What has stopped in the middle answers nobody, though its port is open.
    signal(&house.active, "STOP");
    bank_a.no(&ALL, "handshake");
    signal(&house.active, "CONT");
    bank_a.comes_to_be("live", "live\n");

    // From the moment on at which it begins to end it is not ready.
    signal(&house.active, "TERM");
    eventually("it has begun to end", || {
        house.active.log().contains("stops").then_some(())
    });
    let (code, said) = bank_a.ask("ready");
    assert_eq!(code, 1, "{said}");
    house.passive.kill();
    bank_b.no(&ALL, "127.0.0.1");
}

#[test]
fn a_certificate_that_has_ended_makes_nobody_dead() {
    let house = House::start(|port| port);
    let path = house.path();
    let bank_b = Asked::of(path, "bank-b", &house.passive, PARTY);
    bank_b.comes_to_be("ready", "ready\n");

    let ca = DevelopmentCa::load(&path.join("pki")).unwrap();
    let now = OffsetDateTime::now_utc();
    let ended = Validity::new(now - Duration::days(9), now - Duration::days(2)).unwrap();
    let of = Identity::party("bank-b".parse().unwrap());
    let issued = ca.issue(&of, &[], ended).unwrap();
    issued.save(&path.join("old"), "bank-b").unwrap();
    for file in ["bank-b.pem", "bank-b.key"] {
        fs::copy(path.join("old").join(file), path.join("pki").join(file)).unwrap();
    }
    let (code, said) = bank_b.ask("live");
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("expired"), "{said}");
    bank_b.no(&["started", "serving", "ready"], "expired");
}

#[test]
fn who_takes_the_call_and_says_nothing_is_not_alive() {
    let folder = house::folder_with_certificates();
    let path = folder.path();
    house::configure(path, "bank-a", &[]);
    // The system takes calls for it; nobody answers them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let asked = Asked::at(path, "bank-a", PARTY.0, port);
    asked.no(&["live", "ready"], "handshake");

    // And what cannot be asked at all is the configuration's fault.
    let asked = Asked::at(path, "bank-a", PARTY.0, 0);
    let (code, said) = asked.ask("live");
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("[metrics] listen"), "{said}");
    let asked = Asked::at(path, "nobody", PARTY.0, port);
    assert_eq!(asked.ask("live").0, 3);
}

fn signal(service: &Service, name: &str) {
    let kill = Command::new("kill")
        .args([&format!("-{name}"), &service.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
}
