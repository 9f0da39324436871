//! How much a coordinator can do: many jobs in the queue, many parties that
//! speak, on the engine alone and through runtime and store.
//!
//! Parties are simulated: each says where it stands as a real one does, takes in
//! the wish that is answered, and says the next time that what it was given is
//! prepared, and then finished. What is measured is what a caller waits for: from
//! the event to the end of all that follows from it.
//!
//! | phase | what happens |
//! |---|---|
//! | connect | every party speaks for the first time |
//! | submit | every job, for two parties drawn at random, of ten submitters |
//! | approve | both parties of every job sign it, once it is submitted |
//! | renew | every party speaks again and has nothing to say, ten times |
//! | work | parties prepare and finish what they were given, and get the next |

use core::fmt;
use std::{
    collections::BTreeMap,
    future::Future,
    path::Path,
    time::{Duration, Instant},
};

use entente_metrics::Registry;
use entente_protocol::{
    contract::Signed,
    control::{JobReport, Phase, Progress, Sync, Wish},
    job::{JobError, JobId, PartyName, Side, Task},
};
use entente_tls::Identity;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;
use serde::Serialize;
use thiserror::Error;
use uuid::Uuid;

use crate::{
    clock::{Millis, Span},
    engine::{Answer, Command, Engine, EngineError, Event, Retries, Settings},
    job::{JobState, Priority},
    runtime::{self, Handle, RuntimeError},
    store::{Database, Location, StoreError},
};

/// How much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Scale {
    /// Jobs that are submitted.
    pub jobs: u32,
    /// Parties that speak; at least two.
    pub parties: u32,
    /// Of the jobs, those that are brought to an end.
    pub finished: u32,
}

impl Scale {
    /// What a large field is.
    pub const USUAL: Self = Self {
        jobs: 10_000,
        parties: 1000,
        finished: 2000,
    };
}

/// What one phase took.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// `engine` alone, or `store`: through runtime and SQLite.
    pub through: &'static str,
    /// `connect`, `submit`, `approve`, `renew` or `work`.
    pub phase: &'static str,
    /// Events.
    pub events: usize,
    /// Of them in a second, one after the other.
    pub events_per_s: f64,
    /// Jobs that were given their places in a second; of the phases in which any
    /// were.
    pub starts_per_s: Option<f64>,
    /// What half of the events took less than, in microseconds.
    pub median_us: f64,
    /// What 99 of 100 took less than.
    pub p99_us: f64,
    /// What the longest took.
    pub longest_us: f64,
}

/// A line of a table, for a person.
impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:6} {:8} {:>7} events, {:>8.0} a second, median {:>7.0} us, p99 {:>7.0} us, longest \
             {:>7.0} us",
            self.through,
            self.phase,
            self.events,
            self.events_per_s,
            self.median_us,
            self.p99_us,
            self.longest_us
        )?;
        match self.starts_per_s {
            Some(starts) => write!(f, ", {starts:.0} jobs started a second"),
            None => Ok(()),
        }
    }
}

/// Why there is no measure.
#[derive(Debug, Error)]
pub enum BenchError {
    /// The engine refused what it should not.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The runtime ended.
    #[error("the runtime refused: {0}")]
    Runtime(String),
    /// The simulated job is no job.
    #[error(transparent)]
    Job(#[from] JobError),
    /// A name is no name.
    #[error("{0:?} is no name")]
    Name(String),
}

const SETTINGS: Settings = Settings {
    window: 64,
    party_timeout: Span::seconds(3600),
    retries: Retries {
        transient: 5,
        bug: 1,
        first_wait: Span::seconds(5),
        longest_wait: Span::seconds(600),
    },
    patience: Span::seconds(7200),
};
/// What each party runs at once.
const PLACES: u32 = 2;
const RENEWALS: usize = 10;
/// A file has none that anybody could take.
const LEASE: Duration = Duration::from_secs(10);
/// Letters of a signature with its certificates.
const SIGNATURE_LETTERS: usize = 2000;
const SUBMITTERS: u32 = 10;

/// Measures the engine alone.
///
/// # Errors
/// [`BenchError::Engine`] on a defect.
pub async fn engine(scale: Scale) -> Result<Vec<Figure>, BenchError> {
    let begun = Instant::now();
    let jitter = ChaCha20Rng::seed_from_u64(1);
    let engine = Engine::new(SETTINGS, Vec::new(), jitter, Millis(BEGUN_MS));
    Field::new(scale, "engine")?
        .measure(&mut Alone { engine, begun })
        .await
}

/// Measures runtime and store, in a new file at `path`.
///
/// # Errors
/// [`BenchError::Store`] when the file cannot be made or written.
pub async fn stored(scale: Scale, path: &Path) -> Result<Vec<Figure>, BenchError> {
    let registry = Registry::new().map_err(|error| BenchError::Runtime(error.to_string()))?;
    let database = Database::open(&Location::Sqlite(path.to_owned()), LEASE).await?;
    let started = runtime::start(SETTINGS, database, String::new(), &registry);
    let (handle, running) = started.await?;
    let figures = Field::new(scale, "store")?
        .measure(&mut Stored(handle))
        .await;
    // The last handle is gone: the store is closed before its file is taken away.
    let _ = running.await;
    figures
}

/// What is measured.
trait Coordinator {
    /// Takes in an event; how many jobs were given their places thereby, if
    /// that can be seen.
    fn take(&mut self, event: Event) -> impl Future<Output = Result<usize, BenchError>>;

    fn wish(&mut self, party: PartyName) -> impl Future<Output = Result<Wish, BenchError>>;
}

const BEGUN_MS: u64 = 1_700_000_000_000;

struct Alone {
    engine: Engine,
    begun: Instant,
}

impl Coordinator for Alone {
    async fn take(&mut self, event: Event) -> Result<usize, BenchError> {
        let passed = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let commands = self.engine.handle(event, Millis(BEGUN_MS + passed))?;
        let started = commands.iter().filter(|command| match command {
            Command::Write(change) => change.entered() == Some(JobState::Reserved),
            _ => false,
        });
        Ok(started.count())
    }

    async fn wish(&mut self, party: PartyName) -> Result<Wish, BenchError> {
        Ok(self.engine.wish(&party))
    }
}

struct Stored(Handle);

impl Coordinator for Stored {
    async fn take(&mut self, event: Event) -> Result<usize, BenchError> {
        self.0.change(event).await?;
        Ok(0)
    }

    async fn wish(&mut self, party: PartyName) -> Result<Wish, BenchError> {
        Ok(self.0.read(move |engine, _| engine.wish(&party)).await?)
    }
}

impl From<RuntimeError> for BenchError {
    fn from(error: RuntimeError) -> Self {
        Self::Runtime(error.to_string())
    }
}

/// A simulated party.
struct Peer {
    name: PartyName,
    seen_revision: u64,
    /// What it was given, and whether it has said that it is prepared.
    jobs: BTreeMap<JobId, (u32, Step)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Prepared,
    Granted,
}

impl Peer {
    fn sync(&self) -> Sync {
        let report = |(job, (attempt, step)): (&JobId, &(u32, Step))| JobReport {
            job: *job,
            attempt: *attempt,
            phase: match step {
                Step::Prepared => Phase::Running,
                Step::Granted => Phase::Finished,
            },
            progress: Progress::default(),
        };
        Sync {
            software: "bench".into(),
            datasets: vec!["bench".into()],
            capacity: PLACES,
            threads: None,
            memory_bytes: None,
            draining: false,
            wire: vec![2, 1],
            jobs: self.jobs.iter().map(report).collect(),
            answers: Vec::new(),
            seen_revision: self.seen_revision,
            wait_ms: 0,
        }
    }

    fn follow(&mut self, wish: Wish) {
        self.seen_revision = wish.revision;
        let jobs = wish.jobs.into_iter().map(|assignment| {
            let step = match assignment.granted {
                0 => Step::Prepared,
                _ => Step::Granted,
            };
            (assignment.job, (assignment.attempt, step))
        });
        self.jobs = jobs.collect();
    }
}

struct Field {
    scale: Scale,
    through: &'static str,
    peers: Vec<Peer>,
    random: ChaCha20Rng,
}

impl Field {
    fn new(scale: Scale, through: &'static str) -> Result<Self, BenchError> {
        let peer = |number: u32| {
            let name = format!("bank-{number}");
            Ok(Peer {
                name: name.parse().map_err(|_| BenchError::Name(name))?,
                seen_revision: 0,
                jobs: BTreeMap::new(),
            })
        };
        let peers = (0..scale.parties.max(2)).map(peer);
        Ok(Self {
            scale,
            through,
            peers: peers.collect::<Result<_, BenchError>>()?,
            random: ChaCha20Rng::seed_from_u64(2),
        })
    }

    async fn measure(
        &mut self,
        coordinator: &mut impl Coordinator,
    ) -> Result<Vec<Figure>, BenchError> {
        let mut figures = Vec::new();
        let mut connect = Watch::default();
        for index in 0..self.peers.len() {
            self.step(index, coordinator, &mut connect).await?;
        }
        figures.push(connect.figure(self.through, "connect"));

        let (mut submit, mut approve) = (Watch::default(), Watch::default());
        for _ in 0..self.scale.jobs {
            let (id, task) = self.job()?;
            let answers = [Side::Active, Side::Passive].map(|side| Event::Answer {
                id,
                party: task.party(side).clone(),
                answer: Answer::Signed(signed()),
            });
            let event = self.submission(id, task)?;
            submit.time(coordinator.take(event)).await?;
            for answer in answers {
                approve.time(coordinator.take(answer)).await?;
            }
        }
        figures.push(submit.figure(self.through, "submit"));
        figures.push(approve.figure(self.through, "approve"));

        // What was given at once is taken in first.
        for peer in &mut self.peers {
            peer.follow(coordinator.wish(peer.name.clone()).await?);
        }
        let mut renew = Watch::default();
        for _ in 0..RENEWALS {
            for peer in &self.peers {
                let mut sync = peer.sync();
                for report in &mut sync.jobs {
                    report.phase = Phase::Preparing;
                }
                let party = peer.name.clone();
                renew
                    .time(coordinator.take(Event::Sync { party, sync }))
                    .await?;
            }
        }
        figures.push(renew.figure(self.through, "renew"));

        let mut work = Watch::default();
        let mut finished = 0;
        while finished < self.scale.finished {
            let before = finished;
            for index in 0..self.peers.len() {
                let done = self.step(index, coordinator, &mut work).await?;
                finished = finished.saturating_add(done);
            }
            if finished == before && self.peers.iter().all(|peer| peer.jobs.is_empty()) {
                break;
            }
        }
        figures.push(work.figure(self.through, "work"));
        Ok(figures)
    }

    /// A party speaks and takes in its wish; how many jobs it has left behind.
    async fn step(
        &mut self,
        index: usize,
        coordinator: &mut impl Coordinator,
        watch: &mut Watch,
    ) -> Result<u32, BenchError> {
        let Some(peer) = self.peers.get_mut(index) else {
            return Ok(0);
        };
        let (party, sync) = (peer.name.clone(), peer.sync());
        watch
            .time(coordinator.take(Event::Sync { party, sync }))
            .await?;
        let before: Vec<JobId> = peer.jobs.keys().copied().collect();
        peer.follow(coordinator.wish(peer.name.clone()).await?);
        let left = before.iter().filter(|job| !peer.jobs.contains_key(job));
        Ok(u32::try_from(left.count()).unwrap_or(u32::MAX))
    }

    fn job(&mut self) -> Result<(JobId, Task), BenchError> {
        let parties = self.peers.len();
        let active = self.random.random_range(0..parties);
        let passive = (active + self.random.random_range(1..parties)) % parties;
        let spec = format!(
            "name = \"bench\"\n[parties]\nactive = \"bank-{active}\"\npassive = \
             \"bank-{passive}\"\n[data]\ndataset = \"bench\"\n[network]\ninputs = 4\nclasses = 3\n\
             bottom = [{{ kind = \"dense\", units = 5 }}]\n[training]\nepochs = 1\nbatch_size = 16\n\
             learning_rate = 0.1\nbottom = {{ optimizer = \"sgd\", learning_rate = 0.1 }}\nseed = 1\n"
        );
        Ok((JobId::new(Uuid::now_v7()), Task::from_toml(&spec)?))
    }

    fn submission(&mut self, id: JobId, task: Task) -> Result<Event, BenchError> {
        let by = format!("user/u{}", self.random.random_range(0..SUBMITTERS));
        Ok(Event::Submit {
            id,
            task: Box::new(task),
            by: by.parse::<Identity>().map_err(|_| BenchError::Name(by))?,
            submission: None,
            priority: match self.random.random_range(0..4) {
                0 => Priority::Low,
                _ => Priority::Normal,
            },
        })
    }
}

/// Whoever drives an engine verifies what it is told of, and here nobody does:
/// what that takes is the TLS library's figure, and not the coordinator's.
fn signed() -> Signed {
    Signed {
        at_ms: BEGUN_MS,
        signature: "s".repeat(SIGNATURE_LETTERS),
    }
}

/// What events took.
#[derive(Debug, Default)]
struct Watch {
    took: Vec<Duration>,
    started: usize,
}

impl Watch {
    async fn time(
        &mut self,
        event: impl Future<Output = Result<usize, BenchError>>,
    ) -> Result<(), BenchError> {
        let begun = Instant::now();
        self.started += event.await?;
        self.took.push(begun.elapsed());
        Ok(())
    }

    fn figure(mut self, through: &'static str, phase: &'static str) -> Figure {
        self.took.sort_unstable();
        let all: Duration = self.took.iter().sum();
        let at = |part: f64| {
            let index = (self.took.len() as f64 * part) as usize;
            let took = self.took.get(index).or(self.took.last());
            took.map_or(0.0, |took| took.as_secs_f64() * 1e6)
        };
        let per_s = |count: usize| count as f64 / all.as_secs_f64().max(1e-9);
        Figure {
            through,
            phase,
            events: self.took.len(),
            events_per_s: per_s(self.took.len()),
            starts_per_s: (self.started > 0).then(|| per_s(self.started)),
            median_us: at(0.5),
            p99_us: at(0.99),
            longest_us: at(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const SMALL: Scale = Scale {
        jobs: 30,
        parties: 4,
        finished: 40,
    };

    #[actix_rt::test]
    async fn every_phase_is_measured_and_all_jobs_come_to_their_end() {
        let folder = tempfile::tempdir().unwrap();
        let alone = engine(SMALL).await.unwrap();
        let stored = stored(SMALL, &folder.path().join("jobs.sqlite"))
            .await
            .unwrap();
        for (figures, through) in [(&alone, "engine"), (&stored, "store")] {
            let phases: Vec<_> = figures.iter().map(|figure| figure.phase).collect();
            assert_eq!(phases, ["connect", "submit", "approve", "renew", "work"]);
            assert!(figures.iter().all(|figure| figure.through == through));
            assert_eq!(figures[1].events, 30);
            assert_eq!(figures[2].events, 60);
            assert_eq!(figures[3].events, 40);
            assert!(figures[4].events >= 8);
        }
        assert!(alone[4].starts_per_s.is_some());
    }

    #[test]
    fn the_figures_are_those_of_the_times() {
        let watch = Watch {
            took: (1..=100).rev().map(Duration::from_micros).collect(),
            started: 0,
        };
        let figure = watch.figure("engine", "submit");
        assert_eq!((figure.median_us, figure.p99_us), (51.0, 100.0));
        assert_eq!((figure.longest_us, figure.starts_per_s), (100.0, None));
    }
}
