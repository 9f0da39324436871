//! Who has had how much.
//!
//! A submitter's usage is the time for which its jobs had their places, each
//! weighed by its threads, in whole hours of the last two days:
//!
//! ```text
//!   usage(now) = sum over hours h  held(h) >> ((now_hour - h) / 6)
//! ```
//!
//! What was had six hours ago counts half, twelve hours ago a quarter: long
//! enough that a night's work tells in the morning, short enough that last
//! week's is forgotten. Whole numbers in whole hours, and not a decaying
//! fraction: sums of them do not hang on the order in which jobs ended, so that
//! a coordinator that begins anew and reads its store comes to the same numbers
//! as one that saw it all happen.
//!
//! A job counts for a minute from the moment at which it gets its places: of
//! two submitters with a hundred jobs each and ten free places, both get five,
//! though neither has had anything yet.

use std::collections::BTreeMap;

use entente_protocol::job::JobId;
use entente_tls::Identity;

use super::Need;
use crate::{
    clock::Millis,
    job::{JobRecord, Tenure},
};

const HALVED_AFTER_HOURS: u64 = 6;

/// What one submitter has had.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Account {
    /// Of what is over.
    hours: BTreeMap<u64, u64>,
    /// What goes on, each with its weight.
    running: BTreeMap<JobId, (Tenure, u64)>,
}

impl Account {
    fn usage(&self, now: Millis) -> u64 {
        let this_hour = Tenure::hour(now);
        let over = self.hours.iter().map(|(hour, held)| (*hour, *held));
        let running = self.running.values().flat_map(|(tenure, weight)| {
            let hours = tenure.running(now);
            hours.map(|(hour, held)| (hour, held.saturating_mul(*weight)))
        });
        over.chain(running)
            .map(|(hour, held)| {
                let age = this_hour.saturating_sub(hour);
                match age < Tenure::FORGOTTEN_AFTER_HOURS {
                    true => held >> (age / HALVED_AFTER_HOURS),
                    false => 0,
                }
            })
            .fold(0, u64::saturating_add)
    }
}

/// Who has had how much.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::engine) struct Share(BTreeMap<Identity, Account>);

impl Share {
    pub(in crate::engine) fn of<'a>(records: impl IntoIterator<Item = &'a JobRecord>) -> Self {
        let mut share = Self::default();
        for record in records {
            share.tell(record, &Tenure::default());
        }
        share
    }

    /// A job had its places for as long as `before` when it was last told of.
    pub(in crate::engine) fn tell(&mut self, record: &JobRecord, before: &Tenure) {
        let need = Need::of(record.task.resources());
        let (who, tenure) = (&record.submitted_by, &record.tenure);
        self.count(who, record.id, need, before, tenure);
    }

    pub(super) fn count(
        &mut self,
        who: &Identity,
        job: JobId,
        need: Need,
        before: &Tenure,
        tenure: &Tenure,
    ) {
        if before == tenure {
            return;
        }
        let account = self.0.entry(who.clone()).or_default();
        let weight = need.weight();
        for (hour, held) in before.over() {
            if let Some(sum) = account.hours.get_mut(&hour) {
                *sum = sum.saturating_sub(held.saturating_mul(weight));
            }
        }
        for (hour, held) in tenure.over() {
            let sum = account.hours.entry(hour).or_default();
            *sum = sum.saturating_add(held.saturating_mul(weight));
        }
        account.hours.retain(|_, held| *held > 0);
        account.running.remove(&job);
        if tenure.since.is_some() {
            account.running.insert(job, (tenure.clone(), weight));
        }
    }

    /// What `who` has had, as it counts now: milliseconds of a place.
    pub(in crate::engine) fn usage(&self, who: &Identity, now: Millis) -> u64 {
        self.0.get(who).map_or(0, |account| account.usage(now))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use entente_protocol::job::Resources;
    use proptest::prelude::*;

    use super::*;
    use crate::testbed::id;

    const MINUTE: u64 = Tenure::LEAST.0;
    const HOUR: u64 = 60 * MINUTE;

    fn alice() -> Identity {
        "user/alice".parse().unwrap()
    }

    fn need(threads: u32) -> Need {
        Need::of(&Resources {
            threads,
            ..Resources::default()
        })
    }

    fn tenure(spans: &[(u64, u64)]) -> Tenure {
        let mut tenure = Tenure::default();
        for (from, to) in spans {
            tenure.take(Millis(*from));
            tenure.give(Millis(*to));
        }
        tenure
    }

    #[test]
    fn a_job_counts_for_a_minute_at_once_and_for_its_time_then() {
        let mut share = Share::default();
        let usage = |share: &Share, now| share.usage(&alice(), Millis(now));
        assert_eq!(usage(&share, 100), 0);
        let none = Tenure::default();
        let mut running = none.clone();
        running.take(Millis(100));
        share.count(&alice(), id(1), need(1), &none, &running);
        assert_eq!(usage(&share, 100), MINUTE);
        assert_eq!(usage(&share, 100 + MINUTE), MINUTE);
        assert_eq!(usage(&share, 100 + 3 * MINUTE), 3 * MINUTE);
        share.count(&alice(), id(2), need(4), &none, &running);
        assert_eq!(usage(&share, 100), 5 * MINUTE);
        share.count(&alice(), id(2), need(4), &running, &none);
        let over = tenure(&[(100, 100 + 2 * MINUTE)]);
        share.count(&alice(), id(1), need(1), &running, &over);
        assert_eq!(usage(&share, 100 + 5 * MINUTE), 2 * MINUTE);
    }

    #[test]
    fn what_was_had_fades_and_is_forgotten() {
        let mut share = Share::default();
        let over = tenure(&[(0, HOUR)]);
        share.count(&alice(), id(1), need(1), &Tenure::default(), &over);
        let after = |hours: u64| share.usage(&alice(), Millis(hours * HOUR));
        assert_eq!(after(1), HOUR);
        assert_eq!(after(5), HOUR);
        assert_eq!(after(6), HOUR / 2);
        assert_eq!(after(13), HOUR / 4);
        assert_eq!(after(47), HOUR >> 7);
        assert_eq!(after(48), 0);
    }

    proptest! {
        /// In whatever order jobs took and gave their places.
        #[test]
        fn who_reads_it_all_later_comes_to_the_same(
            turns in prop::collection::vec((0..5_u128, 0..5 * HOUR), 0..60),
            later in 0..30 * HOUR,
        ) {
            let mut share = Share::default();
            let mut tenures = vec![Tenure::default(); 5];
            let mut now = Millis(0);
            for (job, passed) in turns {
                now = Millis(now.0 + passed);
                let tenure = &mut tenures[job as usize];
                let before = tenure.clone();
                match tenure.since {
                    Some(_) => tenure.give(now),
                    None => tenure.take(now),
                }
                share.count(&alice(), id(job), need(1 + job as u32), &before, tenure);
            }
            let now = Millis(now.0 + later);
            let mut read = Share::default();
            for (job, tenure) in tenures.iter().enumerate() {
                let need = need(1 + job as u32);
                read.count(&alice(), id(job as u128), need, &Tenure::default(), tenure);
            }
            prop_assert_eq!(share.usage(&alice(), now), read.usage(&alice(), now));
        }
    }
}
