//! From an assignment to a role that can begin.
//!
//! The only place in a party that names a protocol, and none names an
//! encryption scheme: the binary hands a backend in.

mod beginning;
mod inference;

use std::{any::type_name, sync::Arc, time::Instant};

use entente_he::{Backend, Scheme};
use entente_protocol::{
    Class, ProtocolError, Role,
    acml::{
        ActiveRole, ActiveSetUp, Notary, PassiveRole, PassiveSetUp, Purpose, Witness, private_seed,
    },
    control::{Assignment, Failure},
    job::{Job, JobError, JobId, PartyName, Protocol, Question, Side, Task},
    network::NetworkError,
    session::{Correlation, session},
};
use entente_wire::{Digest, NotSpoken, Secret, Session};
use thiserror::Error;

use crate::{
    approval::NoContract,
    compute::Panicked,
    config::PartyConfig,
    data::{DataError, Opening},
    delivery::JournalError,
    driver::Driver,
    entropy::{self, NoEntropy},
    keeping::{Keeper, Keeps},
    models::ModelError,
    network::{self, weights::WeightsError},
    party::{JobHandle, Seat, seat},
    rotation::{KeyWish, Locksmith, OwnEntropy},
    spans,
};

pub(crate) use self::beginning::{Beginning, Begun, begin};

/// An assignment that this party has checked for itself.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The job.
    pub id: JobId,
    /// Which attempt at it.
    pub attempt: u32,
    /// What to compute.
    pub task: Task,
    /// The side that this party takes.
    pub side: Side,
    /// Who takes the other side.
    pub peer: PartyName,
    /// The session of this attempt.
    pub session: Session,
}

impl Plan {
    /// Checks an assignment against this party's own configuration. The
    /// coordinator's word counts for nothing here.
    ///
    /// # Errors
    /// [`LaunchError`]: what is wrong with the job, or missing at this party.
    pub(crate) fn check(
        own: &PartyName,
        config: &PartyConfig,
        assignment: &Assignment,
    ) -> Result<Self, LaunchError> {
        let version = config.party.spoken.version(assignment.wire)?;
        let task = Task::try_from(assignment.spec.clone())?;
        let side = assignment.side;
        if task.party(side) != own {
            return Err(LaunchError::Side {
                side: side.label(),
                named: task.party(side).clone(),
                own: own.clone(),
            });
        }
        let peer = task.party(side.other()).clone();
        if !config.peers.contains_key(&peer) {
            return Err(LaunchError::UnknownPeer(peer));
        }
        if let Some(dataset) = task.dataset(side) {
            config.datasets.named(dataset)?;
        }
        match &task {
            Task::Train(job) => {
                if let (Side::Active, Some(name)) = (side, &job.spec().network.initial) {
                    config.weights.named(name)?;
                }
            }
            Task::Infer(inference) => {
                let gives = Question::Predict {
                    results_at: Side::Active,
                };
                let asked = side == Side::Passive && inference.question() == gives;
                if asked && !config.models.give_logits {
                    return Err(ModelError::KeepsLogits.into());
                }
            }
        }
        Ok(Self {
            id: assignment.job,
            attempt: assignment.attempt,
            session: session(assignment.job, task.digest(), assignment.attempt, version),
            task,
            side,
            peer,
        })
    }

    /// What the attempt is called in logs.
    pub(crate) fn correlation(&self) -> Correlation {
        Correlation::of(self.id, self.task.digest(), self.attempt)
    }

    /// What every line of the log about this attempt stands in.
    pub(crate) fn span(&self) -> tracing::Span {
        spans::attempt(self.id, self.attempt, Some(self.task.digest()))
    }
}

/// Makes roles. One per party, whatever the protocols.
pub(crate) trait Launch: Send + Sync + 'static {
    /// Opens the data, builds the network, makes the key: everything up to the
    /// first exchange, or from what a role has written into its `checkpoint`,
    /// up to the next one. Long; runs in the compute pool.
    ///
    /// # Errors
    /// [`LaunchError`].
    fn prepare(
        &self,
        plan: &Plan,
        checkpoint: Option<&Secret<Vec<u8>>>,
    ) -> Result<Box<dyn Ready>, LaunchError>;
}

/// A role that is ready, with its type forgotten.
pub(crate) trait Ready: Send {
    /// Takes its seat: starts to run in an actor of its own.
    fn start(self: Box<Self>, seat: Seat) -> JobHandle;
}

/// A role that is ready, and whoever keeps what comes of it.
pub(crate) struct Prepared<R> {
    pub(crate) role: R,
    pub(crate) keeper: Keeper,
    /// Where it hears which key it shall have come to.
    pub(crate) key_wish: KeyWish,
}

impl<R: Role> Ready for Prepared<R> {
    fn start(self: Box<Self>, mut at: Seat) -> JobHandle {
        tracing::debug!(role = type_name::<R>(), "starts");
        let (now, setting) = (Instant::now(), at.setting());
        let (role, restored) = (self.role, at.restored.take());
        let driver = match restored {
            None => Driver::new(now, role, setting),
            Some(restored) => Driver::restore(now, role, setting, restored),
        };
        seat(driver, self.keeper, self.key_wish, at)
    }
}

/// Launches over one encryption scheme.
pub(crate) struct Launcher<S: Scheme> {
    config: Arc<PartyConfig>,
    own: PartyName,
    backend: Arc<dyn Backend<S>>,
    notary: Arc<dyn Notary>,
}

impl<S: Scheme> Launcher<S> {
    /// For the party `own`.
    pub(crate) fn new(
        config: Arc<PartyConfig>,
        own: PartyName,
        backend: Arc<dyn Backend<S>>,
        notary: Arc<dyn Notary>,
    ) -> Self {
        Self {
            config,
            own,
            backend: Arc::new(OwnEntropy(backend)),
            notary,
        }
    }

    fn witness(&self, plan: &Plan) -> Witness {
        Witness {
            session: plan.session.id(),
            notary: self.notary.clone(),
        }
    }

    fn weight_seed(&self) -> Result<Secret<[u8; 32]>, NoEntropy> {
        match self.config.weights.dangerously_fixed_seed {
            Some(seed) => Ok(fixed_weight_seed(seed, &self.own)),
            None => entropy::seed(),
        }
    }
}

impl<S: Scheme> Launch for Launcher<S> {
    fn prepare(
        &self,
        plan: &Plan,
        checkpoint: Option<&Secret<Vec<u8>>>,
    ) -> Result<Box<dyn Ready>, LaunchError> {
        match &plan.task {
            Task::Train(job) => self.prepare_training(plan, job, checkpoint),
            Task::Infer(inference) => self.prepare_inference(plan, inference, checkpoint),
        }
    }
}

impl<S: Scheme> Launcher<S> {
    fn prepare_training(
        &self,
        plan: &Plan,
        job: &Job,
        checkpoint: Option<&Secret<Vec<u8>>>,
    ) -> Result<Box<dyn Ready>, LaunchError> {
        let dataset = self.config.datasets.named(&job.spec().data.dataset)?;
        let opening = Opening {
            config: dataset,
            job,
            spool: &self.config.party.state_dir,
        };
        let classes = dataset.classes();
        let keeper = self.keeper(
            plan,
            Keeps::Model {
                job: Box::new(job.clone()),
                side: plan.side,
                classes: (!classes.is_empty()).then(|| classes.to_vec()),
            },
        );
        let weight_seed = self.weight_seed()?;
        let rng = Box::new(entropy::generator()?);
        let backend = self.backend.clone();
        let witness = self.witness(plan);
        let key_wish = KeyWish::default();
        match (job.spec().protocol, plan.side) {
            (Protocol::Acml, Side::Active) => {
                let seed = private_seed(&weight_seed, job, Purpose::Bottom);
                let initial = job.spec().network.initial.as_deref();
                let initial = initial.map(|name| self.config.weights.load(name));
                let bottom = network::build(job, seed.expose(), initial.transpose()?)?;
                let smith =
                    Locksmith::new(backend.clone(), job, self.notary.clone(), key_wish.clone());
                let set_up = ActiveSetUp {
                    features: opening.features()?,
                    job: job.clone(),
                    bottom,
                    backend,
                    next_keys: Box::new(smith),
                    witness,
                    weight_seed,
                    rng,
                };
                let role = match checkpoint {
                    None => ActiveRole::<S>::new(set_up)?,
                    Some(checkpoint) => ActiveRole::resume(set_up, checkpoint)?,
                };
                Ok(Box::new(Prepared {
                    role,
                    keeper,
                    key_wish,
                }))
            }
            (Protocol::Acml, Side::Passive) => {
                let set_up = PassiveSetUp {
                    labels: opening.labels()?,
                    job: job.clone(),
                    backend,
                    witness,
                    weight_seed,
                    rng,
                };
                let role = match checkpoint {
                    None => PassiveRole::<S>::new(set_up)?,
                    Some(checkpoint) => PassiveRole::resume(set_up, checkpoint)?,
                };
                Ok(Box::new(Prepared {
                    role,
                    keeper,
                    key_wish,
                }))
            }
        }
    }

    fn keeper(&self, plan: &Plan, of: Keeps) -> Keeper {
        Keeper {
            state_dir: self.config.party.state_dir.clone(),
            job: plan.id,
            of,
        }
    }
}

/// The weight seed that `dangerously_fixed_seed` stands for at the party
/// `own`. Different at every party, so that a shared setting does not make two
/// parties draw the same weights.
pub fn fixed_weight_seed(seed: u64, own: &PartyName) -> Secret<[u8; 32]> {
    let parts: [&[u8]; 2] = [&seed.to_be_bytes(), own.as_str().as_bytes()];
    Secret::new(*Digest::of("entente fixed weight seed", &parts).as_bytes())
}

/// Why a job does not start at this party.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum LaunchError {
    /// The specification is not legal.
    #[error(transparent)]
    Spec(#[from] JobError),
    /// The attempt is in a version of the wire format that is not spoken here.
    #[error(
        "{0} (its release, or [party] newest_wire_version). The coordinator named it for this \
         attempt; one that follows is in a version that both parties speak by then"
    )]
    Wire(#[from] NotSpoken),
    /// The specification names another party on the side that is asked for.
    #[error(
        "this party, {own}, is asked to take the {side} side, \
         and the specification names {named} there"
    )]
    Side {
        /// The side.
        side: &'static str,
        /// Whom the specification names.
        named: PartyName,
        /// This party.
        own: PartyName,
    },
    /// The peer is none of this party's.
    #[error("{0} is no peer of this party; its operator must list it under [peers.{0}]")]
    UnknownPeer(PartyName),
    /// The data is not there, or does not fit.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The weights to start from are not there, or cannot be read.
    #[error("initial weights: {0}")]
    Weights(#[from] WeightsError),
    /// The model cannot be asked.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The network cannot be built.
    #[error("bottom network: {0}")]
    Network(#[from] NetworkError),
    /// The protocol refuses the job.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// The journal cannot be made, or not be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// There should be a journal, and there is none.
    #[error(
        "this party has reported {exchanges_done} exchanges of this attempt as done, and has no \
         journal of it below [party] state_dir: the directory is another one, or was emptied. \
         The job can only be begun again"
    )]
    StateLost {
        /// What it has reported.
        exchanges_done: u64,
    },
    /// It was not agreed upon.
    #[error(transparent)]
    Contract(#[from] NoContract),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// A computation panicked; what it said stays in this party's log.
    #[error("preparing the job panicked, which is a defect: see this party's log, and report it")]
    Panicked(#[source] Panicked),
}

impl LaunchError {
    /// A closed set of names, for metrics and logs.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Spec(_) => "job_specification",
            Self::Wire(_) => "wire_version",
            Self::Side { .. } => "not_our_side",
            Self::UnknownPeer(_) => "unknown_peer",
            Self::Data(error) => error.label(),
            Self::Weights(_) => "initial_weights",
            Self::Model(error) => error.label(),
            Self::Network(_) => "network",
            Self::Protocol(error) => error.label(),
            Self::Journal(error) => error.label(),
            Self::StateLost { .. } => entente_metrics::STATE_LOST,
            Self::Contract(error) => error.label(),
            Self::Entropy(_) => "entropy",
            Self::Panicked(_) => "panicked",
        }
    }

    /// As the job's record says it.
    pub(crate) fn failure(&self) -> Failure {
        let class = match self {
            Self::Data(error) => error.class(),
            Self::Protocol(error) => error.class(),
            Self::Contract(error) => error.class(),
            Self::Panicked(_) => Class::Bug,
            // The next attempt is in a version that both speak by then.
            Self::Wire(_) | Self::StateLost { .. } => Class::Retry,
            _ => Class::Operator,
        };
        let message = match self {
            // The whole text names files and values: it is for the own log.
            Self::Data(error) => error.for_record(),
            _ => self.to_string(),
        };
        Failure {
            class: class.into(),
            label: self.label().to_owned(),
            message,
            state: None,
            exchange: match self {
                Self::StateLost { exchanges_done } => *exchanges_done,
                _ => 0,
            },
        }
    }
}
