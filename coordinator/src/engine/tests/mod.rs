//! The engine over exact lists of commands.
#![allow(clippy::unwrap_used, clippy::panic)]

mod any_order;
mod deeds;
mod ending;
mod every_order;
mod late;
mod listing;
mod models;
mod running;
mod scheduling;
mod submitting;
mod why;

use entente_protocol::{
    control::{Failure, FailureClass, JobReport, Phase, Progress, Sync},
    job::{JobId, Task},
};

use super::{Command, Engine, EngineError, Event, Settings};
use crate::{
    clock::{Millis, Span},
    job::{JobRecord, JobState, JobView},
    testbed::{id, job, party},
};

const SETTINGS: Settings = Settings {
    window: 8,
    party_timeout: Span::seconds(30),
};

/// An engine, and a clock that goes when it is told to.
struct World {
    engine: Engine,
    now: Millis,
}

impl World {
    fn new() -> Self {
        Self::with(Vec::new())
    }

    fn with(jobs: Vec<JobRecord>) -> Self {
        let now = Millis(1_000_000);
        Self {
            engine: Engine::new(SETTINGS, jobs, now),
            now,
        }
    }

    fn handle(&mut self, event: Event) -> Vec<Command> {
        self.engine.handle(event, self.now).unwrap()
    }

    fn submit(&mut self, number: u128, task: Task) -> Vec<Command> {
        self.handle(Event::Submit {
            id: id(number),
            task: Box::new(task),
            by: "user/alice".parse().unwrap(),
            submission: None,
        })
    }

    fn cancel(&mut self, number: u128) -> Result<Vec<Command>, EngineError> {
        self.cancel_by(number, "user/alice")
    }

    fn cancel_by(&mut self, number: u128, by: &str) -> Result<Vec<Command>, EngineError> {
        let (id, by) = (id(number), by.parse().unwrap());
        self.engine.handle(Event::Cancel { id, by }, self.now)
    }

    /// A party that has taken in its last wish says where it stands.
    fn sync(&mut self, name: &str, jobs: Vec<JobReport>) -> Vec<Command> {
        let seen_revision = self.engine.wish(&party(name)).revision;
        self.handle(Event::Sync {
            party: party(name),
            sync: Sync {
                seen_revision,
                jobs,
                ..truth()
            },
        })
    }

    /// Both parties of the usual job are there, with nothing to report.
    fn connect(&mut self) {
        self.sync("bank-a", vec![]);
        self.sync("bank-b", vec![]);
    }

    fn pass(&mut self, time: Span) -> Vec<Command> {
        self.now.0 += time.0;
        self.handle(Event::Tick)
    }

    fn view(&self, number: u128) -> JobView {
        self.engine.job(id(number), self.now).unwrap()
    }

    fn state(&self, number: u128) -> JobState {
        self.view(number).state
    }

    /// What a party is wished: jobs and grants.
    fn wish(&self, name: &str) -> Vec<(JobId, u64)> {
        let wish = self.engine.wish(&party(name));
        wish.jobs.iter().map(|job| (job.job, job.granted)).collect()
    }
}

fn truth() -> Sync {
    Sync {
        software: "0.1.0".into(),
        datasets: vec!["iris".into()],
        capacity: 2,
        jobs: vec![],
        seen_revision: 0,
        wait_ms: 0,
    }
}

fn report(number: u128, phase: Phase, exchanges_done: u64) -> JobReport {
    JobReport {
        job: id(number),
        attempt: 1,
        phase,
        progress: Progress {
            exchanges_done,
            exchanges: 100,
            ..Progress::default()
        },
    }
}

fn running(number: u128, exchanges_done: u64) -> JobReport {
    report(number, Phase::Running, exchanges_done)
}

fn failed(number: u128, label: &str) -> JobReport {
    let failure = Failure {
        class: FailureClass::Operator,
        label: label.into(),
        message: "no more room".into(),
        state: None,
        exchange: 3,
    };
    report(number, Phase::Failed { failure }, 3)
}

/// Commands as short texts: what an exact list of them is compared with.
fn short(commands: &[Command]) -> Vec<String> {
    let describe = |command: &Command| match command {
        Command::Insert(record) => format!("insert {} {}", number(record.id), record.state),
        Command::Write(change) => format!(
            "write {} {}@{} to {}@{} granted {}",
            number(change.record().id),
            change.expected_state(),
            change.expected_version(),
            change.record().state,
            change.record().version,
            change.record().granted,
        ),
        Command::Wake(party) => format!("wake {party}"),
        Command::Refuse(late) => format!(
            "refuse {} {} of {} {}",
            late.party,
            late.says,
            number(late.job),
            late.state
        ),
    };
    commands.iter().map(describe).collect()
}

fn number(id: JobId) -> u128 {
    u128::from_be_bytes(*id.as_bytes())
}

/// A world in which job 1 runs and both parties have begun it.
fn running_world() -> World {
    let mut world = World::new();
    world.connect();
    world.submit(1, job());
    world.sync("bank-a", vec![running(1, 0)]);
    world.sync("bank-b", vec![running(1, 0)]);
    world
}
