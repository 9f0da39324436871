//! Certificates under jobs that run: replaced, and taken back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use entente_tls::{Credentials, Identity, TlsFiles};
use house::{House, Service, eventually, fail, get, succeed, wiretap::Wiretap};
use serde_json::Value;

/// A job that nobody waits out.
const LONG: [(&str, &str); 1] = [("epochs = 30", "epochs = 100000")];

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let printed = succeed(folder, &[arguments, &["-o", "json"]].concat());
    serde_json::from_str(&printed).unwrap()
}

/// A house in which files are looked at every second, and lists are honoured: those of
/// the root in `pki` and of an authority below it in `below`.
fn house(tap: &Wiretap) -> House {
    House::with_datasets(
        |port| tap.listen(port),
        ["", ""],
        |path| {
            let below = ["ca", "init", "--out", "below", "--intermediate-of", "pki"];
            succeed(path, &below);
            succeed(path, &["ca", "crl", "--ca", "pki"]);
            let tls = "crls = [\"pki/crl.pem\", \"below/crl.pem\"]\n";
            fs::write(path.join("tls.toml"), tls).unwrap();
        },
    )
}

/// A new certificate for `name` from the authority in `ca`, with a new key; its serial.
fn renew(folder: &Path, name: &str, ca: &str) -> String {
    let [certificate, key] = ["pem", "key"].map(|ending| format!("pki/{name}.{ending}"));
    let renew = [
        "cert",
        "renew",
        "--certificate",
        &certificate,
        "--key",
        &key,
        "--ca",
        ca,
    ];
    let made = json(folder, &renew);
    assert_eq!(made[0]["names"][0], json_identity(name), "{made}");
    made[0]["serial"].as_str().unwrap().to_owned()
}

fn json_identity(name: &str) -> String {
    let kind = match name {
        "coordinator" => "coordinator",
        _ => "party",
    };
    format!("spiffe://entente/{kind}/{name}")
}

const SERVICES: [&str; 3] = ["coordinator", "bank-a", "bank-b"];

fn service<'a>(house: &'a House, name: &str) -> &'a Service {
    match name {
        "coordinator" => &house.coordinator,
        "bank-a" => &house.active,
        _ => &house.passive,
    }
}

/// What a process has counted, by the whole of its series.
fn counted(house: &House, name: &str, series: &str) -> f64 {
    let (kind, port) = match name {
        "coordinator" => ("coordinator", service(house, name).port("api")),
        _ => ("party", service(house, name).port("metrics")),
    };
    let of: Identity = format!("{kind}/{name}").parse().unwrap();
    let url = format!("https://localhost:{port}/metrics");
    let (status, text) = get(house.path(), &of, &url);
    assert_eq!(status, 200, "{text}");
    let line = text.lines().find_map(|line| line.strip_prefix(series));
    line.unwrap_or_else(|| panic!("no {series} in {text}"))
        .trim()
        .parse()
        .unwrap()
}

fn rounds(house: &House, id: &str) -> u64 {
    let job = house.show(id);
    assert!(job["ended_at"].is_null(), "{job:#}");
    assert_eq!(job["attempt"], 1, "{job:#}");
    assert_eq!(job["failures"].as_array().map_or(0, Vec::len), 0, "{job:#}");
    let done = |side: &str| job["sides"][side]["progress"]["rounds_done"].as_u64();
    done("passive").unwrap_or_else(|| panic!("{job:#}"))
}

/// The job runs, and comes some rounds further.
fn goes_on(house: &House, id: &str) {
    eventually("the job runs", || {
        (house.show(id)["state"] == "running").then_some(())
    });
    let from = rounds(house, id);
    eventually("the job goes on", || {
        (rounds(house, id) > from + 2).then_some(())
    });
}

#[test]
fn certificates_are_replaced_under_a_job_and_one_that_is_revoked_ends_it() {
    let tap = Wiretap::default();
    let house = house(&tap);
    let path = house.path();
    let id = house.submit(&LONG);
    goes_on(&house, &id);
    assert_eq!(tap.connections(), 1);

    // Twice for everybody: from the root, then from the authority below it.
    for (time, ca) in [(1.0, "pki"), (2.0, "below")] {
        let connections = tap.connections();
        for name in SERVICES {
            let serial = renew(path, name, ca);
            eventually("the new certificate is in force", || {
                let reloaded = "entente_certificate_reloads_total{outcome=\"reloaded\"} ";
                // Between the two files nothing, or half of it, may have been seen.
                (counted(&house, name, reloaded) >= time).then_some(())
            });
            let log = service(&house, name).log();
            assert!(log.contains(&serial), "{serial} in {log}");
        }
        // The connection that stood was not ended for that, and the job went on.
        goes_on(&house, &id);
        assert_eq!(tap.connections(), connections);
        // The next one is made with what is in force now.
        tap.cut();
        eventually("another connection", || {
            (tap.connections() > connections).then_some(())
        });
        goes_on(&house, &id);
    }
    for name in ["bank-a", "bank-b"] {
        let text = house.scrape(name);
        assert!(!text.contains("entente_protocol_errors_total{"), "{text}");
    }
    succeed(path, &["job", "cancel", &id]);
    let end = house.end_of(&id);
    assert_eq!(end["state"], "cancelled", "{end:#}");

    // And another job comes to its end under certificates of the authority below.
    let short = [
        ("epochs = 30", "epochs = 1"),
        ("batch_size = 16", "batch_size = 40"),
    ];
    let id = house.submit(&short);
    let end = house.end_of(&id);
    assert_eq!(end["state"], "succeeded", "{end:#}");

    who_is_revoked_is_cut_off(&house);
}

fn who_is_revoked_is_cut_off(house: &House) {
    let path = house.path();
    let id = house.submit(&LONG);
    goes_on(house, &id);
    let [certificate] = json(path, &["cert", "show", "pki/bank-b.pem"])[0]["certificates"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["authority"] == false)
        .map(|one| one["serial"].as_str().unwrap().to_owned())
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    let revoke = ["cert", "revoke", "pki/bank-b.pem", "--ca", "below"];
    succeed(
        path,
        &[&revoke[..], &["--reason", "key-compromise"]].concat(),
    );

    let end = house.end_of(&id);
    assert_eq!(end["state"], "failed", "{end:#}");
    let failures = end["failures"].as_array().unwrap();
    let failure = failures.iter().find(|one| one["side"] == "active");
    let failure = failure.unwrap_or_else(|| panic!("{end:#}"));
    assert_eq!(failure["label"], "peer_revoked", "{end:#}");
    assert_eq!(failure["class"], "abort", "{end:#}");
    let said = failure["message"].as_str().unwrap();
    for words in ["bank-b was cut off", "key-compromise", &certificate] {
        assert!(said.contains(words), "{said}");
    }

    // Both know why, and the coordinator as well.
    let told = |name: &str, words: &[&str]| {
        eventually(&format!("{name} says why"), || {
            let log = service(house, name).log();
            words.iter().all(|words| log.contains(words)).then_some(())
        });
    };
    told(
        "bank-a",
        &["cut off: its certificate", "key-compromise", &certificate],
    );
    told(
        "coordinator",
        &["turned away: its certificate", "key-compromise"],
    );
    told(
        "bank-b",
        &["the peer says that our certificate was revoked"],
    );
    let cut = "entente_revoked_peers_total{what=\"connection\"} ";
    assert!(counted(house, "bank-a", cut) >= 1.0);
}

/// The one thing that a command has shown, or the first of several.
fn first<'a>(shown: &'a Value, key: &str) -> &'a str {
    shown[0][key]
        .as_str()
        .unwrap_or_else(|| panic!("no {key} in {shown:#}"))
}

#[test]
fn the_life_of_a_certificate_whose_key_stays_where_it_was_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let at = |name: &str| path.join(name);
    succeed(path, &["ca", "init", "--out", "root", "--name", "the root"]);
    let below = [
        "ca",
        "init",
        "--out",
        "ca",
        "--intermediate-of",
        "root",
        "--days",
        "90",
    ];
    succeed(path, &below);
    let (code, said) = fail(path, &["ca", "init", "--out", "root"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("never overwritten"), "{said}");

    let request = ["cert", "request", "party", "bank-b", "--out", "b"];
    succeed(
        path,
        &[&request[..], &["--host", "bank-b.example"]].concat(),
    );
    let key = at("b/bank-b.key");
    let mode = fs::metadata(&key).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let made = fs::read(&key).unwrap();

    // What is not signed, and why.
    let sign = [
        "cert",
        "sign",
        "b/bank-b.csr",
        "--ca",
        "ca",
        "--out",
        "signed",
    ];
    let good = fs::read_to_string(at("b/bank-b.csr")).unwrap();
    let altered = {
        let mut request = pem::parse(&good).unwrap().into_contents();
        let name = request
            .windows(6)
            .rposition(|bytes| bytes == b"bank-b")
            .unwrap();
        request[name + 5] = b'a';
        pem::encode(&pem::Pem::new("CERTIFICATE REQUEST", request))
    };
    fs::write(at("altered.csr"), altered).unwrap();
    let elsewhere = ["cert", "request", "party", "bank-b", "--out", "."];
    succeed(
        path,
        &[&elsewhere[..], &["--trust-domain", "elsewhere.example"]].concat(),
    );
    for (arguments, words) in [
        (
            &[&sign[..], &["--expect", "party/bank-a"]].concat(),
            "party/bank-a was expected",
        ),
        (
            &[&sign[..], &["--days", "91"]].concat(),
            "the authority's own certificate ends",
        ),
        (
            &[
                "cert",
                "sign",
                "altered.csr",
                "--ca",
                "ca",
                "--out",
                "signed",
            ]
            .to_vec(),
            "is refused",
        ),
        (
            &[
                "cert",
                "sign",
                "bank-b.csr",
                "--ca",
                "ca",
                "--out",
                "signed",
            ]
            .to_vec(),
            "outside this authority's trust domain",
        ),
    ] {
        let (code, said) = fail(path, arguments);
        assert_eq!(code, 3, "{said}");
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(
        json(path, &["ca", "list", "--ca", "ca"]),
        serde_json::json!([])
    );

    // Signed, installed by hand the first time, and good.
    let signed = json(path, &sign);
    assert_eq!(first(&signed, "identity"), "party/bank-b");
    assert_eq!(signed[0]["names"][1], "bank-b.example");
    assert!(signed[0]["remaining_s"].as_i64().unwrap() <= 7 * 86_400);
    for name in ["bank-b.pem", "ca.pem"] {
        fs::copy(at("signed").join(name), at("b").join(name)).unwrap();
    }
    let files = TlsFiles::new(at("b/ca.pem"), at("b/bank-b.pem"), key.clone());
    let bank_b = "party/bank-b".parse().unwrap();
    assert_eq!(Credentials::load(&files).unwrap().identity(), &bank_b);

    // Renewed, by way of a request, as often as one likes.
    let renew = [
        "cert",
        "renew",
        "--certificate",
        "b/bank-b.pem",
        "--key",
        "b/bank-b.key",
    ];
    let mut serials = vec![first(&signed, "serial").to_owned()];
    for _ in 0..2 {
        succeed(path, &renew);
        let sign = [
            "cert",
            "sign",
            "b/bank-b.next.csr",
            "--ca",
            "ca",
            "--out",
            "b",
        ];
        let next = json(path, &sign);
        let install = json(
            path,
            &[&renew[..], &["--install", "b/bank-b.next.pem"]].concat(),
        );
        assert_eq!(install[0]["serial"], next[0]["serial"]);
        assert_eq!(install[0]["names"], signed[0]["names"]);
        serials.push(first(&install, "serial").to_owned());
        fs::remove_file(at("b/bank-b.next.pem")).unwrap();
        Credentials::load(&files).unwrap();
    }
    assert_ne!(fs::read(&key).unwrap(), made, "a new key");
    let same = json(path, &[&renew[..], &["--ca", "ca", "--same-key"]].concat());
    serials.push(first(&same, "serial").to_owned());
    Credentials::load(&files).unwrap();

    // Revoked: one, then all.
    let revoke = ["cert", "revoke", "--ca", "ca"];
    let (code, said) = fail(path, &[&revoke[..], &["--serial", "abcd"]].concat());
    assert_eq!(code, 3, "{said}");
    let first_of_them = ["--serial", &serials[0], "--reason", "superseded"];
    succeed(path, &[&revoke[..], &first_of_them].concat());
    let rest = ["--identity", "party/bank-b", "--reason", "key-compromise"];
    succeed(path, &[&revoke[..], &rest].concat());
    let known = json(path, &["ca", "list", "--ca", "ca"]);
    let of = |serial: &String| {
        let mut all = known.as_array().unwrap().iter();
        let one = all.find(|one| one["serial"] == serial.as_str()).unwrap();
        one["revoked"].as_str().unwrap().to_owned()
    };
    let why: Vec<String> = serials.iter().map(of).collect();
    assert_eq!(
        why,
        [
            "superseded",
            "key-compromise",
            "key-compromise",
            "key-compromise"
        ]
    );
    let shown = json(path, &["cert", "show", "ca/crl.pem"]);
    let list = &shown[0]["revocation_lists"][0];
    assert_eq!(list["number"], "03");
    assert_eq!(list["revoked"].as_array().unwrap().len(), 4);
    let table = succeed(path, &["cert", "show", "b/bank-b.pem", "ca/crl.pem"]);
    for words in [
        "speaks for",
        "party/bank-b",
        "an authority",
        "key-compromise",
    ] {
        assert!(table.contains(words), "{table}");
    }
}
