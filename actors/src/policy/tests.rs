#![allow(clippy::unwrap_used, clippy::panic)]

use entente_protocol::job::{JobSpec, TaskSpec};
use proptest::prelude::*;

use super::*;
use crate::testbed::assignment;

/// A training between bank-a and bank-b over irises, 1 epoch, batches of 30.
fn training(change: impl FnOnce(&mut JobSpec)) -> Task {
    let TaskSpec::Train(mut spec) = assignment(1, "bank-a", "bank-b").spec else {
        panic!("it trains")
    };
    change(&mut spec);
    TaskSpec::Train(spec).try_into().unwrap()
}

fn question(asks: &str) -> Task {
    let text = format!(
        "name = \"asks\"\n{asks}\n\
         model = {{ name = \"credit\", version = \"01890a5d-ac96-774b-bcce-b302099a8057\" }}\n\
         parties = {{ active = \"bank-a\", passive = \"bank-b\" }}\n\
         data = {{ dataset = \"iris\" }}\n"
    );
    Task::from_toml(&text).unwrap()
}

fn ruling(policy: &str, task: &Task) -> String {
    // bank-b decides.
    match Policy::of(policy).unwrap().evaluate(task, Side::Passive) {
        Ruling::Approved => "approved".to_owned(),
        Ruling::NeedsPerson => "person".to_owned(),
        Ruling::Refused(refusal) => refusal.rule.to_owned(),
    }
}

const AUTOMATIC: &str = "approval = \"automatic\"\n[[allow]]\n";

#[test]
fn one_rule_each() {
    let plain = training(|_| ());
    let bounded = |auc| training(move |spec| spec.privacy.max_leak_auc = Some(auc));
    let evaluation = question("task = \"evaluate\"");
    let prediction = question("task = \"predict\"\nresults_at = \"passive\"");
    for (rule, task, expected) in [
        ("", &plain, "approved"),
        ("peers = [\"bank-a\"]", &plain, "approved"),
        ("peers = [\"bank-c\"]", &plain, "no_entry"),
        // One is not one's own peer.
        ("peers = [\"bank-b\"]", &plain, "no_entry"),
        ("datasets = [\"iris\", \"mnist\"]", &plain, "approved"),
        ("datasets = [\"mnist\"]", &plain, "no_entry"),
        ("datasets = [\"mnist\"]", &prediction, "no_entry"),
        ("tasks = [\"train\"]", &plain, "approved"),
        ("tasks = [\"evaluate\", \"predict\"]", &plain, "no_entry"),
        ("tasks = [\"evaluate\"]", &evaluation, "approved"),
        ("tasks = [\"evaluate\"]", &prediction, "no_entry"),
        ("tasks = [\"predict\"]", &prediction, "approved"),
        ("protocols = [\"acml\"]", &plain, "approved"),
        ("protocols = [\"acml\"]", &prediction, "approved"),
        ("min_key_bits = 2048", &plain, "approved"),
        ("min_key_bits = 3072", &plain, "min_key_bits"),
        ("min_key_bits = 3072", &prediction, "min_key_bits"),
        ("min_batch_size = 30", &plain, "approved"),
        ("min_batch_size = 31", &plain, "min_batch_size"),
        ("min_batch_size = 5000", &prediction, "approved"),
        ("max_epochs = 1", &plain, "approved"),
        ("max_leak_auc = 0.8", &plain, "max_leak_auc"),
        ("max_leak_auc = 0.8", &bounded(0.9), "max_leak_auc"),
        ("max_leak_auc = 0.8", &bounded(0.8), "approved"),
        ("max_leak_auc = 0.8", &prediction, "approved"),
        ("approval = \"person\"", &plain, "person"),
    ] {
        let policy = format!("{AUTOMATIC}{rule}\n");
        assert_eq!(ruling(&policy, task), expected, "{rule}");
    }
    let long = training(|spec| spec.training.epochs = 2);
    let policy = format!("{AUTOMATIC}max_epochs = 1\n");
    assert_eq!(ruling(&policy, &long), "max_epochs");
}

#[test]
fn the_first_entry_that_is_about_a_job_decides() {
    let policy = "
        [[allow]]
        peers = [\"bank-c\"]
        approval = \"automatic\"
        [[allow]]
        peers = [\"bank-a\"]
        max_epochs = 1
        [[allow]]
        approval = \"automatic\"
    ";
    assert_eq!(ruling(policy, &training(|_| ())), "person");
    let long = training(|spec| spec.training.epochs = 2);
    assert_eq!(ruling(policy, &long), "max_epochs");
    let others = training(|spec| spec.parties.active = "bank-d".parse().unwrap());
    assert_eq!(ruling(policy, &others), "approved");
}

#[test]
fn what_is_left_out_is_safe() {
    let task = training(|_| ());
    assert_eq!(ruling("", &task), "no_entry");
    assert_eq!(ruling("[[allow]]", &task), "person");
    let none = Policy::asks_a_person();
    assert_eq!(none.evaluate(&task, Side::Active), Ruling::NeedsPerson);
    assert_eq!(Policy::of("[[allow]]"), Ok(none));
}

#[test]
fn the_record_gets_the_rules_name_and_the_own_log_all() {
    let policy = Policy::of("[[allow]]\nmax_epochs = 1\n").unwrap();
    let task = training(|spec| spec.training.epochs = 77);
    let Ruling::Refused(refusal) = policy.evaluate(&task, Side::Passive) else {
        panic!("it is refused")
    };
    assert!(refusal.for_record.contains("max_epochs"), "{refusal:?}");
    assert!(!refusal.for_record.contains('1'), "{refusal:?}");
    for words in ["number 1", "1 epochs", "77"] {
        assert!(refusal.in_full.contains(words), "{refusal:?}");
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    for (text, said) in [
        ("[[alow]]", "alow"),
        ("[[allow]]\npeer = [\"bank-a\"]", "peer"),
        ("[[allow]]\npeers = [\"Bank A\"]", "Bank A"),
        ("[[allow]]\npeers = []", "number 1: peers lists nobody"),
        ("[[allow]]\n[[allow]]\ndatasets = []", "number 2"),
        ("[[allow]]\ntasks = [\"steal\"]", "steal"),
        ("[[allow]]\ntasks = []", "tasks lists none"),
        ("[[allow]]\nprotocols = [\"spnn\"]", "spnn"),
        ("[[allow]]\nprotocols = []", "protocols lists none"),
        ("[[allow]]\nmin_key_bits = 1024", "2048, 3072 or 4096"),
        ("[[allow]]\nmin_batch_size = 0", "min_batch_size"),
        ("[[allow]]\nmax_epochs = 0", "max_epochs"),
        ("[[allow]]\nmax_leak_auc = 0.4", "max_leak_auc"),
        ("[[allow]]\nmax_leak_auc = nan", "max_leak_auc"),
        ("approval = \"maybe\"", "maybe"),
    ] {
        let problem = Policy::of(text).unwrap_err();
        assert!(problem.contains(said), "{problem}");
    }
    let missing = Policy::load(std::path::Path::new("no/policy.toml")).unwrap_err();
    assert!(missing.to_string().contains("no/policy.toml"), "{missing}");
}

fn lists() -> impl Strategy<Value = String> {
    let list = |key: &'static str, of: [&'static str; 2]| {
        prop::collection::vec(prop::sample::select(of.to_vec()), 1..3)
            .prop_map(move |items| format!("{key} = {items:?}\n"))
    };
    (
        prop::option::of(list("peers", ["bank-a", "bank-c"])),
        prop::option::of(list("datasets", ["iris", "mnist"])),
        prop::option::of(list("tasks", ["train", "predict"])),
        prop::option::of((1_usize..60).prop_map(|n| format!("min_batch_size = {n}\n"))),
        prop::option::of((1_u32..20).prop_map(|n| format!("max_epochs = {n}\n"))),
        prop::option::of((50_u32..=100).prop_map(|n| format!("max_leak_auc = 0.{n:03}\n"))),
        prop::bool::ANY,
    )
        .prop_map(|(a, b, c, d, e, f, automatic)| {
            let approval = match automatic {
                true => "approval = \"automatic\"\n",
                false => "",
            };
            let rules: String = [a, b, c, d, e].into_iter().flatten().collect();
            // Bounds from 0.5 up: 0.050 to 0.100 are none.
            let leak = f.map(|leak| leak.replace("0.0", "0.5").replace("0.1", "0.6"));
            format!("[[allow]]\n{rules}{}{approval}", leak.unwrap_or_default())
        })
}

proptest! {
    /// Whatever is approved is within the limits of the first entry that is about
    /// it, and what no entry is about is not approved: held against the file's
    /// text, read a second way.
    #[test]
    fn nothing_outside_the_rules_is_approved(
        entries in prop::collection::vec(lists(), 0..4),
        peer in prop::sample::select(vec!["bank-a", "bank-c", "bank-d"]),
        dataset in prop::sample::select(vec!["iris", "mnist", "loans"]),
        epochs in 1_u32..25,
        batch_size in 1_usize..70,
        bound in prop::option::of(0.5_f64..1.0),
    ) {
        let task = training(|spec| {
            spec.parties.active = peer.parse().unwrap();
            spec.data.dataset = dataset.to_owned();
            spec.training.epochs = epochs;
            spec.training.batch_size = batch_size;
            spec.privacy.max_leak_auc = bound;
        });
        let file: toml::Table = toml::from_str(&entries.concat()).unwrap();
        let allow = file.get("allow").and_then(|allow| allow.as_array().cloned());
        let lists = |entry: &toml::Value, key: &str, what: &str| {
            entry.get(key).is_none_or(|list| {
                list.as_array().unwrap().iter().any(|item| item.as_str() == Some(what))
            })
        };
        let first = allow.unwrap_or_default().into_iter().find(|entry| {
            lists(entry, "peers", peer)
                && lists(entry, "datasets", dataset)
                && lists(entry, "tasks", "train")
        });
        let kept = first.as_ref().is_some_and(|entry| {
            let number = |key: &str| entry.get(key).map(|n| n.as_integer().unwrap());
            let leak = entry.get("max_leak_auc").map(|auc| auc.as_float().unwrap());
            number("min_batch_size").is_none_or(|least| batch_size as i64 >= least)
                && number("max_epochs").is_none_or(|most| i64::from(epochs) <= most)
                && leak.is_none_or(|most| bound.is_some_and(|bound| bound <= most))
        });
        let automatic = first.is_some_and(|entry| entry.get("approval").is_some());
        let expected = match (kept, automatic) {
            (false, _) => None,
            (true, true) => Some(Ruling::Approved),
            (true, false) => Some(Ruling::NeedsPerson),
        };
        let said = Policy::of(&entries.concat()).unwrap().evaluate(&task, Side::Passive);
        match expected {
            Some(expected) => prop_assert_eq!(said, expected),
            None => prop_assert!(matches!(said, Ruling::Refused(_)), "{:?}", said),
        }
    }
}
