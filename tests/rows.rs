//! Two banks with files of their own: the rows that both mean, and what is
//! said when they do not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use std::{fs, path::Path};

use house::{House, eventually};

const FEATURES: &str = r#"
[datasets.loans]
source = "csv"
path = "incomes-of-bank-a.csv"
columns = "features"
id = "customer"
features = ["income", { column = "home", categories = ["own", "rent"] }]
"#;

const LABELS: &str = r#"
[datasets.loans]
source = "csv"
path = "defaults-of-bank-b.csv"
columns = "labels"
id = "KUNDE"
identifier = "customer"
label = "late"
classes = ["no", "yes"]
"#;

/// What bank-a's home and bank-b's label both say of a customer. Of customers
/// listed in the opposite order, half would agree.
fn rents(id: u32) -> bool {
    (id / 3) % 2 == 1
}

/// Customers as bank-a and bank-b list them.
fn write(folder: &Path, here: &[u32], there: &[u32]) {
    let line = |id: &u32| {
        let home = ["own", "rent"][usize::from(rents(*id))];
        format!("C{id},{},{home}\n", 1000 + 37 * (id % 11))
    };
    let rows: String = here.iter().map(line).collect();
    let text = format!("customer,income,home\n{rows}");
    fs::write(folder.join("incomes-of-bank-a.csv"), text).unwrap();
    let line = |id: &u32| format!("{};C{id}\n", ["no", "yes"][usize::from(rents(*id))]);
    let rows: String = there.iter().map(line).collect();
    let text = format!("late,KUNDE\n{}", rows.replace(';', ","));
    fs::write(folder.join("defaults-of-bank-b.csv"), text).unwrap();
}

/// Both parties over these customers.
fn house(here: &[u32], there: &[u32]) -> House {
    let prepare = |folder: &Path| write(folder, here, there);
    House::with_datasets(|port| port, [FEATURES, LABELS], prepare)
}

fn submit(house: &House, data: &str) -> String {
    house.submit(&[
        ("dataset = \"iris\"", data),
        ("inputs = 4", "inputs = 3"),
        ("classes = 3", "classes = 2"),
        ("epochs = 30", "epochs = 12"),
    ])
}

/// Waits for the job's failure. In the record stands the reason of the side
/// that told it first, and nothing of either side's own; in each side's log, its
/// own reason, which has `here` of that side in it.
fn differ(house: &House, id: &str, here: [&str; 2]) {
    let job = house.end_of(id);
    assert_eq!(job["state"], "failed");
    let failure = &job["failures"][0];
    assert_eq!(failure["label"], "rows_differ", "{job:#}");
    assert_eq!(failure["exchange"], 0, "before the first round: {job:#}");
    let told = failure["message"].as_str().unwrap();
    assert!(here.iter().any(|words| told.contains(words)), "{told}");
    let record = job.to_string();
    for private in ["incomes-of", "defaults-of", "KUNDE", "C7"] {
        assert!(!record.contains(private), "{record}");
    }
    for (side, words) in [&house.active, &house.passive].into_iter().zip(here) {
        eventually("each side says why", || {
            side.log().contains(words).then_some(())
        });
        assert!(!side.log().contains("C7"), "{}", side.log());
    }
}

#[test]
fn files_in_another_order_train_by_id_and_are_an_error_as_stored() {
    let here: Vec<u32> = (0..40).collect();
    let there: Vec<u32> = (0..40).rev().collect();
    let house = house(&here, &there);
    let id = submit(&house, "dataset = \"loans\"\nmatch_on = \"customer\"");
    let job = house.end_of(&id);
    assert_eq!(job["state"], "succeeded", "{job:#}");
    // The label is whether the home is rented: rows that match learn it, and
    // rows in the files' orders would be right half of the time. Which rows are
    // tested is drawn afresh in each run, hence a bound between the two.
    assert!(job["test_accuracy"].as_f64().unwrap() > 0.8, "{job:#}");

    let as_stored = "dataset = \"loans\"\nmatch_on = \"customer\"\norder = \"as_stored\"";
    let id = submit(&house, as_stored);
    differ(&house, &id, ["the same 40 ids, in another order"; 2]);
}

#[test]
fn ids_that_differ_are_counted_on_both_sides_before_the_first_round() {
    let house = house(&[1, 2, 3, 4, 5, 6, 7], &[7, 6, 3, 2, 1, 99]);
    let id = submit(&house, "dataset = \"loans\"\nmatch_on = \"customer\"");
    let here = [
        "7 ids here, 6 there; 1 of the other side's are missing on this side, and 2",
        "6 ids here, 7 there; 2 of the other side's are missing on this side, and 1",
    ];
    differ(&house, &id, here);
}

#[test]
fn a_bad_cell_is_named_in_the_own_log_and_redacted_in_the_record() {
    let house = house(&[1, 2, 3, 4], &[1, 2, 3, 4]);
    let path = house.path().join("incomes-of-bank-a.csv");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, text.replace("C3,1111,rent", "C3,Zaphod,rent")).unwrap();
    let id = submit(&house, "dataset = \"loans\"\nmatch_on = \"customer\"");
    let job = house.end_of(&id);
    let failure = &job["failures"][0];
    assert_eq!(failure["label"], "not_a_number", "{job:#}");
    let record = job.to_string();
    assert!(record.contains("row 3"), "{record}");
    for private in ["Zaphod", "income", "C3"] {
        assert!(!record.contains(private), "{record}");
    }
    let log = house.active.log();
    for word in ["incomes-of-bank-a.csv", "line 4", "'income'", "'Zaphod'"] {
        assert!(log.contains(word), "{log}");
    }
    for log in [house.passive.log(), house.coordinator.log()] {
        assert!(!log.contains("Zaphod"), "{log}");
    }
}
