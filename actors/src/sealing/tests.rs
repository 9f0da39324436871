//! Sealing keys: who gets them, and who is refused.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use entente_wire::Secret;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{testing::key, *};
use crate::config::PartySection;

fn section(folder: &TempDir, more: Value) -> PartySection {
    let mut section = json!({
        "listen": "127.0.0.1:0",
        "state_dir": folder.path().join("state"),
    });
    let all = section.as_object_mut().unwrap();
    all.extend(more.as_object().unwrap().clone());
    serde_json::from_value(section).unwrap()
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn data_key() -> DataKey {
    Secret::new([7; 32])
}

#[test]
fn a_data_key_unwraps_where_it_was_wrapped_and_nowhere_else() {
    let keys = SealingKeys::new(key(b"a"), Vec::new());
    let wrapped = keys.wrap(&data_key(), b"here").unwrap();
    assert_eq!(keys.unwrap(&wrapped, b"here").unwrap().expose(), &[7; 32]);
    assert_ne!(wrapped, keys.wrap(&data_key(), b"here").unwrap());
    let damaged =
        |wrapped: &[u8], at: &[u8]| keys.unwrap(wrapped, at).err() == Some(WrapError::Damaged);
    assert!(damaged(&wrapped, b"there"));
    assert!(damaged(&wrapped[..wrapped.len() - 1], b"here"));
    assert!(damaged(b"", b"here"));
    for place in 8..wrapped.len() {
        let mut altered = wrapped.clone();
        altered[place] ^= 1;
        assert!(damaged(&altered, b"here"), "byte {place}");
    }
}

#[test]
fn the_newest_wraps_and_all_unwrap() {
    let before = SealingKeys::new(key(b"a"), Vec::new());
    let after = SealingKeys::new(key(b"b"), vec![key(b"a")]);
    let wrapped = before.wrap(&data_key(), b"").unwrap();
    assert!(after.unwrap(&wrapped, b"").is_ok());
    let wrapped = after.wrap(&data_key(), b"").unwrap();
    let error = before.unwrap(&wrapped, b"").err().unwrap();
    let (wanted, has) = (key(b"b").id(), key(b"a").id().to_string());
    assert_eq!(error, WrapError::OtherKey { wanted, has });
    assert_eq!(
        error.to_string(),
        format!(
            "they are sealed with key {wanted}, and this party has {}",
            key(b"a").id()
        )
    );
}

#[test]
fn a_key_shows_nothing_of_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let id = make_sealing_key(&path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let keys = SealingKeys::read(&section(
        &folder,
        json!({ "sealing_key": { "file": path } }),
    ));
    let keys = keys.unwrap();
    let shown = format!("{keys:?} {id}");
    assert!(shown.contains(&id.to_string()));
    for part in 0..4 {
        assert!(!shown.contains(&text[16 * part..16 * (part + 1)]));
    }
    assert!(!text.contains(&id.to_string()));
}

#[test]
fn a_made_key_is_its_owners_alone_and_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    make_sealing_key(&path).unwrap();
    let first = fs::read(&path).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let again = make_sealing_key(&path).unwrap_err();
    assert!(again.to_string().contains("cannot make"), "{again}");
    assert_eq!(fs::read(&path).unwrap(), first);
    let other = folder.path().join("other");
    assert_ne!(
        make_sealing_key(&other).unwrap(),
        make_sealing_key(&folder.path().join("x")).unwrap()
    );
}

#[test]
fn what_others_can_read_is_refused_also_behind_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("key"), folder.path().join("link"));
    make_sealing_key(&path).unwrap();
    symlink(&path, &link).unwrap();
    let read = |path: &Path| {
        SealingKeys::read(&section(
            &folder,
            json!({ "sealing_key": { "file": path } }),
        ))
    };
    assert!(read(&link).is_ok());
    for open in [0o640, 0o604, 0o620, 0o666, 0o610] {
        mode(&path, open);
        for path in [&path, &link] {
            let error = read(path).unwrap_err();
            assert!(matches!(&error, SealingError::Exposed { mode, .. } if *mode == open));
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
    }
    mode(&path, 0o400);
    assert!(read(&path).is_ok());
}

#[test]
fn what_is_no_key_is_refused_without_being_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let digits = "0123456789abcdef".repeat(4);
    let same = "a5".repeat(32);
    for text in [
        "",
        &digits[1..],
        &format!("{digits}0"),
        &format!("{digits} "),
        &format!("{digits}\n\n"),
        &digits.replace('f', "g"),
        &same,
        &digits.repeat(10),
    ] {
        fs::write(&path, text).unwrap();
        mode(&path, 0o600);
        let error = SealingKeys::read(&section(
            &folder,
            json!({ "sealing_key": { "file": path } }),
        ));
        let error = error.unwrap_err();
        assert!(
            matches!(error, SealingError::NoKey { .. }),
            "{text:?}: {error}"
        );
        assert!(text.len() < 8 || !error.to_string().contains(&text[..8]));
    }
    for text in [
        digits.clone(),
        format!("{digits}\n"),
        digits.to_uppercase() + "\r\n",
    ] {
        fs::write(&path, &text).unwrap();
        mode(&path, 0o600);
        let keys = SealingKeys::read(&section(
            &folder,
            json!({ "sealing_key": { "file": path } }),
        ));
        assert!(keys.is_ok(), "{text:?}");
    }
    let directory = json!({ "sealing_key": { "file": folder.path() } });
    let error = SealingKeys::read(&section(&folder, directory)).unwrap_err();
    assert!(matches!(error, SealingError::NoKey { .. }), "{error}");
}

#[test]
fn a_key_that_is_named_is_never_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let named = section(&folder, json!({ "sealing_key": { "file": path } }));
    let error = SealingKeys::open(&named).unwrap_err();
    assert!(matches!(error, SealingError::Missing { .. }), "{error}");
    assert!(error.to_string().contains("sealing-key new"), "{error}");
    assert!(!path.exists());
    let unset = json!({ "sealing_key": { "environment": "ENTENTE_TEST_NO_SUCH_VARIABLE" } });
    let error = SealingKeys::open(&section(&folder, unset)).unwrap_err();
    assert!(
        error.to_string().contains("ENTENTE_TEST_NO_SUCH_VARIABLE"),
        "{error}"
    );
    // Nor is the default, for want of a former one.
    let default = folder.path().join("state.sealing-key");
    make_sealing_key(&default).unwrap();
    let former = section(&folder, json!({ "former_sealing_keys": path }));
    let error = SealingKeys::open(&former).unwrap_err();
    assert!(matches!(error, SealingError::Missing { .. }), "{error}");
}

#[test]
fn left_out_it_is_made_beside_the_state_directory_once() {
    let folder = tempfile::tempdir().unwrap();
    let left_out = section(&folder, json!({}));
    assert!(matches!(
        SealingKeys::read(&left_out),
        Err(SealingError::Missing { .. })
    ));
    let ids = |keys: SealingKeys| keys.ids().collect::<Vec<_>>();
    let first = ids(SealingKeys::open(&left_out).unwrap());
    assert_eq!(first, ids(SealingKeys::open(&left_out).unwrap()));
    let default = folder.path().join("state.sealing-key");
    assert!(default.exists());
    // Gone, with journals that it has sealed: another one would not open them.
    fs::remove_file(&default).unwrap();
    let job = folder.path().join("state/jobs/some-job");
    fs::create_dir_all(&job).unwrap();
    fs::write(job.join("1.journal"), b"").unwrap();
    let error = SealingKeys::open(&left_out).unwrap_err();
    assert!(
        matches!(error, SealingError::Gone { journals: 1, .. }),
        "{error}"
    );
    assert!(!default.exists());
    fs::remove_file(job.join("1.journal")).unwrap();
    assert_ne!(first, ids(SealingKeys::open(&left_out).unwrap()));
}

#[test]
fn former_keys_come_as_a_list_or_with_commas() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let mut made = Vec::new();
    for name in ["new", "old", "older"] {
        made.push(make_sealing_key(Path::new(&path(name))).unwrap());
    }
    for former in [
        json!([path("old"), path("older")]),
        json!(format!("{}, {}", path("old"), path("older"))),
    ] {
        let with = json!({
            "sealing_key": { "file": path("new") },
            "former_sealing_keys": former,
        });
        let keys = SealingKeys::read(&section(&folder, with)).unwrap();
        assert_eq!(keys.ids().collect::<Vec<_>>(), made);
    }
    for wrong in [
        json!({ "file": "x", "environment": "y" }),
        json!({ "kms": "x" }),
        json!({}),
    ] {
        let text = json!({ "listen": "127.0.0.1:0", "state_dir": "x", "sealing_key": wrong });
        assert!(serde_json::from_value::<PartySection>(text).is_err());
    }
}
