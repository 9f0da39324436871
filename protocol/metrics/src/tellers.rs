//! What other processes have counted, beside what this one has.
//!
//! ```text
//!   a worker: counts, again and again ─▶ Teller ── what is new ──▶ the sum ──┐
//!                                          └ gauges, while it is there ──┐   │
//!   this process: its registry ───────────────────────────────────────┐  │   │
//!                                                                     ▼  ▼   ▼
//!                                                               what is scraped
//! ```
//!
//! A teller says all that it has counted since its process began, not what is new: so
//! what is lost is said with the next telling, and what is said twice is not new. What
//! is new of it goes into one sum for all, which nothing is ever taken from. The obvious
//! way, to add up at each scrape what each has said last and to move the values of those
//! that have ended to a sum of their own, adds the same numbers in another order when
//! one ends; a float may then come out smaller by its last bit, and whoever scrapes a
//! counter that has fallen takes it for one that began again, and counts all of it twice.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use prometheus::proto::MetricFamily;

use crate::{
    Metric,
    counts::{Counts, Value, heard},
    definition::OfWorkers,
    exposition::{family_of, series_of},
};

/// What other processes have told.
#[derive(Debug, Default)]
pub(crate) struct Tellers(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    /// Counters and histograms: all that was ever told.
    sum: Counts,
    /// Gauges: what each says that is there.
    now: BTreeMap<u64, Counts>,
    tellers: u64,
}

/// A process that tells what it has counted. Its gauges are there until this is dropped,
/// what it has counted for ever.
#[derive(Debug)]
pub struct Teller {
    tellers: Arc<Tellers>,
    number: u64,
    told: Counts,
}

impl Tellers {
    /// One more, of which it was told `before` elsewhere.
    pub(crate) fn teller(self: &Arc<Self>, before: Counts) -> Teller {
        let mut told = self.told();
        told.tellers += 1;
        Teller {
            number: told.tellers,
            tellers: self.clone(),
            told: before,
        }
    }

    /// Puts what they told to what is there, sorted by name.
    pub(crate) fn join(&self, families: &mut Vec<MetricFamily>) {
        let told = self.told();
        for metric in heard() {
            let now = told.now.values().flat_map(|now| now.series(metric.name));
            let mut theirs = told.sum.series(metric.name).chain(now).peekable();
            if theirs.peek().is_none() {
                continue;
            }
            let place = families.iter().position(|own| own.name() == metric.name);
            let mut series = match place {
                Some(place) => series_of(metric, &families[place]),
                None => BTreeMap::new(),
            };
            for (labels, value) in theirs {
                match series.get_mut(labels) {
                    Some(there) => together(metric, there, value),
                    None => drop(series.insert(labels.clone(), value.clone())),
                }
            }
            let joined = family_of(metric, &series);
            match place {
                Some(place) => families[place] = joined,
                None => families.push(joined),
            }
        }
        families.sort_by(|one, other| one.name().cmp(other.name()));
    }

    /// Whole whenever the lock is free: nothing in between fails.
    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn together(metric: &Metric, there: &mut Value, value: &Value) {
    match metric.of_workers {
        OfWorkers::Unheard => {}
        OfWorkers::Summed => there.add(value),
        OfWorkers::Largest => there.raise(value),
    }
}

impl Teller {
    /// It has counted so much by now.
    pub fn tells(&mut self, counts: &Counts) {
        let mut told = self.tellers.told();
        let mut gauges = Counts::default();
        for (name, series) in counts.families() {
            for (labels, value) in series {
                if let Value::Gauge(_) = value {
                    let gauges = gauges.family_mut(name);
                    gauges.insert(labels.clone(), value.clone());
                    continue;
                }
                let before = self.told.family_mut(name);
                let more = match before.get_mut(labels) {
                    Some(before) => {
                        let more = value.since(before);
                        // An older telling takes nothing back.
                        before.raise(value);
                        more
                    }
                    None => {
                        before.insert(labels.clone(), value.clone());
                        value.clone()
                    }
                };
                let sum = told.sum.family_mut(name);
                match sum.get_mut(labels) {
                    Some(sum) => sum.add(&more),
                    None => drop(sum.insert(labels.clone(), more)),
                }
            }
        }
        told.now.insert(self.number, gauges);
    }

    /// It is not there now. It may be again.
    pub fn is_away(&mut self) {
        self.tellers.told().now.remove(&self.number);
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.is_away();
    }
}
