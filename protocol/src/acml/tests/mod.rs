//! Both roles in one place, exact messages between them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod asked_models;
mod bit_identity;
mod checkpoints;
mod hostile_messages;
mod inference;
mod leaks;
mod mutations;
mod network;
mod planted_plaintext;
mod resume;
mod rotation;
mod selection;
mod vectors;

use std::sync::Arc;

use entente_he::{Backend, Scheme};
use entente_wire::Secret;
use rand::{Rng as _, SeedableRng};
use rand_chacha::ChaCha20Rng;

use self::{
    network::{Dense, Table},
    rotation::Erratic,
};
use super::{
    ActiveHalf, ActiveRole, ActiveSetUp, Model, PassiveHalf, PassiveRole, PassiveSetUp,
    algebra::Algebra, reference::Reference,
};
use crate::{
    ProtocolError, Report,
    job::{Bottom, Decay, EarlyStopping, Job, JobSpec, Keep, Layer, Objective},
    loopback,
    privacy::Defence,
};

/// A job over made-up data.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) rows: usize,
    pub(super) inputs: usize,
    pub(super) width: usize,
    pub(super) classes: usize,
    pub(super) loss: Objective,
    pub(super) decay: Decay,
    pub(super) batch: usize,
    pub(super) epochs: u32,
    pub(super) learning_rate: f64,
    pub(super) seed: u64,
    pub(super) defence: Option<Defence>,
    /// Part of the rows.
    pub(super) validation: f64,
    pub(super) early_stopping: Option<EarlyStopping>,
    pub(super) keep: Keep,
    pub(super) keys: Changes,
}

/// How keys change in a case.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Changes {
    /// As the job says.
    pub(super) every_rounds: Option<u32>,
    /// One of so many rests, at random, has another key than the job asks for: on
    /// demand, or because one is late.
    pub(super) whims: Option<u32>,
}

impl Case {
    pub(super) fn small() -> Self {
        Self {
            rows: 11,
            inputs: 3,
            width: 4,
            classes: 3,
            loss: Objective::CrossEntropy,
            decay: Decay::Constant,
            batch: 4,
            epochs: 2,
            learning_rate: 0.5,
            seed: 1,
            defence: None,
            validation: 0.0,
            early_stopping: None,
            keep: Keep::Last,
            keys: Changes::default(),
        }
    }

    /// One logit for two classes.
    pub(super) fn binary() -> Self {
        Self {
            classes: 2,
            loss: Objective::BinaryCrossEntropy,
            ..Self::small()
        }
    }

    pub(super) fn job(&self) -> Job {
        let mut spec: JobSpec = toml::from_str(&format!(
            r#"
            name = "case"
            parties = {{ active = "a", passive = "p" }}
            data = {{ dataset = "made-up", test_fraction = 0.2 }}
            network = {{ inputs = {}, classes = {}, bottom = [] }}
            [training]
            epochs = {}
            batch_size = {}
            learning_rate = {:?}
            seed = {}
            bottom = {{ optimizer = "sgd", learning_rate = 0.1 }}
            "#,
            self.inputs, self.classes, self.epochs, self.batch, self.learning_rate, self.seed,
        ))
        .unwrap();
        spec.network.bottom = Bottom::Layers(vec![Layer::Dense { units: self.width }, Layer::Tanh]);
        spec.network.loss = self.loss;
        spec.training.decay = self.decay;
        spec.privacy.defence = self.defence;
        spec.data.validation_fraction = self.validation;
        spec.training.early_stopping = self.early_stopping;
        spec.training.keep = self.keep;
        spec.keys.rotate_every_rounds = self.keys.every_rounds;
        Job::try_from(spec).unwrap()
    }

    pub(super) fn table(&self) -> Table {
        Table::random(self.rows, self.inputs, self.classes, self.seed)
    }

    pub(super) fn seeds(&self) -> [Secret<[u8; 32]>; 2] {
        [1, 2].map(|party| {
            let mut seed = [party; 32];
            ChaCha20Rng::seed_from_u64(self.seed).fill_bytes(&mut seed[..16]);
            Secret::new(seed)
        })
    }

    pub(super) fn reference(&self, bottom: Dense) -> Reference {
        let [a, p] = self.seeds();
        let table = self.table();
        Reference::new(
            &self.job(),
            Box::new(table.clone()),
            Box::new(table),
            Box::new(bottom),
            [&a, &p],
        )
        .unwrap()
    }

    pub(super) fn bottom(&self) -> Dense {
        Dense::new(self.inputs, self.width, self.seed)
    }

    pub(super) fn active<S: Scheme, A: Algebra>(
        &self,
        job: &Job,
        backend: Arc<dyn Backend<S>>,
        bottom: Dense,
        masks: u64,
    ) -> ActiveRole<S, A> {
        ActiveRole::with_algebra(self.active_set_up(job, backend, bottom, masks)).unwrap()
    }

    pub(super) fn active_set_up<S: Scheme>(
        &self,
        job: &Job,
        backend: Arc<dyn Backend<S>>,
        bottom: Dense,
        masks: u64,
    ) -> ActiveSetUp<S> {
        let [weight_seed, _] = self.seeds();
        ActiveSetUp {
            job: job.clone(),
            features: Box::new(self.table()),
            bottom: Box::new(bottom),
            next_keys: Box::new(Erratic::new(backend.clone(), job, self.keys.whims, masks)),
            backend,
            witness: loopback::witness(),
            weight_seed,
            rng: Box::new(ChaCha20Rng::seed_from_u64(masks)),
        }
    }

    pub(super) fn passive<S: Scheme, A: Algebra>(
        &self,
        job: &Job,
        backend: Arc<dyn Backend<S>>,
        masks: u64,
    ) -> PassiveRole<S, A> {
        PassiveRole::with_algebra(self.passive_set_up(job, backend, masks)).unwrap()
    }

    pub(super) fn passive_set_up<S: Scheme>(
        &self,
        job: &Job,
        backend: Arc<dyn Backend<S>>,
        masks: u64,
    ) -> PassiveSetUp<S> {
        let [_, weight_seed] = self.seeds();
        PassiveSetUp {
            job: job.clone(),
            labels: Box::new(self.table()),
            backend,
            witness: loopback::witness(),
            weight_seed,
            rng: Box::new(ChaCha20Rng::seed_from_u64(masks ^ 0xdead)),
        }
    }
}

/// Runs the whole job between two roles and joins the halves; the model, and
/// the reports of the side with the labels.
pub(super) fn train<S: Scheme, A: Algebra>(
    case: &Case,
    job: &Job,
    backend: Arc<dyn Backend<S>>,
    bottom: Dense,
    masks: u64,
) -> Result<(Model, Vec<Report>), ProtocolError> {
    let trained = loopback::train(
        case.active::<S, A>(job, backend.clone(), bottom, masks),
        case.passive::<S, A>(job, backend, masks),
    )?;
    let active = ActiveHalf::open(job, trained.left.half().expose()).unwrap();
    let passive = PassiveHalf::open(job, trained.right.half().expose()).unwrap();
    Ok((Model::join(active, passive), trained.reports))
}
