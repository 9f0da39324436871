//! What the labels' side computes from logits.
//!
//! | | logits of a sample | p | T |
//! |---|---|---|---|
//! | cross-entropy | c, one for each class | softmax z | one-hot |
//! | binary cross-entropy | c = 1 | sigmoid z, of class 1 | 0 or 1 |
//!
//! In both `dL/dz = (p - T) / B`, and the rest of the protocol knows no more.

use ndarray::{Array2, ArrayView1, Axis};

use crate::{job::Objective, product::Judged};

/// The loss of a batch, and what its gradient is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Loss {
    /// Mean cross-entropy over the batch.
    pub mean: f64,
    /// Samples whose likeliest class is theirs.
    pub correct: u64,
    /// p, `B x c`.
    pub probabilities: Array2<f64>,
    /// T, `B x c`.
    pub targets: Array2<f64>,
}

impl Loss {
    /// The loss that a job minimises, of `z` (`B x c`) against the samples'
    /// classes. A class that the job does not have counts as wrong; data is
    /// checked for that long before.
    ///
    /// Exponential and logarithm are libm's and not the platform's, so that a
    /// trajectory is the same on every machine.
    pub fn of(objective: Objective, z: &Array2<f64>, classes: &[usize]) -> Self {
        match objective {
            Objective::CrossEntropy => softmax_cross_entropy(z, classes),
            Objective::BinaryCrossEntropy => binary_cross_entropy(z, classes),
        }
    }

    /// dL/dz = (p - T) / B, `B x c`.
    pub fn delta(&self) -> Array2<f64> {
        (&self.probabilities - &self.targets) / self.targets.nrows().max(1) as f64
    }
}

/// What `z` (`B x c`) says of samples whose classes nobody has to know.
pub fn judged(objective: Objective, z: &Array2<f64>) -> Judged {
    let p = Loss::of(objective, z, &[]).probabilities;
    Judged {
        likeliest: z
            .rows()
            .into_iter()
            .map(|z| likeliest(objective, z))
            .collect(),
        probabilities: match objective {
            Objective::CrossEntropy => p,
            // Of class 0 by the logit towards it, and not as what is left of
            // one: exact where it is small.
            Objective::BinaryCrossEntropy => {
                Array2::from_shape_fn((z.nrows(), 2), |(i, class)| match class {
                    0 => sigmoid(-z[(i, 0)]),
                    _ => p[(i, 0)],
                })
            }
        },
    }
}

/// The class that a sample's logits make the likeliest; the first, where
/// several are as likely.
fn likeliest(objective: Objective, z: ArrayView1<'_, f64>) -> usize {
    match objective {
        Objective::BinaryCrossEntropy => z.iter().filter(|z| **z > 0.0).count(),
        Objective::CrossEntropy => {
            let largest = z.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
            z.iter().position(|x| *x == largest).unwrap_or_default()
        }
    }
}

/// Of `z` (`B x c`), one logit for each class.
fn softmax_cross_entropy(z: &Array2<f64>, classes: &[usize]) -> Loss {
    let mut probabilities = z.clone();
    let mut targets = Array2::zeros(z.raw_dim());
    let (mut sum, mut correct) = (0.0, 0);
    for (i, mut row) in probabilities.axis_iter_mut(Axis(0)).enumerate() {
        let largest = row.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        let class = classes.get(i).copied().filter(|class| *class < row.len());
        let logit = class.map_or(largest, |class| row[class]);
        correct += u64::from(class == Some(likeliest(Objective::CrossEntropy, row.view())));
        row.mapv_inplace(|x| libm::exp(x - largest));
        let total = row.sum();
        row.mapv_inplace(|x| x / total);
        // -log p, from the logits: finite even where p underflows.
        sum += libm::log(total) - (logit - largest);
        if let Some(class) = class {
            targets[(i, class)] = 1.0;
        }
    }
    Loss {
        mean: sum / z.nrows().max(1) as f64,
        correct,
        probabilities,
        targets,
    }
}

/// Of `z` (`B x 1`): positive for class 1. At zero both are as likely, and the
/// first is taken, as it is among equal logits of a softmax.
fn binary_cross_entropy(z: &Array2<f64>, classes: &[usize]) -> Loss {
    let class = |i: usize| classes.get(i).copied();
    let mut correct = 0;
    let mut sum = 0.0;
    for (i, z) in z.rows().into_iter().enumerate() {
        let taken_for = likeliest(Objective::BinaryCrossEntropy, z);
        correct += u64::from(class(i) == Some(taken_for));
    }
    for ((i, _), z) in z.indexed_iter() {
        // -log p of the class, from the logit towards it: finite even where p
        // underflows.
        let towards = if class(i) == Some(1) { *z } else { -z };
        sum += (-towards).max(0.0) + libm::log1p(libm::exp(-towards.abs()));
    }
    Loss {
        mean: sum / z.nrows().max(1) as f64,
        correct,
        probabilities: z.mapv(sigmoid),
        targets: Array2::from_shape_fn(z.raw_dim(), |(i, _)| f64::from(class(i) == Some(1))),
    }
}

/// Never of a large positive exponent.
fn sigmoid(z: f64) -> f64 {
    let small = libm::exp(-z.abs());
    if z >= 0.0 {
        1.0 / (1.0 + small)
    } else {
        small / (1.0 + small)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn check_gradient(objective: Objective, z: &Array2<f64>, classes: &[usize]) {
        let delta = Loss::of(objective, z, classes).delta();
        for (at, delta) in delta.indexed_iter() {
            let h = 1e-6;
            let (mut up, mut down) = (z.clone(), z.clone());
            up[at] += h;
            down[at] -= h;
            let mean = |z| Loss::of(objective, &z, classes).mean;
            let slope = (mean(up) - mean(down)) / (2.0 * h);
            assert!((slope - delta).abs() < 1e-8, "{at:?}: {slope} for {delta}");
        }
    }

    #[test]
    fn gradients_are_the_finite_differences_of_the_loss() {
        let z = array![[0.3, -1.2, 2.0], [5.0, 4.0, -3.0]];
        check_gradient(Objective::CrossEntropy, &z, &[1, 0]);
        let z = array![[0.3], [-1.2], [2.0], [-3.0], [0.0]];
        check_gradient(Objective::BinaryCrossEntropy, &z, &[1, 0, 0, 1, 1]);
    }

    #[test]
    fn large_logits_stay_finite_and_the_likeliest_counts() {
        let z = array![[500.0, -500.0], [-500.0, 500.0]];
        let loss = Loss::of(Objective::CrossEntropy, &z, &[0, 0]);
        assert_eq!(loss.correct, 1);
        assert!((loss.mean - 500.0).abs() < 1e-9);
        let z = array![[500.0], [-1000.0], [-500.0], [0.0]];
        let loss = Loss::of(Objective::BinaryCrossEntropy, &z, &[1, 1, 0, 0]);
        assert_eq!(loss.correct, 3);
        assert!((loss.mean - (1000.0 + libm::log(2.0)) / 4.0).abs() < 1e-9);
        let expected = array![[1.0], [0.0], [0.0], [0.5]];
        let off = (loss.probabilities - expected).mapv(f64::abs);
        assert!(off.iter().all(|off| *off < 1e-100), "{off}");
    }

    #[test]
    fn what_is_said_of_a_sample_is_what_its_loss_counts() {
        let z = array![[0.3, -1.2, 2.0], [5.0, 4.0, 5.0]];
        let of = judged(Objective::CrossEntropy, &z);
        assert_eq!(of.likeliest, [2, 0], "the first of two that are as likely");
        assert_eq!(Loss::of(Objective::CrossEntropy, &z, &[2, 0]).correct, 2);
        let z = array![[0.3], [-40.0], [0.0]];
        let of = judged(Objective::BinaryCrossEntropy, &z);
        assert_eq!(of.likeliest, [1, 0, 0]);
        assert_eq!(
            Loss::of(Objective::BinaryCrossEntropy, &z, &[1, 0, 0]).correct,
            3
        );
        assert_eq!(of.probabilities.dim(), (3, 2));
        assert!((of.probabilities.sum() - 3.0).abs() < 1e-12);
        assert!(of.probabilities[(1, 0)] > 0.999);
    }

    /// One logit is two of which one is held at zero.
    #[test]
    fn one_logit_is_the_softmax_of_two() {
        let one = array![[0.7], [-2.5], [3.0]];
        let two = array![[0.0, 0.7], [0.0, -2.5], [0.0, 3.0]];
        let classes = [0, 1, 1];
        let one = Loss::of(Objective::BinaryCrossEntropy, &one, &classes);
        let two = Loss::of(Objective::CrossEntropy, &two, &classes);
        assert_eq!(one.correct, two.correct);
        assert!((one.mean - two.mean).abs() < 1e-12);
        for i in 0..3 {
            assert!((one.delta()[(i, 0)] - two.delta()[(i, 1)]).abs() < 1e-12);
        }
    }
}
