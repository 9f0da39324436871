//! What Grafana loads is what the compact source makes.

use std::{env, fs};

use crate::{
    grafana,
    source::{DASHBOARDS, Dashboard, read, room},
};

/// Set to write the files instead of comparing them.
const WRITE: &str = "ENTENTE_WRITE_TABLES";

#[test]
fn json_is_what_the_source_makes() {
    for name in DASHBOARDS {
        let made = grafana::dashboard(name, &Dashboard::read(name));
        let made = format!("{:#}\n", made);
        let file = format!("grafana/{name}.json");
        if env::var_os(WRITE).is_some() {
            fs::write(room().join(&file), &made).unwrap();
        }
        assert!(
            read(&file) == made,
            "{file} is not what source/{name}.toml makes: \
             {WRITE}=1 cargo test --test dashboards generated"
        );
    }
}

/// A file that nobody makes any more would stay in Grafana for ever.
#[test]
fn there_are_no_others() {
    let files = fs::read_dir(room().join("grafana")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".json")).collect();
    names.sort();
    let mut expected = DASHBOARDS.map(|name| format!("{name}.json"));
    expected.sort();
    assert_eq!(names, expected);
}
