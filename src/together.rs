//! Both halves of a job in one place.
//!
//! In the field nobody has that, and nobody should. A demonstration and a
//! reproduction have it, since the data is public, and can do what the parties
//! cannot: train the same network under the protocol and in plain, and hold
//! every weight of one against the other.
//!
//! | | what it is |
//! |---|---|
//! | [`Together::encrypted`] | the protocol, both roles in this process, real keys |
//! | [`Together::fixed_point`] | the plaintext oracle: must end in the very same bits |
//! | [`Together::floating_point`] | the same network as anybody would train it |
//!
//! All three start from the same weights and see the same rows in the same
//! order.

use std::{sync::Arc, time::Instant};

use entente_actors::{
    data::{DatasetConfig, open_features, open_labels},
    fixed_weight_seed,
    network::{
        self,
        plaintext::{PlaintextClassifier, PlaintextResult},
    },
};
use entente_he::{Paillier, PaillierBackend};
use entente_protocol::{
    Report, Role,
    acml::{
        ActiveHalf, ActiveRole, ActiveSetUp, MadeInTurn, Model, PassiveHalf, PassiveRole,
        PassiveSetUp, Purpose, private_seed, reference::Reference,
    },
    job::{Job, Side},
    loopback::{self, Speaker},
    network::BottomNetwork,
    privacy::Leak,
    schedule::{Place, Schedule},
    score::Score,
};
use entente_wire::{Encode, Secret};
use rand::{SeedableRng, rngs::SysRng};
use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{data::declared::Half, exit::Failure, sides::Sides};

/// A job with both halves of its data, and the seeds of both parties' weights.
pub(crate) struct Together {
    job: Job,
    features: DatasetConfig,
    labels: DatasetConfig,
    seeds: [Secret<[u8; 32]>; 2],
}

/// What came of training.
pub(crate) struct Learnt {
    /// Shares put together.
    pub(crate) model: Model,
    /// What was seen on the way.
    pub(crate) course: Course,
    /// The set-up: key generation, and the comparison of rows.
    pub(crate) set_up_seconds: f64,
    /// All epochs, without what looks at validation rows.
    pub(crate) training_seconds: f64,
    /// Bytes of the messages of training, without set-up and inference.
    pub(crate) training_bytes: Sides<u64>,
}

/// What was seen on the way.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Course {
    /// By epoch.
    pub(crate) epochs: Vec<Epoch>,
    /// The part of the test rows that was classified rightly.
    pub(crate) test_accuracy: Option<f64>,
    /// How many test rows there were.
    pub(crate) test_rows: u64,
    /// How many rows were learnt from.
    pub(crate) training_rows: u64,
}

/// An epoch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Epoch {
    /// Mean loss of the training samples, each before the step it led to.
    pub(crate) loss: f64,
    /// After it, on the validation rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) validation_accuracy: Option<f64>,
    /// What its released gradients told of the labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) leak: Option<Leak>,
}

/// Is told of each exchange that is done, and of how many there are; an error
/// ends the run.
pub(crate) type Watch<'a> = &'a mut dyn FnMut(u64, u64) -> Result<(), Failure>;

impl Together {
    /// The job, on both halves of its data.
    pub(crate) fn new(job: Job, data: &Sides<Half>) -> Result<Self, Failure> {
        let seed = job.spec().training.seed;
        let seeds =
            [Side::Active, Side::Passive].map(|side| fixed_weight_seed(seed, job.party(side)));
        Ok(Self {
            features: data.active.config()?,
            labels: data.passive.config()?,
            seeds,
            job,
        })
    }

    /// The model whose halves the parties saved.
    pub(crate) fn join(&self, active: &[u8], passive: &[u8]) -> Result<Model, Failure> {
        Ok(Model::join(
            ActiveHalf::open(&self.job, active).map_err(Failure::runtime)?,
            PassiveHalf::open(&self.job, passive).map_err(Failure::runtime)?,
        ))
    }

    fn bottom(&self) -> Result<Box<dyn BottomNetwork>, Failure> {
        let [active, _] = &self.seeds;
        let seed = private_seed(active, &self.job, Purpose::Bottom);
        network::build(&self.job, seed.expose(), None).map_err(Failure::runtime)
    }

    fn reference(&self) -> Result<Reference, Failure> {
        let [active, passive] = &self.seeds;
        Reference::new(
            &self.job,
            open_features(&self.features, &self.job).map_err(Failure::runtime)?,
            open_labels(&self.labels, &self.job).map_err(Failure::runtime)?,
            self.bottom()?,
            [active, passive],
        )
        .map_err(Failure::runtime)
    }

    /// Trains under the protocol: both roles in this process, taking turns on
    /// all threads of the current pool. The messages are those that would go
    /// over the wire; TLS and framing are what is missing.
    pub(crate) fn encrypted(&self, watch: Watch<'_>) -> Result<Learnt, Failure> {
        let [active_seed, passive_seed] = &self.seeds;
        let backend = Arc::new(PaillierBackend::default());
        let begun = Instant::now();
        let mut active = ActiveRole::<Paillier>::new(ActiveSetUp {
            job: self.job.clone(),
            features: open_features(&self.features, &self.job).map_err(Failure::runtime)?,
            bottom: self.bottom()?,
            next_keys: Box::new(MadeInTurn::new(backend.clone(), &self.job, generator()?)),
            witness: loopback::witness(),
            backend: backend.clone(),
            weight_seed: Secret::new(*active_seed.expose()),
            rng: generator()?,
        })
        .map_err(Failure::runtime)?;
        let mut passive = PassiveRole::<Paillier>::new(PassiveSetUp {
            job: self.job.clone(),
            labels: open_labels(&self.labels, &self.job).map_err(Failure::runtime)?,
            backend,
            witness: loopback::witness(),
            weight_seed: Secret::new(*passive_seed.expose()),
            rng: generator()?,
        })
        .map_err(Failure::runtime)?;
        let mut keeper = Keeper::new(active.schedule());
        let (mut set_up_seconds, mut training_seconds) = (0.0, 0.0);
        let mut training_bytes = Sides::default();
        let mut index = 0;
        while let Some(place) = active.schedule().place(index) {
            let mut sent: Sides<u64> = Sides::default();
            let mut count = |speaker: Speaker, _: &'static str, payload: &mut Vec<u8>| match speaker
            {
                Speaker::Left => sent.active += payload.len() as u64,
                Speaker::Right => sent.passive += payload.len() as u64,
            };
            let since = Instant::now();
            let (one, other) =
                loopback::exchange(index, active, passive, &mut count).map_err(Failure::runtime)?;
            (active, passive) = (one.role, other.role);
            match place {
                Place::SetUp => set_up_seconds = begun.elapsed().as_secs_f64(),
                Place::Train { .. } => {
                    training_seconds += since.elapsed().as_secs_f64();
                    training_bytes.active += sent.active;
                    training_bytes.passive += sent.passive;
                }
                _ => {}
            }
            keeper.note(place, &other.report);
            index += 1;
            watch(index, active.schedule().exchanges())?;
        }
        Ok(Learnt {
            model: self.join(active.half().expose(), passive.half().expose())?,
            course: keeper.course(),
            set_up_seconds,
            training_seconds,
            training_bytes,
        })
    }

    /// Which exchanges there are, and on which rows.
    pub(crate) fn schedule(&self) -> Result<Schedule, Failure> {
        let labels = open_labels(&self.labels, &self.job).map_err(Failure::runtime)?;
        Ok(self.job.schedule(labels.ids()))
    }

    /// Trains in plain fixed point: what the protocol must equal bit for bit.
    pub(crate) fn fixed_point(&self, watch: Watch<'_>) -> Result<Learnt, Failure> {
        let begun = Instant::now();
        let mut reference = self.reference()?;
        let set_up_seconds = begun.elapsed().as_secs_f64();
        let mut keeper = Keeper::new(reference.schedule());
        let mut training_seconds = 0.0;
        let mut index = 0;
        while let Some(place) = reference.schedule().place(index) {
            let since = Instant::now();
            let report = reference.exchange(index).map_err(Failure::runtime)?;
            if let Place::Train { .. } = place {
                training_seconds += since.elapsed().as_secs_f64();
            }
            keeper.note(place, &report);
            index += 1;
            watch(index, reference.schedule().exchanges())?;
        }
        Ok(Learnt {
            model: reference.model(),
            course: keeper.course(),
            set_up_seconds,
            training_seconds,
            training_bytes: Sides::default(),
        })
    }

    /// Trains in plain floating point, as anybody would, from the same weights.
    pub(crate) fn floating_point(&self) -> Result<PlaintextResult, Failure> {
        let scale = f64::from(self.job.spec().fixed_point.weight_bits()).exp2();
        let start = self.reference()?.model();
        let initial_top = start
            .weights
            .as_array()
            .mapv(|weight| weight.0.cast_signed() as f64 / scale);
        PlaintextClassifier::train(
            &self.job,
            open_features(&self.features, &self.job)
                .map_err(Failure::runtime)?
                .as_ref(),
            open_labels(&self.labels, &self.job)
                .map_err(Failure::runtime)?
                .as_ref(),
            initial_top,
            self.bottom()?,
        )
        .map_err(Failure::runtime)
    }
}

/// Randomness for keys, masks and encryption.
fn generator() -> Result<Box<ChaCha20Rng>, Failure> {
    let generator = ChaCha20Rng::try_from_rng(&mut SysRng).map_err(Failure::runtime)?;
    Ok(Box::new(generator))
}

/// How many numbers a model is made of.
pub(crate) fn weights(model: &Model) -> usize {
    let bottom = model.bottom.iter().map(|tensor| tensor.values.len());
    model.weights.shape().len() + model.bias.shape().len() + bottom.sum::<usize>()
}

/// SHA-256 over every weight, bit for bit: two models with one digest are the
/// same, also when one of them was trained yesterday.
pub(crate) fn digest(model: &Model) -> String {
    let mut hash = Sha256::new();
    hash.update(model.weights.encoded());
    hash.update(model.bias.encoded());
    for tensor in &model.bottom {
        hash.update(tensor.encoded());
    }
    hex::encode(hash.finalize())
}

/// Takes down what exchanges tell.
struct Keeper {
    training: Vec<Score>,
    validation: Vec<Score>,
    leaks: Vec<Option<Leak>>,
    test: Score,
    training_rows: u64,
}

impl Keeper {
    fn new(schedule: &Schedule) -> Self {
        let per_epoch = schedule.rounds_per_epoch().max(1);
        let epochs = (schedule.rounds() / per_epoch) as usize;
        Self {
            training: vec![Score::default(); epochs],
            validation: vec![Score::default(); epochs],
            leaks: vec![None; epochs],
            test: Score::default(),
            training_rows: schedule.train_rows().len() as u64,
        }
    }

    fn note(&mut self, place: Place, report: &Report) {
        match place {
            Place::SetUp => {}
            Place::Train { epoch, .. } => {
                let epoch = epoch as usize;
                if let Some(score) = self.training.get_mut(epoch) {
                    score.add(report);
                }
                if let (Some(leak), Some(place)) = (report.leak, self.leaks.get_mut(epoch)) {
                    *place = Some(leak);
                }
            }
            Place::Validate { epoch, .. } => {
                if let Some(score) = self.validation.get_mut(epoch as usize) {
                    score.add(report);
                }
            }
            Place::Evaluate { .. } => self.test.add(report),
        }
    }

    fn course(self) -> Course {
        let epochs = self.training.iter().zip(&self.validation).zip(self.leaks);
        Course {
            epochs: epochs
                .take_while(|((training, _), _)| training.samples() > 0)
                .map(|((training, validation), leak)| Epoch {
                    loss: training.loss().unwrap_or_default(),
                    validation_accuracy: validation.accuracy(),
                    leak,
                })
                .collect(),
            test_accuracy: self.test.accuracy(),
            test_rows: self.test.samples(),
            training_rows: self.training_rows,
        }
    }
}
