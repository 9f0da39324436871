//! Two coordinators on one PostgreSQL, two parties, all real processes: the one
//! that leads is killed in the middle of a job, and nobody else notices much.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;
#[path = "house/postgres.rs"]
mod postgres;

use std::{fs, path::Path, process::Command};

use entente_protocol::{
    acml::{ActiveHalf, Model, PassiveHalf},
    job::Job,
};
use entente_tls::Identity;
use house::{House, Service, configure, eventually, folder_with_certificates, get, succeed};
use postgres::TestDatabase;
use serde_json::Value;
use tempfile::TempDir;

/// Small enough that a job hears of the coordinator many times.
const WINDOW: u64 = 8;
const JOB: [(&str, &str); 1] = [("epochs = 30", "epochs = 8")];

/// Two coordinators on one database, the first of which leads.
struct Pair {
    leader: Service,
    other: Service,
    folder: TempDir,
}

impl Pair {
    fn start(database: &TestDatabase) -> Self {
        let folder = folder_with_certificates();
        let path = folder.path();
        let store = format!("lease_s = 15\nstore = {:?}", database.url());
        let settings = [
            ("127.0.0.1:7400", "127.0.0.1:0"),
            ("window = 64", &format!("window = {WINDOW}")),
            ("lease_s = 10", &store),
        ];
        configure(path, "coordinator", &settings);
        let first = fs::read_to_string(path.join("coordinator.toml")).unwrap();
        fs::write(path.join("other.toml"), first).unwrap();
        let leader = Service::start(path, "coordinator", "coordinator");
        let other = Service::start(path, "coordinator", "other");
        Self {
            leader,
            other,
            folder,
        }
    }
}

/// What a coordinator answers at `path`.
fn ask(folder: &Path, url: &str, path: &str) -> (u16, String) {
    let of = Identity::coordinator("coordinator".parse().unwrap());
    get(folder, &of, &format!("{url}{path}"))
}

/// Nothing that it was in the middle of is done after the other one has begun.
#[test]
fn a_leader_that_was_stopped_and_goes_on_stands_by() {
    let Some(database) = TestDatabase::create("a_leader_that_was_stopped_and_goes_on_stands_by")
    else {
        return;
    };
    let Pair {
        leader,
        other,
        folder,
    } = Pair::start(&database);
    let path = folder.path();
    let urls = [leader.url(), other.url()];
    eventually("one leads", || {
        (ask(path, &urls[0], "readyz").0 == 200).then_some(())
    });

    signal(&leader, "STOP");
    eventually("the other one takes over", || {
        (ask(path, &urls[1], "readyz").0 == 200).then_some(())
    });
    let (from, to) = ("https://localhost:7400/", urls[1].as_str());
    configure(path, "client", &[(from, to)]);
    configure(path, "iris", &[]);
    succeed(path, &["job", "submit", "iris.toml"]);
    signal(&leader, "CONT");

    eventually("the first one knows", || {
        let (status, said) = ask(path, &urls[0], "readyz");
        let said: Value = serde_json::from_str(&said).ok()?;
        let other = said["leader"].as_str()?;
        (status == 503 && other.ends_with(&format!(":{}/", port(&urls[1])))).then_some(())
    });
    let (_, metrics) = ask(path, &urls[0], "metrics");
    assert!(metrics.contains("\nentente_leader 0\n"), "{metrics}");
    assert_eq!(ask(path, &urls[1], "readyz").0, 200);
    let listed = succeed(path, &["job", "list", "-o", "json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(the_log(path).len(), 1);
}

/// What a supervisor is told of the coordinator that took a free port.
fn probe(folder: &Path, service: &Service, name: &str, question: &str) -> bool {
    let output = Command::new(house::ENTENTE)
        .current_dir(folder)
        .args(["probe", question, "--config", &format!("{name}.toml")])
        .env(
            "ENTENTE__COORDINATOR__LISTEN",
            format!("127.0.0.1:{}", service.port("api")),
        )
        .output();
    output.unwrap().status.success()
}

fn signal(service: &Service, name: &str) {
    let kill = Command::new("kill")
        .args([&format!("-{name}"), &service.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
}

fn port(url: &str) -> &str {
    url.trim_end_matches('/').rsplit_once(':').unwrap().1
}

#[test]
fn the_leader_is_killed_and_the_job_goes_on() {
    let Some(database) = TestDatabase::create("the_leader_is_killed_and_the_job_goes_on") else {
        return;
    };
    let Pair {
        mut leader,
        other,
        folder,
    } = Pair::start(&database);
    let urls = [leader.url(), other.url()];
    let path = folder.path();
    let ready = |url: &str| ask(path, url, "readyz");

    eventually("one leads", || (ready(&urls[0]).0 == 200).then_some(()));
    let (status, said) = ready(&urls[1]);
    assert_eq!(status, 503, "{said}");
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["type"], "urn:entente:problem:standby");
    assert!(said["leader"].is_string(), "{said}");
    // Each is in order, and one takes work.
    for (service, name, ready) in [(&leader, "coordinator", true), (&other, "other", false)] {
        for (question, expected) in [("live", true), ("serving", true), ("ready", ready)] {
            assert_eq!(
                probe(path, service, name, question),
                expected,
                "{name}: {question}"
            );
        }
    }

    // The one that stands by is asked first by everybody.
    let asked = format!("[{:?}, {:?}]", urls[1], urls[0]);
    let seed = "[weights]\ndangerously_fixed_seed = 7\n";
    let house = House::round(folder, other, &asked, |port| port, [seed, seed]);
    let undisturbed = house.submit(&JOB);
    let expected = house.end_of(&undisturbed);
    assert_eq!(expected["state"], "succeeded", "{expected:#}");
    let before = exchanges(&house);

    let id = house.submit(&JOB);
    eventually("the job is under way", || {
        let job = house.show(&id);
        (done(&job, "passive") > WINDOW).then_some(())
    });
    leader.kill();
    let job = house.end_of(&id);
    assert_eq!(job["state"], "succeeded", "{job:#}");
    assert_eq!(ask(house.path(), &urls[1], "readyz").0, 200);

    // Nothing ran twice, nothing was left out, and nothing came out otherwise.
    for (side, before, after) in [
        ("active", before[0], exchanges(&house)[0]),
        ("passive", before[1], exchanges(&house)[1]),
    ] {
        let progress = |job: &Value| {
            let mut progress = job["sides"][side]["progress"].clone();
            // Each job has its own keys, since a moment of its own.
            assert_eq!(progress["key"]["epoch"], 1);
            progress["key"]["since_ms"] = Value::Null;
            progress
        };
        assert_eq!(progress(&job), progress(&expected));
        assert_eq!(after - before, done(&job, side), "{side}: {job:#}");
        assert_eq!(done(&job, side), before, "{side}: {job:#}");
        assert_eq!(
            job["sides"][side]["progress"]["exchanges"],
            done(&job, side)
        );
    }
    assert_eq!(job["attempt"], expected["attempt"]);
    assert_eq!(job["test_accuracy"], expected["test_accuracy"]);
    let (one, other) = (model(&house, &undisturbed), model(&house, &id));
    assert!(one.is_bit_identical(&other));
    the_log_is_whole(&house, &[&undisturbed, &id]);
}

fn done(job: &Value, side: &str) -> u64 {
    let done = &job["sides"][side]["progress"]["exchanges_done"];
    done.as_u64().unwrap_or(0)
}

/// That each party has done, in all jobs.
fn exchanges(house: &House) -> [u64; 2] {
    ["bank-a", "bank-b"].map(|party| {
        let text = house.scrape(party);
        let line = |line: &str| Some(line.strip_prefix("entente_exchanges_total ")?.to_owned());
        text.lines().find_map(line).unwrap().parse().unwrap()
    })
}

/// Both halves of a job's model together: each is masked anew in every run.
fn model(house: &House, id: &str) -> Model {
    let spec = fs::read_to_string(house.path().join("iris.toml")).unwrap();
    let job = Job::from_toml(&spec).unwrap();
    let active = ActiveHalf::open(&job, &house.half("bank-a", id)).unwrap();
    let passive = PassiveHalf::open(&job, &house.half("bank-b", id)).unwrap();
    Model::join(active, passive)
}

fn the_log_is_whole(house: &House, jobs: &[&str]) {
    let log = the_log(house.path());
    for job in jobs {
        let ends = |entry: &&Value| entry["job"] == **job && entry["what"] == "succeeded";
        assert_eq!(log.iter().filter(ends).count(), 1, "{log:#?}");
    }
}

/// The audit log, verified.
fn the_log(path: &Path) -> Vec<Value> {
    let issue = [
        "cert", "issue", "operator", "olga", "--ca", "pki", "--out", "pki",
    ];
    succeed(path, &issue);
    let alices = fs::read_to_string(path.join("client.toml")).unwrap();
    fs::write(path.join("olga.toml"), alices.replace("alice", "olga")).unwrap();
    let told = |what: &str| {
        let printed = succeed(
            path,
            &["audit", what, "--client", "olga.toml", "-o", "json"],
        );
        serde_json::from_str::<Value>(&printed).unwrap()
    };
    let log = told("list");
    let log = log.as_array().unwrap();
    assert_eq!(told("verify")["entries"], log.len());
    log.clone()
}
