//! The four kinds of metric, each with the one thing that can be done to it.

use core::time::Duration;

use prometheus::core::Collector;

use crate::definition::Metric;

mod sealed {
    pub trait Sealed {}
}

/// A kind of metric. Implemented here and nowhere else.
pub trait Kind: sealed::Sealed + Sized {
    /// As Prometheus calls it.
    const NAME: &'static str;

    /// All series of one name.
    #[doc(hidden)]
    type Family: Collector + Clone + 'static;

    #[doc(hidden)]
    fn create(metric: &Metric) -> Result<Self::Family, prometheus::Error>;

    #[doc(hidden)]
    fn series(family: &Self::Family, values: &[&str]) -> Result<Self, prometheus::Error>;

    #[doc(hidden)]
    fn remove(family: &Self::Family, values: &[&str]) -> Result<(), prometheus::Error>;
}

macro_rules! kind {
    ($kind:ident, $name:literal, $family:ident, $options:expr) => {
        impl sealed::Sealed for $kind {}

        impl Kind for $kind {
            const NAME: &'static str = $name;
            type Family = prometheus::$family;

            fn create(metric: &Metric) -> Result<Self::Family, prometheus::Error> {
                let options: fn(&Metric) -> _ = $options;
                prometheus::$family::new(options(metric), metric.labels)
            }

            fn series(family: &Self::Family, values: &[&str]) -> Result<Self, prometheus::Error> {
                family.get_metric_with_label_values(values).map(Self)
            }

            fn remove(family: &Self::Family, values: &[&str]) -> Result<(), prometheus::Error> {
                family.remove_label_values(values)
            }
        }
    };
}

kind!(Counter, "counter", IntCounterVec, options);
kind!(SecondsCounter, "counter", CounterVec, options);
kind!(Gauge, "gauge", IntGaugeVec, options);
kind!(Level, "gauge", GaugeVec, options);
kind!(Histogram, "histogram", HistogramVec, |metric| {
    prometheus::HistogramOpts::new(metric.name, metric.help).buckets(metric.buckets.to_vec())
});

fn options(metric: &Metric) -> prometheus::Opts {
    prometheus::Opts::new(metric.name, metric.help)
}

/// Counts things; only grows.
#[derive(Debug, Clone)]
pub struct Counter(prometheus::IntCounter);

impl Counter {
    /// One more.
    pub fn increment(&self) {
        self.0.inc();
    }

    /// `n` more.
    pub fn add(&self, n: u64) {
        self.0.inc_by(n);
    }

    /// How many so far.
    pub fn value(&self) -> u64 {
        self.0.get()
    }
}

/// Adds up time; only grows.
#[derive(Debug, Clone)]
pub struct SecondsCounter(prometheus::Counter);

impl SecondsCounter {
    /// This much more.
    pub fn add(&self, time: Duration) {
        self.0.inc_by(time.as_secs_f64());
    }

    /// Seconds so far.
    pub fn seconds(&self) -> f64 {
        self.0.get()
    }
}

/// What is now, of things that are measured and not counted.
#[derive(Debug, Clone)]
pub struct Level(prometheus::Gauge);

impl Level {
    /// It is `value` now.
    pub fn set(&self, value: f64) {
        self.0.set(value);
    }
}

/// What is now: goes up and down.
#[derive(Debug, Clone)]
pub struct Gauge(prometheus::IntGauge);

impl Gauge {
    /// It is `value` now.
    pub fn set(&self, value: i64) {
        self.0.set(value);
    }

    /// It is `difference` more than before; negative for less.
    pub fn add(&self, difference: i64) {
        self.0.add(difference);
    }

    /// What it is.
    pub fn value(&self) -> i64 {
        self.0.get()
    }
}

/// How long things took.
#[derive(Debug, Clone)]
pub struct Histogram(prometheus::Histogram);

impl Histogram {
    /// One took this long.
    pub fn observe(&self, time: Duration) {
        self.0.observe(time.as_secs_f64());
    }

    /// How many were observed.
    pub fn count(&self) -> u64 {
        self.0.get_sample_count()
    }

    /// Seconds of all together.
    pub fn seconds(&self) -> f64 {
        self.0.get_sample_sum()
    }
}
