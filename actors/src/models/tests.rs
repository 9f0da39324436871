//! Entries as they are saved, and as they are found damaged.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::os::unix::fs::PermissionsExt;

use entente_protocol::{
    control::Progress,
    job::{Job, PartyName, Side},
};

use super::*;

/// Two versions that begin alike, and one that does not.
const VERSIONS: [&str; 3] = [
    "01890a5d-ac96-774b-bcce-b302099a8057",
    "01890a5d-ac96-774b-bcce-b3021111aaaa",
    "01890a5e-ac96-774b-bcce-b302099a0001",
];

fn version(at: usize) -> JobId {
    VERSIONS[at].parse().unwrap()
}

fn job(model: &str) -> Job {
    let text = include_str!("../../../deploy/iris.toml");
    Job::from_toml(&format!("model = \"{model}\"\n{text}")).unwrap()
}

fn save(models: &Models, at: usize, model: &str, half: &[u8]) {
    let half = Secret::new(half.to_vec());
    let manifest = Manifest::new(
        version(at),
        &job(model),
        Side::Active,
        Progress::default(),
        Some(vec!["setosa".to_owned()]),
        half.expose(),
    );
    models.save(&manifest, &half).unwrap();
}

/// Three versions: two of "credit", the newest of "other".
fn shelf() -> (tempfile::TempDir, Models) {
    let folder = tempfile::tempdir().unwrap();
    let models = Models::below(folder.path());
    save(&models, 0, "credit", b"first");
    save(&models, 1, "credit", b"second");
    save(&models, 2, "other", b"third");
    (folder, models)
}

#[test]
fn what_is_saved_is_listed_newest_first_for_its_owner_alone() {
    let (folder, models) = shelf();
    save(&models, 0, "credit", b"again");
    let listed = models.list().unwrap();
    let names: Vec<(String, JobId)> = listed
        .iter()
        .map(|entry| {
            (
                entry.manifest.as_ref().unwrap().name.to_string(),
                entry.version,
            )
        })
        .collect();
    assert_eq!(
        names,
        [
            ("other".to_owned(), version(2)),
            ("credit".to_owned(), version(1)),
            ("credit".to_owned(), version(0)),
        ]
    );
    let manifest = models.manifest(version(0)).unwrap();
    assert_eq!(manifest.peer(), &"bank-b".parse::<PartyName>().unwrap());
    assert_eq!(manifest.job().unwrap(), job("credit"));
    let entry = folder.path().join("models").join(VERSIONS[0]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&entry), 0o700);
    for file in fs::read_dir(&entry).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
    assert_eq!(fs::read(models.half_path(version(0))).unwrap(), b"again");
    assert!(Models::below(&entry).list().unwrap().is_empty());
}

#[test]
fn a_model_is_found_by_name_and_by_as_much_of_its_version_as_is_its_own() {
    let (_folder, models) = shelf();
    for (wanted, at) in [
        ("credit", 1),
        ("other", 2),
        ("credit@099a8057", 0),
        ("099a8057", 0),
        ("01890a5e", 2),
        (VERSIONS[1], 1),
    ] {
        assert_eq!(models.find(wanted).unwrap(), version(at), "{wanted}");
    }
    for (wanted, label) in [
        ("01890a5d", "ambiguous_model"),
        ("credit@01890a5d", "ambiguous_model"),
        ("nothing", "no_model"),
        ("other@099a8057", "no_model"),
        ("057", "no_model"),
        ("", "no_model"),
    ] {
        assert_eq!(models.find(wanted).unwrap_err().label(), label, "{wanted}");
    }
    let said = models.find("nothing").unwrap_err().to_string();
    assert!(said.contains("credit, other"), "{said}");
    let listed = models.list().unwrap();
    assert_eq!(short(version(0), &listed), "099a8057");
}

#[test]
fn a_damaged_entry_is_named_and_hides_no_other() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 6] = [
        ("unfinished_model", |entry| {
            fs::remove_file(entry.join(MANIFEST)).unwrap()
        }),
        ("damaged_model", |entry| {
            fs::write(entry.join(MANIFEST), b"{").unwrap()
        }),
        ("damaged_model", |entry| {
            fs::write(entry.join(HALF), b"fir").unwrap()
        }),
        ("damaged_model", |entry| {
            fs::remove_file(entry.join(HALF)).unwrap()
        }),
        ("damaged_model", |entry| {
            altered(entry, "\"epochs\": 30", "\"epochs\": 31")
        }),
        ("damaged_model", |entry| {
            altered(entry, "\"format\": 1", "\"format\": 2")
        }),
    ];
    for (label, damage) in damages {
        let (folder, models) = shelf();
        damage(&folder.path().join("models").join(VERSIONS[0]));
        let listed = models.list().unwrap();
        assert_eq!(listed.len(), 3);
        let error = listed[2].manifest.as_ref().unwrap_err();
        assert_eq!(error.label(), label, "{error}");
        assert!(error.to_string().contains(VERSIONS[0]), "{error}");
        assert!(listed[..2].iter().all(|entry| entry.manifest.is_ok()));
        assert!(
            models
                .open(&job("credit").model().clone(), version(0))
                .is_err()
        );
        // It can be had out of the way by its version.
        models.delete(models.find("099a8057").unwrap()).unwrap();
        assert_eq!(models.list().unwrap().len(), 2);
    }
}

fn altered(entry: &Path, from: &str, to: &str) {
    let path = entry.join(MANIFEST);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn a_half_that_was_altered_in_its_place_is_not_opened() {
    let (_folder, models) = shelf();
    let credit = job("credit").model().clone();
    assert!(models.open(&credit, version(0)).is_ok());
    fs::write(models.half_path(version(0)), b"FIRST").unwrap();
    assert!(models.manifest(version(0)).is_ok(), "as long as it was");
    let error = models.open(&credit, version(0)).unwrap_err();
    assert!(error.to_string().contains("altered"), "{error}");
}

#[test]
fn only_the_two_that_trained_it_on_their_sides_may_ask_it() {
    let (_folder, models) = shelf();
    let open = models.open(job("credit").model(), version(0)).unwrap();
    let [a, b, c]: [PartyName; 3] =
        ["bank-a", "bank-b", "bank-c"].map(|name| name.parse().unwrap());
    assert!(open.check_parties(Side::Active, &a, &b).is_ok());
    for (side, own, peer) in [
        (Side::Active, &a, &c),
        (Side::Active, &c, &b),
        (Side::Passive, &a, &b),
        (Side::Passive, &b, &a),
    ] {
        let error = open.check_parties(side, own, peer).unwrap_err();
        assert_eq!(error.label(), "other_parties");
    }
}

#[test]
fn what_a_job_asks_is_not_deleted_under_it() {
    let (_folder, models) = shelf();
    let asked = models.open(job("credit").model(), version(0)).unwrap();
    let hold = asked.into_hold();
    let error = models.delete(version(0)).unwrap_err();
    assert_eq!(error.label(), "model_in_use");
    assert!(models.manifest(version(0)).is_ok());
    drop(hold);
    models.delete(version(0)).unwrap();
    assert_eq!(models.delete(version(0)).unwrap_err().label(), "no_model");
    assert_eq!(models.find("credit").unwrap(), version(1));
}

#[test]
fn an_export_overwrites_nothing_and_is_its_owners_alone() {
    let (folder, models) = shelf();
    let open = models.open(job("credit").model(), version(0)).unwrap();
    let to = folder.path().join("half");
    open.export_half(&to).unwrap();
    assert_eq!(fs::read(&to).unwrap(), b"first");
    assert_eq!(
        fs::metadata(&to).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(open.export_half(&to).unwrap_err().label(), "export");
    // No half that was ever trained.
    let network = open.export_network(&folder.path().join("network"));
    assert_eq!(network.unwrap_err().label(), "damaged_model");
}
