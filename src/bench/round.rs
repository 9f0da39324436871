//! A whole encrypted round, both parties in one process: every message made,
//! encoded, decoded and answered.

use std::{sync::Arc, time::Instant};

use entente_actors::network;
use entente_he::{KeyBits, Layout, PaillierBackend};
use entente_protocol::{
    Role,
    acml::{ActiveRole, ActiveSetUp, MadeInTurn, PassiveRole, PassiveSetUp},
    job::{
        Bottom, Data, Decay, Encryption, Job, JobSpec, Keep, Liveness, Network, Objective,
        Optimizer, Parties, Protocol, Resources, SampleShape, SchemeName, Training,
    },
    loopback::{self, Speaker},
    network::{Features, Labels, NetworkError},
};
use entente_wire::Secret;
use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};

use super::{cut::Cut, effort::Effort};
use crate::exit::Failure;

/// What a round costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Round {
    /// Key generation and the exchange of key and shares, once a job.
    pub(crate) set_up_seconds: f64,
    /// The first round, with nothing precomputed before the clock starts.
    pub(super) first_seconds: f64,
    /// The least of the rounds after it.
    pub(crate) seconds: f64,
    /// Their median: what to expect of a machine that does other things too.
    pub(super) median_seconds: f64,
    /// What the active party sends in a round.
    pub(super) active_bytes: usize,
    /// What the passive party sends in a round.
    pub(super) passive_bytes: usize,
}

/// Measures rounds on a cut whose network below is nothing: what is left is
/// the protocol.
pub(crate) fn measure(
    bits: KeyBits,
    layout: Layout,
    cut: Cut,
    effort: Effort,
) -> Result<Round, Failure> {
    let job = job(bits, cut, effort.rounds())?;
    let rng = |seed| Box::new(ChaCha20Rng::seed_from_u64(seed));
    let backend = Arc::new(PaillierBackend::new(layout));
    // Nothing below the cut: the round is the cut's alone.
    let bottom = network::build(&job, &[3; 32], None).map_err(Failure::runtime)?;
    let begun = Instant::now();
    let mut active = ActiveRole::new(ActiveSetUp {
        job: job.clone(),
        features: Box::new(Samples(cut)),
        bottom,
        next_keys: Box::new(MadeInTurn::new(backend.clone(), &job, rng(3))),
        witness: loopback::witness(),
        backend: backend.clone(),
        weight_seed: Secret::new([1; 32]),
        rng: rng(1),
    })
    .map_err(Failure::runtime)?;
    let mut passive = PassiveRole::new(PassiveSetUp {
        job,
        labels: Box::new(Samples(cut)),
        backend,
        witness: loopback::witness(),
        weight_seed: Secret::new([2; 32]),
        rng: rng(2),
    })
    .map_err(Failure::runtime)?;
    let (mut seconds, mut set_up_seconds) = (Vec::new(), 0.0);
    let (mut active_bytes, mut passive_bytes) = (0, 0);
    for index in 0..=u64::from(effort.rounds()) {
        (active_bytes, passive_bytes) = (0, 0);
        let mut count = |speaker: Speaker, _: &'static str, payload: &mut Vec<u8>| match speaker {
            Speaker::Left => active_bytes += payload.len(),
            Speaker::Right => passive_bytes += payload.len(),
        };
        let since = Instant::now();
        let (one, other) =
            loopback::exchange(index, active, passive, &mut count).map_err(Failure::runtime)?;
        (active, passive) = (one.role, other.role);
        if index == 0 {
            set_up_seconds = begun.elapsed().as_secs_f64();
        } else {
            seconds.push(since.elapsed().as_secs_f64());
        }
    }
    debug_assert_eq!(active.schedule().rounds(), u64::from(effort.rounds()));
    let first_seconds = seconds.remove(0);
    seconds.sort_by(f64::total_cmp);
    Ok(Round {
        set_up_seconds,
        first_seconds,
        seconds: seconds.first().copied().unwrap_or(first_seconds),
        median_seconds: *seconds.get(seconds.len() / 2).unwrap_or(&first_seconds),
        active_bytes,
        passive_bytes,
    })
}

fn job(bits: KeyBits, cut: Cut, rounds: u32) -> Result<Job, Failure> {
    let party = |name: &str| name.parse().map_err(Failure::runtime);
    let spec = JobSpec {
        name: "benchmark".to_owned(),
        model: None,
        protocol: Protocol::Acml,
        parties: Parties {
            active: party("active")?,
            passive: party("passive")?,
        },
        data: Data {
            dataset: "made-up".to_owned(),
            match_on: None,
            order: None,
            test_fraction: 0.0,
            test_rows: None,
            test_fold: 0,
            split_seed: None,
            validation_fraction: 0.0,
        },
        network: Network {
            input: SampleShape::Row(cut.width),
            bottom: Bottom::Layers(Vec::new()),
            classes: cut.classes.max(2),
            loss: match cut.classes {
                1 => Objective::BinaryCrossEntropy,
                _ => Objective::CrossEntropy,
            },
            initial: None,
        },
        training: Training {
            epochs: rounds,
            batch_size: cut.batch,
            learning_rate: 0.1,
            bottom: Optimizer::Sgd {
                learning_rate: 0.1,
                momentum: 0.0,
                weight_decay: 0.0,
            },
            warm_up_epochs: 0,
            decay: Decay::default(),
            early_stopping: None,
            keep: Keep::default(),
            seed: 1,
        },
        encryption: Encryption {
            scheme: SchemeName::Paillier,
            key_bits: bits.bits(),
        },
        keys: Default::default(),
        fixed_point: Default::default(),
        privacy: Default::default(),
        liveness: Liveness::default(),
        resources: Resources::default(),
    };
    Job::try_from(spec).map_err(Failure::runtime)
}

/// As many samples as a batch has; made up, the same each time.
struct Samples(Cut);

impl Features for Samples {
    fn rows(&self) -> usize {
        self.0.batch
    }

    fn batch(&self, rows: &[usize]) -> Result<Array2<f32>, NetworkError> {
        Ok(Array2::from_shape_fn(
            (rows.len(), self.0.width),
            |(i, j)| ((rows[i] * 31 + j * 17) % 101) as f32 / 101.0,
        ))
    }
}

impl Labels for Samples {
    fn rows(&self) -> usize {
        self.0.batch
    }

    fn batch(&self, rows: &[usize]) -> Result<Vec<usize>, NetworkError> {
        Ok(rows.iter().map(|row| row % self.0.classes).collect())
    }
}
