//! The identities of rows.

use core::fmt;
use std::sync::Arc;

use entente_wire::Digest;

/// The identity of one row: a digest of what stands in the id column.
///
/// Ids are compared as text, byte for byte: `7`, `07` and `7.0` are three.
/// The digest is short and of one size, and that is all that it is for: who
/// knows the likely ids can undo it, so it is never sent, and not printed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowId([u8; 32]);

impl RowId {
    /// Of the text that identifies the row.
    pub fn of(text: &str) -> Self {
        Self(*Digest::of("entente row id", &[text.as_bytes()]).as_bytes())
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RowId(..)")
    }
}

/// The identities of all rows of a dataset, in the order in which the parties
/// count them. No id stands in it twice.
#[derive(Clone, PartialEq, Eq)]
pub struct RowIds(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    /// By position: row 5 of one party belongs to row 5 of the other.
    Numbered(usize),
    /// By an id of their own.
    Named(Arc<[RowId]>),
}

/// One id stands in two rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duplicate {
    /// The first, from 0.
    pub first: usize,
    /// The second, from 0.
    pub second: usize,
}

impl RowIds {
    /// Rows without ids, which are matched by position.
    pub fn numbered(rows: usize) -> Self {
        Self(Kind::Numbered(rows))
    }

    /// Rows in the order in which they are stored.
    ///
    /// # Errors
    /// [`Duplicate`] for an id that stands in two rows.
    pub fn as_stored(ids: Vec<RowId>) -> Result<Self, Duplicate> {
        ranking(&ids)?;
        Ok(Self(Kind::Named(ids.into())))
    }

    /// Rows in the order that their ids give them, which is the same whatever
    /// order they are stored in; with it, for each of them, where it is stored.
    ///
    /// # Errors
    /// [`Duplicate`] for an id that stands in two rows.
    pub fn by_id(ids: &[RowId]) -> Result<(Self, Vec<usize>), Duplicate> {
        let ranking = ranking(ids)?;
        let sorted = ranking.iter().filter_map(|row| ids.get(*row).copied());
        Ok((Self(Kind::Named(sorted.collect())), ranking))
    }

    /// How many.
    pub fn len(&self) -> usize {
        match &self.0 {
            Kind::Numbered(rows) => *rows,
            Kind::Named(ids) => ids.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The ids, unless rows are matched by position.
    pub(crate) fn named(&self) -> Option<&[RowId]> {
        match &self.0 {
            Kind::Numbered(_) => None,
            Kind::Named(ids) => Some(ids),
        }
    }

    /// A digest under `domain` and `seed` for each row, in order.
    pub(crate) fn keys(&self, domain: &str, seed: u64) -> impl Iterator<Item = Digest> {
        let seed = seed.to_be_bytes();
        (0..self.len()).map(move |row| match &self.0 {
            Kind::Numbered(_) => Digest::of(domain, &[&seed, &(row as u64).to_be_bytes()]),
            Kind::Named(ids) => {
                let id = ids.get(row).map_or(&[][..], |id| id.as_bytes());
                Digest::of(domain, &[&seed, id])
            }
        })
    }
}

impl From<usize> for RowIds {
    fn from(rows: usize) -> Self {
        Self::numbered(rows)
    }
}

impl fmt::Debug for RowIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.0 {
            Kind::Numbered(_) => "numbered",
            Kind::Named(_) => "named",
        };
        write!(f, "RowIds({} {how})", self.len())
    }
}

/// The rows in ascending order of their ids.
fn ranking(ids: &[RowId]) -> Result<Vec<usize>, Duplicate> {
    let id = |row: usize| ids.get(row);
    let mut rows: Vec<usize> = (0..ids.len()).collect();
    // Rows of one id stand in the order of their rows: the error names the
    // same two on every machine.
    rows.sort_unstable_by_key(|row| (id(*row), *row));
    match rows
        .array_windows()
        .find(|[one, other]| id(*one) == id(*other))
    {
        Some([first, second]) => Err(Duplicate {
            first: *first,
            second: *second,
        }),
        None => Ok(rows),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ids(texts: &[&str]) -> Vec<RowId> {
        texts.iter().map(|text| RowId::of(text)).collect()
    }

    #[test]
    fn any_stored_order_gives_the_same_order_by_id() {
        let (one, at_one) = RowIds::by_id(&ids(&["a", "b", "c", "d"])).unwrap();
        let (other, at_other) = RowIds::by_id(&ids(&["d", "b", "a", "c"])).unwrap();
        assert_eq!(one, other);
        let read = |stored: [&'static str; 4], at: Vec<usize>| -> Vec<&str> {
            at.into_iter().map(|row| stored[row]).collect()
        };
        assert_eq!(
            read(["a", "b", "c", "d"], at_one),
            read(["d", "b", "a", "c"], at_other)
        );
    }

    #[test]
    fn an_id_in_two_rows_is_an_error_that_names_both() {
        let twice = ids(&["a", "b", "c", "b"]);
        let expected = Duplicate {
            first: 1,
            second: 3,
        };
        assert_eq!(RowIds::as_stored(twice.clone()).unwrap_err(), expected);
        assert_eq!(RowIds::by_id(&twice).unwrap_err(), expected);
    }

    #[test]
    fn ids_are_compared_as_text_and_not_printed() {
        assert_ne!(RowId::of("7"), RowId::of("07"));
        assert_eq!(format!("{:?}", RowId::of("7")), "RowId(..)");
        let named = RowIds::as_stored(ids(&["7"])).unwrap();
        assert_eq!(format!("{named:?}"), "RowIds(1 named)");
    }
}
