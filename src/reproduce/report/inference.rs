//! Tables 2, 3 and 4, and Figure 1, put together.

use serde::Serialize;

use crate::reproduce::{
    baselines::Cost,
    figure1::DIMENSIONS,
    inference::{BATCHES, CIFAR10, How, Inference, MNIST, ROWS, Subjects},
};

/// A row of the tables: a network on samples of a shape.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Timing {
    pub(super) network: &'static str,
    pub(super) data: &'static str,
    pub(super) inputs: usize,
    /// Values of a sample that ours encrypts.
    pub(super) encrypted: usize,
    pub(super) paper_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) paper_gelu_net_seconds: Option<f64>,
    pub(super) batches: Vec<Batch>,
}

/// What a batch size costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Batch {
    pub(super) batch: usize,
    pub(super) ours: Option<Each>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gelu_net: Option<Each>,
    /// With a packing for one sample, which it does not have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gelu_net_packed: Option<Each>,
}

/// What a sample costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Each {
    /// Of both parties.
    pub(super) seconds: f64,
    /// Of that, without what is computed in plain.
    pub(super) encrypted_seconds: f64,
    /// Sent by both.
    pub(super) bytes: f64,
    pub(super) round_trips: usize,
}

/// Two costs, one over the other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Ratio {
    pub(super) what: &'static str,
    pub(super) batch: usize,
    pub(super) paper: f64,
    /// Of the whole inference.
    pub(super) here: f64,
    /// Of its encrypted part.
    pub(super) encrypted_here: f64,
}

/// Figure 1 under one batch size.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct InputDimension {
    pub(super) batch: usize,
    pub(super) points: Vec<Dimension>,
}

/// Seconds per sample for inputs of one dimension.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Dimension {
    pub(super) inputs: usize,
    pub(super) ours: Option<f64>,
    pub(super) encrypted_mlr: Option<f64>,
}

impl Each {
    fn of(cost: &Cost) -> Self {
        Self {
            seconds: cost.seconds_per_sample(),
            encrypted_seconds: cost.encrypted_seconds_per_sample(),
            bytes: (cost.client_bytes + cost.server_bytes) as f64 / cost.samples.max(1) as f64,
            round_trips: cost.round_trips,
        }
    }
}

/// What was measured of a network on samples of a shape.
fn find<'a>(
    measured: &[&'a Inference],
    (subject, input): (Subjects, &[usize]),
    how: How,
    batch: usize,
) -> Option<&'a Inference> {
    let mut all = measured.iter().copied();
    all.find(|one| (one.subject, one.how, one.batch) == (subject, how, batch) && one.input == input)
}

/// All rows of which something is there.
pub(super) fn rows(measured: &[&Inference]) -> Vec<Timing> {
    let rows = ROWS.iter().filter_map(|row| {
        let axes = row.input.axes();
        let find = |how, batch| find(measured, (row.subject, &axes), how, batch);
        let batches: Vec<Batch> = BATCHES
            .into_iter()
            .map(|batch| Batch {
                batch,
                ours: find(How::Ours, batch).map(|one| Each::of(&one.cost)),
                gelu_net: find(How::GeluNet, batch).map(|one| Each::of(&one.cost)),
                gelu_net_packed: find(How::GeluNetPacked, batch).map(|one| Each::of(&one.cost)),
            })
            .filter(|batch| batch.ours.is_some() || batch.gelu_net.is_some())
            .collect();
        let ours = BATCHES
            .into_iter()
            .find_map(|batch| find(How::Ours, batch))?;
        Some(Timing {
            network: row.subject.title(),
            data: row.data,
            inputs: ours.inputs,
            encrypted: ours.encrypted_width,
            paper_seconds: row.printed,
            paper_gelu_net_seconds: row.printed_gelu_net,
            batches,
        })
    });
    rows.collect()
}

/// The ratios that the paper's claims come down to.
pub(super) fn ratios(measured: &[&Inference]) -> Vec<Ratio> {
    let (mnist, cifar10) = (MNIST.axes(), CIFAR10.axes());
    let lenet5 = (Subjects::Lenet5, mnist.as_slice(), How::Ours);
    let claims = [
        (
            "MLR over LeNet-5, MNIST",
            0.5887 / 0.0583,
            (Subjects::Mlr, mnist.as_slice(), How::Ours),
            lenet5,
        ),
        (
            "LeNet-5, CIFAR-10 over MNIST",
            0.0592 / 0.0583,
            (Subjects::Lenet5, cifar10.as_slice(), How::Ours),
            lenet5,
        ),
        (
            "MLR, CIFAR-10 over MNIST",
            2.7027 / 0.5887,
            (Subjects::Mlr, cifar10.as_slice(), How::Ours),
            (Subjects::Mlr, mnist.as_slice(), How::Ours),
        ),
        (
            "GELU-Net over ours, LeNet-5, MNIST",
            7.855 / 0.0583,
            (Subjects::Lenet5, mnist.as_slice(), How::GeluNet),
            lenet5,
        ),
        (
            "GELU-Net over ours, Conv-1, MNIST",
            3.8437 / 0.0582,
            (Subjects::Conv1, mnist.as_slice(), How::GeluNet),
            (Subjects::Conv1, mnist.as_slice(), How::Ours),
        ),
    ];
    let mut ratios = Vec::new();
    for (what, paper, one, other) in claims {
        for batch in BATCHES {
            let find = |(subject, input, how)| find(measured, (subject, input), how, batch);
            if let (Some(one), Some(other)) = (find(one), find(other)) {
                let (one, other) = (Each::of(&one.cost), Each::of(&other.cost));
                ratios.push(Ratio {
                    what,
                    batch,
                    paper,
                    here: one.seconds / other.seconds,
                    encrypted_here: one.encrypted_seconds / other.encrypted_seconds,
                });
            }
        }
    }
    ratios
}

/// Figure 1 for each batch size of which something is there.
pub(super) fn dimensions(measured: &[&Inference]) -> Vec<InputDimension> {
    let figures = BATCHES.map(|batch| {
        let points = DIMENSIONS.map(|inputs| {
            let seconds = |subject| {
                find(measured, (subject, &[inputs]), How::Ours, batch)
                    .map(|one| one.cost.seconds_per_sample())
            };
            Dimension {
                inputs,
                ours: seconds(Subjects::Dense84),
                encrypted_mlr: seconds(Subjects::Mlr),
            }
        });
        let there = |point: &Dimension| point.ours.is_some() || point.encrypted_mlr.is_some();
        InputDimension {
            batch,
            points: points.into_iter().filter(there).collect(),
        }
    });
    let figures = figures.into_iter();
    figures.filter(|figure| !figure.points.is_empty()).collect()
}
