//! The same network trained in plain floating point by one who holds
//! everything: what the encrypted run is measured against.
//!
//! Nothing of the protocol is here: no ring, no grid, no shares, no split of
//! roles. Only what is public in a job is shared with it: the split, the order
//! of samples, the learning rates, the rule by which training stops (with what
//! this network itself scores on the validation rows). So a difference in accuracy between the two
//! is the price of the protocol, and it should be none. (Whether the protocol
//! computes the right thing is another question, answered bit for bit by
//! [`entente_protocol::acml::reference`].)

use entente_protocol::{
    Report,
    acml::loss::Loss,
    course::Course,
    job::{Job, Objective},
    network::{BottomNetwork, Features, Labels, NetworkError, Step},
    schedule::Exchange,
    score::Score,
    verdict::Judge,
};
use entente_wire::Secret;
use ndarray::{Array1, Array2, Axis};

#[cfg(test)]
mod tests;

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

/// All that is learnt, as it stood after an epoch.
struct Kept {
    top: Array2<f64>,
    bias: Array1<f64>,
    bottom: Secret<Vec<u8>>,
}

/// What came of training.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaintextResult {
    /// The part of the test rows that was classified rightly, 0 to 1; `None`
    /// when the job sets no rows apart.
    pub test_accuracy: Option<f64>,
    /// Mean loss over the training samples of each epoch that was gone through,
    /// each taken before the step that it led to.
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
        let course = Course::new(job, features.ids());
        let mut course = course.map_err(|error| NetworkError::Data(error.to_string()))?;
        let pace = job.pace(course.schedule());
        let mut judge = job.selection().map(Judge::new);
        let mut best = None;
        let (mut losses, mut validated) = (Vec::new(), Vec::new());
        let (mut looked, mut tested) = (Score::default(), Score::default());
        let mut index = 0;
        while let Some(exchange) = course.exchange(index) {
            index += 1;
            match exchange {
                Exchange::SetUp => {}
                Exchange::Train { epoch, round, rows } => {
                    let pace = pace.at(round);
                    let share = rows.len() as f64 / course.schedule().train_rows().len() as f64;
                    let (x, classes) = (features.batch(&rows)?, labels.batch(&rows)?);
                    let loss = classifier.learn(x, &classes, Step { round, pace })?;
                    losses.resize(epoch as usize + 1, 0.0);
                    if let Some(sum) = losses.last_mut() {
                        *sum += loss * share;
                    }
                }
                Exchange::Validate { epoch, last, rows } => {
                    let (x, classes) = (features.batch(&rows)?, labels.batch(&rows)?);
                    let seen = classifier.infer(x, &classes)?;
                    looked.add(&seen);
                    if last {
                        validated.extend(std::mem::take(&mut looked).accuracy());
                    }
                    // Where nobody asks, a look at these rows changes nothing.
                    let Some(judge) = &mut judge else { continue };
                    judge.add(&seen);
                    if last {
                        let copying = course.hear(epoch, judge.verdict());
                        if let Some(kept) = copying.on(&mut best, || classifier.copy()) {
                            classifier.put_back(kept)?;
                        }
                    }
                }
                Exchange::Evaluate { rows } => {
                    let (x, classes) = (features.batch(&rows)?, labels.batch(&rows)?);
                    tested.add(&classifier.infer(x, &classes)?);
                }
            }
        }
        Ok(PlaintextResult {
            test_accuracy: tested.accuracy(),
            losses,
            validated,
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

    /// What the network says of these samples as it stands.
    fn infer(&self, x: Array2<f32>, classes: &[usize]) -> Result<Report, NetworkError> {
        let a = self.bottom.infer(x)?.mapv(f64::from);
        let loss = Loss::of(self.objective, &self.logits(&a), classes);
        Ok(Report {
            samples: classes.len() as u64,
            loss: Some(loss.mean),
            correct: Some(loss.correct),
            ..Report::default()
        })
    }

    fn copy(&self) -> Kept {
        Kept {
            top: self.top.clone(),
            bias: self.bias.clone(),
            bottom: self.bottom.state(),
        }
    }

    fn put_back(&mut self, kept: Kept) -> Result<(), NetworkError> {
        self.bottom.restore(&kept.bottom)?;
        (self.top, self.bias) = (kept.top, kept.bias);
        Ok(())
    }
}
