//! The doctor, at a healthy house and at sick ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::Arc,
    thread,
};

use entente_tls::{Credentials, DevelopmentCa, Identity, TlsFiles, Validity};
use entente_wire::{Encode, Frame, Hello, Spoken};
use house::{House, configure, entente, eventually, folder_with_certificates};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

const UNWELL: i32 = 8;

/// What the doctor says, and the exit code.
fn doctor(folder: &Path, of: &str, config: &str) -> (i32, Value) {
    let output = entente(folder, &["doctor", of, "--config", config, "-o", "json"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!errors.contains("panicked"), "{errors}");
    let report = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code().unwrap(), report)
}

/// The finding of this name.
fn of<'a>(report: &'a Value, check: &str) -> &'a Value {
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().find(|one| one["check"] == check);
    found.unwrap_or_else(|| panic!("{check}: {report:#}"))
}

/// What failed, which has a remedy each.
fn failures(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .filter(|one| one["status"] == "failure")
        .map(|one| {
            assert!(one["remedy"].as_str().is_some_and(|text| !text.is_empty()));
            one["check"].as_str().unwrap()
        })
        .collect()
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_healthy_house_is_well_and_is_not_disturbed() {
    let mut house = House::start(|port| port);
    let folder = house.path().to_owned();
    let links = |house: &House| house.passive.log().matches(" linked").count();
    eventually("the parties are linked", || {
        (links(&house) > 0).then_some(())
    });
    let before = links(&house);

    let (code, report) = doctor(&folder, "party", "bank-a.toml");
    assert_eq!(failures(&report), [""; 0], "{report:#}");
    assert_eq!(code, 0);
    let url = house.coordinator.url();
    for (check, identity) in [
        ("peer bank-b", "party/bank-b"),
        (&*format!("coordinator {url}"), "coordinator/coordinator"),
    ] {
        let seen = of(&report, check)["seen"].as_str().unwrap();
        for word in [identity, "TLSv1_3", "X25519MLKEM768", "handshake in"] {
            assert!(seen.contains(word), "{word}: {seen}");
        }
    }
    for check in ["ready", "speed", "clock", "versions"] {
        let check = format!("coordinator {url}, {check}");
        assert_eq!(of(&report, &check)["status"], "ok", "{report:#}");
    }
    let (peer, service) = (
        "peer bank-b, throughput",
        format!("coordinator {url}, speed"),
    );
    for (check, number) in [
        (peer, "up_bytes_per_s"),
        (peer, "down_bytes_per_s"),
        (peer, "round_trip_us"),
        (&service, "down_bytes_per_s"),
    ] {
        let measured = of(&report, check)["measured"][number].as_u64();
        assert!(measured.is_some_and(|number| number > 0), "{report:#}");
    }
    let versions = of(&report, "peer bank-b, versions")["seen"]
        .as_str()
        .unwrap();
    assert!(
        versions.contains("wire versions 2, 1 there, 2, 1 here: 2 is taken"),
        "{versions}"
    );
    for check in [
        "certificate",
        "certificate chain",
        "policy",
        "sealing key",
        "encryption",
    ] {
        assert_eq!(of(&report, check)["status"], "ok", "{report:#}");
    }
    let key = fs::read_to_string(folder.join("state/bank-a.sealing-key")).unwrap();
    assert!(!report.to_string().contains(key.trim()));
    assert_eq!(links(&house), before, "the doctor takes no link away");

    let (code, report) = doctor(&folder, "party", "bank-b.toml");
    assert_eq!((code, failures(&report)), (0, vec![]), "{report:#}");
    let (code, report) = doctor(&folder, "coordinator", "coordinator.toml");
    assert_eq!((code, failures(&report)), (0, vec![]), "{report:#}");

    // For people: the same in lines.
    let output = entente(&folder, &["doctor", "party", "--config", "bank-a.toml"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && text.contains("peer bank-b"),
        "{text}"
    );
    assert!(!text.contains('\x1b'), "colours are for terminals");

    // Without its peer.
    house.passive.stop();
    let (code, report) = doctor(&folder, "party", "bank-a.toml");
    assert_eq!(code, UNWELL);
    assert_eq!(failures(&report), ["peer bank-b"]);
    let remedy = of(&report, "peer bank-b")["remedy"].as_str().unwrap();
    assert!(remedy.contains("party bank-b runs"), "{remedy}");

    // And without its coordinator.
    house.coordinator.stop();
    let (code, report) = doctor(&folder, "party", "bank-a.toml");
    assert_eq!(code, UNWELL);
    let coordinator = format!("coordinator {url}");
    assert_eq!(failures(&report), [&*coordinator, "peer bank-b"]);
}

#[test]
fn a_service_that_runs_at_its_port_is_seen_and_another_one_is_not_taken_for_it() {
    let house = House::start(|port| port);
    let folder = house.path();
    // As the coordinator would be configured that has this port.
    let api = format!("127.0.0.1:{}", house.coordinator.port("api"));
    configure(folder, "coordinator", &[("127.0.0.1:7400", &api)]);
    let (code, report) = doctor(folder, "coordinator", "coordinator.toml");
    assert_eq!(code, 0, "{report:#}");
    let seen = of(&report, "running")["seen"].as_str().unwrap();
    assert!(seen.contains("TLSv1_3"), "{seen}");
    // And one that finds a party there.
    let taken = format!("127.0.0.1:{}", house.active.port("metrics"));
    configure(folder, "coordinator", &[("127.0.0.1:7400", &taken)]);
    let (code, report) = doctor(folder, "coordinator", "coordinator.toml");
    assert_eq!(code, UNWELL);
    assert_eq!(failures(&report), ["running"]);
}

#[test]
fn what_is_wrong_with_keys_and_certificates_is_said_with_its_remedy() {
    let folder = folder_with_certificates();
    let path = folder.path();
    configure(path, "bank-b", &[]);
    let look = || doctor(path, "party", "bank-b.toml");
    let failed = |check: &str, words: [&str; 2]| {
        let (code, report) = look();
        assert_eq!(code, UNWELL, "{report:#}");
        assert!(failures(&report).contains(&check), "{report:#}");
        let (seen, remedy) = (&of(&report, check)["seen"], &of(&report, check)["remedy"]);
        assert!(seen.as_str().unwrap().contains(words[0]), "{seen}");
        assert!(remedy.as_str().unwrap().contains(words[1]), "{remedy}");
    };

    mode(&path.join("pki/bank-b.key"), 0o644);
    failed("certificate", ["mode 644", "chmod 600"]);
    mode(&path.join("pki/bank-b.key"), 0o600);

    fs::create_dir_all(path.join("state")).unwrap();
    let key = path.join("state/bank-b.sealing-key");
    fs::write(&key, "0123456789abcdef".repeat(4)).unwrap();
    mode(&key, 0o640);
    failed("sealing key", ["mode 640", "chmod 600"]);
    mode(&key, 0o600);
    let (_, report) = look();
    assert!(!report.to_string().contains("0123456789abcdef"));

    fs::create_dir_all(path.join("state/bank-b")).unwrap();
    mode(&path.join("state/bank-b"), 0o777);
    failed("state directory", ["mode 777", "chmod 700"]);
    mode(&path.join("state/bank-b"), 0o700);

    let ca = DevelopmentCa::load(&path.join("pki")).unwrap();
    let now = OffsetDateTime::now_utc();
    let ended = Validity::new(now - Duration::days(9), now - Duration::days(2)).unwrap();
    let of = Identity::party("bank-b".parse().unwrap());
    let issued = ca.issue(&of, &["localhost".to_owned()], ended).unwrap();
    issued.save(&path.join("old"), "bank-b").unwrap();
    for file in ["bank-b.pem", "bank-b.key"] {
        fs::copy(path.join("old").join(file), path.join("pki").join(file)).unwrap();
    }
    failed("certificate", ["expired", "reissued"]);

    fs::write(path.join("deploy/policy.toml"), "[[alow]]\n").unwrap();
    failed("policy", ["alow", "policy"]);

    configure(path, "bank-b", &[("capacity = 4", "capacity = 0")]);
    failed("configuration", ["party.capacity", "bank-b.toml"]);
    fs::remove_file(path.join("bank-b.toml")).unwrap();
    failed("configuration", ["no such file", "bank-b.toml"]);
}

/// A party of a release that knows no echo: it takes no protocol, greets whoever
/// calls, and answers nothing but a greeting. Ends with the doctor's calls.
fn older_peer(listener: TcpListener, tls: Arc<ServerConfig>, calls: usize) {
    for _ in 0..calls {
        let (tcp, _) = listener.accept().unwrap();
        let tls = ServerConnection::new(tls.clone()).unwrap();
        let mut line = StreamOwned::new(tls, tcp);
        let hello = Frame::Hello(Hello::ours("0.0.9", Spoken::ALL)).encoded();
        let length = u32::try_from(hello.len()).unwrap().to_be_bytes();
        let greeted = line.write_all(&length).and_then(|()| {
            line.write_all(&hello)?;
            line.flush()
        });
        // Nobody greets back: it hangs up, with an alert or without.
        assert!(greeted.is_err() || line.read(&mut [0]).map_or(0, |read| read) == 0);
    }
}

#[test]
fn an_older_peer_is_not_measured_and_told_so() {
    let folder = folder_with_certificates();
    let path = folder.path();
    let at = |file: &str| path.join("pki").join(file);
    let files = TlsFiles::new(at("ca.pem"), at("bank-b.pem"), at("bank-b.key"));
    let tls = Credentials::load(&files).unwrap().server_config().unwrap();
    assert!(tls.alpn_protocols.is_empty());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    configure(path, "bank-a", &[("localhost:7402", &address)]);
    let peer = thread::spawn(move || older_peer(listener, tls, 2));
    let (_, report) = doctor(path, "party", "bank-a.toml");
    for check in ["peer bank-b", "peer bank-b, versions"] {
        assert_eq!(of(&report, check)["status"], "ok", "{report:#}");
    }
    let throughput = of(&report, "peer bank-b, throughput");
    assert_eq!(throughput["seen"], "not measured, the peer is older");
    assert_eq!(throughput["status"], "ok");
    assert_eq!(throughput.get("measured"), None);
    peer.join().unwrap();
}

/// A peer that answers TLS with another's certificate, and one that is no peer
/// at all.
#[test]
fn who_answers_in_anothers_place_is_not_taken_for_it() {
    let house = House::start(|port| port);
    let path = house.path();
    let passive = format!("localhost:{}", house.passive.port("peers"));
    let coordinator = format!("localhost:{}", house.coordinator.port("api"));
    let text = fs::read_to_string(path.join("bank-a.toml")).unwrap();
    assert!(text.contains(&passive));
    let text = text.replace(&passive, &coordinator);
    fs::write(path.join("lost.toml"), text).unwrap();
    let (code, report) = doctor(path, "party", "lost.toml");
    assert_eq!(code, UNWELL);
    assert_eq!(failures(&report), ["peer bank-b"]);
    let seen = of(&report, "peer bank-b")["seen"].as_str().unwrap();
    assert!(seen.contains("wrong_peer"), "{seen}");
}
