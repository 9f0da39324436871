//! Between values and what the library writes down.

use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric as Line, MetricFamily, MetricType,
};

use crate::{
    Metric,
    counts::{Observed, Series, Value},
};

/// The series of a family.
pub(crate) fn series_of(metric: &Metric, family: &MetricFamily) -> Series {
    let lines = family.get_metric().iter();
    lines
        .map(|line| (labels(metric, line), value(metric, line)))
        .collect()
}

/// The family with these series.
pub(crate) fn family_of(metric: &Metric, series: &Series) -> MetricFamily {
    let lines = series.iter();
    let lines = lines.map(|(labels, value)| written(metric, labels, value));
    let mut family = MetricFamily::default();
    family.set_name(metric.name.to_owned());
    family.set_help(metric.help.to_owned());
    family.set_field_type(match metric.kind {
        "counter" => MetricType::COUNTER,
        "histogram" => MetricType::HISTOGRAM,
        _ => MetricType::GAUGE,
    });
    family.set_metric(lines.collect());
    family
}

fn labels(metric: &Metric, line: &Line) -> Vec<String> {
    let value = |name: &&str| {
        let pair = line.get_label().iter().find(|pair| pair.name() == *name);
        pair.map_or_else(String::new, |pair| pair.value().to_owned())
    };
    metric.labels.iter().map(value).collect()
}

fn value(metric: &Metric, line: &Line) -> Value {
    match metric.kind {
        "counter" => Value::Counter(line.get_counter().get_value()),
        "histogram" => {
            let histogram = line.get_histogram();
            let buckets = histogram.get_bucket().iter();
            Value::Histogram(Observed {
                up_to: buckets.map(Bucket::cumulative_count).collect(),
                count: histogram.get_sample_count(),
                sum: histogram.get_sample_sum(),
            })
        }
        _ => Value::Gauge(line.get_gauge().get_value()),
    }
}

fn written(metric: &Metric, labels: &[String], value: &Value) -> Line {
    let mut pairs: Vec<LabelPair> = metric
        .labels
        .iter()
        .zip(labels)
        .map(|(name, value)| {
            let mut pair = LabelPair::default();
            pair.set_name((*name).to_owned());
            pair.set_value(value.clone());
            pair
        })
        .collect();
    // As the library has them.
    pairs.sort_by(|one, other| one.name().cmp(other.name()));
    let mut line = Line::from_label(pairs);
    match value {
        Value::Counter(value) => {
            let mut counter = Counter::default();
            counter.set_value(*value);
            line.set_counter(counter);
        }
        Value::Gauge(value) => {
            let mut gauge = Gauge::default();
            gauge.set_value(*value);
            line.set_gauge(gauge);
        }
        Value::Histogram(observed) => line.set_histogram(histogram(metric, observed)),
    }
    line
}

fn histogram(metric: &Metric, observed: &Observed) -> Histogram {
    let buckets = metric.buckets.iter().zip(&observed.up_to);
    let buckets = buckets.map(|(edge, up_to)| {
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(*edge);
        bucket.set_cumulative_count(*up_to);
        bucket
    });
    let mut histogram = Histogram::default();
    histogram.set_bucket(buckets.collect());
    histogram.set_sample_count(observed.count);
    histogram.set_sample_sum(observed.sum);
    histogram
}
