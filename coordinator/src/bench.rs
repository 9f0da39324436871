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

mod field;
mod figure;
mod peer;

use std::{
    future::Future,
    path::Path,
    time::{Duration, Instant},
};

use entente_metrics::Registry;
use entente_protocol::{
    control::Wish,
    job::{JobError, PartyName},
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde::Serialize;
use thiserror::Error;

use self::field::Field;
use crate::{
    clock::{Millis, Span},
    engine::{Command, Engine, EngineError, Event, Retries, Settings},
    job::JobState,
    runtime::{self, Handle, RuntimeError},
    store::{Database, Location, StoreError},
};

pub use self::figure::Figure;

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
/// A file has none that anybody could take.
const LEASE: Duration = Duration::from_secs(10);

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
}
