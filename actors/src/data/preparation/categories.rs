//! Categories that are found in the data and not declared.

use super::fit::{Recode, Rows, Unfit};
use crate::data::{
    error::Fault,
    plan::{Kind, Planned},
    store::Store,
};

/// The places of categories that were found. Every one of them must stand in a
/// row that is learnt from: what the network has never seen means nothing to
/// it, and to say what such a row becomes would be to guess.
pub(super) fn found_categories(
    columns: &[Planned],
    store: &Store,
    train: &[usize],
) -> Result<Recode, Unfit> {
    let found = |column: &Planned| match &column.kind {
        Kind::Category { dictionary, .. } if dictionary.is_fitted() => {
            Some(dictionary.names().to_vec())
        }
        _ => None,
    };
    let names: Vec<Option<Vec<String>>> = columns.iter().map(found).collect();
    if names.iter().all(Option::is_none) {
        return Ok(Recode::new());
    }
    let unseen = |names: &Option<Vec<String>>| {
        let names = names.as_ref()?;
        Some(vec![false; names.len()])
    };
    let mut seen: Vec<Option<Vec<bool>>> = names.iter().map(unseen).collect();
    let as_found = Rows {
        store,
        recode: &Recode::new(),
    };
    as_found.each(train, |_, raw| {
        for (x, seen) in raw.iter().zip(&mut seen) {
            if let Some(seen) = seen.as_mut().and_then(|seen| seen.get_mut(*x as usize)) {
                *seen = true;
            }
        }
        Ok(())
    })?;
    let mut recode = Recode::new();
    for (at, (names, seen)) in names.iter().zip(&seen).enumerate() {
        let (Some(names), Some(seen)) = (names, seen) else {
            recode.push(None);
            continue;
        };
        if let Some((name, _)) = names.iter().zip(seen).find(|(_, seen)| !**seen) {
            let value = name.clone();
            return Err((None, Some(at), Fault::Unseen { value }));
        }
        let mut sorted: Vec<&String> = names.iter().collect();
        sorted.sort_unstable();
        let place = |name: &String| sorted.binary_search(&name).map_or(0.0, |at| at as f64);
        recode.push(Some(names.iter().map(place).collect()));
    }
    Ok(recode)
}
