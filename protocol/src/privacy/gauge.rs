//! How well the published attacks do on the gradients of an epoch.
//!
//! | attack | what the active party looks at |
//! |---|---|
//! | norm | `\|\|g_i\|\|`: samples of a rare class have longer gradients |
//! | cosine | `cos(g_i, g_k)` with one sample `g_k` whose label it knows |
//!
//! Each gives every sample a score; the area under the ROC curve of that score
//! against "is of class k" says how well it finds class k. Areas are taken per
//! batch, as the attacker sees them, and averaged over the epoch, each batch
//! with the number of pairs that it compares; the class that does worst
//! counts. A score that finds the others serves as well, so areas below one
//! half are mirrored, after averaging: noise is not an attack.

use entente_wire::{Decode, DecodeError, Encode, Reader};
use ndarray::{Array2, ArrayView1};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checkpoint::{float, put_float};

/// The attacks on the gradients of one epoch: areas under their curves.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Leak {
    /// Of the norm attack.
    pub norm_auc: f64,
    /// Of the cosine attack.
    pub cosine_auc: f64,
}

impl Leak {
    /// The better of the two.
    pub fn worst(self) -> f64 {
        self.norm_auc.max(self.cosine_auc)
    }
}

/// Sums of areas, weighted with pairs.
#[derive(Debug, Clone, Copy, Default)]
struct Average {
    sum: f64,
    pairs: f64,
}

impl Average {
    /// Takes in the area of one batch.
    fn add(&mut self, scores: &[f64], hits: &[bool]) {
        if let Some((area, pairs)) = area(scores, hits) {
            self.sum += area * pairs;
            self.pairs += pairs;
        }
    }

    /// At least one half; `None` when nothing was compared.
    fn area(self) -> Option<f64> {
        (self.pairs > 0.0).then(|| 0.5 + (self.sum / self.pairs - 0.5).abs())
    }
}

/// The gradients of an epoch so far.
#[derive(Debug, Clone)]
pub struct Gauge {
    /// By class: norm, cosine.
    attacks: Vec<[Average; 2]>,
}

impl Gauge {
    /// For so many classes.
    pub fn new(classes: usize) -> Self {
        Self {
            attacks: vec![[Average::default(); 2]; classes],
        }
    }

    /// Takes in a batch of gradients that is about to be released: `delta` is
    /// `B x c`, the labels of the samples B.
    pub fn observe(&mut self, delta: &Array2<f64>, labels: &[usize]) {
        let norms: Vec<f64> = delta.rows().into_iter().map(norm).collect();
        for (class, [by_norm, by_cosine]) in self.attacks.iter_mut().enumerate() {
            let hits: Vec<bool> = labels.iter().map(|label| *label == class).collect();
            let Some(known) = hits.iter().position(|hit| *hit) else {
                continue;
            };
            by_norm.add(&norms, &hits);
            // The sample that the attacker knows takes no part.
            let direction = delta.row(known);
            let (mut scores, mut others) = (Vec::new(), Vec::new());
            for (i, row) in delta
                .rows()
                .into_iter()
                .enumerate()
                .filter(|x| x.0 != known)
            {
                scores.push(cosine(row, direction));
                others.push(hits.get(i).copied().unwrap_or(false));
            }
            by_cosine.add(&scores, &others);
        }
    }

    /// What the epoch leaked, and a fresh start; `None` when no batch had two
    /// classes to tell apart.
    pub fn finish(&mut self) -> Option<Leak> {
        let worst = |attack: fn(&[Average; 2]) -> Average| {
            let areas = self.attacks.iter().map(attack).filter_map(Average::area);
            areas.fold(None, |worst: Option<f64>, x| {
                Some(worst.map_or(x, |y| y.max(x)))
            })
        };
        let (norm, cosine) = (worst(|[norm, _]| *norm), worst(|[_, cosine]| *cosine));
        *self = Self::new(self.attacks.len());
        norm.or(cosine).map(|_| Leak {
            norm_auc: norm.unwrap_or(0.5),
            cosine_auc: cosine.unwrap_or(0.5),
        })
    }
}

impl Encode for Gauge {
    fn encode(&self, out: &mut Vec<u8>) {
        for Average { sum, pairs } in self.attacks.as_flattened() {
            put_float(*sum, out);
            put_float(*pairs, out);
        }
    }
}

/// For so many classes.
impl Decode<usize> for Gauge {
    fn decode(classes: &usize, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut gauge = Self::new(*classes);
        for average in gauge.attacks.as_flattened_mut() {
            *average = Average {
                sum: float("sum of areas", input)?,
                pairs: float("pairs compared", input)?,
            };
        }
        Ok(gauge)
    }
}

fn norm(row: ArrayView1<'_, f64>) -> f64 {
    libm::sqrt(row.dot(&row))
}

/// Zero for a gradient that is none.
fn cosine(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>) -> f64 {
    let lengths = norm(a) * norm(b);
    if lengths > 0.0 {
        a.dot(&b) / lengths
    } else {
        0.0
    }
}

/// The area under the ROC curve of `scores` for finding `hits`: the
/// probability that a hit scores above another sample, ties counting half
/// (Mann and Whitney). With the number of pairs; `None` when there are none.
pub fn area(scores: &[f64], hits: &[bool]) -> Option<(f64, f64)> {
    let mut order: Vec<(f64, bool)> = scores.iter().copied().zip(hits.iter().copied()).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut wins) = (0.0, 0.0);
    let mut found = 0.0;
    for ties in order.chunk_by(|a, b| a.0 == b.0) {
        let hits = ties.iter().filter(|(_, hit)| *hit).count() as f64;
        let misses = ties.len() as f64 - hits;
        wins += hits * (below + misses / 2.0);
        below += misses;
        found += hits;
    }
    let pairs = found * below;
    (pairs > 0.0).then(|| (wins / pairs, pairs))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ndarray::array;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn separable_gradients_leak_everything() {
        let mut gauge = Gauge::new(2);
        // Two of class 1, rare and so with long gradients of the other sign.
        let delta = array![
            [0.1, -0.1],
            [0.2, -0.2],
            [0.15, -0.15],
            [-0.9, 0.9],
            [-0.8, 0.8]
        ];
        gauge.observe(&delta, &[0, 0, 0, 1, 1]);
        let leak = gauge.finish().unwrap();
        assert_eq!(
            leak,
            Leak {
                norm_auc: 1.0,
                cosine_auc: 1.0
            }
        );
        assert_eq!(gauge.finish(), None, "the next epoch starts from nothing");
    }

    #[test]
    fn gradients_that_are_all_alike_leak_nothing() {
        let mut gauge = Gauge::new(2);
        gauge.observe(&Array2::ones((6, 2)), &[0, 1, 0, 1, 0, 1]);
        let leak = gauge.finish().unwrap();
        assert_eq!((leak.norm_auc, leak.cosine_auc), (0.5, 0.5));
    }

    #[test]
    fn one_class_alone_cannot_be_told_from_anything() {
        let mut gauge = Gauge::new(3);
        gauge.observe(&array![[1.0, 0.0, 0.0], [0.5, 0.1, 0.2]], &[1, 1]);
        assert_eq!(gauge.finish(), None);
    }

    proptest! {
        #[test]
        fn the_area_is_the_share_of_pairs_in_order(
            samples in prop::collection::vec((-4_i8..4, any::<bool>()), 0..40),
        ) {
            let scores: Vec<f64> = samples.iter().map(|s| f64::from(s.0)).collect();
            let hits: Vec<bool> = samples.iter().map(|s| s.1).collect();
            let (mut wins, mut pairs) = (0.0, 0.0);
            for (x, _) in samples.iter().filter(|s| s.1) {
                for (y, _) in samples.iter().filter(|s| !s.1) {
                    pairs += 1.0;
                    wins += if x > y { 1.0 } else if x == y { 0.5 } else { 0.0 };
                }
            }
            match area(&scores, &hits) {
                None => prop_assert_eq!(pairs, 0.0),
                Some((got, of)) => {
                    prop_assert_eq!(of, pairs);
                    prop_assert!((got - wins / pairs).abs() < 1e-12);
                }
            }
        }
    }
}
