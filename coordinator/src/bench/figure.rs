//! What is measured of a phase, and how.

use core::fmt;
use std::{
    future::Future,
    time::{Duration, Instant},
};

use serde::Serialize;

use super::BenchError;

/// What one phase took.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// `engine` alone, or `store`: through runtime and SQLite.
    pub through: &'static str,
    /// `connect`, `submit`, `approve`, `renew` or `work`.
    pub phase: &'static str,
    /// Events.
    pub events: usize,
    /// Of them in a second, one after the other.
    pub events_per_s: f64,
    /// Jobs that were given their places in a second; of the phases in which any
    /// were.
    pub starts_per_s: Option<f64>,
    /// What half of the events took less than, in microseconds.
    pub median_us: f64,
    /// What 99 of 100 took less than.
    pub p99_us: f64,
    /// What the longest took.
    pub longest_us: f64,
}

/// A line of a table, for a person.
impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:6} {:8} {:>7} events, {:>8.0} a second, median {:>7.0} us, p99 {:>7.0} us, longest \
             {:>7.0} us",
            self.through,
            self.phase,
            self.events,
            self.events_per_s,
            self.median_us,
            self.p99_us,
            self.longest_us
        )?;
        match self.starts_per_s {
            Some(starts) => write!(f, ", {starts:.0} jobs started a second"),
            None => Ok(()),
        }
    }
}

/// What events took.
#[derive(Debug, Default)]
pub(super) struct Watch {
    took: Vec<Duration>,
    started: usize,
}

impl Watch {
    pub(super) async fn time(
        &mut self,
        event: impl Future<Output = Result<usize, BenchError>>,
    ) -> Result<(), BenchError> {
        let begun = Instant::now();
        self.started += event.await?;
        self.took.push(begun.elapsed());
        Ok(())
    }

    pub(super) fn figure(mut self, through: &'static str, phase: &'static str) -> Figure {
        self.took.sort_unstable();
        let all: Duration = self.took.iter().sum();
        let at = |part: f64| {
            let index = (self.took.len() as f64 * part) as usize;
            let took = self.took.get(index).or(self.took.last());
            took.map_or(0.0, |took| took.as_secs_f64() * 1e6)
        };
        let per_s = |count: usize| count as f64 / all.as_secs_f64().max(1e-9);
        Figure {
            through,
            phase,
            events: self.took.len(),
            events_per_s: per_s(self.took.len()),
            starts_per_s: (self.started > 0).then(|| per_s(self.started)),
            median_us: at(0.5),
            p99_us: at(0.99),
            longest_us: at(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_those_of_the_times() {
        let watch = Watch {
            took: (1..=100).rev().map(Duration::from_micros).collect(),
            started: 0,
        };
        let figure = watch.figure("engine", "submit");
        assert_eq!((figure.median_us, figure.p99_us), (51.0, 100.0));
        assert_eq!((figure.longest_us, figure.starts_per_s), (100.0, None));
    }
}
