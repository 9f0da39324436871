//! Every row in its place, once.
#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;
use crate::{rows::RowIds, split::Fractions};

fn schedule(
    seed: u64,
    rows: usize,
    [test, validation]: [f64; 2],
    batch: usize,
    epochs: u32,
) -> Schedule {
    let fractions = Fractions { test, validation };
    let split = Split::of(&RowIds::numbered(rows), seed, fractions);
    Schedule::new(seed, split, batch, epochs)
}

proptest! {
    #[test]
    fn every_epoch_visits_every_training_row_and_then_every_validation_row_once(
        seed: u64, rows in 1_usize..60, batch in 1_usize..20, epochs in 1_u32..4,
        test in 0.0..0.5_f64, validation in prop_oneof![Just(0.0), 0.0..0.49_f64],
    ) {
        let schedule = schedule(seed, rows, [test, validation], batch, epochs);
        let parts = [
            schedule.train_rows(), schedule.validation_rows(), schedule.test_rows(),
        ];
        prop_assert_eq!(parts.map(<[usize]>::len).iter().sum::<usize>(), rows);
        let mut learnt = vec![vec![]; epochs as usize];
        let mut validated = vec![vec![]; epochs as usize];
        let mut tested = vec![];
        let mut rounds = 0;
        for index in 0..schedule.exchanges() {
            let rows = match schedule.exchange(index).unwrap() {
                Exchange::SetUp => {
                    prop_assert_eq!(index, 0);
                    continue;
                }
                Exchange::Train { epoch, round, rows } => {
                    prop_assert_eq!(round, rounds, "rounds are counted without gaps");
                    prop_assert!(validated[epoch as usize].is_empty());
                    rounds += 1;
                    let learnt = &mut learnt[epoch as usize];
                    learnt.extend_from_slice(&rows);
                    prop_assert_eq!(
                        schedule.ends_epoch(round),
                        learnt.len() == schedule.train_rows().len()
                    );
                    rows
                }
                Exchange::Validate { epoch, last, rows } => {
                    prop_assert_eq!(rounds, u64::from(epoch + 1) * schedule.rounds_per_epoch());
                    let validated = &mut validated[epoch as usize];
                    validated.extend_from_slice(&rows);
                    prop_assert_eq!(
                        last,
                        validated.len() == schedule.validation_rows().len()
                    );
                    rows
                }
                Exchange::Evaluate { rows } => {
                    prop_assert_eq!(rounds, schedule.rounds());
                    tested.extend_from_slice(&rows);
                    rows
                }
            };
            prop_assert!(!rows.is_empty() && rows.len() <= batch);
        }
        for mut epoch in learnt {
            epoch.sort_unstable();
            prop_assert_eq!(&epoch, schedule.train_rows());
        }
        for epoch in validated {
            prop_assert_eq!(&epoch, schedule.validation_rows());
        }
        prop_assert_eq!(&tested, schedule.test_rows());
        prop_assert_eq!(rounds, schedule.rounds());
        prop_assert_eq!(schedule.exchange(schedule.exchanges()), None);
        prop_assert_eq!(schedule.exchange(u64::MAX), None);
    }

    /// A job that stops early is, exchange for exchange, one that was asked
    /// for fewer epochs.
    #[test]
    fn a_job_that_stops_early_goes_on_with_its_test_rows(
        seed: u64, rows in 2_usize..40, batch in 1_usize..9, epochs in 1_u32..5, stop in 0_u32..6,
    ) {
        let parts = [0.3, 0.3];
        let mut stopped = schedule(seed, rows, parts, batch, epochs);
        stopped.stop_after(stop);
        let shorter = schedule(seed, rows, parts, batch, epochs.min(stop + 1));
        prop_assert_eq!(stopped.stops_early(), stop + 1 < epochs);
        prop_assert_eq!(stopped.exchanges(), shorter.exchanges());
        for index in 0..=stopped.exchanges() {
            prop_assert_eq!(stopped.exchange(index), shorter.exchange(index));
        }
        prop_assert!(stopped.ends_with(epochs.min(stop + 1) - 1));
        prop_assert!(epochs.min(stop + 1) < 2 || !stopped.ends_with(epochs.min(stop + 1) - 2));
    }
}

#[test]
fn the_order_is_the_seeds_and_changes_with_the_epoch() {
    let one = schedule(7, 50, [0.2, 0.0], 8, 2);
    assert_eq!(one, schedule(7, 50, [0.2, 0.0], 8, 2));
    assert_ne!(one.order(0), one.order(1));
    assert_ne!(one.order(0), schedule(8, 50, [0.2, 0.0], 8, 2).order(0));
}
