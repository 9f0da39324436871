#![allow(clippy::unwrap_used)]
use entente_wire::Encode;

use super::*;
use crate::data::{
    config::Scaling,
    error::Fault,
    source::Form,
    store::{Cell, Filling, Store},
};

fn stored(rows: &[&[f64]]) -> (Form, Store) {
    let (width, spool) = (rows[0].len(), std::env::temp_dir());
    let mut filling = Filling::new(Cell::Float, width, u64::MAX);
    for row in rows {
        filling.push(row, &spool).unwrap();
    }
    let form = Form {
        width,
        channels: 1,
        cell: Cell::Float,
    };
    (form, filling.finish().unwrap())
}

fn standardised(rows: &[&[f64]], train: &[usize]) -> Result<Vec<Vec<f32>>, fit::Unfit> {
    let (form, store) = stored(rows);
    let others: Vec<usize> = (0..rows.len()).filter(|row| !train.contains(row)).collect();
    let fitting = Fitting::Array(&form, Scaling::Each);
    let (preparation, _) = fit(&fitting, &store, train, &others)?;
    let apply = |row: &&[f64]| {
        let mut out = Vec::new();
        preparation.apply(row, &mut out);
        out
    };
    Ok(rows.iter().map(apply).collect())
}

#[test]
fn only_training_rows_count_and_a_constant_column_is_centred() {
    let rows: [&[f64]; 3] = [&[1.0, 7.0], &[1000.0, 9.0], &[3.0, 7.0]];
    assert_eq!(
        standardised(&rows, &[0, 2]).unwrap(),
        [[-1.0, 0.0], [998.0, 2.0], [1.0, 0.0]]
    );
}

#[test]
fn what_cannot_be_told_any_more_is_named() {
    let place = |rows: &[&[f64]], train: &[usize]| match standardised(rows, train).unwrap_err() {
        (Some(row), Some(column), Fault::Value { .. }) => (row, column),
        other => unreachable!("{other:?}"),
    };
    // Finite, and the sum over the column is not; or the sum of the squares.
    assert_eq!(place(&[&[f64::MAX], &[f64::MAX]], &[0, 1]), (0, 0));
    assert_eq!(place(&[&[1.0, 1e200], &[1.0, -1e200]], &[0, 1]), (0, 1));
    assert_eq!(place(&[&[0.0], &[1e-30], &[1e30]], &[0, 1]), (2, 0));
}

fn sample() -> Preparation {
    let scale = Scale {
        mean: 1.5,
        deviation: 2.0,
    };
    let column = |name: &str, kind| PreparedColumn {
        name: name.to_owned(),
        kind,
    };
    let categories = vec!["new".to_owned(), "old".to_owned()];
    Preparation::Table(vec![
        column("age", PreparedKind::Number { fill: None, scale }),
        column(
            "income",
            PreparedKind::Number {
                fill: Some(0.5),
                scale,
            },
        ),
        column(
            "kind",
            PreparedKind::OneHot {
                categories: categories.clone(),
            },
        ),
        column("order", PreparedKind::Index { categories, scale }),
    ])
}

#[test]
fn columns_become_numbers_as_they_say() {
    let mut out = Vec::new();
    sample().apply(&[3.5, f64::NAN, 1.0, 0.0], &mut out);
    assert_eq!(out, [1.0, -0.5, 0.0, 1.0, -0.75]);
    assert_eq!(sample().width(), 5);
    let sources: Vec<usize> = (0..5).map(|at| sample().source_of(at)).collect();
    assert_eq!(sources, [0, 1, 2, 2, 3]);
}

#[test]
fn what_is_saved_is_read_back_and_nothing_else_is() {
    let array = Preparation::Array {
        width: 4,
        scales: vec![Scale::IDENTITY; 2],
    };
    for preparation in [sample(), array] {
        let bytes = preparation.encoded();
        assert_eq!(Preparation::decoded(&bytes).unwrap(), preparation);
        for cut in 0..bytes.len() {
            assert!(Preparation::decoded(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        assert!(Preparation::decoded(&[&bytes[..], &[0]].concat()).is_err());
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 0xff;
            // Another preparation, or an error; never a panic.
            let _ = Preparation::decoded(&altered);
        }
    }
}

#[test]
fn scales_that_no_row_can_go_through_are_refused() {
    let unfit = |width, deviation| {
        let scales = vec![
            Scale {
                mean: 0.0,
                deviation
            };
            2
        ];
        Preparation::Array { width, scales }.encoded()
    };
    for bytes in [
        unfit(3, 1.0),
        unfit(4, 0.0),
        unfit(4, f64::NAN),
        unfit(0, 1.0),
    ] {
        assert!(Preparation::decoded(&bytes).is_err());
    }
}
