//! One metric of the list: as data, and with its type.

use core::fmt;

use crate::{kind::Kind, list::Families};

/// Whose `/metrics` has a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// A party's.
    Party,
    /// The coordinator's.
    Coordinator,
    /// Both have it.
    Both,
}

/// What a party makes of what its workers say of a metric, each of its own process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfWorkers {
    /// Nothing, and they do not say it.
    Unheard,
    /// It adds it to what it has itself.
    Summed,
    /// It shows the largest, its own among them: of a gauge that is no amount.
    Largest,
}

/// What the list says of one metric. For documentation, and for whoever checks
/// dashboards and alerts against the list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// The name, with its unit as suffix.
    pub name: &'static str,
    /// What it counts or measures, for a person.
    pub help: &'static str,
    /// As Prometheus calls it: `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// Upper edges of the buckets, ascending; empty unless a histogram.
    pub buckets: &'static [f64],
    /// Who has it.
    pub service: Service,
    /// What becomes of what a party's workers say of it.
    pub of_workers: OfWorkers,
}

impl Metric {
    /// Whether its series name jobs, or parties that are not the reader's own
    /// affair: for those alone who may look at all jobs.
    pub fn names_others(&self) -> bool {
        ["job_id", "party"]
            .iter()
            .any(|label| self.labels.contains(label))
    }

    /// The names under which it is scraped: one, or a histogram's three.
    pub fn series(&self) -> Vec<String> {
        let suffixes: &[&str] = match self.kind {
            "histogram" => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        suffixes
            .iter()
            .map(|suffix| format!("{}{suffix}", self.name))
            .collect()
    }
}

/// A metric of kind `K` with `N` labels. Only the list makes one.
pub struct Definition<K: Kind, const N: usize> {
    pub(crate) metric: Metric,
    /// Where a registry keeps it. A function and not a key to look up: it
    /// cannot miss.
    pub(crate) family: fn(&Families) -> &K::Family,
}

impl<K: Kind, const N: usize> Definition<K, N> {
    pub(crate) const fn new(
        name: &'static str,
        help: &'static str,
        labels: &'static [&'static str; N],
        buckets: &'static [f64],
        service: Service,
        of_workers: OfWorkers,
        family: fn(&Families) -> &K::Family,
    ) -> Self {
        Self {
            metric: Metric {
                name,
                help,
                kind: K::NAME,
                labels,
                buckets,
                service,
                of_workers,
            },
            family,
        }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.metric.name
    }

    /// What the list says of it.
    pub const fn metric(&self) -> &Metric {
        &self.metric
    }
}

impl<K: Kind, const N: usize> fmt::Debug for Definition<K, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.metric.fmt(f)
    }
}
