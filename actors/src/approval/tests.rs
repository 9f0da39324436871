#![allow(clippy::unwrap_used, clippy::panic)]

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use entente_protocol::{contract::Moment, control::Assignment, job::TaskSpec};

use super::*;
use crate::testbed::{Consortium, assignment};

const NOW_MS: u64 = 1_763_733_600_000;

fn now_ms() -> u64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    since.as_millis() as u64
}

/// bank-b's, which knows bank-a alone.
fn desk(consortium: &Consortium, policy: &str) -> Desk {
    let file = consortium.path().join("policy.toml");
    fs::write(&file, policy).unwrap();
    Desk::new(
        "bank-b".parse().unwrap(),
        ["bank-a".parse().unwrap()].into(),
        Policy::load(&file).unwrap(),
        consortium.party("bank-b"),
        ledger(consortium),
    )
}

fn ledger(consortium: &Consortium) -> Ledger {
    Ledger::below(&consortium.path().join("state"))
}

fn proposal(number: u8) -> Proposal {
    let assignment = assignment(number, "bank-a", "bank-b");
    Proposal {
        job: assignment.job,
        side: Side::Passive,
        spec: assignment.spec,
    }
}

fn longer(mut proposal: Proposal) -> Proposal {
    let TaskSpec::Train(spec) = &mut proposal.spec else {
        panic!("it trains")
    };
    spec.training.epochs = 9;
    proposal
}

fn said(desk: &Desk) -> Vec<String> {
    let word = |answer: Answer| match answer.decision {
        Decision::Approved(_) => "approved".to_owned(),
        Decision::Rejected { rule, .. } => rule,
        Decision::NeedsPerson => "person".to_owned(),
    };
    desk.answers().into_iter().map(word).collect()
}

const AUTOMATIC: &str =
    "[[allow]]\npeers = [\"bank-a\"]\nmax_epochs = 5\napproval = \"automatic\"\n";
const PERSON: &str = "[[allow]]\n";

#[test]
fn what_the_policy_approves_is_signed_once_and_refused_is_what_it_refuses() {
    let consortium = Consortium::new();
    let mut desk = desk(&consortium, AUTOMATIC);
    assert!(desk.propose(vec![proposal(1), longer(proposal(2))], NOW_MS));
    assert_eq!(said(&desk), ["approved", "max_epochs"]);
    let first = desk.answers();
    // The same wish again.
    assert!(!desk.propose(vec![proposal(1), longer(proposal(2))], NOW_MS + 5));
    assert_eq!(desk.answers(), first);
    let Decision::Approved(signed) = &first[0].decision else {
        panic!("it is approved")
    };
    let task = Task::try_from(proposal(1).spec).unwrap();
    let terms = Terms::of(proposal(1).job, &task);
    let authorities = consortium.party("bank-a").authorities();
    let moment = Moment::Arrival { now_ms: now_ms() };
    assert_eq!(signed.at_ms, NOW_MS);
    let mut asked = Vec::new();
    signed
        .verify(
            &terms,
            Side::Passive,
            moment,
            |signer, text, signature, at_s| {
                asked.push(at_s);
                // The test's moment lies before its certificates.
                authorities.verify_written(signer, text, signature, now_ms() / 1000)
            },
        )
        .unwrap();
    assert_eq!(asked[0], NOW_MS / 1000);

    // The job changes under its identity: it is looked at anew.
    assert!(desk.propose(vec![longer(proposal(1))], NOW_MS));
    assert_eq!(said(&desk), ["max_epochs"]);
    assert!(!desk.propose(vec![], NOW_MS));
    assert_eq!(desk.answers(), []);
}

#[test]
fn whom_the_configuration_does_not_know_is_refused_before_the_policy() {
    let consortium = Consortium::new();
    let mut desk = desk(&consortium, "[[allow]]\napproval = \"automatic\"\n");
    let stranger = assignment(1, "bank-z", "bank-b");
    let other_side = Proposal {
        side: Side::Active,
        ..proposal(2)
    };
    let stranger = Proposal {
        spec: stranger.spec,
        ..proposal(1)
    };
    desk.propose(vec![stranger, other_side], NOW_MS);
    assert_eq!(said(&desk), ["unknown_peer", "not_our_side"]);
}

#[test]
fn a_person_decides_whenever_they_like_and_it_stays_decided() {
    let consortium = Consortium::new();
    let mut desk = desk(&consortium, PERSON);
    let people = ledger(&consortium);
    assert!(people.waiting().unwrap().is_empty());
    desk.propose(vec![proposal(1), proposal(2)], NOW_MS);
    assert_eq!(said(&desk), ["person", "person"]);
    assert!(!desk.hear_people(NOW_MS));
    let waiting = people.waiting().unwrap();
    assert_eq!(waiting.len(), 2);
    assert_eq!(waiting[0].0.job, proposal(1).job);
    assert_eq!(waiting[0].0.since_ms, NOW_MS);

    let (one, two) = (proposal(1).job, proposal(2).job);
    let by = || "alice".to_owned();
    people.decide(one, true, by(), 7, None).unwrap();
    let reason = Some("not in\nDecember");
    people.decide(two, false, by(), 8, reason).unwrap();
    // The same again is the same; the contrary is refused.
    let again = people.decide(one, true, "bob".to_owned(), 9, None).unwrap();
    assert_eq!(again.by, "alice");
    let contrary = people.decide(one, false, by(), 9, None).unwrap_err();
    assert!(contrary.to_string().contains("alice has approved"));
    let nothing = people.decide(assignment(9, "a", "b").job, true, by(), 9, None);
    assert!(matches!(nothing, Err(LedgerError::NotWaiting(_))));

    assert!(desk.hear_people(NOW_MS));
    assert!(!desk.hear_people(NOW_MS));
    assert_eq!(said(&desk), ["approved", "person"]);
    let Decision::Rejected { rule, reason } = &desk.answers()[1].decision else {
        panic!("it is rejected")
    };
    assert_eq!(
        (rule.as_str(), reason.as_str()),
        ("person", "not inDecember")
    );

    // A party that was not running takes it in when it starts.
    let mut restarted = self::desk(&consortium, PERSON);
    restarted.propose(vec![proposal(1), proposal(2)], NOW_MS + 1);
    assert_eq!(said(&restarted), ["approved", "person"]);
    // Not for another specification, on which nobody has decided.
    restarted.propose(vec![longer(proposal(1))], NOW_MS + 2);
    assert_eq!(said(&restarted), ["person"]);
    assert!(!restarted.hear_people(NOW_MS));
    assert_eq!(people.waiting().unwrap().len(), 1);
    restarted.propose(vec![], NOW_MS);
    assert!(people.waiting().unwrap().is_empty());
    // Who decided can still be asked.
    assert_eq!(people.word(two).unwrap().unwrap().by, "alice");
}

#[test]
fn what_waits_is_its_owners_affair() {
    let consortium = Consortium::new();
    desk(&consortium, PERSON).propose(vec![proposal(1)], NOW_MS);
    let folder = consortium.path().join("state/approvals");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for entry in fs::read_dir(&folder).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    // A file that is none is an error and not a decision.
    let job = proposal(1).job;
    fs::write(folder.join(format!("{job}.decision.json")), "{").unwrap();
    let people = ledger(&consortium);
    assert!(matches!(people.word(job), Err(LedgerError::File { .. })));
    let mut desk = desk(&consortium, PERSON);
    desk.propose(vec![proposal(1)], NOW_MS);
    assert_eq!(said(&desk), ["person"]);
}

fn refused(desk: &Desk, assignment: &Assignment) -> &'static str {
    desk.admit(assignment, now_ms()).unwrap_err().label()
}

#[test]
fn a_job_begins_with_both_signatures_alone_and_its_contract_is_kept() {
    let consortium = Consortium::new();
    let desk = desk(&consortium, PERSON);
    let kept = || ledger(&consortium).contract(proposal(1).job).unwrap();
    let mut good = assignment(1, "bank-a", "bank-b");
    good.side = Side::Passive;
    assert_eq!(refused(&desk, &good), "contract_unsigned");
    consortium.notary().sign(&mut good);

    let mut half = good.clone();
    half.signatures.active = None;
    assert_eq!(refused(&desk, &half), "contract_unsigned");
    let mut twice = good.clone();
    twice.signatures.passive = twice.signatures.active.clone();
    assert_eq!(refused(&desk, &twice), "contract_signature");
    let other_job = Assignment {
        job: assignment(2, "bank-a", "bank-b").job,
        ..good.clone()
    };
    assert_eq!(refused(&desk, &other_job), "contract_signature");
    let mut other_spec = good.clone();
    let TaskSpec::Train(spec) = &mut other_spec.spec else {
        panic!("it trains")
    };
    spec.training.epochs += 1;
    assert_eq!(refused(&desk, &other_spec), "contract_signature");
    let mut foreign = assignment(1, "bank-a", "bank-b");
    Consortium::new().notary().sign(&mut foreign);
    assert_eq!(refused(&desk, &foreign), "contract_signature");
    let in_a_week = desk.admit(&good, now_ms() + 7 * 86_400_000).unwrap_err();
    assert!(in_a_week.to_string().contains("expired"), "{in_a_week}");
    assert_eq!(kept(), None);

    desk.admit(&good, now_ms()).unwrap();
    let contract = kept().unwrap();
    assert_eq!(contract.active, good.signatures.active.clone().unwrap());
    // Kept, it holds beyond its certificates, for every attempt.
    let later = Assignment {
        attempt: 5,
        ..good.clone()
    };
    desk.admit(&later, now_ms() + 7 * 86_400_000).unwrap();
    // And for nothing else under the same identity, though both have signed.
    consortium.notary().sign(&mut other_spec);
    assert_eq!(refused(&desk, &other_spec), "contract_changed");
}
