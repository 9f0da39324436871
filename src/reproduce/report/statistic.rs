//! Mean and spread.

use serde::Serialize;

/// Of values under several seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Statistic {
    pub(super) mean: f64,
    /// The sample's standard deviation; of one value, none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) spread: Option<f64>,
    pub(super) values: usize,
}

impl Statistic {
    /// `None` of nothing.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.into_iter().collect();
        let count = values.len() as f64;
        if values.is_empty() {
            return None;
        }
        let mean = values.iter().sum::<f64>() / count;
        let square = values.iter().map(|value| (value - mean).powi(2));
        let spread = (values.len() > 1).then(|| (square.sum::<f64>() / (count - 1.0)).sqrt());
        Some(Self {
            mean,
            spread,
            values: values.len(),
        })
    }
}

impl std::fmt::Display for Statistic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.spread {
            Some(spread) => write!(f, "{:.4} ± {spread:.4}", self.mean),
            None => write!(f, "{:.4}", self.mean),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn mean_and_spread_are_those_of_a_sample() {
        assert_eq!(Statistic::of([]), None);
        assert_eq!(Statistic::of([0.9876]).unwrap().to_string(), "0.9876");
        let of_three = Statistic::of([0.9, 0.95, 1.0]).unwrap();
        assert_eq!(of_three.to_string(), "0.9500 ± 0.0500");
    }
}
