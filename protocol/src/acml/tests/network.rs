//! A bottom network and a table small enough to read.

use entente_wire::{Digest, Secret};
use ndarray::{Array1, Array2, Axis};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

use crate::network::{BottomNetwork, Features, Labels, NamedTensor, NetworkError, Step};

fn unit(rng: &mut ChaCha20Rng) -> f32 {
    (rng.next_u32() >> 8) as f32 / (1 << 24) as f32 * 2.0 - 1.0
}

/// tanh(x W + b), gradient descent at 0.1.
#[derive(Clone)]
pub(in crate::acml) struct Dense {
    weights: Array2<f32>,
    bias: Array1<f32>,
    last: Option<(Array2<f32>, Array2<f32>, Step)>,
    /// One of the wrong variants: backward forgets tanh'.
    pub(in crate::acml) forgets_derivative: bool,
    /// Another: it stays where it is when it is to go back.
    pub(in crate::acml) never_goes_back: bool,
}

impl Dense {
    pub(in crate::acml) fn new(inputs: usize, width: usize, seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed ^ 0xb077);
        Self {
            weights: Array2::from_shape_simple_fn((inputs, width), || unit(&mut rng)),
            bias: Array1::zeros(width),
            last: None,
            forgets_derivative: false,
            never_goes_back: false,
        }
    }
}

impl Dense {
    /// Takes what [`BottomNetwork::parameters`] gave.
    pub(in crate::acml) fn set(&mut self, tensors: &[NamedTensor]) {
        let own = self.weights.iter_mut().chain(&mut self.bias);
        let values = tensors.iter().flat_map(|tensor| &tensor.values);
        own.zip(values).for_each(|(own, value)| *own = *value);
    }
}

impl BottomNetwork for Dense {
    fn width(&self) -> usize {
        self.bias.len()
    }

    fn forward(&mut self, x: Array2<f32>, step: Step) -> Result<Array2<f32>, NetworkError> {
        let a = self.infer(x.clone())?;
        self.last = Some((x, a.clone(), step));
        Ok(a)
    }

    fn backward(&mut self, d_a: Array2<f32>) -> Result<(), NetworkError> {
        let (x, a, step) = self.last.take().ok_or(NetworkError::NoForward)?;
        let slope = if self.forgets_derivative {
            a.mapv(|_| 1.0)
        } else {
            a.mapv(|a| 1.0 - a * a)
        };
        let d = d_a * slope;
        let rate = 0.1 * step.pace as f32;
        self.weights = &self.weights - &(x.t().dot(&d) * rate);
        self.bias = &self.bias - &(d.sum_axis(Axis(0)) * rate);
        Ok(())
    }

    fn infer(&self, x: Array2<f32>) -> Result<Array2<f32>, NetworkError> {
        Ok((x.dot(&self.weights) + &self.bias).mapv(libm::tanhf))
    }

    fn parameters(&self) -> Vec<NamedTensor> {
        let named = |name: &str, shape: &[usize], values: Vec<f32>| NamedTensor {
            name: name.into(),
            shape: shape.into(),
            values,
        };
        let weights = self.weights.iter().copied().collect();
        vec![
            named("weights", self.weights.shape(), weights),
            named("bias", self.bias.shape(), self.bias.to_vec()),
        ]
    }

    fn state(&self) -> Secret<Vec<u8>> {
        let values = self.weights.iter().chain(&self.bias);
        Secret::new(values.flat_map(|value| value.to_be_bytes()).collect())
    }

    fn restore(&mut self, state: &Secret<Vec<u8>>) -> Result<(), NetworkError> {
        let mut values = state.expose().chunks_exact(4).map(|bytes| {
            let bytes = bytes.try_into().unwrap_or_default();
            f32::from_be_bytes(bytes)
        });
        if state.expose().len() != 4 * (self.weights.len() + self.bias.len()) {
            return Err(NetworkError::State("another number of values".into()));
        }
        if self.never_goes_back {
            return Ok(());
        }
        let own = self.weights.iter_mut().chain(&mut self.bias);
        own.zip(&mut values).for_each(|(own, value)| *own = value);
        Ok(())
    }
}

/// Features and labels, made up.
#[derive(Clone)]
pub(in crate::acml) struct Table {
    features: Array2<f32>,
    labels: Vec<usize>,
}

impl Table {
    pub(in crate::acml) fn random(rows: usize, inputs: usize, classes: usize, seed: u64) -> Self {
        let digest = Digest::of("table", &[&seed.to_be_bytes()]);
        let mut rng = ChaCha20Rng::from_seed(*digest.as_bytes());
        Self {
            features: Array2::from_shape_simple_fn((rows, inputs), || unit(&mut rng)),
            labels: (0..rows)
                .map(|_| rng.next_u32() as usize % classes)
                .collect(),
        }
    }
}

impl Features for Table {
    fn rows(&self) -> usize {
        self.labels.len()
    }

    fn batch(&self, rows: &[usize]) -> Result<Array2<f32>, NetworkError> {
        Ok(self.features.select(Axis(0), rows))
    }
}

impl Labels for Table {
    fn rows(&self) -> usize {
        self.labels.len()
    }

    fn batch(&self, rows: &[usize]) -> Result<Vec<usize>, NetworkError> {
        Ok(rows.iter().map(|row| self.labels[*row]).collect())
    }
}
