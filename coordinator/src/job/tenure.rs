//! For how long a job has had its places.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::{Millis, Span};

const HOUR: u64 = Span::seconds(3600).0;

/// For how long a job has had its places, by the hours of the calendar: what
/// its submitter's share is reckoned by. It is kept with the job, so that a
/// coordinator that begins anew comes to the same shares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tenure {
    /// Since when it has them; nothing while it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<Millis>,
    /// Milliseconds in each of the hours since 1970 in which it had them, those
    /// of the last two days.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    hours: BTreeMap<u64, u64>,
}

impl Tenure {
    /// What was had so many hours ago does not count any more.
    pub(crate) const FORGOTTEN_AFTER_HOURS: u64 = 48;
    /// What places count for at least, from the moment at which a job gets
    /// them.
    pub(crate) const LEAST: Span = Span::seconds(60);

    /// It has its places now.
    pub(crate) fn take(&mut self, now: Millis) {
        self.since.get_or_insert(now);
    }

    /// It has them no more.
    pub(crate) fn give(&mut self, now: Millis) {
        let held: Vec<(u64, u64)> = self.running(now).collect();
        self.since = None;
        for (hour, held) in held {
            let sum = self.hours.entry(hour).or_default();
            *sum = sum.saturating_add(held);
        }
        self.hours = self.hours.split_off(&oldest(now));
    }

    /// What is over, by hours.
    pub(crate) fn over(&self) -> impl Iterator<Item = (u64, u64)> {
        self.hours.iter().map(|(hour, held)| (*hour, *held))
    }

    /// What goes on, by hours.
    pub(crate) fn running(&self, now: Millis) -> impl Iterator<Item = (u64, u64)> + use<> {
        let span = self.since.map(|since| {
            let least = since.0.saturating_add(Self::LEAST.0);
            (since.0, now.0.max(least))
        });
        span.into_iter().flat_map(move |(from, to)| {
            // What is forgotten need not be gone through.
            let first = (from / HOUR).max(oldest(now));
            (first..=to.saturating_sub(1) / HOUR).map(move |hour| {
                let begin = from.max(hour * HOUR);
                let end = to.min((hour + 1).saturating_mul(HOUR));
                (hour, end.saturating_sub(begin))
            })
        })
    }

    /// Which hour it is.
    pub(crate) fn hour(now: Millis) -> u64 {
        now.0 / HOUR
    }
}

fn oldest(now: Millis) -> u64 {
    Tenure::hour(now).saturating_sub(Tenure::FORGOTTEN_AFTER_HOURS)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn time_falls_into_its_hours_and_a_minute_counts_at_least() {
        let mut tenure = Tenure::default();
        tenure.take(Millis(HOUR - 1000));
        let running = |now| tenure.running(Millis(now)).collect::<Vec<_>>();
        assert_eq!(running(HOUR - 1000), [(0, 1000), (1, 59_000)]);
        assert_eq!(running(3 * HOUR), [(0, 1000), (1, HOUR), (2, HOUR)]);
        tenure.take(Millis(HOUR));
        tenure.give(Millis(2 * HOUR));
        tenure.take(Millis(2 * HOUR));
        tenure.give(Millis(2 * HOUR));
        assert_eq!(
            tenure.over().collect::<Vec<_>>(),
            [(0, 1000), (1, HOUR), (2, 60_000)]
        );
        tenure.give(Millis(60 * HOUR));
        assert_eq!(tenure.over().next(), None);
    }

    #[test]
    fn it_is_kept_as_it_is_and_the_ends_of_time_are_no_panic() {
        let mut tenure = Tenure::default();
        tenure.take(Millis(0));
        assert_eq!(tenure.running(Millis(u64::MAX)).count(), 49);
        tenure.give(Millis(u64::MAX));
        tenure.take(Millis(u64::MAX));
        assert!(tenure.running(Millis(0)).count() < 3);
        let json = serde_json::to_string(&tenure).unwrap();
        assert_eq!(serde_json::from_str::<Tenure>(&json).unwrap(), tenure);
        assert_eq!(
            serde_json::from_str::<Tenure>("{}").unwrap(),
            Tenure::default()
        );
    }
}
