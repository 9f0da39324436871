//! The optimiser below the cut, with what it keeps.
//!
//! Steps are burn's. What it keeps (velocities, moments, the number of steps)
//! is kept here, by the name of the parameter and as plain values where it is
//! saved: burn would key it by identities that it draws at random, and write
//! it in the order of a hash map.

use std::collections::BTreeMap;

use burn::{
    optim::{
        Adam, AdamConfig, AdamW, AdamWConfig, Optimizer as Steps, RecordState, Sgd, SgdConfig,
        StateSink, StateSource, decay::WeightDecayConfig, momentum::MomentumConfig,
    },
    tensor::{Device, Tensor, TensorData},
};
use entente_protocol::{
    job::Optimizer,
    network::{NamedTensor, NetworkError},
};

/// What an optimiser keeps, in plain: tensors, and counts of steps.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) tensors: Vec<NamedTensor>,
    pub(super) counts: Vec<(String, u64)>,
}

/// An optimiser, whichever it is.
pub(super) trait Learner: Send {
    /// The parameter `name` after a step of size `rate` along `gradient`.
    fn step(&mut self, name: &str, rate: f64, value: Tensor<1>, gradient: Tensor<1>) -> Tensor<1>;

    /// What is kept.
    fn kept(&self) -> Kept;

    /// Keeps what was kept for these parameters, and nothing else.
    fn restore(&mut self, kept: Kept, parameters: &[NamedTensor]) -> Result<(), NetworkError>;
}

/// burn's optimiser. Its defaults are not the usual ones: they damp a momentum
/// and take 1e-5 for Adam's epsilon.
pub(super) fn learner(optimizer: Optimizer) -> Box<dyn Learner> {
    const EPSILON: f32 = 1e-8;
    match optimizer {
        Optimizer::Sgd {
            momentum,
            weight_decay,
            ..
        } => {
            let momentum = (momentum > 0.0).then_some(MomentumConfig {
                momentum,
                dampening: 0.0,
                nesterov: false,
            });
            let decay = (weight_decay > 0.0).then_some(WeightDecayConfig {
                penalty: weight_decay as f32,
            });
            let config = SgdConfig::new().with_momentum(momentum);
            Keeping::<Sgd>::boxed(config.with_weight_decay(decay).build())
        }
        Optimizer::Adam { .. } => {
            Keeping::<Adam>::boxed(AdamConfig::new().with_epsilon(EPSILON).build())
        }
        Optimizer::Adamw { weight_decay, .. } => {
            let config = AdamWConfig::new().with_epsilon(EPSILON);
            let config = config.with_weight_decay(weight_decay as f32);
            Keeping::<AdamW>::boxed(config.build())
        }
    }
}

struct Keeping<O: Steps> {
    steps: O,
    kept: BTreeMap<String, O::State<1>>,
}

impl<O: Steps> Keeping<O> {
    fn boxed(steps: O) -> Box<dyn Learner> {
        Box::new(Self {
            steps,
            kept: BTreeMap::new(),
        })
    }
}

/// What is kept of the parameter `name`, in plain.
fn plainly(name: &str, state: &impl RecordState, into: &mut Kept) {
    let mut sink = StateSink::default();
    state.state_flatten(name, &mut sink);
    let plain = |(name, data): (String, TensorData)| NamedTensor {
        name,
        shape: data.shape().iter().copied().collect(),
        values: data.iter::<f32>().collect(),
    };
    into.tensors.extend(sink.tensors.into_iter().map(plain));
    // Counts of steps are all that these optimisers keep beside.
    let count = |(name, scalar)| Some((name, u64::try_from(scalar).ok()?));
    into.counts
        .extend(sink.scalars.into_iter().filter_map(count));
}

impl<O: Steps> Learner for Keeping<O> {
    fn step(&mut self, name: &str, rate: f64, value: Tensor<1>, gradient: Tensor<1>) -> Tensor<1> {
        let kept = self.kept.remove(name);
        let (value, kept) = self.steps.step(rate, value, gradient, kept);
        if let Some(kept) = kept {
            self.kept.insert(name.to_owned(), kept);
        }
        value
    }

    fn kept(&self) -> Kept {
        let mut all = Kept::default();
        for (name, state) in &self.kept {
            plainly(name, state, &mut all);
        }
        all
    }

    fn restore(&mut self, kept: Kept, parameters: &[NamedTensor]) -> Result<(), NetworkError> {
        let broken = |name: &str| {
            NetworkError::State(format!(
                "what the optimiser kept of '{name}' is not its own"
            ))
        };
        let given = kept.tensors.len();
        let scalars = kept.counts.into_iter();
        let mut source =
            StateSource::new(scalars.map(|(name, count)| (name, count.into())).collect());
        for NamedTensor {
            name,
            shape,
            values,
        } in kept.tensors
        {
            source.insert_tensor(name, TensorData::new(values, shape));
        }
        let device = Device::flex();
        let mut restored = BTreeMap::new();
        for NamedTensor { name, values, .. } in parameters {
            // A parameter that never took part has nothing kept.
            if !source.has_under(name) {
                continue;
            }
            let state = O::State::<1>::state_unflatten(name, &mut source, &device);
            let state = state.ok_or_else(|| broken(name))?;
            let mut plain = Kept::default();
            plainly(name, &state, &mut plain);
            let mut tensors = plain.tensors.iter();
            if tensors.any(|tensor| tensor.shape != [values.len()]) {
                return Err(broken(name));
            }
            restored.insert(name.clone(), state);
        }
        self.kept = restored;
        // Nothing was left over: it is another optimiser's otherwise.
        match self.kept().tensors.len() == given {
            true => Ok(()),
            false => Err(broken("all parameters")),
        }
    }
}
