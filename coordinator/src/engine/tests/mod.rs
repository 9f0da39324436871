//! The engine over exact lists of commands.
#![allow(clippy::unwrap_used, clippy::panic)]

mod any_order;
mod approving;
mod attempts;
mod deeds;
mod draining;
mod ending;
mod every_order;
mod in_line;
mod late;
mod listing;
mod models;
mod parking;
mod pausing;
mod rotating;
mod running;
mod scheduling;
mod submitting;
mod vitals;
mod why;
mod wire_versions;

use core::fmt::Debug;

use entente_protocol::{
    control::{Failure, FailureClass, JobReport, Phase, Progress, Sync},
    job::{JobId, Side, Task},
};

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::{Answer, Command, Engine, EngineError, Event, Order, Party, Retries, Settings};
use crate::{
    clock::{Millis, Span},
    job::{Approval, JobRecord, JobState, JobView, Priority, Sides},
    testbed::{id, job, party, signed},
};

const SETTINGS: Settings = Settings {
    window: 8,
    party_timeout: Span::seconds(30),
    retries: Retries {
        transient: 2,
        bug: 1,
        first_wait: Span::seconds(4),
        longest_wait: Span::seconds(60),
    },
    patience: Span::seconds(7200),
};

/// The same waits in every test.
fn jitter() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(1)
}

/// An engine, and a clock that goes when it is told to.
struct World {
    engine: Engine,
    now: Millis,
    /// Whether it is compared with one that looks at everything.
    thorough: bool,
}

impl World {
    fn new() -> Self {
        Self::with(Vec::new())
    }

    fn with(jobs: Vec<JobRecord>) -> Self {
        let now = Millis(1_000_000);
        Self {
            engine: Engine::new(SETTINGS, jobs, jitter(), now),
            now,
            thorough: true,
        }
    }

    fn take(&mut self, event: Event) -> Result<Vec<Command>, EngineError> {
        let now = self.now;
        self.act(|engine| engine.handle(event.clone(), now))
    }

    /// Whatever happens, an engine that looks at everything afterwards says the
    /// same.
    fn act<T: PartialEq + Debug>(&mut self, act: impl Fn(&mut Engine) -> T) -> T {
        if !self.thorough {
            return act(&mut self.engine);
        }
        let mut thorough = self.engine.clone();
        thorough.look_at_everything();
        let said = act(&mut thorough);
        let outcome = act(&mut self.engine);
        assert_eq!(outcome, said);
        outcome
    }

    fn handle(&mut self, event: Event) -> Vec<Command> {
        self.take(event).unwrap()
    }

    /// A job that both parties have signed already.
    fn submit(&mut self, number: u128, task: Task) -> Vec<Command> {
        let task = self.engine.with_version(task).unwrap();
        let by = "user/alice".parse().unwrap();
        let record = JobRecord {
            state: JobState::Queued,
            approvals: Sides::from_fn(|_| Some(Approval::Signed(signed()))),
            ..JobRecord::submitted(id(number), task, by, self.now)
        };
        let now = self.now;
        self.act(|engine| {
            let mut commands = Vec::new();
            engine.submit(record.clone(), now, &mut commands);
            engine.settle(now, &mut commands).unwrap();
            commands
        })
    }

    /// A job of which nobody has approved yet.
    fn propose(&mut self, number: u128, task: Task) -> Vec<Command> {
        self.handle(Event::Submit {
            id: id(number),
            task: Box::new(task),
            by: "user/alice".parse().unwrap(),
            submission: None,
            priority: Priority::Normal,
        })
    }

    fn answer(&mut self, name: &str, number: u128, answer: Answer) -> Vec<Command> {
        let (id, party) = (id(number), party(name));
        self.handle(Event::Answer { id, party, answer })
    }

    fn order_by(
        &mut self,
        number: u128,
        order: Order,
        by: &str,
    ) -> Result<Vec<Command>, EngineError> {
        let (id, by) = (id(number), by.parse().unwrap());
        self.take(Event::Order { id, order, by })
    }

    fn order(&mut self, number: u128, order: Order) -> Result<Vec<Command>, EngineError> {
        self.order_by(number, order, "user/alice")
    }

    fn cancel(&mut self, number: u128) -> Result<Vec<Command>, EngineError> {
        self.order(number, Order::Cancel)
    }

    fn cancel_by(&mut self, number: u128, by: &str) -> Result<Vec<Command>, EngineError> {
        self.order_by(number, Order::Cancel, by)
    }

    fn pause(&mut self, number: u128) -> Result<Vec<Command>, EngineError> {
        self.order(number, Order::Pause)
    }

    fn resume(&mut self, number: u128) -> Result<Vec<Command>, EngineError> {
        self.order(number, Order::Resume)
    }

    fn retry(&mut self, number: u128, new: u128) -> Result<Vec<Command>, EngineError> {
        self.order(number, Order::Retry { new: id(new) })
    }

    /// Both parties of a job sign it, if they are asked to.
    fn agree(&mut self, number: u128) -> Vec<Command> {
        let Some(record) = self.engine.jobs.get(&id(number)) else {
            return vec![];
        };
        let parties = [Side::Active, Side::Passive].map(|side| record.task.party(side).clone());
        let answer = |party| Event::Answer {
            id: id(number),
            party,
            answer: Answer::Signed(signed()),
        };
        let answers = parties.map(answer).into_iter();
        answers.flat_map(|answer| self.handle(answer)).collect()
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

    /// Whether each job of a party's wish is to rest.
    fn holds(&self, name: &str) -> Vec<bool> {
        let wish = self.engine.wish(&party(name));
        wish.jobs.iter().map(|job| job.hold).collect()
    }

    /// What a party is wished: jobs and grants.
    fn wish(&self, name: &str) -> Vec<(JobId, u64)> {
        let wish = self.engine.wish(&party(name));
        wish.jobs.iter().map(|job| (job.job, job.granted)).collect()
    }
}

fn rejection() -> Answer {
    Answer::Rejected {
        rule: "max_epochs".into(),
        reason: "a limit".into(),
    }
}

fn truth() -> Sync {
    Sync {
        software: "0.1.0".into(),
        datasets: vec!["iris".into()],
        capacity: 2,
        threads: None,
        memory_bytes: None,
        draining: false,
        wire: vec![1],
        jobs: vec![],
        answers: vec![],
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
    failed_by(number, FailureClass::Operator, label)
}

fn failed_by(number: u128, class: FailureClass, label: &str) -> JobReport {
    let failure = Failure {
        class,
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
        Command::Drain(draining, _) => format!("drain {}", draining.is_some()),
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
