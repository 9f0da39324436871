//! Priority, backfill, fairness, and that nobody waits for ever.

use entente_protocol::job::{JobId, Side};
use proptest::prelude::*;

use super::{
    Hall, Job,
    hall::{PATIENCE, user},
};
use crate::{clock::Span, engine::scheduling::Obstacle, job::Priority, testbed::id};

fn hall(places: u32, threads: Option<u32>) -> Hall {
    let mut hall = Hall::new();
    for party in 0..3 {
        hall.come(party, places, threads, 1);
    }
    hall
}

fn of(by: usize, priority: Priority) -> Job {
    Job {
        by,
        priority,
        ..Job::default()
    }
}

/// What starts when that which runs is over.
fn next(hall: &mut Hall) -> Vec<JobId> {
    hall.now.0 += 120_000;
    let over: Vec<JobId> = hall.world.running.keys().copied().collect();
    for id in over {
        hall.end(id);
    }
    hall.settle()
}

#[test]
fn the_higher_priority_starts_first_and_then_who_has_had_less() {
    let mut hall = hall(1, None);
    hall.submit(of(0, Priority::Normal));
    assert_eq!(hall.settle(), [id(1)]);
    for (by, priority) in [
        (0, Priority::Low),
        (0, Priority::Normal),
        (1, Priority::Normal),
        (0, Priority::High),
        (1, Priority::Normal),
    ] {
        hall.submit(of(by, priority));
    }
    // 5 is in a hurry; then 4 is of one that has had nothing, then each in turn.
    let order: Vec<_> = (0..5).flat_map(|_| next(&mut hall)).collect();
    assert_eq!(order, [5, 4, 6, 3, 2].map(id));
}

#[test]
fn a_low_priority_goes_first_when_its_patience_has_ended() {
    let mut hall = hall(1, None);
    hall.submit(of(0, Priority::Normal));
    hall.settle();
    let low = hall.submit(of(0, Priority::Low));
    hall.now.0 += 4 * PATIENCE.0 - 130_000;
    hall.submit(of(1, Priority::High));
    assert_eq!(next(&mut hall), [id(3)]);
    hall.submit(of(1, Priority::High));
    assert_eq!(next(&mut hall), [low]);
}

#[test]
fn small_jobs_pass_a_large_one_until_places_are_kept_for_it() {
    let mut hall = hall(8, Some(4));
    let small = |hall: &mut Hall| hall.submit(Job::default());
    let first = small(&mut hall);
    hall.settle();
    let large = hall.submit(Job {
        threads: 4,
        ..Job::default()
    });
    let second = small(&mut hall);
    assert_eq!(hall.settle(), [second]);
    hall.now.0 += PATIENCE.0;
    let third = small(&mut hall);
    // It has no room, and what is left is kept for it: at its parties alone.
    assert_eq!(hall.settle(), []);
    assert!(matches!(
        hall.obstacle(large, Side::Active),
        Some(Obstacle::Full(_))
    ));
    assert_eq!(
        hall.obstacle(third, Side::Active),
        Some(Obstacle::Kept(large))
    );
    // Nothing is kept for one that cannot run.
    hall.go(1);
    let elsewhere = hall.submit(Job {
        between: (0, 2),
        ..Job::default()
    });
    assert_eq!(hall.settle(), [elsewhere]);
    hall.come(1, 8, Some(4), 1);
    assert_eq!(hall.settle(), []);
    for over in [first, second, elsewhere] {
        hall.end(over);
    }
    assert_eq!(hall.settle(), [large]);
    hall.end(large);
    assert_eq!(hall.settle(), [third]);
}

#[test]
fn nothing_is_kept_for_a_job_that_never_fits() {
    let mut hall = hall(8, Some(4));
    hall.submit(Job {
        threads: 5,
        ..Job::default()
    });
    hall.now.0 += 10 * PATIENCE.0;
    let small = hall.submit(Job::default());
    assert_eq!(hall.settle(), [small]);
}

#[test]
fn who_has_begun_comes_before_all_others() {
    let mut hall = hall(1, None);
    let begun = hall.submit(of(0, Priority::Low));
    hall.settle();
    hall.submit(of(1, Priority::High));
    hall.submit(of(1, Priority::High));
    hall.park(begun, false);
    hall.now.0 += 4 * PATIENCE.0;
    assert_eq!(hall.settle(), [begun]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Two who want more than there is: neither gets more than the other by more
    /// than what is there at once.
    #[test]
    fn who_wants_as_much_gets_as_much(
        places in 1..5_u32,
        length_s in 30..1200_u64,
        orders in prop::collection::vec(0..2_usize, 40),
    ) {
        let mut hall = hall(places, None);
        // The one may have come with all of its jobs before the other.
        for by in orders.iter().copied().chain([0; 40]).chain([1; 40]) {
            hall.submit(of(by, Priority::Normal));
        }
        let length = Span::seconds(length_s);
        let mut started = [0_i64; 2];
        // Nobody's patience ends meanwhile: then the order is by age alone.
        while hall.now.0 < 1_000_000_000 + PATIENCE.0 - length.0 {
            for id in hall.settle() {
                let by = &hall.world.running[&id].entry.by;
                started[usize::from(*by == user(1))] += 1;
                prop_assert!((started[0] - started[1]).abs() <= i64::from(places), "{started:?}");
            }
            let had = [0, 1].map(|who| hall.share.usage(&user(who), hall.now));
            let most = u64::from(places) * length.0.max(60_000);
            prop_assert!(had[0].abs_diff(had[1]) <= most, "{had:?}");
            hall.now.0 += length.0;
            let over: Vec<JobId> = hall.world.running.keys().copied().collect();
            for id in over {
                hall.end(id);
            }
            if started.iter().any(|started| *started > 39) {
                break;
            }
        }
    }

    /// Jobs of all sizes among parties that come to be busy in every way, and
    /// more of them all the time, of others and in more of a hurry.
    #[test]
    fn every_job_starts_within_the_bound(
        jobs in prop::collection::vec(
            ((0..3_usize, 1..3_usize), 0..3_usize, 0..3_usize, 1..5_u32, 1..20_u64),
            1..30,
        ),
    ) {
        const STEP_MS: u64 = 60_000;
        const LONGEST_STEPS: u64 = 20;
        let mut hall = hall(3, Some(4));
        let mut ends = std::collections::BTreeMap::new();
        let mut bounds = std::collections::BTreeMap::new();
        let mut lengths = std::collections::BTreeMap::new();
        let mut written = jobs.iter().cycle();
        // As long as the patience of the least lasts, new ones come.
        let coming = 5 * PATIENCE.0 / STEP_MS;
        for step in 0..8 * coming {
            if step < coming && step % 3 == 0
                && let Some((between, by, priority, threads, length)) = written.next().cloned()
            {
                let id = hall.submit(Job {
                    between: (between.0, (between.0 + between.1) % 3),
                    by,
                    priority: Priority::ALL[priority],
                    threads,
                    dataset: 0,
                });
                lengths.insert(id, length.min(LONGEST_STEPS));
            }
            for id in hall.settle() {
                ends.insert(id, step + lengths[&id]);
                let bound = bounds.remove(&id);
                prop_assert!(bound.is_none_or(|bound| step <= bound), "{id:?}: {step} {bound:?}");
            }
            // Whose patience has ended now waits for those before it alone.
            let overdue: Vec<JobId> = hall
                .queue
                .entries()
                .filter(|entry| entry.overdue_at <= hall.now)
                .map(|entry| entry.id)
                .collect();
            let before = overdue.len() as u64;
            for id in overdue {
                bounds.entry(id).or_insert(step + (before + 1) * (LONGEST_STEPS + 1));
            }
            hall.now.0 += STEP_MS;
            for id in ends.extract_if(.., |_, end| *end <= step).collect::<Vec<_>>() {
                hall.end(id.0);
            }
        }
        prop_assert_eq!(hall.queue.entries().count(), 0);
    }
}
