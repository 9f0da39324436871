//! What things cost on this machine, measured for a few seconds before a run,
//! so that it can say how long it will take.

use std::{collections::BTreeMap, time::Instant};

use entente_actors::network;
use entente_he::Layout;
use entente_protocol::{
    job::{Job, SampleShape},
    network::Step,
};
use ndarray::Array2;

use super::{
    inference::{Case, How, Subjects},
    settings::Settings,
    unit::Variant,
};
use crate::{
    bench::{
        cut::Cut,
        effort::Effort,
        round::{self, Round},
    },
    exit::Failure,
};

/// Inference over the rest of a round: encryption, product and decryption of
/// one matrix of three.
const INFERENCE_OF_ROUND: f64 = 0.4;
/// What a measurement of GELU-Net takes over one of our cut, with the keys of
/// both, by network and whether there is more than one sample; from runs of
/// this command.
fn gelu_net_of_ours(subject: Subjects, one_sample: bool) -> f64 {
    match (subject, one_sample) {
        (Subjects::Conv1, true) => 10.0,
        (_, true) => 20.0,
        (Subjects::Conv1, false) => 60.0,
        (_, false) => 100.0,
    }
}

/// Costs that were measured, each once.
pub(super) struct Calibration {
    settings: Settings,
    rounds: BTreeMap<[usize; 3], Round>,
    /// Of a mini-batch below the cut, by the job's digest without its seed.
    plain: BTreeMap<String, f64>,
    /// Of the cut of 84, by batch.
    inference: BTreeMap<usize, f64>,
}

impl Calibration {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            rounds: BTreeMap::new(),
            plain: BTreeMap::new(),
            inference: BTreeMap::new(),
        }
    }

    /// Seconds that a job takes on so many rows.
    pub(super) fn training(
        &mut self,
        job: &Job,
        rows: usize,
        variant: Variant,
    ) -> Result<f64, Failure> {
        let schedule = job.schedule(rows);
        let rounds = schedule.rounds() as f64;
        let looks = (schedule.exchanges() - 1) as f64 - rounds;
        let plain = self.plain(job)?;
        Ok(match variant {
            Variant::Encrypted => {
                let round = self.round(job)?;
                round.set_up_seconds
                    + rounds * (round.seconds + plain)
                    + looks * (INFERENCE_OF_ROUND * round.seconds + plain)
            }
            _ => (rounds + looks) * plain,
        })
    }

    /// The same in three processes, where each party has one thread, and both
    /// plaintext networks after it.
    pub(super) fn in_processes(&mut self, job: &Job, rows: usize) -> Result<f64, Failure> {
        let encrypted = self.training(job, rows, Variant::Encrypted)?;
        let plain = self.training(job, rows, Variant::FixedPoint)?;
        let start = 2.0;
        Ok(start + encrypted * self.settings.machine.threads.min(2) as f64 + 2.0 * plain)
    }

    /// Seconds that a measurement of inference takes, with its keys and
    /// repetitions.
    pub(super) fn inference(&mut self, case: &Case) -> Result<f64, Failure> {
        const CUT: f64 = 84.0;
        let once = match self.inference.get(&case.batch) {
            Some(seconds) => *seconds,
            None => {
                let known = Case {
                    subject: Subjects::Dense84,
                    how: How::Ours,
                    input: SampleShape::Row(784),
                    batch: case.batch,
                };
                let begun = Instant::now();
                known.measure(&self.settings)?;
                let seconds = begun.elapsed().as_secs_f64();
                self.inference.insert(case.batch, seconds);
                seconds
            }
        };
        Ok(match case.how {
            How::Ours => once * (case.job()?.width() as f64 / CUT).max(1.0),
            How::GeluNet | How::GeluNetPacked => {
                once * gelu_net_of_ours(case.subject, case.batch == 1)
            }
        })
    }

    fn round(&mut self, job: &Job) -> Result<Round, Failure> {
        let batch = job.spec().training.batch_size;
        let key = [batch, job.width(), job.logits()];
        if let Some(round) = self.rounds.get(&key) {
            return Ok(*round);
        }
        let cut = Cut {
            batch,
            width: job.width(),
            classes: job.logits(),
        };
        let round = round::measure(job.key_bits(), Layout::Packed, cut, Effort::Quick)?;
        self.rounds.insert(key, round);
        Ok(round)
    }

    /// A mini-batch through the network below the cut, forth and back.
    fn plain(&mut self, job: &Job) -> Result<f64, Failure> {
        let spec = job.spec();
        let key = format!("{:?} {}", job.blueprint(), spec.training.batch_size);
        if let Some(seconds) = self.plain.get(&key) {
            return Ok(*seconds);
        }
        let mut bottom = network::build(job, &[1; 32], None).map_err(Failure::runtime)?;
        let inputs = spec.network.input.values();
        let x = || Array2::from_elem((spec.training.batch_size, inputs), 0.5_f32);
        let mut seconds = f64::INFINITY;
        for round in 0..3 {
            let since = Instant::now();
            let a = bottom.forward(x(), Step { round, pace: 1.0 });
            let a = a.map_err(Failure::runtime)?;
            bottom.backward(a).map_err(Failure::runtime)?;
            seconds = seconds.min(since.elapsed().as_secs_f64());
        }
        self.plain.insert(key, seconds);
        Ok(seconds)
    }
}
