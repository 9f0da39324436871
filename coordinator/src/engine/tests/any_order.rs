//! Any order of events, with restarts of everybody at any moment: what is
//! written follows the table and the versions, nothing has places that was not
//! signed by both, grants never fall within an attempt, no party is given more than it can take, and when the trouble is
//! over every job ends.

use std::collections::BTreeMap;

use entente_protocol::control::{Assignment, Wish};
use proptest::prelude::*;

use super::*;
use crate::testbed::job_between;

const PARTIES: [&str; 3] = ["bank-a", "bank-b", "bank-c"];
const EXCHANGES: u64 = 20;

#[derive(Debug, Clone)]
enum Op {
    Submit {
        active: usize,
        passive: usize,
    },
    /// A job of which nobody has approved yet.
    Propose {
        active: usize,
        passive: usize,
    },
    /// A party signs, or does not take part.
    Answer {
        job: u128,
        party: usize,
        signs: bool,
    },
    Cancel {
        job: u128,
    },
    Pause {
        job: u128,
    },
    Resume {
        job: u128,
    },
    Retry {
        job: u128,
    },
    /// A party syncs, follows the wish, and goes on this far.
    Step {
        party: usize,
        exchanges: u64,
    },
    /// The answer to a party's sync is lost.
    LoseAnswer {
        party: usize,
    },
    /// A party begins anew, and has lost what it had.
    RestartParty {
        party: usize,
    },
    /// The next report of a party's jobs is a failure.
    Fail {
        party: usize,
    },
    Pass {
        seconds: u64,
    },
    /// The coordinator begins anew, from its store.
    RestartCoordinator,
}

fn op() -> impl Strategy<Value = Op> {
    let party = 0..PARTIES.len();
    let pair = || {
        let passive = |active, away| (active + away) % PARTIES.len();
        let two = (0..PARTIES.len(), 1..PARTIES.len());
        two.prop_map(move |(active, away)| (active, passive(active, away)))
    };
    prop_oneof![
        2 => pair().prop_map(|(active, passive)| Op::Submit { active, passive }),
        2 => pair().prop_map(|(active, passive)| Op::Propose { active, passive }),
        4 => (1..6_u128, party.clone(), prop::bool::weighted(0.9))
            .prop_map(|(job, party, signs)| Op::Answer { job, party, signs }),
        1 => (1..6_u128).prop_map(|job| Op::Cancel { job }),
        1 => (1..6_u128).prop_map(|job| Op::Pause { job }),
        1 => (1..6_u128).prop_map(|job| Op::Resume { job }),
        1 => (1..6_u128).prop_map(|job| Op::Retry { job }),
        8 => (party.clone(), 0..6_u64).prop_map(|(party, exchanges)| Op::Step { party, exchanges }),
        1 => party.clone().prop_map(|party| Op::LoseAnswer { party }),
        1 => party.clone().prop_map(|party| Op::RestartParty { party }),
        1 => party.prop_map(|party| Op::Fail { party }),
        2 => (0..40_u64).prop_map(|seconds| Op::Pass { seconds }),
        1 => Just(Op::RestartCoordinator),
    ]
}

/// An attempt at a party.
struct Work {
    assignment: Assignment,
    done: u64,
    /// It was further, and has nothing of that.
    lost: bool,
}

#[derive(Default)]
struct Peer {
    seen_revision: u64,
    jobs: BTreeMap<JobId, Work>,
    fails: bool,
}

impl Peer {
    fn truth(&self) -> Sync {
        let report = |(id, work): (&JobId, &Work)| {
            let mut report = match work.done {
                _ if work.lost => failed_by(number(*id), FailureClass::Retry, "state_lost"),
                _ if self.fails => failed(number(*id), "disk"),
                EXCHANGES => report(number(*id), Phase::Finished, EXCHANGES),
                done if work.assignment.hold => report(number(*id), Phase::Held, done),
                done => running(number(*id), done),
            };
            report.attempt = work.assignment.attempt;
            report
        };
        Sync {
            jobs: self.jobs.iter().map(report).collect(),
            seen_revision: self.seen_revision,
            ..truth()
        }
    }

    /// Does what it is wished, and goes on so far.
    fn follow(&mut self, wish: Wish, exchanges: u64) {
        self.fails = false;
        self.seen_revision = wish.revision;
        let mut before = core::mem::take(&mut self.jobs);
        for assignment in wish.jobs {
            let id = assignment.job;
            let kept = before.remove(&id);
            let kept = kept.filter(|work| work.assignment.attempt == assignment.attempt);
            let work = match kept {
                Some(work) => Work { assignment, ..work },
                None => Work {
                    done: 0,
                    lost: assignment.exchanges_done > 0,
                    assignment,
                },
            };
            let granted = work.assignment.granted.min(EXCHANGES);
            let reach = match work.lost || work.assignment.hold {
                true => work.done,
                false => (work.done + exchanges).min(granted),
            };
            let done = work.done.max(reach);
            self.jobs.insert(id, Work { done, ..work });
        }
    }
}

struct Trial {
    world: World,
    store: BTreeMap<JobId, JobRecord>,
    peers: [Peer; PARTIES.len()],
}

impl Trial {
    fn new() -> Self {
        Self {
            world: World::new(),
            store: BTreeMap::new(),
            peers: Default::default(),
        }
    }

    fn keep(&mut self, commands: Vec<Command>) {
        for command in commands {
            match command {
                Command::Insert(record) => {
                    assert!(self.store.insert(record.id, *record).is_none());
                }
                Command::Write(change) => {
                    let kept = self.store.get_mut(&change.record().id).unwrap();
                    assert_eq!(kept.state, change.expected_state());
                    assert_eq!(kept.version, change.expected_version());
                    let (before, after) = (kept.attempt, change.record().attempt);
                    assert!(before < after || kept.granted <= change.record().granted);
                    *kept = change.record().clone();
                    assert!(kept.approvals.is_agreed() || !kept.state.has_places());
                }
                Command::Drain(..) | Command::Wake(_) | Command::Refuse(_) => {}
            }
        }
    }

    fn step(&mut self, index: usize, exchanges: u64, answered: bool) {
        let sync = self.peers[index].truth();
        let name = party(PARTIES[index]);
        let event = Event::Sync {
            party: name.clone(),
            sync,
        };
        let commands = self.world.handle(event);
        self.keep(commands);
        if !answered {
            return;
        }
        let wish = self.world.engine.wish(&name);
        let at_work = wish.jobs.iter().filter(|assignment| {
            let parked = self.store[&assignment.job].state == JobState::Parked;
            !assignment.hold && !parked
        });
        assert!(at_work.count() <= truth().capacity as usize);
        self.peers[index].follow(wish, exchanges);
    }

    fn order(&mut self, outcome: Result<Vec<Command>, EngineError>) {
        match outcome {
            Ok(commands) => self.keep(commands),
            Err(error) => assert!(!matches!(error, EngineError::Transition(_)), "{error}"),
        }
    }

    fn next_number(&self) -> u128 {
        self.store.len() as u128 + 1
    }

    fn perform(&mut self, op: Op) {
        match op {
            Op::Submit { active, passive } => {
                let number = self.next_number();
                let job = job_between(PARTIES[active], PARTIES[passive]);
                let commands = self.world.submit(number, job);
                self.keep(commands);
            }
            Op::Propose { active, passive } => {
                let number = self.next_number();
                let job = job_between(PARTIES[active], PARTIES[passive]);
                let commands = self.world.propose(number, job);
                self.keep(commands);
            }
            Op::Answer { job, party, signs } => {
                let answer = match signs {
                    true => Answer::Signed(signed()),
                    false => rejection(),
                };
                let commands = self.world.answer(PARTIES[party], job, answer);
                self.keep(commands);
            }
            Op::Cancel { job } => {
                let outcome = self.world.cancel(job);
                self.order(outcome);
            }
            Op::Pause { job } => {
                let outcome = self.world.pause(job);
                self.order(outcome);
            }
            Op::Resume { job } => {
                let outcome = self.world.resume(job);
                self.order(outcome);
            }
            Op::Retry { job } => {
                let new = self.next_number();
                let outcome = self.world.retry(job, new);
                self.order(outcome);
                let commands = self.world.agree(new);
                self.keep(commands);
            }
            Op::Step { party, exchanges } => self.step(party, exchanges, true),
            Op::LoseAnswer { party } => self.step(party, 0, false),
            Op::RestartParty { party } => self.peers[party] = Peer::default(),
            Op::Fail { party } => self.peers[party].fails = true,
            Op::Pass { seconds } => {
                let commands = self.world.pass(Span::seconds(seconds));
                self.keep(commands);
            }
            Op::RestartCoordinator => {
                let now = Millis(self.world.now.0 + 1);
                let jobs = self.store.values().cloned().collect();
                let engine = Engine::new(SETTINGS, jobs, jitter(), now);
                let thorough = self.world.thorough;
                self.world = World {
                    engine,
                    now,
                    thorough,
                };
            }
        }
    }
}

proptest! {
    #[test]
    fn every_order_keeps_the_rules_and_comes_to_an_end(ops in prop::collection::vec(op(), 0..120)) {
        let mut trial = Trial::new();
        for op in ops {
            trial.perform(op);
        }
        for job in 1..trial.next_number() {
            trial.perform(Op::Resume { job });
            for party in 0..PARTIES.len() {
                trial.perform(Op::Answer { job, party, signs: true });
            }
        }
        // What peace can bring has been compared by then.
        trial.world.thorough = false;
        let enough = 40 * (trial.store.len() + 1);
        for _ in 0..enough {
            if trial.store.values().all(|record| record.state.is_ended()) {
                break;
            }
            for index in 0..PARTIES.len() {
                trial.step(index, 5, true);
            }
            trial.perform(Op::Pass { seconds: 1 });
        }
        for (id, record) in &trial.store {
            prop_assert!(record.state.is_ended(), "{id}: {record:#?}");
            let kept_in_mind = trial.world.engine.jobs.get(id).map(|record| record.state);
            prop_assert_eq!(kept_in_mind, Some(record.state));
        }
    }
}

/// The reason that went into a job's log named for whom room was kept by what the
/// queue had thought before: an engine that looks at everything said another one.
#[test]
fn why_places_are_lost_does_not_hang_on_what_was_looked_at() {
    let ops = [
        Op::Submit {
            active: 0,
            passive: 2,
        },
        Op::Propose {
            active: 0,
            passive: 1,
        },
        Op::Submit {
            active: 1,
            passive: 2,
        },
        Op::Submit {
            active: 0,
            passive: 1,
        },
        Op::Step {
            party: 0,
            exchanges: 0,
        },
        Op::Submit {
            active: 0,
            passive: 1,
        },
        Op::Submit {
            active: 0,
            passive: 1,
        },
        Op::Step {
            party: 1,
            exchanges: 0,
        },
        Op::Submit {
            active: 0,
            passive: 1,
        },
        Op::RestartCoordinator,
        Op::Submit {
            active: 0,
            passive: 1,
        },
        Op::Submit {
            active: 1,
            passive: 2,
        },
        Op::Cancel { job: 4 },
        Op::Pause { job: 2 },
        Op::Step {
            party: 2,
            exchanges: 0,
        },
        Op::Step {
            party: 1,
            exchanges: 0,
        },
        Op::Step {
            party: 0,
            exchanges: 0,
        },
        Op::Step {
            party: 1,
            exchanges: 0,
        },
        Op::Step {
            party: 2,
            exchanges: 0,
        },
        Op::Step {
            party: 2,
            exchanges: 0,
        },
        Op::Submit {
            active: 0,
            passive: 1,
        },
        Op::Submit {
            active: 0,
            passive: 1,
        },
        Op::Step {
            party: 1,
            exchanges: 4,
        },
        Op::Step {
            party: 0,
            exchanges: 0,
        },
        Op::Step {
            party: 1,
            exchanges: 4,
        },
        Op::Step {
            party: 1,
            exchanges: 0,
        },
        Op::Pass { seconds: 23 },
        Op::Step {
            party: 1,
            exchanges: 0,
        },
        Op::Pass { seconds: 27 },
        Op::Step {
            party: 2,
            exchanges: 0,
        },
        Op::Step {
            party: 0,
            exchanges: 0,
        },
        Op::Pass { seconds: 11 },
    ];
    let mut trial = Trial::new();
    for op in ops {
        trial.perform(op);
    }
}
