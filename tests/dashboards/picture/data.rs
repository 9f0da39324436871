//! What a panel shows: Prometheus's answers to its queries.

use std::collections::BTreeMap;

use crate::{
    prometheus::{Line, Prometheus, Sample},
    source::{Kind, Panel},
    watched::fill,
};

/// Points of a line; more are not told apart in a small image.
const POINTS: f64 = 60.0;

/// A named line over time.
pub(super) struct Series {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// What a panel shows.
pub(super) enum Shown {
    Lines(Vec<Series>),
    Values(Vec<(String, f64)>),
    Table {
        headings: Vec<String>,
        rows: Vec<Vec<Cell>>,
    },
}

pub(super) enum Cell {
    Text(String),
    Number(f64, String),
    Empty,
}

/// Whom to ask, for what choice of variables, over what time.
pub(crate) struct View<'a> {
    pub(crate) prometheus: &'a Prometheus,
    pub(crate) variables: &'a BTreeMap<String, String>,
    /// Seconds since 1970.
    pub(crate) window: (f64, f64),
}

impl View<'_> {
    pub(super) fn shown(&self, panel: &Panel) -> Shown {
        match panel.kind {
            Kind::Timeseries => Shown::Lines(self.lines(panel)),
            Kind::Stat | Kind::Bargauge => Shown::Values(self.values(panel)),
            Kind::Table => self.table(panel),
        }
    }

    fn lines(&self, panel: &Panel) -> Vec<Series> {
        let (start, end) = self.window;
        let step_s = ((end - start) / POINTS).max(1.0);
        // The last point is now: what has only just begun is to be seen.
        let window = (end - ((end - start) / step_s).floor() * step_s, end);
        let mut all = Vec::new();
        for query in &panel.queries {
            let expr = fill(&query.expr, self.variables);
            let lines = self.prometheus.over_time(&expr, window, step_s).unwrap();
            all.extend(lines.into_iter().map(|Line { labels, points }| {
                Series {
                    name: named(&query.legend, &labels),
                    points: points
                        .into_iter()
                        .filter(|point| point.1.is_finite())
                        .collect(),
                }
            }));
        }
        all.retain(|series| !series.points.is_empty());
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    fn now(&self, expr: &str) -> Vec<Sample> {
        self.prometheus.now(&fill(expr, self.variables)).unwrap()
    }

    fn values(&self, panel: &Panel) -> Vec<(String, f64)> {
        let mut all = Vec::new();
        for query in &panel.queries {
            let samples = self.now(&query.expr).into_iter();
            all.extend(samples.map(|one| (named(&query.legend, &one.labels), one.value)));
        }
        all.sort_by(|one, other| one.0.cmp(&other.0));
        all
    }

    /// Queries side by side, joined by the first column, as Grafana is told to.
    fn table(&self, panel: &Panel) -> Shown {
        let valued = panel
            .queries
            .iter()
            .filter(|query| !query.legend.is_empty());
        let legends = valued.map(|query| query.legend.clone());
        let headings: Vec<String> = panel.columns.iter().cloned().chain(legends).collect();
        let alone = panel.queries.len() == 1;
        let mut rows: BTreeMap<Vec<String>, Vec<Cell>> = BTreeMap::new();
        let blank = || headings.iter().map(|_| Cell::Empty).collect::<Vec<_>>();
        let mut at = panel.columns.len();
        for query in &panel.queries {
            for sample in self.now(&query.expr) {
                let label = |name: &String| sample.labels.get(name).cloned();
                let by = &panel.columns[..if alone { panel.columns.len() } else { 1 }];
                let key: Vec<String> = by.iter().map(|n| label(n).unwrap_or_default()).collect();
                let row = rows.entry(key).or_insert_with(blank);
                for (cell, name) in row.iter_mut().zip(&panel.columns) {
                    if let Some(text) = label(name) {
                        *cell = Cell::Text(text);
                    }
                }
                if !query.legend.is_empty() {
                    let unit = query.unit.as_ref().unwrap_or(&panel.unit);
                    row[at] = Cell::Number(sample.value, unit.clone());
                }
            }
            at += usize::from(!query.legend.is_empty());
        }
        let rows = rows.into_values().collect();
        Shown::Table { headings, rows }
    }
}

/// A legend with the values of labels in it.
fn named(legend: &str, labels: &BTreeMap<String, String>) -> String {
    let mut name = legend.to_owned();
    for label in crate::promql::legend_labels(legend) {
        let value = labels.get(&label).map_or("", String::as_str);
        name = name.replace(&format!("{{{{{label}}}}}"), value);
    }
    name.trim().to_owned()
}
