//! Predictions as they are kept: a table.

use std::io;

use entente_protocol::product::Predictions;

use super::evaluation::class_names;
use crate::data::RowNames;

/// The table: what the row is called, its likeliest class, and the probability
/// of each class, `p(NAME)`.
pub(crate) fn predictions_file(
    predictions: &Predictions,
    rows: &RowNames,
    names: Option<&[String]>,
) -> io::Result<Vec<u8>> {
    let classes = class_names(names, predictions.classes());
    let mut table = csv::Writer::from_writer(Vec::new());
    let heading = [rows.heading().to_owned(), "class".to_owned()];
    let probabilities = classes.iter().map(|class| format!("p({class})"));
    table.write_record(heading.into_iter().chain(probabilities))?;
    for prediction in predictions.iter() {
        let class = classes.get(prediction.class).cloned().unwrap_or_default();
        let probabilities = prediction.probabilities.iter().map(f64::to_string);
        table.write_record(
            [rows.of(prediction.row), class]
                .into_iter()
                .chain(probabilities),
        )?;
    }
    table.into_inner().map_err(|error| error.into_error())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use entente_protocol::product::Judged;
    use ndarray::array;

    use super::*;

    fn predictions() -> Predictions {
        let mut predictions = Predictions::new(2);
        let judged = Judged {
            likeliest: vec![1, 0],
            probabilities: array![[0.25, 0.75], [0.5, 0.5]],
        };
        predictions.add(&[0, 2], &judged);
        predictions
    }

    #[test]
    fn rows_and_classes_go_by_their_names_where_they_have_some() {
        let names = RowNames::Named {
            identifier: "customer".to_owned(),
            names: ["C1", "C2", "C,3"].map(str::to_owned).to_vec(),
        };
        let classes = ["no".to_owned(), "yes".to_owned()];
        let file = predictions_file(&predictions(), &names, Some(&classes)).unwrap();
        let expected = "customer,class,p(no),p(yes)\nC1,yes,0.25,0.75\n\"C,3\",no,0.5,0.5\n";
        assert_eq!(String::from_utf8(file).unwrap(), expected);
    }

    #[test]
    fn without_names_they_are_numbers() {
        let file = predictions_file(&predictions(), &RowNames::Numbered, None).unwrap();
        let expected = "row,class,p(0),p(1)\n1,1,0.25,0.75\n3,0,0.5,0.5\n";
        assert_eq!(String::from_utf8(file).unwrap(), expected);
    }
}
