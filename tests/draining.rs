//! Real processes: a party that is drained begins nothing new, and an operator
//! sees and does the same of the coordinator.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use std::{fs, path::Path};

use house::{House, eventually, fail, succeed};
use serde_json::Value;

const QUICK: [(&str, &str); 1] = [("epochs = 30", "epochs = 1")];

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let printed = succeed(folder, &[arguments, &["-o", "json"]].concat());
    serde_json::from_str(&printed).unwrap()
}

fn reasons(folder: &Path, id: &str) -> Value {
    json(folder, &["job", "why", id])["reasons"].clone()
}

#[test]
fn who_is_drained_begins_nothing_new() {
    let house = House::start(|port| port);
    let path = house.path().to_owned();
    let issue = [
        "cert", "issue", "operator", "olga", "--ca", "pki", "--out", "pki",
    ];
    succeed(&path, &issue);
    let alices = fs::read_to_string(path.join("client.toml")).unwrap();
    fs::write(path.join("olga.toml"), alices.replace("alice", "olga")).unwrap();

    let of_b = ["--config", "bank-b.toml"];
    let drained = json(&path, &[&["party", "drain"], &of_b[..]].concat());
    assert_eq!(drained["draining"], true);
    eventually("the coordinator knows", || {
        let parties = json(&path, &["coordinator", "parties"]);
        let mut parties = parties.as_array().unwrap().iter();
        parties.find(|party| party["name"] == "bank-b" && party["draining"] == true)?;
        Some(())
    });
    let table = succeed(&path, &["coordinator", "parties"]);
    assert!(table.contains("nothing new begins"), "{table}");
    let id = house.submit(&QUICK);
    eventually("the job waits for bank-b", || {
        let reason = reasons(&path, &id)[0].clone();
        (reason["reason"] == "draining" && reason["party"] == "bank-b").then_some(())
    });
    let (code, said) = fail(&path, &["coordinator", "drain"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("for operators"), "{said}");
    let drain = ["coordinator", "drain", "--wait", "--client", "olga.toml"];
    assert_eq!(json(&path, &drain)["waiting"], 1);
    let resume = [&["party", "resume"], &of_b[..]].concat();
    assert_eq!(json(&path, &resume)["draining"], false);
    eventually("the job waits for the coordinator", || {
        let reason = reasons(&path, &id)[0].clone();
        (reason["reason"] == "draining" && reason["party"].is_null()).then_some(())
    });
    let resume = ["coordinator", "resume", "--client", "olga.toml"];
    assert_eq!(json(&path, &resume)["draining"], false);
    let end = house.end_of(&id);
    assert_eq!(end["state"], "succeeded", "{end:#}");
}
