//! The files of an array.

use std::{cell::RefCell, path::Path};

use super::{limit_bytes, spooled};
use crate::data::{
    config::{ArrayConfig, DatasetConfig},
    error::{Fault, Names, Place},
    source::{Array, Form, Found, More, Stream, at, cifar::Cifar, idx::Idx, iris::Iris, npy::Npy},
    store::{Cell, Filling, Store},
};

/// Opens a file of an array.
fn open_array(config: &DatasetConfig, path: &Path) -> Found<Box<dyn Array>> {
    let stream = Stream::open(path)?;
    Ok(match config {
        DatasetConfig::Cifar10(array) => Box::new(Cifar::open(stream, array.columns)),
        DatasetConfig::Npy(_) => Box::new(Npy::open(stream)?),
        _ => Box::new(Idx::open(stream)?),
    })
}

/// Shows every row of an array, of all its files, to `each`; `begin` is told
/// the form before.
fn pour_array(
    config: &DatasetConfig,
    begin: &mut dyn FnMut(&Form, &Place) -> Found<()>,
    each: &mut dyn FnMut(&Place, &[f64]) -> Found<()>,
) -> Found<Form> {
    let (mut rows, most) = (0, array_of(config).and_then(|array| array.rows));
    let most = most.unwrap_or(u64::MAX);
    let mut form: Option<Form> = None;
    let mut read = |mut file: Box<dyn Array>, place: Place| {
        match &form {
            None => {
                begin(&file.form(), &place)?;
                form = Some(file.form());
            }
            Some(form) if *form == file.form() => {}
            Some(_) => {
                let problem = "its rows are of another shape or type than those of the file before";
                let problem = problem.to_owned();
                return at(place, Fault::Format { problem });
            }
        }
        if rows == most {
            return Ok(());
        }
        let mut row = 0;
        file.read(&mut |numbers| {
            row += 1;
            each(&place.clone().row(row), numbers)?;
            rows += 1;
            Ok(if rows == most {
                More::Enough
            } else {
                More::Yes
            })
        })
    };
    match config {
        DatasetConfig::Iris { columns, .. } => read(Box::new(Iris(*columns)), Place::default())?,
        _ => config
            .paths()
            .iter()
            .try_for_each(|path| read(open_array(config, path)?, Place::file(path)))?,
    }
    match form.filter(|_| rows > 0) {
        Some(form) => Ok(form),
        None => {
            let first = config.paths().first();
            let place = first.map_or_else(Place::default, |path| Place::file(path));
            at(place, Fault::Empty)
        }
    }
}

/// What is declared of an array; nothing of the irises, which have no file.
fn array_of(config: &DatasetConfig) -> Option<&ArrayConfig> {
    match config {
        DatasetConfig::Idx(array) | DatasetConfig::Cifar10(array) | DatasetConfig::Npy(array) => {
            Some(array)
        }
        _ => None,
    }
}

/// The raw features of an array.
pub(in crate::data) fn array_features(
    config: &DatasetConfig,
    spool: &Path,
) -> Found<(Form, Store)> {
    let limit = array_of(config).map_or(u64::MAX, |array| limit_bytes(array.memory_mb));
    let filling = RefCell::new(Filling::new(Cell::Float, 0, 0));
    let form = pour_array(
        config,
        &mut |form, _| {
            filling.replace(Filling::new(form.cell, form.width, limit));
            Ok(())
        },
        &mut |place, numbers| {
            if let Some(number) = numbers.iter().position(|x| !x.is_finite()) {
                let place = place.clone().column(&(number + 1).to_string());
                let value = numbers.get(number).map(f64::to_string).unwrap_or_default();
                return at(place, Fault::NotFinite { value });
            }
            spooled(filling.borrow_mut().push(numbers, spool))
        },
    )?;
    Ok((form, spooled(filling.into_inner().finish())?))
}

/// The classes of an array, of which there are `count`.
pub(in crate::data) fn array_labels(config: &DatasetConfig, count: usize) -> Found<Vec<u16>> {
    let mut classes = Vec::new();
    pour_array(
        config,
        &mut |form, place| {
            if form.width == 1 {
                return Ok(());
            }
            let problem = format!(
                "a label is one number, and its rows have {}: is it the file of the features?",
                form.width
            );
            at(place.clone(), Fault::Format { problem })
        },
        &mut |place, numbers| {
            let number = numbers.first().copied().unwrap_or(f64::NAN);
            // A number that is no u16 becomes another one, and is found out.
            let class = number as u16;
            if f64::from(class) != number || usize::from(class) >= count {
                let value = number.to_string();
                let classes = Names(vec![format!("0 up to {}", count.saturating_sub(1))]);
                return at(place.clone(), Fault::Label { value, classes });
            }
            classes.push(class);
            Ok(())
        },
    )?;
    Ok(classes)
}
