//! Any order of events, with restarts of everybody at any moment: what is
//! written follows the table and the versions, grants never fall, no party is
//! given more than it can take, and when the trouble is over every job ends.

use std::collections::BTreeMap;

use entente_protocol::control::Assignment;
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
    Cancel {
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
    /// A party begins anew and knows nothing.
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
    prop_oneof![
        2 => (party.clone(), 1..PARTIES.len()).prop_map(|(active, away)| Op::Submit {
            active,
            passive: (active + away) % PARTIES.len(),
        }),
        1 => (1..6_u128).prop_map(|job| Op::Cancel { job }),
        8 => (party.clone(), 0..6_u64).prop_map(|(party, exchanges)| Op::Step { party, exchanges }),
        1 => party.clone().prop_map(|party| Op::LoseAnswer { party }),
        1 => party.clone().prop_map(|party| Op::RestartParty { party }),
        1 => party.prop_map(|party| Op::Fail { party }),
        2 => (0..40_u64).prop_map(|seconds| Op::Pass { seconds }),
        1 => Just(Op::RestartCoordinator),
    ]
}

#[derive(Default)]
struct Peer {
    seen_revision: u64,
    jobs: BTreeMap<JobId, (Assignment, u64)>,
    fails: bool,
}

impl Peer {
    fn truth(&self) -> Sync {
        let report = |(id, (assignment, done)): (&JobId, &(Assignment, u64))| {
            let mut report = match *done {
                _ if self.fails => failed(number(*id), "disk"),
                EXCHANGES => report(number(*id), Phase::Finished, EXCHANGES),
                done => running(number(*id), done),
            };
            report.attempt = assignment.attempt;
            report
        };
        Sync {
            jobs: self.jobs.iter().map(report).collect(),
            seen_revision: self.seen_revision,
            ..truth()
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
                    assert!(kept.granted <= change.record().granted);
                    *kept = change.record().clone();
                }
                Command::Wake(_) | Command::Refuse(_) => {}
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
        let peer = &mut self.peers[index];
        assert!(wish.jobs.len() <= truth().capacity as usize);
        peer.fails = false;
        peer.seen_revision = wish.revision;
        let before = core::mem::take(&mut peer.jobs);
        for assignment in wish.jobs {
            let done = before.get(&assignment.job).map_or(0, |(_, done)| *done);
            let reach = (done + exchanges).min(assignment.granted).min(EXCHANGES);
            let done = done.max(reach);
            peer.jobs.insert(assignment.job, (assignment, done));
        }
    }

    fn perform(&mut self, op: Op) {
        match op {
            Op::Submit { active, passive } => {
                let number = self.store.len() as u128 + 1;
                let job = job_between(PARTIES[active], PARTIES[passive]);
                let commands = self.world.submit(number, job);
                self.keep(commands);
            }
            Op::Cancel { job } => match self.world.cancel(job) {
                Ok(commands) => self.keep(commands),
                Err(error) => assert!(!matches!(error, EngineError::Transition(_)), "{error}"),
            },
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
                let engine = Engine::new(SETTINGS, jobs, now);
                self.world = World { engine, now };
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
        let enough = 20 * (trial.store.len() + 1);
        for _ in 0..enough {
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
