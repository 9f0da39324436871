//! What a process has counted and measured, as values that can be sent and added up.

use std::collections::BTreeMap;

use crate::{Metric, definition::OfWorkers, list::ALL};

/// All series of one name: the values of their labels, in the order of the list.
pub(crate) type Series = BTreeMap<Vec<String>, Value>;

/// What one series has come to.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A counter's.
    Counter(f64),
    /// A gauge's.
    Gauge(f64),
    /// A histogram's.
    Histogram(Observed),
}

/// What a histogram has observed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observed {
    /// How many up to each edge of its buckets.
    pub up_to: Vec<u64>,
    /// How many at all.
    pub count: u64,
    /// What they add up to.
    pub sum: f64,
}

/// What workers tell their party: counters and histograms since the process began,
/// gauges as they are. Of the closed list nothing else can be in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    families: BTreeMap<&'static str, Series>,
}

impl Counts {
    /// Puts a series in; whether it is one that a worker may tell of, with its labels,
    /// its kind and its buckets. Nothing else is put in.
    pub fn insert(&mut self, name: &str, labels: Vec<String>, value: Value) -> bool {
        let Some(metric) = heard().find(|metric| metric.name == name) else {
            return false;
        };
        let fits = labels.len() == metric.labels.len() && value.is_of(metric);
        if fits {
            let series = self.families.entry(metric.name).or_default();
            series.insert(labels, value);
        }
        fits
    }

    /// All of it, by name.
    pub fn families(
        &self,
    ) -> impl ExactSizeIterator<Item = (&'static str, &BTreeMap<Vec<String>, Value>)> {
        self.families.iter().map(|(name, series)| (*name, series))
    }

    pub(crate) fn family_mut(&mut self, name: &'static str) -> &mut Series {
        self.families.entry(name).or_default()
    }

    pub(crate) fn series(&self, name: &str) -> impl Iterator<Item = (&Vec<String>, &Value)> {
        self.families.get(name).into_iter().flatten()
    }
}

/// What workers tell of.
pub(crate) fn heard() -> impl Iterator<Item = &'static Metric> {
    let all = ALL.iter().copied();
    all.filter(|metric| metric.of_workers != OfWorkers::Unheard)
}

impl Value {
    fn is_of(&self, metric: &Metric) -> bool {
        let is_amount = |value: f64| value.is_finite() && value >= 0.0;
        match (self, metric.kind) {
            (Self::Counter(value), "counter") => is_amount(*value),
            (Self::Gauge(value), "gauge") => value.is_finite(),
            (Self::Histogram(observed), "histogram") => {
                let Observed { up_to, count, sum } = observed;
                let all = up_to.iter().chain([count]);
                up_to.len() == metric.buckets.len() && all.is_sorted() && is_amount(*sum)
            }
            _ => false,
        }
    }

    /// How much more it is than `before`, and never less than nothing.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let mut more = self.clone();
        more.with(
            before,
            |now, before| (now - before).max(0.0),
            u64::saturating_sub,
        );
        more
    }

    /// Adds.
    pub(crate) fn add(&mut self, more: &Self) {
        self.with(more, |value, more| value + more, u64::saturating_add);
    }

    /// Becomes the larger of both.
    pub(crate) fn raise(&mut self, other: &Self) {
        self.with(other, f64::max, u64::max);
    }

    /// Each number with its like. Values of two kinds have nothing in common.
    fn with(&mut self, other: &Self, float: fn(f64, f64) -> f64, whole: fn(u64, u64) -> u64) {
        match (self, other) {
            (Self::Counter(one), Self::Counter(other)) | (Self::Gauge(one), Self::Gauge(other)) => {
                *one = float(*one, *other);
            }
            (Self::Histogram(one), Self::Histogram(other)) => {
                for (one, other) in one.up_to.iter_mut().zip(&other.up_to) {
                    *one = whole(*one, *other);
                }
                one.count = whole(one.count, other.count);
                one.sum = float(one.sum, other.sum);
            }
            _ => {}
        }
    }
}
