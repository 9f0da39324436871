//! Every way in which data can be wrong: each an error before the first round
//! that says where and what to do, and of which the record shows nothing that
//! is the party's own.

use super::*;

const FEATURES: &str = r#"
    source = "csv"
    columns = "features"
    id = "id"
    features = ["age", { column = "kind", categories = ["new", "old"] }]
"#;

const LABELS: &str = r#"
    source = "csv"
    columns = "labels"
    id = "id"
    label = "default"
    classes = ["no", "yes"]
"#;

/// A table whose lines 2, 3, ... are `rows`.
fn table(files: &Files, rows: &str) -> PathBuf {
    files.write("secret-path.csv", format!("id,age,kind,default\n{rows}"))
}

fn matched(order: Option<entente_protocol::job::RowOrder>) -> Job {
    job(3, 2, |spec| {
        spec.data.match_on = Some("id".into());
        spec.data.order = order;
        spec.data.test_fraction = 0.0;
    })
}

/// The error of either half, held against what the record may show.
fn error(config: &DatasetConfig, job: &Job) -> DataError {
    let error = match config.columns() {
        Columns::Features => open_features(config, job).err().unwrap(),
        Columns::Labels | Columns::Ids => open_labels(config, job).err().unwrap(),
    };
    let record = error.for_record();
    for private in ["secret-path", "age", "kind", "Zaphod", "4711", "no, yes"] {
        assert!(!record.contains(private), "{record}");
    }
    assert!(record.contains("'table'"), "{record}");
    assert!(error.to_string().contains("dataset 'table'"), "{error}");
    error
}

/// The error's label, and that its text has each of `words`.
fn expect(config: &DatasetConfig, label: &str, words: &[&str]) {
    let error = error(config, &matched(None));
    assert_eq!(error.label(), label, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{word}: {error}");
    }
}

#[test]
fn cells_that_are_not_what_is_declared_are_named_by_line_and_column() {
    let good = "a,1,new,no\n";
    for (line, label, words) in [
        (
            "4711,Zaphod,new,no",
            "not_a_number",
            ["column 'age'", "'Zaphod' is no number"],
        ),
        ("4711,NaN,new,no", "not_finite", ["column 'age'", "'NaN'"]),
        ("4711,-inf,new,no", "not_finite", ["column 'age'", "'-inf'"]),
        (
            "4711,,new,no",
            "missing_value",
            ["column 'age'", "missing = \"mean\""],
        ),
        (
            "4711,1,Zaphod,no",
            "category",
            ["column 'kind'", "(new, old)"],
        ),
        ("4711,1,new", "ragged", ["3 cells", "the first line has 4"]),
        (",1,new,no", "missing_value", ["column 'id'", "missing"]),
    ] {
        let files = Files::new();
        let path = table(&files, &format!("{good}{line}\n"));
        let config = config(&path, FEATURES);
        expect(&config, label, &words);
        expect(&config, label, &["secret-path.csv, line 3"]);
    }
}

#[test]
fn a_label_outside_the_classes_is_named() {
    let files = Files::new();
    let path = table(&files, "a,1,new,no\nb,1,new,Zaphod\n");
    let config = config(&path, LABELS);
    let words = ["line 3", "column 'default'", "'Zaphod'", "(no, yes)"];
    expect(&config, "label", &words);
}

#[test]
fn columns_that_are_not_there_are_named_with_those_that_are() {
    let files = Files::new();
    let path = files.write("secret-path.csv", "id,agee,kind\na,1,new\n");
    let there = "there are: id, agee, kind";
    expect(
        &config(&path, FEATURES),
        "missing_column",
        &["column 'age'", there],
    );
    expect(
        &config(&path, LABELS),
        "missing_column",
        &["column 'default'", there],
    );
    let path = files.write("secret-path.csv", "age,kind\n1,new\n");
    expect(&config(&path, FEATURES), "missing_column", &["column 'id'"]);
}

#[test]
fn an_id_in_two_rows_is_named_by_both() {
    let files = Files::new();
    let path = table(&files, "4711,1,new,no\nb,2,old,no\n4711,3,new,no\n");
    for half in [FEATURES, LABELS] {
        let words = ["row 3", "row 1 already"];
        expect(&config(&path, half), "duplicate_id", &words);
    }
}

#[test]
fn empty_files_are_said_to_be_that() {
    let files = Files::new();
    for content in ["", "id,age,kind,default\n", "\n\n"] {
        let path = files.write("secret-path.csv", content);
        for half in [FEATURES, LABELS] {
            expect(&config(&path, half), "empty", &["has no rows"]);
        }
    }
}

#[test]
fn files_that_are_not_there_or_cannot_be_read_are_named() {
    let files = Files::new();
    let nothing = files.0.path().join("secret-path-of-nothing.csv");
    let words = ["secret-path-of-nothing.csv", "No such file"];
    expect(&config(&nothing, FEATURES), "unreadable", &words);
    expect(
        &config(files.0.path(), FEATURES),
        "unreadable",
        &["directory"],
    );
    for source in ["idx", "cifar10", "npy"] {
        let rest = format!("source = {source:?}\ncolumns = \"features\"");
        let error = open_features(&config(&nothing, &rest), &job(1, 2, |_| ()));
        assert_eq!(error.err().unwrap().label(), "unreadable");
    }
}

#[test]
fn text_that_is_no_utf_8_is_named_by_line() {
    let files = Files::new();
    let bytes = b"id,age,kind,default\na,1,new,no\nb,1,\xff\xfe,no\n";
    let path = files.write("secret-path.csv", bytes);
    expect(&config(&path, FEATURES), "not_text", &["line 3", "UTF-8"]);
}

#[test]
fn a_gzip_stream_that_is_cut_or_altered_is_named() {
    let files = Files::new();
    let rows: String = (0..500)
        .map(|row| format!("{row},{row},new,no\n"))
        .collect();
    let whole = gzipped(format!("id,age,kind,default\n{rows}").as_bytes());
    let path = files.write("secret-path.csv.gz", &whole[..whole.len() / 2]);
    expect(
        &config(&path, FEATURES),
        "truncated",
        &["ends in the middle"],
    );
    let mut altered = whole.clone();
    altered[whole.len() - 6] ^= 1; // in the checksum
    let path = files.write("secret-path.csv.gz", &altered);
    expect(&config(&path, FEATURES), "format", &["damaged"]);
}

#[test]
fn arrays_with_another_beginning_or_end_are_named() {
    let files = Files::new();
    let idx = [
        &[0, 0, 8, 2, 0, 0, 0, 3, 0, 0, 0, 2][..],
        &[1, 2, 3, 4, 5, 6],
    ]
    .concat();
    let npy = crate::data::source::tests::npy("<f4", "(3, 2)", &[0; 24]);
    let cifar = vec![0; 3 * 3073];
    let cases = [("idx", 2, idx), ("npy", 2, npy), ("cifar10", 3072, cifar)];
    for (source, inputs, good) in cases {
        let rest = format!("source = {source:?}\ncolumns = \"features\"");
        let job = job(inputs, 2, |_| ());
        let label = |bytes: &[u8]| {
            let path = files.write("secret-path", bytes);
            match open_features(&config(&path, &rest), &job) {
                Ok(_) => "good",
                Err(error) => {
                    assert!(error.to_string().contains("secret-path"), "{error}");
                    error.label()
                }
            }
        };
        assert_eq!(label(&good), "good", "{source}");
        assert_eq!(label(&gzipped(&good)), "good", "{source}");
        assert_eq!(label(&good[..good.len() - 1]), "truncated", "{source}");
        let zipped = gzipped(&good);
        assert_eq!(label(&zipped[..zipped.len() - 9]), "truncated", "{source}");
        let longer = label(&[&good[..], &[1]].concat());
        assert!(["format", "truncated"].contains(&longer), "{source}");
        let mut other = good.clone();
        other[0] = 0x7f;
        assert_eq!(label(&other), "format", "{source}");
    }
}

#[test]
fn arrays_with_numbers_that_are_not_finite_are_named() {
    let files = Files::new();
    let numbers = [0.0_f32, 1.0, f32::NAN, 3.0].map(f32::to_le_bytes).concat();
    let bytes = crate::data::source::tests::npy("<f4", "(2, 2)", &numbers);
    let path = files.write("x.npy", bytes);
    let config = config(&path, "source = \"npy\"\ncolumns = \"features\"");
    let error = open_features(&config, &job(2, 2, |_| ())).err().unwrap();
    assert_eq!(error.label(), "not_finite");
    assert!(error.to_string().contains("row 2, column '1'"), "{error}");
}

#[test]
fn a_table_that_does_not_fit_the_network_says_both_numbers() {
    let files = Files::new();
    let path = table(&files, "a,1,new,no\nb,2,old,yes\n");
    // One numeric column, and one for each of two categories.
    let error = error(&config(&path, FEATURES), &job(4, 2, |_| ()));
    assert_eq!(error.label(), "inputs");
    assert!(error.to_string().contains("gives 3 features"), "{error}");
    let error = super::bad_input::error(&config(&path, LABELS), &job(3, 3, |_| ()));
    assert_eq!(error.label(), "classes");
    assert!(
        error.to_string().contains("network.classes to 2"),
        "{error}"
    );
}

#[test]
fn a_job_that_matches_on_another_identifier_is_told_what_there_is() {
    let files = Files::new();
    let path = table(&files, "a,1,new,no\n");
    let on = |identifier: &str| job(3, 2, |spec| spec.data.match_on = Some(identifier.into()));
    let error = error(&config(&path, FEATURES), &on("customer"));
    assert_eq!(error.label(), "no_identifier");
    assert!(
        error.to_string().contains("the dataset has 'id'"),
        "{error}"
    );
    let renamed = format!("{FEATURES}\nidentifier = \"customer\"");
    let path = table(&files, "a,1,new,no\nb,2,old,no\n");
    let job = job(3, 2, |spec| {
        spec.data.match_on = Some("customer".into());
        spec.data.test_fraction = 0.0;
    });
    assert!(open_features(&config(&path, &renamed), &job).is_ok());
    let iris = open_features(
        &iris(Columns::Features),
        &iris_job(|spec| {
            spec.data.match_on = Some("customer".into());
        }),
    );
    assert!(iris.err().unwrap().to_string().contains("has no id"));
}

#[test]
fn a_fitted_category_that_is_only_tested_on_is_refused() {
    let files = Files::new();
    let path = table(
        &files,
        "a,1,new,no\nb,2,Zaphod,no\nc,3,new,no\nd,4,new,no\n",
    );
    let fitted = FEATURES.replace(r#"["new", "old"]"#, "\"fitted\"");
    let config = config(&path, &fitted);
    // Over the seeds each row is tested on some time, and then it shows.
    let labels: std::collections::BTreeSet<_> = (0..40)
        .map(|seed| {
            let job = job(3, 2, |spec| {
                spec.data.test_fraction = 0.25;
                spec.training.seed = seed;
            });
            match open_features(&config, &job) {
                Ok(_) => "good",
                Err(error) => error.label(),
            }
        })
        .collect();
    assert_eq!(
        labels.into_iter().collect::<Vec<_>>(),
        ["good", "unseen_category"]
    );
}

#[test]
fn a_column_without_a_value_has_no_mean() {
    let files = Files::new();
    let path = table(&files, "a,,new,no\nb,,old,no\n");
    let mean = FEATURES.replace("\"age\"", "{ column = \"age\", missing = \"mean\" }");
    expect(&config(&path, &mean), "nothing_present", &["column 'age'"]);
}

#[test]
fn configurations_that_contradict_themselves_are_refused_before_a_file_is_opened() {
    for (rest, word) in [
        (
            "source = \"csv\"\ncolumns = \"features\"",
            "features = [...]",
        ),
        ("source = \"csv\"\ncolumns = \"labels\"", "label = COLUMN"),
        (
            "source = \"csv\"\ncolumns = \"labels\"\nlabel = \"y\"",
            "classes = [...]",
        ),
        (
            "source = \"csv\"\ncolumns = \"labels\"\nlabel = \"y\"\nclasses = [\"a\", \"a\"]",
            "one twice",
        ),
        (
            "source = \"csv\"\ncolumns = \"features\"\nheader = false\nfeatures = [\"age\"]",
            "number, from 1",
        ),
        (
            "source = \"csv\"\ncolumns = \"features\"\nfeatures = [0]",
            "counted from 1",
        ),
        (
            "source = \"csv\"\ncolumns = \"features\"\nfeatures = [{ from = 1 }]",
            "from and to",
        ),
        (
            "source = \"csv\"\ncolumns = \"features\"\nfeatures = [1]\nidentifier = \"x\"",
            "no id = COLUMN",
        ),
        (
            "source = \"parquet\"\ncolumns = \"features\"\nfeatures = [1]\nheader = false",
            "source = \"csv\"",
        ),
    ] {
        let datasets = toml_like(&format!("[table]\npath = \"x\"\n{rest}"));
        let error = datasets.check().unwrap_err();
        assert_eq!(error.label(), "dataset_configuration");
        assert!(error.to_string().contains(word), "{rest}: {error}");
    }
    for (rest, word) in [
        (
            "source = \"csv\"\ncolumns = \"features\"\nfeatures = [{ colum = 1 }]",
            "colum",
        ),
        (
            "source = \"csv\"\ncolumns = \"features\"\nfeature = [1]",
            "feature",
        ),
        ("source = \"idx\"\ncolumns = \"features\"\nid = 1", "id"),
        (
            "source = \"csv\"\ncolumns = \"features\"\nfeatures = [{ column = 1, missing = \"men\" }]",
            "expected \"refuse\", \"mean\", or a number",
        ),
    ] {
        let text = format!("[table]\npath = \"x\"\n{rest}");
        let error = toml::from_str::<Datasets>(&text).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn a_column_that_is_taken_twice_is_refused() {
    let files = Files::new();
    let path = table(&files, "a,1,new,no\n");
    for features in ["[\"age\", \"age\"]", "[{ from = \"id\", to = \"age\" }]"] {
        let rest = FEATURES.replace(
            r#"["age", { column = "kind", categories = ["new", "old"] }]"#,
            features,
        );
        expect(
            &config(&path, &rest),
            "dataset_configuration",
            &["taken twice"],
        );
    }
    let backwards = FEATURES.replace("\"age\", {", "{ from = 3, to = 2 }, {");
    expect(
        &config(&path, &backwards),
        "dataset_configuration",
        &["backwards"],
    );
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_in_a_build_without_it_names_the_feature() {
    let files = Files::new();
    let path = files.write("secret-path.parquet", b"PAR1");
    let rest = FEATURES.replace("\"csv\"", "\"parquet\"");
    expect(
        &config(&path, &rest),
        "without_parquet",
        &["cargo feature 'parquet'"],
    );
}
