//! Rows that a trained model is asked about: through its preparation, or not at
//! all.

use entente_protocol::{
    job::{Inference, Task, task::WhichRows},
    rows::RowId,
};

use super::*;

const FEATURES: &str = r#"
    source = "csv"
    columns = "features"
    id = "id"
    features = [
        "age",
        { column = "income", missing = "mean" },
        { column = "home", categories = "fitted" },
    ]
"#;

fn inference(by_id: bool) -> Inference {
    let matched = if by_id { "match_on = \"id\"" } else { "" };
    let text = format!(
        "name = \"asks\"\ntask = \"evaluate\"\nmodel = \"credit\"\n\
         parties = {{ active = \"bank-a\", passive = \"bank-b\" }}\n\
         [data]\ndataset = \"table\"\n{matched}"
    );
    match Task::from_toml(&text).unwrap() {
        Task::Infer(inference) => *inference,
        other => panic!("{other:?}"),
    }
}

/// The job that trained on three customers, and what it made of them.
fn trained(files: &Files) -> (Job, Preparation) {
    let path = files.write(
        "then.csv",
        "id,age,income,home\na,1,10,own\nb,3,,rent\nc,2,30,own\n",
    );
    let job = job(4, 2, |spec| spec.data.test_fraction = 0.0);
    let features = open_features(&config(&path, FEATURES), &job).unwrap();
    let preparation = Preparation::decoded(&features.preparation()).unwrap();
    (job, preparation)
}

type Opened = (Vec<Vec<f32>>, RowNames);

fn asked(text: &str, rest: &str, by_id: bool) -> Result<Opened, DataError> {
    let files = Files::new();
    let (trained, preparation) = trained(&files);
    let config = config(&files.write("now.csv", text), rest);
    let asked = Asked {
        config: &config,
        inference: &inference(by_id),
        trained: &trained,
        classes: None,
        spool: files.0.path(),
    };
    let (features, names) = asked.features(preparation)?;
    let rows: Vec<usize> = (0..features.rows()).collect();
    let batch = features.batch(&rows).unwrap();
    let rows = batch.rows().into_iter().map(|row| row.to_vec()).collect();
    Ok((rows, names))
}

#[test]
fn rows_go_through_what_was_fitted_then_and_nothing_is_fitted_now() {
    // Other means than then; categories found in another order.
    let now = "id,age,income,home\nz,2,,rent\ny,5,20,own\n";
    let (rows, names) = asked(now, FEATURES, false).unwrap();
    let deviation = (2.0_f64 / 3.0).sqrt();
    let age = |age: f64| ((age - 2.0) / deviation) as f32;
    assert_eq!(
        rows,
        [[age(2.0), 0.0, 0.0, 1.0], [age(5.0), 0.0, 1.0, 0.0]],
        "the mean income of then, and its categories in their order"
    );
    assert_eq!((names.heading(), names.of(0)), ("row", "1".to_owned()));
}

#[test]
fn names_stand_in_the_order_in_which_rows_are_counted() {
    let now = "id,age,income,home\nz,2,1,rent\ny,5,20,own\n";
    let (rows, names) = asked(now, FEATURES, true).unwrap();
    let mut ids = ["y", "z"];
    ids.sort_by_key(|id| RowId::of(id));
    assert_eq!([names.of(0), names.of(1)], ids);
    assert_eq!(names.heading(), "id");
    let own_home = |row: usize| rows[row][2];
    for (row, id) in ids.into_iter().enumerate() {
        assert_eq!(own_home(row), f32::from(id == "y"));
    }
}

#[test]
fn what_the_model_does_not_know_is_an_error_that_names_the_cell() {
    let now = "id,age,income,home\na,1,10,own\nb,2,20,hotel\n";
    let error = asked(now, FEATURES, false).unwrap_err();
    assert_eq!((error.label(), error.place.row), ("category", Some(2)));
    let text = error.to_string();
    assert!(
        text.contains("'hotel'") && text.contains("own, rent"),
        "{text}"
    );
    assert!(
        !error.for_record().contains("hotel"),
        "{}",
        error.for_record()
    );

    let gaps = FEATURES.replace("\"age\"", "{ column = \"age\", missing = 0.0 }");
    let error = asked("id,age,income,home\na,,1,own\n", &gaps, false).unwrap_err();
    assert_eq!((error.label(), error.place.row), ("missing_value", Some(1)));
    assert_eq!(error.place.column.as_deref(), Some("age"));
}

#[test]
fn other_columns_are_refused_by_name() {
    let now = "id,age,income,home\na,1,10,own\n";
    for (from, to, word) in [
        ("\"age\",", "\"income\",", "'age'"),
        (
            "categories = \"fitted\"",
            "missing = 0.0, missing_values = [\"own\"]",
            "categories",
        ),
        (
            "categories = \"fitted\"",
            "categories = \"fitted\", encode = \"index\"",
            "encoding",
        ),
        ("\"age\",", "", "2 columns"),
    ] {
        let rest = FEATURES.replace(from, to);
        let rest = rest.replace(
            "{ column = \"income\"",
            match from {
                "\"age\"," if !to.is_empty() => "{ column = \"age\"",
                _ => "{ column = \"income\"",
            },
        );
        let error = asked(now, &rest, false).unwrap_err();
        assert_eq!(error.label(), "other_columns", "{to}: {error}");
        assert!(error.to_string().contains(word), "{to}: {error}");
    }
}

#[test]
fn the_labels_side_needs_no_more_than_ids_and_gives_them_in_order() {
    let files = Files::new();
    let (trained, _) = trained(&files);
    let path = files.write("ids.csv", "customer\nz\ny\n");
    let rest = "source = \"csv\"\ncolumns = \"ids\"\nid = \"customer\"\nidentifier = \"id\"";
    let config = config(&path, rest);
    let asked = Asked {
        config: &config,
        inference: &inference(true),
        trained: &trained,
        classes: None,
        spool: files.0.path(),
    };
    let (ids, names) = asked.ids().unwrap();
    assert_eq!(ids.len(), 2);
    let mut sorted = ["y", "z"];
    sorted.sort_by_key(|id| RowId::of(id));
    assert_eq!([names.of(0), names.of(1)], sorted);
    // An evaluation takes labels, which these are not.
    assert_eq!(asked.labels().err().unwrap().label(), "wrong_half");
}

#[test]
fn classes_in_another_order_than_those_of_the_training_are_refused() {
    let files = Files::new();
    let (trained, _) = trained(&files);
    let path = files.write("labels.csv", "late\nno\nyes\n");
    let rest = "source = \"csv\"\ncolumns = \"labels\"\nlabel = \"late\"\n";
    let labels = |declared: &str| {
        let config = config(&path, &format!("{rest}classes = {declared}"));
        let classes = ["no".to_owned(), "yes".to_owned()];
        let asked = Asked {
            config: &config,
            inference: &inference(false),
            trained: &trained,
            classes: Some(&classes),
            spool: files.0.path(),
        };
        asked.labels().map(|labels| labels.batch(&[0, 1]).unwrap())
    };
    assert_eq!(labels("[\"no\", \"yes\"]").unwrap(), [0, 1]);
    let error = labels("[\"yes\", \"no\"]").unwrap_err();
    assert_eq!(error.label(), "other_classes", "{error}");
}

#[test]
fn a_part_that_no_row_falls_into_is_said_to_be_empty() {
    let files = Files::new();
    // It set nothing apart for testing.
    let (trained, preparation) = trained(&files);
    let mut spec = inference(false).spec().clone();
    spec.data.rows = WhichRows::Test;
    let path = files.write("now.csv", "id,age,income,home\na,1,10,own\n");
    let asked = Asked {
        config: &config(&path, FEATURES),
        inference: &spec.try_into().unwrap(),
        trained: &trained,
        classes: None,
        spool: files.0.path(),
    };
    let error = asked.features(preparation).err().unwrap();
    assert_eq!(error.label(), "nothing_asked", "{error}");
}

#[test]
fn ids_alone_are_for_tables_and_have_nothing_else() {
    for (rest, word) in [
        (
            "source = \"idx\"\ncolumns = \"ids\"\npath = \"x\"",
            "tables",
        ),
        (
            "source = \"csv\"\ncolumns = \"ids\"\npath = \"x\"",
            "id = COLUMN",
        ),
        (
            "source = \"csv\"\ncolumns = \"ids\"\npath = \"x\"\nid = 1\nlabel = 2\nclasses = [\"a\", \"b\"]",
            "leave features",
        ),
    ] {
        let datasets = toml_like(&format!("[table]\n{rest}"));
        let error = datasets.check().unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}
