//! A preparation that was fitted before, over rows that it has not seen.

use super::{
    Preparation, PreparedColumn, PreparedKind,
    fit::{Fitting, Recode, Rows, Unfit, all_finite},
};
use crate::data::{
    config::Encoding,
    error::{Fault, Names},
    plan::{Kind, Planned},
    store::Store,
};

/// Holds every row against a preparation; where its categories have their
/// places.
pub(in crate::data) fn reuse(
    fitting: &Fitting<'_>,
    preparation: &Preparation,
    store: &Store,
) -> Result<Recode, Unfit> {
    let recode = match (fitting, preparation) {
        (Fitting::Array(form, _), Preparation::Array { width, .. }) if form.width == *width => {
            Recode::new()
        }
        (Fitting::Table(planned, _), Preparation::Table(columns)) => recode(planned, columns)?,
        (Fitting::Array(form, _), Preparation::Array { width, .. }) => {
            let problem = format!(
                "its rows have {} values, the model takes {width}",
                form.width
            );
            return Err((None, None, Fault::OtherColumns { problem }));
        }
        _ => {
            let problem = "the model was trained on a table where this is an array, or the other \
                           way round"
                .to_owned();
            return Err((None, None, Fault::OtherColumns { problem }));
        }
    };
    let rows = Rows {
        store,
        recode: &recode,
    };
    let all: Vec<usize> = (0..store.rows()).collect();
    if let (Fitting::Table(planned, _), Preparation::Table(columns)) = (fitting, preparation) {
        // What stands in the file, where it has no place.
        let as_stored = Rows {
            store,
            recode: &Recode::new(),
        };
        as_stored.each(&all, |row, raw| {
            let cells = planned.iter().zip(columns).zip(raw).zip(0..);
            for (((planned, column), x), at) in cells {
                let places = recode.get(at).and_then(Option::as_ref);
                takes(planned, column, places, *x).map_err(|fault| (Some(row), Some(at), fault))?;
            }
            Ok(())
        })?;
    }
    all_finite(preparation, &rows, &all)?;
    Ok(recode)
}

/// For each column with categories, the place of each of its own among those
/// that the model knows; NaN for one that it does not.
fn recode(planned: &[Planned], columns: &[PreparedColumn]) -> Result<Recode, Unfit> {
    let other = |at: Option<usize>, problem: String| (None, at, Fault::OtherColumns { problem });
    if planned.len() != columns.len() {
        let (here, there) = (planned.len(), columns.len());
        let problem = format!("it has {here} columns of features, the model takes {there}");
        return Err(other(None, problem));
    }
    let place = |(at, (planned, column)): (usize, (&Planned, &PreparedColumn))| {
        if planned.name != column.name {
            let problem = format!("in its place the model takes '{}'", column.name);
            return Err(other(Some(at), problem));
        }
        match (&planned.kind, &column.kind) {
            (Kind::Number { .. }, PreparedKind::Number { .. }) => Ok(None),
            (
                Kind::Category {
                    dictionary,
                    encoding: Encoding::OneHot,
                },
                PreparedKind::OneHot { categories },
            )
            | (
                Kind::Category {
                    dictionary,
                    encoding: Encoding::Index,
                },
                PreparedKind::Index { categories, .. },
            ) => {
                let place = |name: &String| {
                    let place = categories.iter().position(|known| known == name);
                    place.map_or(f64::NAN, |place| place as f64)
                };
                Ok(Some(dictionary.names().iter().map(place).collect()))
            }
            _ => {
                let problem = "the model was trained on it with categories where there are none \
                               now, without them, or in the other encoding";
                Err(other(Some(at), problem.to_owned()))
            }
        }
    };
    planned.iter().zip(columns).enumerate().map(place).collect()
}

/// Whether the model knows what stands in a cell.
fn takes(
    planned: &Planned,
    column: &PreparedColumn,
    places: Option<&Vec<f64>>,
    x: f64,
) -> Result<(), Fault> {
    match (&planned.kind, &column.kind) {
        (_, PreparedKind::Number { fill: None, .. }) if x.is_nan() => Err(Fault::MissingValue),
        (
            Kind::Category { dictionary, .. },
            PreparedKind::OneHot { categories } | PreparedKind::Index { categories, .. },
        ) => {
            let place = places.and_then(|places| places.get(x as usize));
            if place.is_some_and(|place| !place.is_nan()) {
                return Ok(());
            }
            let value = dictionary.names().get(x as usize).cloned();
            Err(Fault::Category {
                value: value.unwrap_or_default(),
                categories: Names(categories.clone()),
            })
        }
        _ => Ok(()),
    }
}
