//! Jobs in workers, over real processes and real TLS: whoever is killed, they end as
//! jobs do that run in the party, with the same bits, and leave nothing behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use entente_protocol::{
    acml::{ActiveHalf, Model, PassiveHalf},
    job::Job,
};
use house::{House, Service, eventually, succeed};
use serde_json::Value;

const SEED: &str = "[weights]\ndangerously_fixed_seed = 7\n";
const LAUNCHER: &str = "[launcher]\nkind = \"process\"\n";

fn done(job: &Value) -> u64 {
    let done = &job["sides"]["active"]["progress"]["exchanges_done"];
    done.as_u64().unwrap_or(0)
}

/// Both halves of a job's model together: each is masked anew in every run.
fn model(house: &House, id: &str) -> Model {
    let spec = fs::read_to_string(house.path().join("iris.toml")).unwrap();
    let job = Job::from_toml(&spec).unwrap();
    let active = ActiveHalf::open(&job, &house.half("bank-a", id)).unwrap();
    let passive = PassiveHalf::open(&job, &house.half("bank-b", id)).unwrap();
    Model::join(active, passive)
}

/// The processes that are workers of a job of the party whose state this is.
fn workers(party: &str, job: &str) -> Vec<u32> {
    let listed = fs::read_dir("/proc").unwrap().flatten();
    let ids = listed.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_worker = |id: &u32| {
        let words = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).into_owned();
        let words: Vec<&str> = words.split('\0').collect();
        words.get(1) == Some(&"worker")
            && words.contains(&job)
            && words.contains(&format!("{party}.toml").as_str())
    };
    ids.filter(is_worker).collect()
}

fn the_worker(party: &str, job: &str) -> u32 {
    eventually("there is one worker", || match workers(party, job)[..] {
        [worker] => Some(worker),
        _ => None,
    })
}

fn kill(process: u32) {
    let killed = Command::new("kill")
        .args(["-KILL", &process.to_string()])
        .status();
    assert!(killed.unwrap().success());
}

/// Waits until nothing is left of a job's workers but what came of it.
fn nothing_is_left(house: &House, party: &str, job: &str) {
    let folder = house.path().join("state").join(party).join("workers");
    eventually("nothing is left of the worker", || {
        let left: Vec<PathBuf> = entries(&folder);
        let gone = left == [folder.join("address")] && workers(party, job).is_empty();
        gone.then_some(())
    });
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).unwrap().flatten();
    listed.map(|entry| entry.path()).collect()
}

fn reached(house: &House, id: &str, exchanges: u64) {
    eventually("the job goes on", || {
        let job = house.show(id);
        assert_eq!(job["state"], "running", "{job:#}");
        (done(&job) >= exchanges).then_some(())
    });
}

#[test]
fn a_job_goes_on_whoever_is_killed_and_ends_with_the_same_bits() {
    let settings = [&format!("{LAUNCHER}{SEED}"), SEED];
    let mut house = House::with_datasets(|port| port, settings, |_| ());
    let changes = [("epochs = 30", "epochs = 20")];
    let id = house.submit(&changes);
    let path = house.path().to_owned();

    // The worker alone.
    eventually("the job is running", || {
        (house.show(&id)["state"] == "running").then_some(())
    });
    reached(&house, &id, 10);
    let first = the_worker("bank-a", &id);
    kill(first);
    reached(&house, &id, 30);
    let second = the_worker("bank-a", &id);
    assert_ne!(second, first);

    // The party alone: its worker waits for the next one.
    house.active.kill();
    house.active = Service::start(&path, "party", "bank-a");
    reached(&house, &id, 60);
    assert_eq!(workers("bank-a", &id), [second]);

    // Both, the party first, so that nobody sees the worker die.
    house.active.kill();
    kill(second);
    house.active = Service::start(&path, "party", "bank-a");
    reached(&house, &id, 90);
    let third = the_worker("bank-a", &id);
    assert_ne!(third, second);

    // The party is stopped, and takes its worker with it.
    house.active.stop();
    assert!(workers("bank-a", &id).is_empty());
    house.active = Service::start(&path, "party", "bank-a");
    let job = house.end_of(&id);
    assert_eq!(job["state"], "succeeded", "{job:#}");
    assert_eq!(job["attempt"], 1, "{job:#}");
    nothing_is_left(&house, "bank-a", &id);
    for line in [
        "entente_workers{state=\"connected\"} 0",
        "entente_workers{state=\"starting\"} 0",
    ] {
        let text = house.scrape("bank-a");
        assert!(text.contains(line), "{text}");
    }

    // The same job in the party's own process.
    house.active.stop();
    let config = path.join("bank-a.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace(LAUNCHER, "")).unwrap();
    house.active = Service::start(&path, "party", "bank-a");
    let here = house.submit(&changes);
    let job = house.end_of(&here);
    assert_eq!(job["state"], "succeeded", "{job:#}");
    assert!(model(&house, &id).is_bit_identical(&model(&house, &here)));
}

#[test]
fn what_comes_of_jobs_lies_at_the_party_and_models_are_asked_from_there() {
    let house = House::with_datasets(|port| port, [LAUNCHER, LAUNCHER], |_| ());
    let id = house.submit(&[("epochs = 30", "epochs = 2")]);
    let job = house.end_of(&id);
    assert_eq!(job["state"], "succeeded", "{job:#}");
    for party in ["bank-a", "bank-b"] {
        nothing_is_left(&house, party, &id);
        let config = format!("{party}.toml");
        let listed = succeed(
            house.path(),
            &["model", "list", "--config", &config, "-o", "json"],
        );
        let listed: Value = serde_json::from_str(&listed).unwrap();
        assert_eq!(listed[0]["version"], id.as_str());
        // Nothing of it was ever written where jobs of the party itself go on from.
        let jobs = house.path().join("state").join(party).join("jobs");
        assert!(!jobs.exists() || entries(&jobs).is_empty());
    }

    house::configure(house.path(), "iris-evaluate", &[]);
    let printed = succeed(
        house.path(),
        &["job", "submit", "iris-evaluate.toml", "-o", "json"],
    );
    let asks: Value = serde_json::from_str(&printed).unwrap();
    let asks = asks["id"].as_str().unwrap();
    let evaluated = house.end_of(asks);
    assert_eq!(evaluated["state"], "succeeded", "{evaluated:#}");
    for party in ["bank-a", "bank-b"] {
        nothing_is_left(&house, party, asks);
        let results = house.path().join("state").join(party).join("results");
        let found = results.join(asks).join("evaluation.json").exists();
        assert_eq!(found, party == "bank-b");
    }
}

/// What a party has counted of jobs, whatever the clock says.
fn counted(house: &House, party: &str) -> BTreeMap<String, f64> {
    let names = [
        "entente_exchanges_total ",
        "entente_he_bytes_total{",
        "entente_he_ciphertexts_total{",
        "entente_he_items_total{",
        "entente_he_operations_total{",
        "entente_rounds_total ",
        "entente_samples_total ",
        "entente_step_seconds_count{",
    ];
    let text = house.scrape(party);
    let lines = text.lines();
    let lines = lines.filter(|line| names.iter().any(|name| line.starts_with(name)));
    let values = lines.filter_map(|line| line.rsplit_once(' '));
    values
        .map(|(series, value)| (series.to_owned(), value.parse().unwrap()))
        .collect()
}

#[test]
fn a_party_serves_what_its_workers_count_and_those_that_have_ended() {
    const OPERATIONS: &str = "entente_he_operations_total{operation=\"encrypt_activations\"}";
    let house = House::with_datasets(|port| port, [LAUNCHER, LAUNCHER], |_| ());
    let changes = [("epochs = 30", "epochs = 20")];
    let id = house.submit(&changes);
    let before = eventually("a worker has told what it counts", || {
        let before = counted(&house, "bank-a");
        let uses = house.scrape("bank-a");
        let uses = !uses.contains("entente_worker_resident_memory_bytes 0\n");
        (before[OPERATIONS] > 3.0 && uses).then_some(before)
    });
    let first = the_worker("bank-a", &id);
    kill(first);
    eventually(
        "another one is there",
        || match workers("bank-a", &id)[..] {
            [next] if next != first => Some(()),
            _ => None,
        },
    );
    // What that one begins with was done before.
    let done_before = done(&house.show(&id)) as f64;
    let mut last = before.clone();
    let job = eventually("the job ends, and nothing falls", || {
        let now = counted(&house, "bank-a");
        for (series, value) in &last {
            assert!(now[series] >= *value, "{series} fell from {value}");
        }
        last = now;
        let job = house.show(&id);
        (job["state"] != "running").then_some(job)
    });
    assert_eq!(job["state"], "succeeded", "{job:#}");
    let [killed, whole] = ["bank-a", "bank-b"].map(|party| {
        nothing_is_left(&house, party, &id);
        eventually("the last word of the worker is heard", || {
            let text = house.scrape(party);
            let gone = text.contains("entente_worker_resident_memory_bytes 0\n");
            gone.then(|| counted(&house, party))
        })
    });

    drop(house);
    let house = House::start(|port| port);
    let here = house.submit(&changes);
    let job = house.end_of(&here);
    assert_eq!(job["state"], "succeeded", "{job:#}");
    assert_eq!(whole, counted(&house, "bank-b"));
    // Of the one that was killed, all that it had told, and all of its successor.
    let rounds = counted(&house, "bank-a")["entente_rounds_total"];
    assert_eq!(killed["entente_rounds_total"], rounds);
    assert!(killed[OPERATIONS] >= before[OPERATIONS] + rounds - done_before);
}

/// Whoever calls where workers call is the party itself, or nobody.
#[test]
fn nobody_else_is_let_in_where_workers_call() {
    let house = House::with_datasets(|port| port, [LAUNCHER, ""], |_| ());
    let port = house.active.port("workers");
    let job = "0190a000-0000-7000-8000-000000000000";
    let party = format!("localhost:{port}");
    let arguments = [
        "worker",
        "--config",
        "bank-b.toml",
        "--job",
        job,
        "--attempt",
        "1",
        "--state-dir",
        "elsewhere",
        "--party",
        &party,
        "--patience-s",
        "0",
    ];
    // It looks for bank-b at that address, and finds somebody else.
    let (code, said) = house::fail(house.path(), &arguments);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("away for too long"), "{said}");

    // The party itself, for a job that nobody wishes: it is sent home.
    let arguments = arguments.map(|word| {
        word.replace("bank-b", "bank-a")
            .replace("elsewhere", "here")
    });
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    eventually("the worker is told to leave", || {
        house::entente(house.path(), &arguments)
            .status
            .success()
            .then_some(())
    });
}
