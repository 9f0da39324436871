//! `entente data check`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use std::fs;

use house::{fail, succeed};
use serde_json::Value;

/// The irises as published, of which this software has a copy in another form.
fn published() -> Option<Vec<u8>> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data");
    let folder = std::env::var_os("ENTENTE_DATA_DIR").unwrap_or_else(|| beside.into());
    let path = std::path::Path::new(&folder).join("iris/iris.csv");
    if !path.is_file() {
        eprintln!("skipped: iris, because {} is not there", path.display());
        return None;
    }
    Some(fs::read(path).unwrap())
}

#[test]
fn a_folder_without_datasets_is_a_wrong_argument() {
    let folder = tempfile::tempdir().unwrap();
    for dir in [".", "nothing"] {
        let (code, said) = fail(folder.path(), &["data", "check", dir]);
        assert_eq!(code, 3, "{said}");
        assert!(said.contains(dir), "{said}");
    }
}

#[test]
fn a_truncated_or_altered_file_is_named_and_a_missing_one_is_no_failure() {
    let Some(iris) = published() else { return };
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("iris")).unwrap();
    let write = |bytes: &[u8]| fs::write(folder.path().join("iris/iris.csv"), bytes).unwrap();

    write(&iris);
    let json = succeed(folder.path(), &["data", "check", ".", "-o", "json"]);
    let files: Vec<Value> = serde_json::from_str(&json).unwrap();
    let state = |file: &str| {
        let found = files.iter().find(|looked| looked["file"] == file);
        found.unwrap()["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state("iris/iris.csv"), "good");
    assert_eq!(state("mnist/t10k-labels-idx1-ubyte.gz"), "missing");
    let table = succeed(folder.path(), &["data", "check", "."]);
    assert!(table.contains("iris.csv"), "{table}");

    write(&iris[..100]);
    let (code, said) = fail(folder.path(), &["data", "check", "."]);
    assert_eq!(code, 6, "{said}");
    assert!(said.contains("iris/iris.csv"), "{said}");

    let mut altered = iris;
    altered[0] ^= 1;
    write(&altered);
    let output = house::entente(folder.path(), &["data", "check", "."]);
    assert_eq!(output.status.code(), Some(6));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("altered"), "{table}");
}
