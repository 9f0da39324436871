//! Real processes: a job runs when both parties have signed it, and not before.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use std::{fs, path::Path};

use house::{House, Service, eventually, fail, succeed};
use serde_json::Value;

const QUICK: [(&str, &str); 1] = [("epochs = 30", "epochs = 1")];

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let printed = succeed(folder, &[arguments, &["-o", "json"]].concat());
    serde_json::from_str(&printed).unwrap()
}

fn operator(folder: &Path) {
    let issue = [
        "cert", "issue", "operator", "olga", "--ca", "pki", "--out", "pki",
    ];
    succeed(folder, &issue);
    let alices = fs::read_to_string(folder.join("client.toml")).unwrap();
    fs::write(folder.join("olga.toml"), alices.replace("alice", "olga")).unwrap();
}

/// bank-b begins anew under another policy.
fn policy_of_bank_b(house: &mut House, policy: &str) {
    fs::write(house.path().join("deploy/policy-b.toml"), policy).unwrap();
    let file = house.path().join("bank-b.toml");
    let config = fs::read_to_string(&file).unwrap();
    let config = config.replace("deploy/policy.toml", "deploy/policy-b.toml");
    fs::write(&file, config).unwrap();
    restart_bank_b(house);
}

/// On another free port, which bank-a is told.
fn restart_bank_b(house: &mut House) {
    let path = house.path().to_owned();
    let before = format!("localhost:{}", house.passive.port("peers"));
    house.passive.stop();
    fs::remove_file(path.join("bank-b.addresses.json")).unwrap();
    house.passive = Service::start(&path, "party", "bank-b");
    let after = format!("localhost:{}", house.passive.port("peers"));
    let file = path.join("bank-a.toml");
    let config = fs::read_to_string(&file).unwrap();
    fs::write(&file, config.replace(&before, &after)).unwrap();
    house.active.stop();
    fs::remove_file(path.join("bank-a.addresses.json")).unwrap();
    house.active = Service::start(&path, "party", "bank-a");
}

/// Waits until a person at bank-b is asked about a job.
fn asked(house: &House, id: &str) -> Value {
    eventually("a person is asked", || {
        let waiting = json(house.path(), &["party", "list", "--config", "bank-b.toml"]);
        let mut waiting = waiting.as_array().unwrap().iter();
        waiting.find(|waiting| waiting["job"] == id).cloned()
    })
}

#[test]
fn a_job_runs_when_a_person_has_approved_and_its_contract_is_verified_offline() {
    let mut house = House::start(|port| port);
    let path = house.path().to_owned();
    operator(&path);
    policy_of_bank_b(&mut house, "[[allow]]\npeers = [\"bank-a\"]\n");

    let id = house.submit(&QUICK);
    let waiting = asked(&house, &id);
    assert_eq!(waiting["side"], "passive");
    assert_eq!(waiting["spec"]["training"]["epochs"], 1);
    let why = eventually("the coordinator knows whom it waits for", || {
        let why = succeed(&path, &["job", "why", &id]);
        why.contains("a person at bank-b").then_some(why)
    });
    assert!(why.contains("awaiting_approval"), "{why}");
    eventually("bank-a has signed, and bank-b has not", || {
        let (_, said) = fail(&path, &["job", "contract", &id]);
        said.contains("bank-b has not signed").then_some(())
    });
    let shown = succeed(&path, &["party", "show", &id, "--config", "bank-b.toml"]);
    assert!(
        shown.contains("not yet") && shown.contains("epochs = 1"),
        "{shown}"
    );
    let unknown = "0190a000-0000-7000-8000-000000000000";
    let (code, said) = fail(
        &path,
        &["party", "approve", unknown, "--config", "bank-b.toml"],
    );
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("party list"), "{said}");

    // Approved while the party is away: it takes it in when it starts.
    house.passive.stop();
    let approve = ["party", "approve", &id, "--config", "bank-b.toml"];
    let word = json(&path, &approve);
    assert_eq!(word["approves"], true);
    assert!(word["by"].as_str().unwrap().contains("uid"), "{word}");
    let (code, said) = fail(&path, &["party", "reject", &id, "--config", "bank-b.toml"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("has approved"), "{said}");
    restart_bank_b(&mut house);
    let end = house.end_of(&id);
    assert_eq!(end["state"], "succeeded", "{end:#}");
    assert_eq!(end["sides"]["passive"]["approval"]["decision"], "approved");

    // The contract is the same at the coordinator and at both parties, and needs
    // the authority's certificate alone.
    let contract = succeed(&path, &["job", "contract", &id, "-o", "json"]);
    let parsed: Value = serde_json::from_str(&contract).unwrap();
    for party in ["bank-a", "bank-b"] {
        let kept = path
            .join("state")
            .join(party)
            .join("contracts")
            .join(format!("{id}.json"));
        let kept: Value = serde_json::from_slice(&fs::read(kept).unwrap()).unwrap();
        assert_eq!(kept, parsed, "{party}");
    }
    let verify = [
        "audit",
        "contract",
        "--file",
        "contract.json",
        "--ca",
        "pki/ca.pem",
    ];
    let write = |contract: &str| fs::write(path.join("contract.json"), contract).unwrap();
    write(&contract);
    assert_eq!(json(&path, &verify)["passive"], "bank-b");
    assert!(succeed(&path, &verify).contains("both signatures are good"));
    for (from, to, label) in [
        (
            "\"epochs\": 1",
            "\"epochs\": 2",
            "contract_other_specification",
        ),
        ("\"at_ms\": 1", "\"at_ms\": 2", "contract_future"),
        (id.as_str(), unknown, "contract_signature"),
    ] {
        assert!(contract.contains(from), "{contract}");
        write(&contract.replace(from, to));
        let (code, said) = fail(&path, &verify);
        assert_eq!(code, 7, "{said}");
        assert!(said.contains(label), "{said}");
    }
    write(&contract);
    succeed(&path, &["cert", "ca", "--out", "foreign"]);
    let foreign = [
        "audit",
        "contract",
        "--file",
        "contract.json",
        "--ca",
        "foreign/ca.pem",
    ];
    let (code, said) = fail(&path, &foreign);
    assert_eq!(code, 7, "{said}");
    assert!(said.contains("authority"), "{said}");

    let log = json(&path, &["audit", "list", "--client", "olga.toml"]);
    let approved: Vec<&Value> = log.as_array().unwrap().iter().collect();
    let approved = approved.iter().filter(|entry| entry["what"] == "approved");
    let mut who: Vec<_> = approved
        .map(|entry| entry["who"].as_str().unwrap())
        .collect();
    who.sort_unstable();
    assert_eq!(who, ["party/bank-a", "party/bank-b"]);
}

#[test]
fn a_rule_or_a_person_ends_a_job_before_it_begins() {
    let mut house = House::start(|port| port);
    let path = house.path().to_owned();
    let policy = "[[allow]]\npeers = [\"bank-a\"]\nmax_epochs = 20\n";
    policy_of_bank_b(&mut house, policy);

    let too_long = house.submit(&[]);
    let end = house.end_of(&too_long);
    assert_eq!(end["state"], "rejected", "{end:#}");
    assert_eq!(end["sides"]["passive"]["approval"]["rule"], "max_epochs");
    // The limit is bank-b's affair; its own log has it.
    assert!(!end.to_string().contains("20 epochs"), "{end:#}");
    assert!(house.passive.log().contains("20 epochs"));
    let shown = succeed(&path, &["job", "show", &too_long]);
    assert!(shown.contains("bank-b does not take part"), "{shown}");

    let unwanted = house.submit(&QUICK);
    asked(&house, &unwanted);
    let reject = ["party", "reject", &unwanted, "--config", "bank-b.toml"];
    succeed(
        &path,
        &[&reject[..], &["--reason", "after the audit"]].concat(),
    );
    let end = house.end_of(&unwanted);
    assert_eq!(end["state"], "rejected", "{end:#}");
    let approval = &end["sides"]["passive"]["approval"];
    assert_eq!(approval["rule"], "person");
    assert_eq!(approval["reason"], "after the audit");
    let (code, said) = fail(&path, &["job", "watch", &unwanted]);
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("after the audit"), "{said}");
    for job in [&too_long, &unwanted] {
        for party in ["bank-a", "bank-b"] {
            let contracts = path.join("state").join(party).join("contracts");
            assert!(!contracts.join(format!("{job}.json")).exists());
        }
    }
}

/// Without a policy file nothing runs by itself.
#[test]
fn a_party_without_a_policy_asks_a_person() {
    let mut house = House::start(|port| port);
    let file = house.path().join("bank-b.toml");
    let config = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        config.replace("policy = \"deploy/policy.toml\"\n", ""),
    )
    .unwrap();
    restart_bank_b(&mut house);
    assert!(house.passive.log().contains("no [party] policy"));
    let id = house.submit(&QUICK);
    asked(&house, &id);
    assert_eq!(house.show(&id)["state"], "awaiting_approval");
}
