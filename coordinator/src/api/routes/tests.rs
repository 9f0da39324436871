//! The tables for people say what the list says.
#![allow(clippy::unwrap_used)]

use super::TABLE;

#[test]
fn the_tables_for_people_are_the_list() {
    let expected: Vec<String> = TABLE
        .iter()
        .map(|route| {
            let (method, who) = (route.method.label(), route.who.label());
            format!("| `{method} {}` | {who} | {} |", route.path, route.summary)
        })
        .collect();
    for (file, text) in [
        ("api/mod.rs", include_str!("../mod.rs")),
        ("README.md", include_str!("../../../../README.md")),
    ] {
        let rows: Vec<&str> = text
            .lines()
            .map(|line| line.strip_prefix("//! ").unwrap_or(line))
            .filter(|line| {
                ["| `GET /", "| `POST /", "| `DELETE /"]
                    .iter()
                    .any(|start| line.starts_with(start))
            })
            .collect();
        assert_eq!(rows, expected, "{file}");
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_and_stands_once() {
    for (index, route) in TABLE.iter().enumerate() {
        for other in TABLE.iter().skip(index + 1) {
            assert_ne!(route.operation, other.operation);
            let same = route.path == other.path && route.method == other.method;
            assert!(!same, "{} {}", route.method.label(), route.path);
        }
        assert!(!route.answers.is_empty(), "{}", route.operation);
    }
}
