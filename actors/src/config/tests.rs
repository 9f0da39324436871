#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use url::Url;

use super::*;

fn sample() -> Value {
    json!({
        "party": { "name": "bank-a", "listen": "127.0.0.1:0", "state_dir": "state" },
        "tls": { "ca": "ca.pem", "certificate": "a.pem", "key": "a.key" },
        "coordinator": { "url": "https://127.0.0.1:7000/", "name": "coordinator" },
        "peers": { "bank-b": { "address": "bank-b.example:7101" }, "bank-c": {} },
        "datasets": { "iris": { "source": "iris", "columns": "features" } },
    })
}

fn with(pointer: &str, value: Value) -> Result<PartyConfig, String> {
    let mut sample = sample();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    sample.pointer_mut(parent).unwrap()[key] = value;
    let config: PartyConfig = serde_json::from_value(sample).map_err(|e| e.to_string())?;
    config.check().map_err(|e| e.to_string())?;
    Ok(config)
}

#[test]
fn what_is_left_out_has_a_default() {
    let config = with("/party/name", Value::Null).unwrap();
    assert_eq!(config.party.capacity, 4);
    assert!(config.compute.threads() >= 1);
    assert_eq!(config.compute.pool_values, 4096);
    let config = with("/compute", json!({ "threads": 1 })).unwrap();
    assert_eq!(config.compute.pool_values, 4096);
    assert_eq!(config.metrics.listen, None);
    assert_eq!(config.weights.dangerously_fixed_seed, None);
}

#[test]
fn a_version_of_the_wire_format_can_be_held_back() {
    use entente_wire::Spoken;
    let spoken =
        |value| with("/party/newest_wire_version", value).map(|config| config.party.spoken);
    assert_eq!(
        with("/party/name", Value::Null).unwrap().party.spoken,
        Spoken::ALL
    );
    assert_eq!(spoken(json!(2)), Ok(Spoken::ALL));
    assert_eq!(spoken(json!(1)).unwrap().numbers(), [1]);
    for other in [0, 3] {
        let error = spoken(json!(other)).unwrap_err();
        let said = format!("wire version {other} is not spoken here, which speaks 2, 1");
        assert!(error.contains(&said), "{error}");
    }
}

#[test]
fn each_setting_has_its_range() {
    for (pointer, value, key) in [
        ("/party/capacity", json!(0), "party.capacity"),
        ("/party/job_threads", json!(0), "party.job_threads"),
        (
            "/party/job_memory_bytes",
            json!(1000),
            "party.job_memory_bytes",
        ),
        (
            "/coordinator/url",
            json!("http://host:1/"),
            "coordinator.url",
        ),
        (
            "/coordinator/url",
            json!(["https://host:1/", "http://host:2/"]),
            "coordinator.url",
        ),
        ("/compute", json!({ "threads": 2000 }), "compute.threads"),
        (
            "/compute",
            json!({ "pool_values": 1 << 21 }),
            "compute.pool_values",
        ),
        (
            "/peers/bank-b/address",
            json!("bank-b"),
            "peers.bank-b.address",
        ),
        (
            "/peers/bank-b/address",
            json!("::1:71"),
            "peers.bank-b.address",
        ),
        (
            "/peers/bank-b/address",
            json!("b:70000"),
            "peers.bank-b.address",
        ),
        ("/peers/bank-a", json!({}), "peers.bank-a"),
    ] {
        let problem = with(pointer, value).unwrap_err();
        assert!(problem.contains(key), "{problem}");
    }
    assert!(with("/peers/bank-b/address", json!("[::1]:7101")).is_ok());
}

#[test]
fn several_coordinators_are_a_list_or_stand_between_commas() {
    let urls = |value: Value| {
        let urls = with("/coordinator/url", value).unwrap().coordinator.url;
        urls.iter().map(Url::to_string).collect::<Vec<_>>()
    };
    assert_eq!(urls(json!("https://a:1/")), ["https://a:1/"]);
    let two = ["https://a:1/", "https://b:2/"];
    assert_eq!(urls(json!(two)), two);
    assert_eq!(urls(json!("https://a:1/, https://b:2")), two);
    for none in [json!([]), json!(""), json!("https://a:1/,")] {
        assert!(with("/coordinator/url", none).is_err());
    }
}

/// By its affinity; a limit of its control group is read in the same place.
#[cfg(target_os = "linux")]
#[test]
fn threads_are_as_many_as_the_process_may_use() {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let section = ComputeSection::default();
    // Of a thread of its own, which takes it along when it ends.
    let on = std::thread::spawn(move || {
        let all = sched_getaffinity(None).unwrap();
        let first = (0..CpuSet::MAX_CPU).find(|&cpu| all.is_set(cpu)).unwrap();
        let mut one = CpuSet::new();
        one.set(first);
        sched_setaffinity(None, &one).unwrap();
        section.threads()
    });
    assert_eq!(on.join().unwrap(), 1);
}

#[test]
fn unknown_keys_and_bad_names_are_errors() {
    assert!(
        with("/party/lisen", json!("x"))
            .unwrap_err()
            .contains("lisen")
    );
    assert!(with("/peers/Bank B", json!({})).is_err());
    assert!(with("/coordinator/name", json!("Not A Name")).is_err());
    assert!(with("/peers/bank-b/adress", json!("x:1")).is_err());
}
