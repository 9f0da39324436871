//! Which rows are learnt from, which choose between models, and which test.
//!
//! Each row gets a key: a digest of the job's seed and the row's id. Rows in
//! the order of their keys: the first are tested on, the next validate, the
//! rest are learnt from.
//!
//! Where a row falls hangs on its own id, and on others only through the
//! borders. A row that is added or taken away moves at most one row over each
//! border, whereas a shuffle of positions would deal all of them anew, and a
//! model that is trained again on one row more would be tested on rows that the
//! one before it had learnt from. A coin for each row alone would move none;
//! but then the sizes would be left to chance, which is felt in small tables:
//! of 150 rows, 30 would be tested on give or take 5.

use crate::rows::RowIds;

/// The parts of the rows that are not learnt from, each at least 0 and both
/// together below 1; rounded to whole rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fractions {
    /// Tested on.
    pub test: f64,
    /// Choose between models.
    pub validation: f64,
}

/// The rows of a dataset, each in one of three parts. Rows are numbered in
/// the order in which the parties count them, and ascend in each part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Split {
    /// Learnt from.
    pub train: Vec<usize>,
    /// Choose between models.
    pub validation: Vec<usize>,
    /// Tested on.
    pub test: Vec<usize>,
}

impl Split {
    /// By the seed, on the ids: the same at every party that has the same ids
    /// in the same order.
    pub fn of(ids: &RowIds, seed: u64, fractions: Fractions) -> Self {
        Self::fold(ids, seed, fractions, 0)
    }

    /// The same with the test rows of a fold, from 0: not the first rows in the
    /// order of their keys, but those after `fold` times as many. Validation
    /// rows are those behind them. (If the rows cannot be divided into whole
    /// folds, the last one begins again with the first rows.)
    pub fn fold(ids: &RowIds, seed: u64, fractions: Fractions, fold: u32) -> Self {
        Self::first(ids.len(), ids, seed, fractions, fold)
    }

    /// The last `tested` rows are tested on (all, if there are no more), as
    /// some data comes with a test set. Of the others the part `validation`
    /// chooses between models.
    pub fn with_last(ids: &RowIds, seed: u64, tested: usize, validation: f64) -> Self {
        let test = 0.0;
        let before = ids.len().saturating_sub(tested);
        Self {
            test: (before..ids.len()).collect(),
            ..Self::first(before, ids, seed, Fractions { test, validation }, 0)
        }
    }

    /// Splits the first `rows` rows, and leaves the others out.
    fn first(rows: usize, ids: &RowIds, seed: u64, fractions: Fractions, fold: u32) -> Self {
        let border = |fraction: f64| (rows as f64 * fraction).round() as usize;
        let tested = border(fractions.test);
        let set_apart = border(fractions.test + fractions.validation);
        let keys = ids.keys("entente split", seed).zip(0..rows);
        let mut order: Vec<_> = keys.collect();
        order.sort_unstable();
        let before = (fold as usize).saturating_mul(tested);
        order.rotate_left(before % rows.max(1));
        let mut order = order.into_iter().map(|(_, row)| row);
        let mut take = |count: usize| {
            let mut part: Vec<usize> = order.by_ref().take(count).collect();
            part.sort_unstable();
            part
        };
        Self {
            test: take(tested),
            validation: take(set_apart.saturating_sub(tested)),
            train: take(rows),
        }
    }

    /// All of `rows` rows are learnt from.
    pub fn all(rows: usize) -> Self {
        Self {
            train: (0..rows).collect(),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::rows::RowId;

    fn named(ids: impl IntoIterator<Item = usize>) -> RowIds {
        let ids = ids.into_iter().map(|id| RowId::of(&id.to_string()));
        RowIds::as_stored(ids.collect()).unwrap()
    }

    fn fractions(test: f64, validation: f64) -> Fractions {
        Fractions { test, validation }
    }

    proptest! {
        #[test]
        fn every_row_is_in_one_part_of_the_size_asked_for(
            rows in 0_usize..80, seed: u64, test in 0.0..0.5_f64, validation in 0.0..0.49_f64,
        ) {
            for ids in [RowIds::numbered(rows), named(0..rows)] {
                let split = Split::of(&ids, seed, fractions(test, validation));
                let size = |part: f64| (rows as f64 * part).round() as usize;
                prop_assert_eq!(split.test.len(), size(test));
                prop_assert_eq!(
                    split.validation.len(),
                    size(test + validation) - size(test)
                );
                let parts = [&split.train, &split.validation, &split.test];
                let all: BTreeSet<usize> = parts.into_iter().flatten().copied().collect();
                prop_assert_eq!(all.len(), rows);
                prop_assert_eq!(parts.map(|part| part.len()).iter().sum::<usize>(), rows);
                prop_assert!(parts.iter().all(|part| part.is_sorted()));
            }
        }

        #[test]
        fn another_row_moves_at_most_one_row_over_each_border(
            rows in 1_usize..80, seed: u64, test in 0.0..0.5_f64, validation in 0.0..0.49_f64,
        ) {
            let parts = fractions(test, validation);
            let before = Split::of(&named(0..rows), seed, parts);
            let after = Split::of(&named(0..rows + 1), seed, parts);
            let moved = |one: &[usize], other: &[usize]| {
                one.iter().filter(|row| !other.contains(row)).count()
            };
            prop_assert!(moved(&before.test, &after.test) <= 1);
            prop_assert!(moved(&before.train, &after.train) <= 1);
            prop_assert!(moved(&before.validation, &after.validation) <= 2);
        }
    }

    #[test]
    fn folds_test_on_every_row_once() {
        let folds =
            (0..5).map(|fold| Split::fold(&RowIds::numbered(50), 7, fractions(0.2, 0.1), fold));
        let folds: Vec<Split> = folds.collect();
        assert_eq!(
            folds[0],
            Split::of(&RowIds::numbered(50), 7, fractions(0.2, 0.1))
        );
        let mut tested: Vec<usize> = folds.iter().flat_map(|split| split.test.clone()).collect();
        tested.sort_unstable();
        assert_eq!(tested, (0..50).collect::<Vec<_>>());
        for split in folds {
            let sizes = [split.test.len(), split.validation.len(), split.train.len()];
            assert_eq!(sizes, [10, 5, 35]);
            assert!(split.train.iter().all(|row| !split.test.contains(row)));
        }
    }

    #[test]
    fn a_test_set_that_stands_last_stays_whole() {
        let split = Split::with_last(&RowIds::numbered(50), 7, 10, 0.25);
        assert_eq!(split.test, (40..50).collect::<Vec<_>>());
        assert_eq!((split.validation.len(), split.train.len()), (10, 30));
        let mut rest = [split.validation, split.train].concat();
        rest.sort_unstable();
        assert_eq!(rest, (0..40).collect::<Vec<_>>());
        // More than there are: nothing is left, which is refused elsewhere.
        let split = Split::with_last(&RowIds::numbered(5), 7, 10, 0.25);
        assert_eq!((split.test.len(), split.train.len()), (5, 0));
    }

    #[test]
    fn the_id_decides_and_not_the_place() {
        let parts = fractions(0.3, 0.2);
        let (forth, back) = (named(0..20), named((0..20).rev()));
        let one = Split::of(&forth, 1, parts);
        let mut other = Split::of(&back, 1, parts).test;
        other.iter_mut().for_each(|row| *row = 19 - *row);
        other.sort_unstable();
        assert_eq!(one.test, other);
        assert_ne!(one, Split::of(&forth, 2, parts));
    }
}
