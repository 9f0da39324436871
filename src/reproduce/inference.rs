//! Tables 2, 3 and 4: seconds per inference, of our cut, of logistic regression
//! whose whole input is encrypted, and of GELU-Net, which encrypts every linear
//! layer; all measured here, in one way (see [`super::baselines`]).
//!
//! Images and weights are made up: what an inference costs does not hang on
//! them, and nobody needs the files to see it.

use entente_he::KeyBits;
use entente_protocol::job::{Bottom, Job, Layer, Network, Objective, Preset, SampleShape};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::{
    baselines::{Conditions, Cost, Method, Subject, measure_inference},
    dataset::Dataset,
    settings::Settings,
    work::{Unit, Work},
};
use crate::{cli::Experiment, exit::Failure};

/// What the paper reports batch size 1 for; and that of training.
pub(super) const BATCHES: [usize; 2] = [1, 128];

/// What is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Subjects {
    /// Logistic regression: all of the input encrypted.
    Mlr,
    /// A convolution and 84 units.
    Conv1,
    /// LeNet-5.
    Lenet5,
    /// One layer of 84 units: the least that makes the cut 84 wide.
    Dense84,
}

/// How it is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum How {
    /// The cut encrypted.
    Ours,
    /// Every linear layer encrypted, packed over samples as ours is.
    GeluNet,
    /// The same, packed for one sample too, which GELU-Net does not do.
    GeluNetPacked,
}

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) subject: Subjects,
    pub(super) how: How,
    pub(super) input: SampleShape,
    pub(super) batch: usize,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inference {
    pub(super) subject: Subjects,
    pub(super) how: How,
    pub(super) batch: usize,
    /// The axes of a sample.
    pub(super) input: Vec<usize>,
    /// Values of a sample.
    pub(super) inputs: usize,
    /// Values of a sample that are encrypted first.
    pub(super) encrypted_width: usize,
    /// The quickest of so many.
    pub(super) repetitions: u32,
    pub(super) cost: Cost,
}

/// A row of the paper's tables.
pub(super) struct Row {
    pub(super) subject: Subjects,
    pub(super) input: SampleShape,
    /// The dataset whose samples have this shape.
    pub(super) data: &'static str,
    /// Which of the paper's tables has it is not said beside; its seconds.
    pub(super) printed: f64,
    /// GELU-Net's seconds, where the paper has them.
    pub(super) printed_gelu_net: Option<f64>,
}

pub(super) const MNIST: SampleShape = SampleShape::Image {
    channels: 1,
    height: 28,
    width: 28,
};
pub(super) const CIFAR10: SampleShape = SampleShape::Image {
    channels: 3,
    height: 32,
    width: 32,
};

/// Tables 2, 3 and 4.
pub(super) const ROWS: [Row; 5] = [
    Row {
        subject: Subjects::Mlr,
        input: MNIST,
        data: "MNIST",
        printed: 0.5887,
        printed_gelu_net: None,
    },
    Row {
        subject: Subjects::Mlr,
        input: CIFAR10,
        data: "CIFAR-10",
        printed: 2.7027,
        printed_gelu_net: None,
    },
    Row {
        subject: Subjects::Lenet5,
        input: MNIST,
        data: "MNIST",
        printed: 0.0583,
        printed_gelu_net: Some(7.855),
    },
    Row {
        subject: Subjects::Conv1,
        input: MNIST,
        data: "MNIST",
        printed: 0.0582,
        printed_gelu_net: Some(3.8437),
    },
    Row {
        subject: Subjects::Lenet5,
        input: CIFAR10,
        data: "CIFAR-10",
        printed: 0.0592,
        printed_gelu_net: None,
    },
];

impl Subjects {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Mlr => "mlr",
            Self::Conv1 => "conv1",
            Self::Lenet5 => "lenet5",
            Self::Dense84 => "dense84",
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Mlr => "MLR, all encrypted",
            Self::Conv1 => "Conv-1",
            Self::Lenet5 => "LeNet-5",
            Self::Dense84 => "84 units",
        }
    }

    fn bottom(self) -> Bottom {
        match self {
            Self::Mlr => Bottom::Preset(Preset::Mlr),
            Self::Conv1 => Bottom::Preset(Preset::Conv1),
            Self::Lenet5 => Bottom::Preset(Preset::Lenet5),
            Self::Dense84 => Bottom::Layers(vec![Layer::Dense { units: 84 }, Layer::Tanh]),
        }
    }
}

impl How {
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::GeluNet => "GELU-Net",
            Self::GeluNetPacked => "GELU-Net packed for one sample",
        }
    }
}

impl Case {
    /// The name of its unit.
    pub(super) fn id(&self, experiment: Experiment) -> String {
        let axes: Vec<String> = self.input.axes().iter().map(ToString::to_string).collect();
        let how = match self.how {
            How::Ours => "ours",
            How::GeluNet => "gelu-net",
            How::GeluNetPacked => "gelu-net-packed",
        };
        format!(
            "{}/{}-{}/{how}/batch-{}",
            experiment.name(),
            self.subject.name(),
            axes.join("x"),
            self.batch
        )
    }

    pub(super) fn unit(self, experiment: Experiment) -> Unit {
        Unit {
            id: self.id(experiment),
            experiment,
            title: format!(
                "{} on {} values, {}, batch {}",
                self.subject.title(),
                self.input.values(),
                self.how.title(),
                self.batch
            ),
            work: Work::Infer(self),
        }
    }

    /// The job that has this network, of ten classes.
    pub(super) fn job(&self) -> Result<Job, Failure> {
        let mut spec = Dataset::Mnist.sample()?;
        spec.network = Network {
            input: self.input,
            bottom: self.subject.bottom(),
            classes: 10,
            loss: Objective::CrossEntropy,
            initial: None,
        };
        Job::try_from(spec).map_err(Failure::runtime)
    }

    /// Measures it.
    pub(super) fn measure(&self, settings: &Settings) -> Result<Inference, Failure> {
        let job = self.job()?;
        let subject = Subject::drawn(&job, 1)?;
        let key_bits = KeyBits::new(settings.key_bits).map_err(Failure::configuration)?;
        let under = Conditions::new(key_bits, &job, self.batch);
        let (method, repetitions) = match self.how {
            How::Ours if settings.quick => (Method::Joint, 1),
            How::Ours => (Method::Joint, 3),
            // Long enough to even out what else goes on.
            How::GeluNet => (Method::GeluNet, 1),
            How::GeluNetPacked => (Method::GeluNetPacked, 1),
        };
        let inputs = subject.inputs();
        let x = Array2::from_shape_fn((self.batch, inputs), |(i, j)| {
            ((i * 31 + j * 17) % 101) as f32 / 101.0
        });
        let mut method = method.set_up(&subject, under, 1)?;
        let measured = measure_inference(&mut *method, &x, repetitions)?;
        Ok(Inference {
            subject: self.subject,
            how: self.how,
            batch: self.batch,
            input: self.input.axes(),
            inputs,
            encrypted_width: match self.how {
                How::Ours => job.width(),
                How::GeluNet | How::GeluNetPacked => inputs,
            },
            repetitions,
            cost: measured.cost,
        })
    }
}

/// Ours for every row and both batches, and GELU-Net where the paper has it.
pub(super) fn units(settings: &Settings) -> Vec<Unit> {
    let mut units = Vec::new();
    for row in &ROWS {
        for batch in BATCHES {
            let case = |how| Case {
                subject: row.subject,
                how,
                input: row.input,
                batch,
            };
            units.push(case(How::Ours).unit(Experiment::Table2));
            // Minutes for a batch: a quick run has no time for it.
            let affordable = batch == 1 || !settings.quick;
            if row.printed_gelu_net.is_some() && affordable {
                units.push(case(How::GeluNet).unit(Experiment::Table2));
            }
            if row.printed_gelu_net.is_some() && batch == 1 {
                units.push(case(How::GeluNetPacked).unit(Experiment::Table2));
            }
        }
    }
    units
}
