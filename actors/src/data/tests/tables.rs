//! What becomes of tables and arrays that are right.

use std::collections::BTreeMap;

use entente_protocol::job::RowOrder;
use proptest::prelude::*;

use super::*;

fn all_learnt(inputs: usize) -> Job {
    job(inputs, 2, |spec| spec.data.test_fraction = 0.0)
}

#[test]
fn columns_come_by_name_and_range_in_the_order_asked_for() {
    let files = Files::new();
    let path = files.write("t.csv", "a,b,c,d\n1,10,100,x\n3,30,300,y\n");
    let rest = r#"
        source = "csv"
        columns = "features"
        features = [{ column = "d", categories = ["x", "y", "z"] }, "c", { from = "a", to = 2 }]
        standardise = "none"
    "#;
    let rows = features_of(&config(&path, rest), &all_learnt(6)).unwrap();
    assert_eq!(
        rows,
        [
            [1.0, 0.0, 0.0, 100.0, 1.0, 10.0],
            [0.0, 1.0, 0.0, 300.0, 3.0, 30.0]
        ]
    );
}

#[test]
fn gaps_are_filled_as_declared_and_columns_standardised() {
    let files = Files::new();
    let path = files.write("t.csv", "1;;NA;b\n3;4;5;a\n");
    let rest = r#"
        source = "csv"
        columns = "features"
        header = false
        delimiter = ";"
        features = [
            1,
            { column = 2, missing = "mean" },
            { column = 3, missing = 7.0, missing_values = ["NA"] },
            { column = 4, categories = "fitted", encode = "index" },
        ]
    "#;
    let rows = features_of(&config(&path, rest), &all_learnt(4)).unwrap();
    assert_eq!(rows, [[-1.0, 0.0, 1.0, 1.0], [1.0, 0.0, -1.0, -1.0]]);
}

/// One customer per line, in any order: the same rows, in the same order, for
/// both halves.
#[test]
fn files_in_another_order_are_brought_into_one_by_their_ids() {
    let files = Files::new();
    let write = |name: &str, ids: &[u32]| {
        let line = |id: &u32| format!("{id},{},{}\n", id * 10, ["no", "yes"][(*id % 2) as usize]);
        let rows: String = ids.iter().map(line).collect();
        files.write(name, format!("customer,income,late\n{rows}"))
    };
    let a = write("a.csv", &[7, 1, 4, 9, 2]);
    let b = write("b.csv", &[9, 2, 1, 4, 7]);
    let features = |path: &Path| {
        let rest = "source = \"csv\"\ncolumns = \"features\"\nid = \"customer\"\n\
                    features = [\"income\"]\nstandardise = \"none\"";
        config(path, rest)
    };
    let labels = |path: &Path| {
        let rest = "source = \"csv\"\ncolumns = \"labels\"\nid = \"customer\"\n\
                    label = \"late\"\nclasses = [\"no\", \"yes\"]";
        config(path, rest)
    };
    let matched = |order| {
        job(1, 2, |spec| {
            spec.data.match_on = Some("customer".into());
            spec.data.order = order;
        })
    };
    let by_id = matched(None);
    let incomes = features_of(&features(&a), &by_id).unwrap();
    assert_eq!(features_of(&features(&b), &by_id).unwrap(), incomes);
    let classes = classes_of(&labels(&b), &by_id).unwrap();
    for (income, class) in incomes.iter().zip(classes) {
        assert_eq!((income[0] / 10.0) as usize % 2, class);
    }
    let ids = |path, job| open_features(&features(path), job).unwrap().ids();
    assert_eq!(
        ids(&a, &by_id),
        open_labels(&labels(&b), &by_id).unwrap().ids()
    );
    let stored = matched(Some(RowOrder::AsStored));
    assert_ne!(ids(&a, &stored), ids(&b, &stored));
    assert_eq!(features_of(&features(&a), &stored).unwrap()[0], [70.0]);
}

#[test]
fn a_table_larger_than_memory_is_not_in_memory_and_gives_the_same_rows() {
    let files = Files::new();
    let rows: String = (0..2000)
        .map(|row| format!("{row},{}\n", row * row))
        .collect();
    let path = files.write("t.csv", format!("a,b\n{rows}"));
    let rest = "source = \"csv\"\ncolumns = \"features\"\nfeatures = [\"a\", \"b\"]";
    let spool = TempDir::new().unwrap();
    let job = job(2, 2, |_| ());
    let open = |memory_mb: u64| {
        let config = config(&path, &format!("{rest}\nmemory_mb = {memory_mb}"));
        let opening = Opening {
            config: &config,
            job: &job,
            spool: spool.path(),
        };
        let features = opening.features().unwrap();
        let rows: Vec<usize> = (0..2000).rev().collect();
        features.batch(&rows).unwrap()
    };
    assert_eq!(open(0), open(1));
    assert_eq!(fs::read_dir(spool.path()).unwrap().count(), 0);
    // With nowhere to go it is an error, before any round.
    let blocked = files.write("blocked", b"");
    let config = config(&path, &format!("{rest}\nmemory_mb = 0"));
    let error = Opening {
        config: &config,
        job: &job,
        spool: &blocked,
    };
    assert_eq!(error.features().err().unwrap().label(), "spool");
}

#[test]
fn several_files_are_one_dataset_and_rows_can_be_cut_off() {
    let files = Files::new();
    let one = files.write("1.csv", "a\n1\n2\n");
    let two = files.write("2.csv", "a\n3\n4\n");
    let other = files.write("3.csv", "b\n5\n");
    let rest = |paths: &[&PathBuf], more: &str| {
        let text = format!(
            "[table]\nsource = \"csv\"\ncolumns = \"features\"\nfeatures = [1]\n\
             standardise = \"none\"\npath = {paths:?}\n{more}"
        );
        toml_like(&text).named("table").unwrap().clone()
    };
    let job = all_learnt(1);
    let rows = features_of(&rest(&[&one, &two], ""), &job).unwrap();
    assert_eq!(rows.concat(), [1.0, 2.0, 3.0, 4.0]);
    let rows = features_of(&rest(&[&one, &two], "rows = 3"), &job).unwrap();
    assert_eq!(rows.concat(), [1.0, 2.0, 3.0]);
    let error = features_of(&rest(&[&one, &other], ""), &job).unwrap_err();
    assert_eq!(error.label(), "format");
}

#[test]
fn the_preparation_that_is_saved_prepares_as_the_job_did() {
    let files = Files::new();
    let path = files.write("t.csv", "a,k\n1,x\n2,y\n6,x\n");
    let rest = "source = \"csv\"\ncolumns = \"features\"\nfeatures = [\"a\", \
                { column = \"k\", categories = \"fitted\" }]";
    let features = open_features(&config(&path, rest), &all_learnt(3)).unwrap();
    let saved = Preparation::decoded(&features.preparation()).unwrap();
    let mut row = Vec::new();
    saved.apply(&[6.0, 0.0], &mut row);
    assert_eq!(features.batch(&[2]).unwrap().row(0).to_vec(), row);
    let Preparation::Table(columns) = saved else {
        panic!("a table's")
    };
    assert_eq!(columns[0].name, "a");
}

#[test]
fn images_are_standardised_together_and_each_channel_by_itself() {
    let files = Files::new();
    let mut bytes = vec![0; 2 * 3073];
    for record in bytes.chunks_mut(3073) {
        record[1..1025].fill(10);
        record[1 + 1024..1 + 1024 + 512].fill(4);
    }
    let path = files.write("batch.bin", &bytes);
    let features = config(&path, "source = \"cifar10\"\ncolumns = \"features\"");
    let rows = features_of(&features, &all_learnt(3072)).unwrap();
    // Red never changes; half of the green is 4, half 0; blue is 0.
    assert_eq!((rows[0][0], rows[0][1024], rows[0][2047]), (0.0, 1.0, -1.0));
    assert_eq!(rows[0][3071], 0.0);
    let labels = config(&path, "source = \"cifar10\"\ncolumns = \"labels\"");
    assert_eq!(classes_of(&labels, &job(1, 10, |_| ())).unwrap(), [0, 0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn what_is_written_as_csv_is_read_back(
        rows in prop::collection::vec((-1e9..1e9_f64, "[ -~]{0,12}"), 1..20),
        zipped: bool,
    ) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["number", "text"]).unwrap();
        for (number, text) in &rows {
            writer.write_record([&number.to_string(), text]).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let files = Files::new();
        let path = files.write("t", if zipped { gzipped(&bytes) } else { bytes });
        let rest = "source = \"csv\"\ncolumns = \"features\"\nstandardise = \"none\"\nfeatures = \
                    [\"number\", { column = \"text\", categories = \"fitted\", encode = \"index\" }]";
        let read = features_of(&config(&path, rest), &all_learnt(2)).unwrap();
        // Blanks around a cell do not count.
        let sorted: BTreeMap<&str, ()> = rows.iter().map(|(_, text)| (text.trim_matches(' '), ())).collect();
        let places: BTreeMap<&str, usize> = sorted.into_keys().zip(0..).collect();
        for ((number, text), row) in rows.iter().zip(read) {
            prop_assert_eq!(row[0], *number as f32);
            prop_assert_eq!(row[1], places[text.trim_matches(' ')] as f32);
        }
    }
}
