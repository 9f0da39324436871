//! No secret key in the clear: in no file, and in no memory once its job is gone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../house/mod.rs"]
mod house;
mod journal;
mod search;

use std::{fs, path::PathBuf};

use house::{House, Service, configure, eventually, fail, folder_with_certificates, succeed};
use search::Search;
use serde_json::Value;

const OPEN: (&str, &str) = (
    "capacity = 4",
    "dangerously_allow_core_dumps = true\ncapacity = 4",
);

/// Three processes of which the parties let this one look at their memory.
fn open_house() -> House {
    let folder = folder_with_certificates();
    let path = folder.path();
    configure(path, "coordinator", &[("127.0.0.1:7400", "127.0.0.1:0")]);
    let coordinator = Service::start(path, "coordinator", "coordinator");
    let url = ("https://localhost:7400/", &*coordinator.url());
    configure(path, "client", &[url]);
    let free = |from| (from, "127.0.0.1:0");
    let ports = [free("127.0.0.1:7402"), free("127.0.0.1:9402")];
    configure(path, "bank-b", &[url, ports[0], ports[1], OPEN]);
    let passive = Service::start(path, "party", "bank-b");
    let peer = format!("localhost:{}", passive.port("peers"));
    let peer = ("localhost:7402", &*peer);
    let ports = [free("127.0.0.1:7401"), free("127.0.0.1:9401")];
    configure(path, "bank-a", &[url, ports[0], ports[1], OPEN, peer]);
    let active = Service::start(path, "party", "bank-a");
    House {
        active,
        passive,
        coordinator,
        folder,
    }
}

/// A job that does not end by itself while this test looks at it.
fn endless(house: &House) -> String {
    let id = house.submit(&[("epochs = 30", "epochs = 100000")]);
    has_done(house, &id, 2);
    id
}

fn has_done(house: &House, id: &str, exchanges: u64) {
    eventually("exchanges are done", || {
        let job = house.show(id);
        assert_ne!(job["state"], "failed", "{job}");
        (done(&job) >= exchanges).then_some(())
    });
}

fn done(job: &Value) -> u64 {
    let sides = ["active", "passive"].map(|side| &job["sides"][side]["progress"]);
    let done = sides.map(|progress| progress["exchanges_done"].as_u64().unwrap_or(0));
    done[0].min(done[1])
}

fn is(house: &House, id: &str, state: &str) {
    eventually(state, || (house.show(id)["state"] == state).then_some(()));
}

fn journal_of(house: &House, party: &str, id: &str) -> PathBuf {
    let folder = house.path().join("state").join(party).join("jobs").join(id);
    folder.join("1.journal")
}

/// Both parties have let the job go: it is in their journals and nowhere else.
fn paused(house: &House, id: &str) {
    succeed(house.path(), &["job", "pause", id]);
    is(house, id, "paused");
}

fn primes(house: &House, id: &str) -> [Vec<u8>; 2] {
    let key = house.path().join("state/bank-a.sealing-key");
    let journal = journal_of(house, "bank-a", id);
    journal::primes(&journal::checkpoint(&journal, &key))
}

#[test]
fn a_secret_key_is_in_no_file_and_leaves_the_memory_with_its_job() {
    let house = open_house();
    let id = endless(&house);
    paused(&house, &id);
    let primes = primes(&house, &id);
    let search = Search::new(&primes);

    // In no file of anybody's: stores, journals, logs, models.
    assert_eq!(search.files(house.path()), []);
    // Which the search would have found.
    let planted = house.path().join("planted");
    fs::write(&planted, [b"x", &primes[1][..], b"y"].concat()).unwrap();
    assert_eq!(search.files(house.path()).len(), 1);
    fs::remove_file(planted).unwrap();

    let process = house.active.id();
    if let Err(error) = search.memory(process) {
        println!("skipped: the memory of a process: {error}");
        return;
    }
    let gone = |when: &str| {
        let mut last = Vec::new();
        let deadline = std::time::Instant::now() + house::PATIENCE;
        while std::time::Instant::now() < deadline {
            last = search.memory(process).unwrap();
            if last.is_empty() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        panic!("{when}: {last:#?}");
    };
    gone("a job that is paused leaves nothing of its key");

    // While the job runs, the key is where it is needed, and is found.
    let before = done(&house.show(&id));
    succeed(house.path(), &["job", "resume", &id]);
    has_done(&house, &id, before + 1);
    eventually("the key is in memory", || {
        let found = search.memory(process).unwrap();
        (!found.is_empty()).then_some(())
    });
    assert_eq!(search.memory(house.passive.id()).unwrap(), [""; 0]);
    assert_eq!(search.memory(house.coordinator.id()).unwrap(), [""; 0]);

    succeed(house.path(), &["job", "cancel", &id]);
    is(&house, &id, "cancelled");
    gone("a job that has ended leaves nothing of its key");
    assert_eq!(search.files(house.path()), []);
}

/// Nothing is deleted and nothing begun anew for want of a key: the job waits.
#[test]
fn a_job_goes_on_when_the_sealing_key_is_back() {
    let mut house = open_house();
    let id = endless(&house);
    paused(&house, &id);
    let before = done(&house.show(&id));
    house.active.kill();
    let journal = journal_of(&house, "bank-a", &id);
    let path = house.folder.path().to_owned();

    // Gone: the party does not start.
    let key = path.join("state/bank-a.sealing-key");
    let kept = path.join("kept.sealing-key");
    fs::rename(&key, &kept).unwrap();
    let (code, said) = fail(&path, &["party", "--config", "bank-a.toml"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("put it back"), "{said}");
    assert!(!key.exists() && journal.exists());

    // Another one: the party runs, and this job waits.
    let key_file = key.display().to_string();
    succeed(&path, &["party", "sealing-key", "new", &key_file]);
    house.active = Service::start(&path, "party", "bank-a");
    eventually("the party says what the job waits for", || {
        let log = house.active.log();
        log.contains("cannot be unsealed").then_some(())
    });
    assert_eq!(house.show(&id)["state"], "paused");
    house.active.stop();
    let digits = fs::read_to_string(&kept).unwrap();
    assert!(!house.active.log().contains(digits.trim()));
    assert!(journal.exists());

    // The former one beside it: the job goes on.
    let text = fs::read_to_string(path.join("bank-a.toml")).unwrap();
    let former = "former_sealing_keys = \"kept.sealing-key\"\ncapacity = 4";
    let text = text.replace("capacity = 4", former);
    fs::write(path.join("bank-a.toml"), text).unwrap();
    let show = ["party", "sealing-key", "show", "--config", "bank-a.toml"];
    let shown = succeed(&path, &show);
    assert_eq!(shown.matches("unseals").count(), 2, "{shown}");
    house.active = Service::start(&path, "party", "bank-a");
    succeed(&path, &["job", "resume", &id]);
    has_done(&house, &id, before + 1);
    succeed(&path, &["job", "cancel", &id]);
    is(&house, &id, "cancelled");
}

#[test]
fn a_party_leaves_no_core_dumps_and_no_key_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let house = House::start(|port| port);
    for process in [house.active.id(), house.passive.id()] {
        let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"));
        let core: Vec<&str> = core.unwrap().split_whitespace().collect();
        assert_eq!(core[4..6], ["0", "0"], "{limits}");
    }
    assert!(!house.active.log().contains("dangerously_allow_core_dumps"));
    let key = house.path().join("state/bank-a.sealing-key");
    let mode = fs::metadata(&key).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let (code, said) = fail(house.path(), &["party", "--config", "bank-a.toml"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("chmod 600"), "{said}");
}
