//! The plaintext oracle: the same training without parties, shares, masks or
//! encryption, in fixed point over the integers.
//!
//! It is written apart from the ring on purpose: exact `i128` integers in
//! plain loops, no wrapping. Equality with the protocol, bit for bit, then
//! shows both that the masks cancel and that nothing ever wrapped.

use entente_wire::{RingMatrix, Secret, Shape};
use ndarray::Array2;

use super::{Model, loss::Loss, release::noise, weights::initial_half};
use crate::{
    ProtocolError, Report,
    course::Course,
    fixed::Scales,
    job::{Job, Objective, Pace},
    network::{BottomNetwork, Features, Labels, Step},
    privacy::Noise,
    schedule::{Exchange, Place, Schedule},
    score::Score,
    verdict::{Judge, Verdict},
};

type Integers = Array2<i128>;

/// A network in training, all of it in one place.
pub struct Reference {
    scales: Scales,
    objective: Objective,
    learning_rate: f64,
    pace: Pace,
    course: Course,
    judge: Option<Judge>,
    features: Box<dyn Features>,
    labels: Box<dyn Labels>,
    bottom: Box<dyn BottomNetwork>,
    /// `W2`, `c x h`, with `f_a + f_e` fractional bits.
    weights: Integers,
    /// `b2`, c of them, with `2 f_a + f_e` fractional bits.
    bias: Vec<i128>,
    noise: Option<Noise>,
    /// Of the best epoch, where the job keeps it.
    best: Option<Kept>,
}

/// All that is learnt, as it stood after an epoch.
struct Kept {
    weights: Integers,
    bias: Vec<i128>,
    bottom: Secret<Vec<u8>>,
}

impl Reference {
    /// From both parties' seeds, as their roles start.
    ///
    /// # Errors
    /// As for the roles.
    pub fn new(
        job: &Job,
        features: Box<dyn Features>,
        labels: Box<dyn Labels>,
        bottom: Box<dyn BottomNetwork>,
        seeds: [&Secret<[u8; 32]>; 2],
    ) -> Result<Self, ProtocolError> {
        let scales = job.spec().fixed_point;
        let [w_a, w_p] = seeds;
        let noise = noise(w_p, job);
        let w_a = integers(initial_half(w_a, job, scales)?.expose());
        let w_p = integers(initial_half(w_p, job, scales)?.expose());
        let course = Course::new(job, labels.ids())?;
        Ok(Self {
            scales,
            objective: job.spec().network.loss,
            learning_rate: job.spec().training.learning_rate,
            pace: job.pace(course.schedule()),
            course,
            judge: job.selection().map(Judge::new),
            features,
            labels,
            bottom,
            weights: w_a + w_p,
            bias: vec![0; job.logits()],
            noise,
            best: None,
        })
    }

    /// The exchanges, as far as is known now: fewer once training has stopped
    /// early.
    pub fn schedule(&self) -> &Schedule {
        self.course.schedule()
    }

    /// Goes through exchange `index`, as the parties do.
    ///
    /// # Errors
    /// [`ProtocolError`] when a value leaves its range or data fails.
    pub fn exchange(&mut self, index: u64) -> Result<Report, ProtocolError> {
        let exchange = self
            .course
            .exchange(index)
            .ok_or(ProtocolError::OutOfOrder { index })?;
        match exchange {
            Exchange::SetUp => Ok(Report::default()),
            Exchange::Train { rows, round, .. } => {
                let pace = self.pace.at(round);
                let x = self.features.batch(&rows)?;
                let a = self.bottom.forward(x, Step { round, pace })?;
                let a = integers(&self.scales.activations(&a)?);
                self.learn(index, &rows, pace, &a)
            }
            Exchange::Validate { rows, epoch, last } => {
                let mut report = self.infer(&rows)?;
                if let Some(judge) = &mut self.judge {
                    judge.add(&report);
                    report.verdict = last.then(|| judge.verdict());
                }
                if let Some(verdict) = report.verdict {
                    self.hear(epoch, verdict)?;
                }
                Ok(report)
            }
            Exchange::Evaluate { rows } => self.infer(&rows),
        }
    }

    /// What the network says of these rows as it stands.
    fn infer(&self, rows: &[usize]) -> Result<Report, ProtocolError> {
        let a = self.bottom.infer(self.features.batch(rows)?)?;
        let a = integers(&self.scales.activations(&a)?);
        self.loss(rows, &a).map(|(report, _)| report)
    }

    /// Goes on as the verdict on an epoch says.
    fn hear(&mut self, epoch: u32, verdict: Verdict) -> Result<(), ProtocolError> {
        let copying = self.course.hear(epoch, verdict);
        let (weights, bias, bottom) = (&self.weights, &self.bias, &self.bottom);
        let best = copying.on(&mut self.best, || Kept {
            weights: weights.clone(),
            bias: bias.clone(),
            bottom: bottom.state(),
        });
        if let Some(best) = best {
            self.bottom.restore(&best.bottom)?;
            (self.weights, self.bias) = (best.weights, best.bias);
        }
        Ok(())
    }

    /// Goes through the whole job. Returns the correctly classified share of
    /// the test rows, when there are any.
    ///
    /// # Errors
    /// As [`Reference::exchange`].
    pub fn run(&mut self) -> Result<Option<f64>, ProtocolError> {
        let mut tested = Score::default();
        let mut index = 0;
        while index < self.schedule().exchanges() {
            let report = self.exchange(index)?;
            if let Some(Place::Evaluate { .. }) = self.schedule().place(index) {
                tested.add(&report);
            }
            index += 1;
        }
        Ok(tested.accuracy())
    }

    /// The model as it stands.
    pub fn model(&self) -> Model {
        let ring = |rows: usize, cols: usize, at: &dyn Fn(usize, usize) -> i128| {
            RingMatrix::from_fn(Shape::new(rows, cols), |i, j| {
                (at(i, j) as i64).cast_unsigned()
            })
        };
        let (classes, width) = self.weights.dim();
        Model {
            weights: ring(classes, width, &|i, j| self.weights[(i, j)]),
            bias: ring(1, classes, &|_, j| self.bias[j]),
            bottom: self.bottom.parameters(),
        }
    }

    /// The loss on a batch whose activations are `a` (`B x h`), and Delta.
    fn loss(&self, rows: &[usize], a: &Integers) -> Result<(Report, Array2<f64>), ProtocolError> {
        let mut z = a.dot(&self.weights.t());
        for mut sample in z.rows_mut() {
            sample.iter_mut().zip(&self.bias).for_each(|(z, b)| *z += b);
        }
        let z = self.scales.logits(&within_64_bits(&z))?;
        let loss = Loss::of(self.objective, &z, &self.labels.batch(rows)?);
        let report = Report {
            samples: rows.len() as u64,
            loss: Some(loss.mean),
            correct: Some(loss.correct),
            ..Report::default()
        };
        Ok((report, loss.delta()))
    }

    fn learn(
        &mut self,
        index: u64,
        rows: &[usize],
        pace: f64,
        a: &Integers,
    ) -> Result<Report, ProtocolError> {
        let (report, delta) = self.loss(rows, a)?;
        let step = integers(&self.scales.steps(&delta, self.learning_rate * pace)?);
        let released = match &self.noise {
            None => delta,
            Some(noise) => noise.blurred(&delta, &self.labels.batch(rows)?, index),
        };
        let delta = integers(&self.scales.deltas(&released)?);
        let d_a = within_64_bits(&delta.dot(&self.weights));
        self.weights = &self.weights - &step.t().dot(a);
        let bias_scale = 1_i128 << (2 * self.scales.activation_bits);
        for (bias, column) in self.bias.iter_mut().zip(step.columns()) {
            *bias -= column.sum() * bias_scale;
        }
        self.bottom.backward(self.scales.input_gradients(&d_a)?)?;
        Ok(report)
    }
}

fn integers(x: &RingMatrix) -> Integers {
    x.as_array().mapv(|x| i128::from(x.0.cast_signed()))
}

/// Back to 64 bits for the range check; what does not fit is set to the end
/// of the range, which the check refuses.
fn within_64_bits(x: &Integers) -> RingMatrix {
    RingMatrix::from_fn(Shape::new(x.nrows(), x.ncols()), |i, j| {
        let clamped = x[(i, j)].clamp(i64::MIN.into(), i64::MAX.into());
        (clamped as i64).cast_unsigned()
    })
}
