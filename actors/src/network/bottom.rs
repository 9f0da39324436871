//! A network below the cut, with its optimiser.

use burn::tensor::{Device, Tensor};
use entente_protocol::{
    job::{Blueprint, Optimizer},
    network::{BottomNetwork, NamedTensor, NetworkError, Step},
};
use entente_wire::Secret;
use ndarray::Array2;

use super::{
    initial::{Drops, Glorot},
    learner::{Learner, learner},
    parameter::Parameter,
    stage::{Mode, Stage, through},
    state::State,
    tensors::{at_the_cut, images, matrix},
};

/// The layers, and what training them keeps.
pub(super) struct Bottom {
    blueprint: Blueprint,
    stages: Vec<Stage>,
    optimizer: Optimizer,
    learner: Box<dyn Learner>,
    drops: Drops,
    device: Device,
    last: Option<Forward>,
}

/// A forward that waits for its backward.
struct Forward {
    /// The layers as this batch leaves them: a batch norm has run on. They
    /// replace the others when the gradient comes, and are forgotten if the
    /// forward is done again.
    stages: Vec<Stage>,
    /// What came out, with its graph: `B x h x 1 x 1`.
    a: Tensor<4>,
    pace: f64,
}

impl Bottom {
    /// With weights drawn from `seed`.
    pub(super) fn new(blueprint: &Blueprint, optimizer: Optimizer, seed: &[u8; 32]) -> Self {
        let device = Device::flex().autodiff();
        Self {
            stages: Stage::all(blueprint.layers(), &mut Glorot::new(seed), &device),
            blueprint: blueprint.clone(),
            optimizer,
            learner: learner(optimizer),
            drops: Drops::new(seed),
            device,
            last: None,
        }
    }

    /// `x` as images, if it is `B x d` with B at least 1.
    fn input(&self, x: &Array2<f32>, device: &Device) -> Result<Tensor<4>, NetworkError> {
        let input = self.blueprint.input();
        let inputs = input.values();
        if x.nrows() == 0 || x.ncols() != inputs {
            let takes = format!("B x {inputs} with B at least 1");
            let got = format!("{} x {}", x.nrows(), x.ncols());
            return Err(self.blueprint.at_the_input(takes, got).into());
        }
        Ok(images(x, input, device))
    }

    /// Puts these in the place of all that inference needs.
    ///
    /// # Errors
    /// What `refused` makes of a name that is missing, or one too many, or a
    /// shape that differs: the name, what is taken, what is there. Nothing has
    /// changed then.
    pub(super) fn set_parameters(
        &mut self,
        tensors: Vec<NamedTensor>,
        refused: impl Fn(String, String, String) -> NetworkError,
    ) -> Result<(), NetworkError> {
        let mut stages = self.stages.clone();
        let mut tensors = tensors;
        for (name, parameter) in named(&mut stages) {
            let takes = || format!("shape {:?}", parameter.shape());
            let there = tensors.iter().position(|tensor| tensor.name == name);
            let Some(there) = there else {
                let known: Vec<&str> = tensors.iter().map(|x| x.name.as_str()).take(8).collect();
                let got = match known.is_empty() {
                    true => "none of that name".to_owned(),
                    false => format!("none of that name (but {})", known.join(", ")),
                };
                return Err(refused(name, takes(), got));
            };
            let tensor = tensors.swap_remove(there);
            let count: usize = tensor.shape.iter().product();
            if tensor.shape != parameter.shape() || tensor.values.len() != count {
                return Err(refused(name, takes(), format!("shape {:?}", tensor.shape)));
            }
            parameter.set_values(tensor.values);
        }
        if let Some(left) = tensors.pop() {
            let got = format!("shape {:?}", left.shape);
            return Err(refused(left.name, "no such tensor".into(), got));
        }
        self.stages = stages;
        self.last = None;
        Ok(())
    }
}

/// Every parameter with its name, first layer first.
fn named(stages: &mut [Stage]) -> Vec<(String, &mut Parameter)> {
    let mut all = Vec::new();
    for (place, stage) in stages.iter_mut().enumerate() {
        stage.parameters(&place.to_string(), &mut all);
    }
    all
}

impl BottomNetwork for Bottom {
    fn width(&self) -> usize {
        self.blueprint.width()
    }

    fn forward(&mut self, x: Array2<f32>, step: Step) -> Result<Array2<f32>, NetworkError> {
        let x = self.input(&x, &self.device)?;
        let mut stages = self.stages.clone();
        let a = through(&mut stages, x, Mode::Train(step, &self.drops));
        let values = matrix(a.clone())?;
        self.last = Some(Forward {
            stages,
            a,
            pace: step.pace,
        });
        Ok(values)
    }

    fn backward(&mut self, d_a: Array2<f32>) -> Result<(), NetworkError> {
        let last = self.last.take().ok_or(NetworkError::NoForward)?;
        let [rows, width, ..] = last.a.dims();
        if d_a.dim() != (rows, width) {
            // The forward is still good for a gradient that fits.
            self.last = Some(last);
            let takes = format!("a gradient of {rows} x {width}");
            let got = format!("{} x {}", d_a.nrows(), d_a.ncols());
            return Err(self.blueprint.at_the_cut(takes, got).into());
        }
        let Forward {
            mut stages,
            a,
            pace,
        } = last;
        // Without parameters there is no graph to go back through.
        if self.blueprint.parameters() > 0 {
            let gradients = (a * at_the_cut(&d_a, &self.device)).sum().backward();
            let rate = self.optimizer.learning_rate() * pace;
            for (name, parameter) in named(&mut stages) {
                let Some(gradient) = parameter.gradient(&gradients) else {
                    continue;
                };
                let value = parameter.flat().without_autodiff();
                let value = self.learner.step(&name, rate, value, gradient);
                parameter.set(value.autodiff());
            }
        }
        self.stages = stages;
        Ok(())
    }

    fn infer(&self, x: Array2<f32>) -> Result<Array2<f32>, NetworkError> {
        let x = self.input(&x, &self.device.clone().without_autodiff())?;
        let mut stages = self.stages.clone();
        for (_, parameter) in named(&mut stages) {
            parameter.without_graph();
        }
        matrix(through(&mut stages, x, Mode::Infer))
    }

    fn parameters(&self) -> Vec<NamedTensor> {
        let mut stages = self.stages.clone();
        let parameters = named(&mut stages).into_iter();
        parameters
            .map(|(name, parameter)| parameter.named(name))
            .collect()
    }

    fn state(&self) -> Secret<Vec<u8>> {
        let state = State {
            parameters: self.parameters(),
            kept: self.learner.kept(),
        };
        state.seal()
    }

    fn restore(&mut self, state: &Secret<Vec<u8>>) -> Result<(), NetworkError> {
        let State { parameters, kept } = State::open(state)?;
        let mut learner = learner(self.optimizer);
        learner.restore(kept, &parameters)?;
        self.set_parameters(parameters, |name, takes, got| {
            NetworkError::State(format!(
                "tensor '{name}': it takes {takes}, the state has {got}"
            ))
        })?;
        self.learner = learner;
        Ok(())
    }
}
