//! From the rows that are learnt from to a preparation.
//!
//! The rows are gone through in the order in which the parties count them, once
//! for each thing that is needed: gaps, means, deviations, and once over all
//! rows to see that every one of them comes through. So the same rows give the
//! same bits, whatever order they are stored in, and no more than a row is in
//! memory at a time.

use std::io;

use super::{Preparation, PreparedColumn, PreparedKind, Scale, categories::found_categories};
use crate::data::{
    config::{Encoding, Missing, MissingRule, Scaling},
    error::Fault,
    plan::{Kind, Planned},
    source::Form,
    store::Store,
};

/// What is fitted, and how.
pub(in crate::data) enum Fitting<'a> {
    /// The columns of a table.
    Table(&'a [Planned], Scaling),
    /// The numbers of an array.
    Array(&'a Form, Scaling),
}

/// For each column whose categories were found: the place in its sorted list
/// of the category that was found as the n-th.
pub(in crate::data) type Recode = Vec<Option<Vec<f64>>>;

/// Where fitting fails: the row as it is stored (if it is one row), the raw
/// column, and why.
pub(in crate::data) type Unfit = (Option<usize>, Option<usize>, Fault);

/// Rows, by their place in the store.
pub(super) struct Rows<'a> {
    pub(super) store: &'a Store,
    pub(super) recode: &'a Recode,
}

impl Rows<'_> {
    pub(super) fn each(
        &self,
        rows: &[usize],
        mut each: impl FnMut(usize, &[f64]) -> Result<(), Unfit>,
    ) -> Result<(), Unfit> {
        let mut raw = Vec::with_capacity(self.store.width());
        for row in rows {
            read(self.store, self.recode, *row, &mut raw).map_err(|error| {
                let reason = error.to_string();
                (Some(*row), None, Fault::Spool { reason })
            })?;
            each(*row, &raw)?;
        }
        Ok(())
    }
}

/// Reads a raw row with its categories in their final places.
pub(in crate::data) fn read(
    store: &Store,
    recode: &Recode,
    row: usize,
    raw: &mut Vec<f64>,
) -> io::Result<()> {
    store.read(row, raw)?;
    for (x, places) in raw.iter_mut().zip(recode) {
        if let Some(place) = places.as_ref().and_then(|places| places.get(*x as usize)) {
            *x = *place;
        }
    }
    Ok(())
}

/// Fits over `train`, and looks at `others` too; both by place in the store.
pub(in crate::data) fn fit(
    fitting: &Fitting<'_>,
    store: &Store,
    train: &[usize],
    others: &[usize],
) -> Result<(Preparation, Recode), Unfit> {
    let recode = match fitting {
        Fitting::Table(columns, _) => found_categories(columns, store, train)?,
        Fitting::Array(..) => Recode::new(),
    };
    let rows = Rows {
        store,
        recode: &recode,
    };
    let fills = fills(fitting, &rows, train)?;
    let groups = groups(fitting);
    let scales = scales(&rows, train, &fills, &groups)?;
    let preparation = match fitting {
        Fitting::Array(form, scaling) => Preparation::Array {
            width: form.width,
            scales: match scaling {
                Scaling::None => vec![Scale::IDENTITY],
                Scaling::Each | Scaling::Together => scales,
            },
        },
        Fitting::Table(columns, _) => {
            let prepared = columns.iter().enumerate().map(|(at, column)| {
                let group = groups.get(at).copied().flatten();
                let scale = group.and_then(|group| scales.get(group).copied());
                let fill = fills.get(at).copied().flatten();
                prepared(column, scale.unwrap_or(Scale::IDENTITY), fill)
            });
            Preparation::Table(prepared.collect())
        }
    };
    for rows_of in [train, others] {
        all_finite(&preparation, &rows, rows_of)?;
    }
    Ok((preparation, recode))
}

/// Sees that these rows come through.
pub(super) fn all_finite(
    preparation: &Preparation,
    rows: &Rows<'_>,
    these: &[usize],
) -> Result<(), Unfit> {
    let mut out = Vec::with_capacity(preparation.width());
    rows.each(these, |row, raw| {
        out.clear();
        preparation.apply(raw, &mut out);
        let Some(at) = out.iter().position(|x| !x.is_finite()) else {
            return Ok(());
        };
        let column = preparation.source_of(at);
        let value = raw.get(column).copied().unwrap_or(f64::NAN);
        Err((Some(row), Some(column), Fault::Value { value }))
    })
}

fn prepared(column: &Planned, scale: Scale, fill: Option<f64>) -> PreparedColumn {
    let kind = match &column.kind {
        Kind::Number { .. } => PreparedKind::Number { fill, scale },
        Kind::Category {
            dictionary,
            encoding,
        } => {
            let mut categories = dictionary.names().to_vec();
            if dictionary.is_fitted() {
                categories.sort_unstable();
            }
            match encoding {
                Encoding::OneHot => PreparedKind::OneHot { categories },
                Encoding::Index => PreparedKind::Index { categories, scale },
            }
        }
    };
    PreparedColumn {
        name: column.name.clone(),
        kind,
    }
}

/// What is put into the gaps of each column of a table that may have some.
fn fills(
    fitting: &Fitting<'_>,
    rows: &Rows<'_>,
    train: &[usize],
) -> Result<Vec<Option<f64>>, Unfit> {
    let Fitting::Table(columns, _) = fitting else {
        return Ok(Vec::new());
    };
    let missing = |column: &Planned| match &column.kind {
        Kind::Number { missing, .. } => Some(*missing),
        Kind::Category { .. } => None,
    };
    let by_mean: Vec<bool> = columns
        .iter()
        .map(|column| missing(column) == Some(Missing::Rule(MissingRule::Mean)))
        .collect();
    let mut sums = vec![(0.0, 0_u64); columns.len()];
    if by_mean.contains(&true) {
        rows.each(train, |_, raw| {
            for ((sum, count), x) in sums.iter_mut().zip(raw) {
                if !x.is_nan() {
                    *sum += x;
                    *count += 1;
                }
            }
            Ok(())
        })?;
    }
    let fill = |(at, column): (usize, &Planned)| match (missing(column), sums.get(at)) {
        (Some(Missing::Constant(constant)), _) => Ok(Some(constant)),
        (Some(Missing::Rule(MissingRule::Mean)), Some((_, 0))) => {
            Err((None, Some(at), Fault::NothingPresent))
        }
        (Some(Missing::Rule(MissingRule::Mean)), Some((sum, count))) => {
            Ok(Some(sum / *count as f64))
        }
        _ => Ok(None),
    };
    columns.iter().enumerate().map(fill).collect()
}

/// For each raw column, which scale it goes by.
fn groups(fitting: &Fitting<'_>) -> Vec<Option<usize>> {
    match fitting {
        Fitting::Array(form, scaling) => (0..form.width)
            .map(|at| match scaling {
                Scaling::Each => Some(at),
                Scaling::Together => Some(at * form.channels / form.width),
                Scaling::None => None,
            })
            .collect(),
        Fitting::Table(columns, scaling) => columns
            .iter()
            .enumerate()
            .map(|(at, column)| match (&column.kind, scaling) {
                // 0 and 1 are of the right size as they are.
                (
                    Kind::Category {
                        encoding: Encoding::OneHot,
                        ..
                    },
                    _,
                )
                | (_, Scaling::None) => None,
                (_, Scaling::Each) => Some(at),
                (_, Scaling::Together) => Some(0),
            })
            .collect(),
    }
}

fn scales(
    rows: &Rows<'_>,
    train: &[usize],
    fills: &[Option<f64>],
    groups: &[Option<usize>],
) -> Result<Vec<Scale>, Unfit> {
    let count = groups.iter().flatten().max().map_or(0, |most| most + 1);
    let mut scales = vec![
        Scale {
            mean: 0.0,
            deviation: 0.0
        };
        count
    ];
    let mut members = vec![0_u64; count];
    for group in groups.iter().flatten() {
        if let Some(members) = members.get_mut(*group) {
            *members += train.len() as u64;
        }
    }
    let filled = |at: usize, x: f64| match fills.get(at).copied().flatten() {
        Some(fill) if x.is_nan() => fill,
        _ => x,
    };
    let pass = |scales: &mut [Scale], add: &dyn Fn(&mut Scale, f64)| {
        rows.each(train, |_, raw| {
            for (at, (x, group)) in raw.iter().zip(groups).enumerate() {
                if let Some(scale) = group.and_then(|group| scales.get_mut(group)) {
                    add(scale, filled(at, *x));
                }
            }
            Ok(())
        })
    };
    pass(&mut scales, &|scale, x| scale.mean += x)?;
    each_group(&mut scales, &members, |scale, n| scale.mean /= n);
    pass(&mut scales, &|scale, x| {
        scale.deviation += (x - scale.mean).powi(2);
    })?;
    each_group(&mut scales, &members, |scale, n| {
        let deviation = (scale.deviation / n).sqrt();
        scale.deviation = match deviation {
            0.0 => 1.0,
            // Too far apart for an f64: no row comes through, and that is said.
            _ if !deviation.is_finite() => f64::NAN,
            _ => deviation,
        };
    });
    Ok(scales)
}

fn each_group(scales: &mut [Scale], members: &[u64], change: impl Fn(&mut Scale, f64)) {
    for (scale, members) in scales.iter_mut().zip(members) {
        change(scale, (*members).max(1) as f64);
    }
}
