//! The same network trained in plain floating point by one who holds
//! everything: what the encrypted run is measured against.
//!
//! Nothing of the protocol is here: no ring, no grid, no shares, no split of
//! roles. Only what is public in a job is shared with it: the split, the order
//! of samples, the learning rates. So a difference in accuracy between the two
//! is the price of the protocol, and it should be none. (Whether the protocol
//! computes the right thing is another question, answered bit for bit by
//! [`entente_protocol::acml::reference`].)

use entente_protocol::{
    acml::loss::Loss,
    job::{Job, Objective},
    network::{BottomNetwork, Features, Labels, NetworkError, Step},
    schedule::Exchange,
};
use ndarray::{Array1, Array2, Axis};

/// A bottom network and a dense layer with bias over it, learning together.
pub struct PlaintextClassifier {
    bottom: Box<dyn BottomNetwork>,
    /// W2, `c x h`.
    top: Array2<f64>,
    /// b2, c values.
    bias: Array1<f64>,
    objective: Objective,
    learning_rate: f64,
}

/// What came of training.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaintextResult {
    /// The part of the test rows that was classified rightly, 0 to 1; `None`
    /// when the job sets no rows apart.
    pub test_accuracy: Option<f64>,
    /// Mean cross-entropy over the training samples of each epoch, each taken
    /// before the step that it led to.
    pub losses: Vec<f64>,
    /// The part of the validation rows that was classified rightly after each
    /// epoch; empty when the job sets none apart.
    pub validated: Vec<f64>,
}

impl PlaintextClassifier {
    /// Runs the whole of `job` on all its data, from the weights given
    /// (`initial_top` is `c x h`; the bias starts at zero).
    ///
    /// # Errors
    /// [`NetworkError`] when the two halves of the data do not have the same
    /// rows, or a shape does not fit.
    pub fn train(
        job: &Job,
        features: &dyn Features,
        labels: &dyn Labels,
        initial_top: Array2<f64>,
        bottom: Box<dyn BottomNetwork>,
    ) -> Result<PlaintextResult, NetworkError> {
        if features.rows() != labels.rows() {
            return Err(NetworkError::Data(format!(
                "there are features of {} rows and labels of {}: give both for the same rows",
                features.rows(),
                labels.rows()
            )));
        }
        let mut classifier = Self::new(job, initial_top, bottom)?;
        let schedule = job.schedule(features.ids());
        let pace = job.pace(&schedule);
        let epochs = job.spec().training.epochs as usize;
        let (mut losses, mut validated) = (vec![0.0; epochs], vec![0.0; epochs]);
        let validation_rows = schedule.validation_rows().len();
        let mut correct = 0;
        for index in 0..schedule.exchanges() {
            match schedule.exchange(index) {
                None | Some(Exchange::SetUp) => {}
                // A look that changes nothing.
                Some(Exchange::Validate { epoch, rows }) => {
                    let hits = classifier.correct(features.batch(&rows)?, &labels.batch(&rows)?)?;
                    if let Some(part) = validated.get_mut(epoch as usize) {
                        *part += hits as f64 / validation_rows as f64;
                    }
                }
                Some(Exchange::Train { epoch, round, rows }) => {
                    let pace = pace.at(round);
                    let share = rows.len() as f64 / schedule.train_rows().len() as f64;
                    let (x, classes) = (features.batch(&rows)?, labels.batch(&rows)?);
                    let loss = classifier.learn(x, &classes, Step { round, pace })?;
                    if let Some(sum) = losses.get_mut(epoch as usize) {
                        *sum += loss * share;
                    }
                }
                Some(Exchange::Evaluate { rows }) => {
                    correct += classifier.correct(features.batch(&rows)?, &labels.batch(&rows)?)?;
                }
            }
        }
        let tested = schedule.test_rows().len();
        Ok(PlaintextResult {
            test_accuracy: (tested > 0).then(|| correct as f64 / tested as f64),
            losses,
            validated: match validation_rows {
                0 => Vec::new(),
                _ => validated,
            },
        })
    }

    fn new(
        job: &Job,
        top: Array2<f64>,
        bottom: Box<dyn BottomNetwork>,
    ) -> Result<Self, NetworkError> {
        let spec = job.spec();
        let (logits, width) = (job.logits(), bottom.width());
        if top.dim() != (logits, width) {
            let takes = format!("weights above it of {logits} x {width}");
            let got = format!("{} x {}", top.nrows(), top.ncols());
            return Err(job.blueprint().at_the_cut(takes, got).into());
        }
        Ok(Self {
            bottom,
            top,
            bias: Array1::zeros(logits),
            objective: spec.network.loss,
            learning_rate: spec.training.learning_rate,
        })
    }

    /// z = a W2' + b2: `B x h` to `B x c`.
    fn logits(&self, a: &Array2<f64>) -> Array2<f64> {
        a.dot(&self.top.t()) + &self.bias
    }

    /// One mini-batch; returns its mean loss before the step.
    fn learn(
        &mut self,
        x: Array2<f32>,
        classes: &[usize],
        step: Step,
    ) -> Result<f64, NetworkError> {
        let a = self.bottom.forward(x, step)?.mapv(f64::from);
        let loss = Loss::of(self.objective, &self.logits(&a), classes);
        let delta = loss.delta();
        // With the weights that made z, so before they are stepped.
        let d_a = delta.dot(&self.top);
        let rate = self.learning_rate * step.pace;
        self.top.scaled_add(-rate, &delta.t().dot(&a));
        self.bias.scaled_add(-rate, &delta.sum_axis(Axis(0)));
        self.bottom.backward(d_a.mapv(|x| x as f32))?;
        Ok(loss.mean)
    }

    /// How many of these samples are classified rightly.
    fn correct(&self, x: Array2<f32>, classes: &[usize]) -> Result<u64, NetworkError> {
        let a = self.bottom.infer(x)?.mapv(f64::from);
        Ok(Loss::of(self.objective, &self.logits(&a), classes).correct)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::{Arc, Mutex};

    use entente_protocol::{
        job::{JobSpec, Optimizer},
        network::NamedTensor,
    };
    use entente_wire::Secret;
    use ndarray::array;

    use super::*;
    use crate::{
        data::{
            Columns, open_features, open_labels,
            tests::{iris, iris_job},
        },
        network::build,
    };

    fn train(edit: impl FnOnce(&mut JobSpec)) -> PlaintextResult {
        let job = iris_job(edit);
        let seed = [job.spec().training.seed as u8; 32];
        let bottom = build(&job, &seed, None).unwrap();
        let top = Array2::from_shape_fn((3, 5), |(i, j)| ((5 * i + j) as f64).sin() / 2.0);
        let features = open_features(&iris(Columns::Features), &job).unwrap();
        let labels = open_labels(&iris(Columns::Labels), &job).unwrap();
        PlaintextClassifier::train(&job, &*features, &*labels, top, bottom).unwrap()
    }

    /// With 30 test rows one flower is three points, and a split can be
    /// unlucky: over fifty seeds this comes to 0.97, over the first five of
    /// them to 0.94. Hence ten, from 1.
    #[test]
    fn irises_are_learnt() {
        let mut sum = 0.0;
        for seed in 1..=10 {
            let result = train(|spec| {
                spec.training.seed = seed;
                spec.training.epochs = 40;
                spec.training.bottom = Optimizer::Sgd {
                    learning_rate: 0.1,
                    momentum: 0.9,
                    weight_decay: 0.0,
                };
            });
            assert_eq!(result.losses.len(), 40);
            assert!(result.validated.is_empty());
            assert!(result.losses[39] < 0.2 * result.losses[0]);
            sum += result.test_accuracy.unwrap();
        }
        assert!(sum / 10.0 >= 0.95, "mean accuracy {}", sum / 10.0);
    }

    #[test]
    fn a_job_without_test_rows_has_no_accuracy() {
        let result = train(|spec| spec.data.test_fraction = 0.0);
        assert_eq!(result.test_accuracy, None);
        // What any guess costs among three classes, or little less.
        assert!((0.3..1.5).contains(&result.losses[0]));
    }

    #[test]
    fn a_look_after_each_epoch_changes_nothing() {
        let looked = train(|spec| spec.data.validation_fraction = 0.2);
        assert_eq!(looked.validated.len(), looked.losses.len());
        assert!(
            looked
                .validated
                .iter()
                .all(|part| (0.0..=1.0).contains(part))
        );
        // The last epoch is the only one to be looked at after, if it is one.
        let one = train(|spec| {
            spec.data.validation_fraction = 0.2;
            spec.training.epochs = 1;
        });
        assert_eq!(one.losses[0], looked.losses[0]);
        assert_eq!(one.validated[0], looked.validated[0]);
    }

    /// Below the cut nothing but a notebook for the gradient.
    struct Notebook(Arc<Mutex<Option<Array2<f32>>>>);

    impl BottomNetwork for Notebook {
        fn width(&self) -> usize {
            2
        }

        fn forward(&mut self, x: Array2<f32>, _: Step) -> Result<Array2<f32>, NetworkError> {
            Ok(x)
        }

        fn backward(&mut self, d_a: Array2<f32>) -> Result<(), NetworkError> {
            *self.0.lock().unwrap() = Some(d_a);
            Ok(())
        }

        fn infer(&self, x: Array2<f32>) -> Result<Array2<f32>, NetworkError> {
            Ok(x)
        }

        fn parameters(&self) -> Vec<NamedTensor> {
            Vec::new()
        }

        fn state(&self) -> Secret<Vec<u8>> {
            Secret::new(Vec::new())
        }

        fn restore(&mut self, _: &Secret<Vec<u8>>) -> Result<(), NetworkError> {
            Ok(())
        }
    }

    #[test]
    fn a_step_is_the_finite_difference_of_the_loss() {
        let noted = Arc::default();
        let x = array![[0.5_f32, -1.0], [2.0, 0.25], [-0.75, 1.5]];
        let (top, bias) = (
            array![[0.3, -0.2], [0.1, 0.9], [-0.6, 0.4]],
            array![0.1, 0.0, -0.2],
        );
        let classes = [2, 0, 1];
        let mut classifier = PlaintextClassifier {
            bottom: Box::new(Notebook(Arc::clone(&noted))),
            top: top.clone(),
            bias: bias.clone(),
            objective: Objective::CrossEntropy,
            learning_rate: 1.0,
        };
        let loss_at = |a: &Array2<f64>, top: &Array2<f64>, bias: &Array1<f64>| {
            Loss::of(Objective::CrossEntropy, &(a.dot(&top.t()) + bias), &classes).mean
        };
        let a = x.mapv(f64::from);
        let step = Step {
            round: 3,
            pace: 0.5,
        };
        assert_eq!(
            classifier.learn(x, &classes, step).unwrap(),
            loss_at(&a, &top, &bias)
        );

        let h = 1e-6;
        let slope = |loss: &dyn Fn(f64) -> f64| (loss(h) - loss(-h)) / (2.0 * h);
        let nudged = |x: &Array2<f64>, at: (usize, usize), h: f64| {
            let mut x = x.clone();
            x[at] += h;
            x
        };
        for (at, before) in top.indexed_iter() {
            let slope = slope(&|h| loss_at(&a, &nudged(&top, at, h), &bias));
            assert!((before - 0.5 * slope - classifier.top[at]).abs() < 1e-8);
        }
        for (at, before) in bias.indexed_iter() {
            let slope = slope(&|h| {
                let mut bias = bias.clone();
                bias[at] += h;
                loss_at(&a, &top, &bias)
            });
            assert!((before - 0.5 * slope - classifier.bias[at]).abs() < 1e-8);
        }
        let d_a = noted.lock().unwrap().take().unwrap();
        for (at, noted) in d_a.indexed_iter() {
            let slope = slope(&|h| loss_at(&nudged(&a, at, h), &top, &bias));
            assert!((f64::from(*noted) - slope).abs() < 1e-6);
        }
    }

    #[test]
    fn weights_of_another_shape_are_refused() {
        let job = iris_job(|_| ());
        let bottom = Box::new(Notebook(Arc::default()));
        let error = PlaintextClassifier::new(&job, Array2::zeros((2, 3)), bottom);
        assert_eq!(
            error.err().unwrap().to_string(),
            "layer 2 (cut) takes weights above it of 3 x 2, got 2 x 3"
        );
    }
}
