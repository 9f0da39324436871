//! Every order of a small world: one job, its two parties, of which one begins
//! anew, fails, and has a message that is held back and may come any time and
//! any number of times; a coordinator that begins anew; time that passes. All moments that this world can come to are
//! gone through, each with every event, so what is asserted holds in all of
//! them and not in those that chance found.
//!
//! Two moments are the same when the engine, store and parties cannot tell them
//! apart: of clocks it counts whether a limit has passed, of revisions whether a
//! party has seen the one that withdrew the job. That makes the world finite.

use std::collections::{HashMap, VecDeque};

use entente_protocol::job::Side;

use super::*;

/// What a party is away after; twice of it is more than the stall budget of
/// the testbed's job.
const STEP: Span = Span(SETTINGS.party_timeout.0 + 1);

#[derive(Debug, Clone, Copy)]
enum Happening {
    Submit,
    Cancel,
    /// A party says its truth and takes in the answer.
    Sync(Side),
    /// The active party sends its truth, and the network holds it.
    Hold,
    /// What the network holds arrives, and may again. Nobody gets the answer.
    Arrive,
    /// A party comes to the end of its work.
    Finish(Side),
    /// The active party fails.
    Fail,
    /// The active party begins anew, and knows nothing.
    RestartParty,
    RestartCoordinator,
    Pass,
}

use Happening::*;

const HAPPENINGS: [Happening; 12] = [
    Submit,
    Cancel,
    Sync(Side::Active),
    Sync(Side::Passive),
    Hold,
    Arrive,
    Finish(Side::Active),
    Finish(Side::Passive),
    Fail,
    RestartParty,
    RestartCoordinator,
    Pass,
];

#[derive(Debug, Clone, Default)]
struct Peer {
    seen_revision: u64,
    job: Option<Phase>,
}

impl Peer {
    fn truth(&self) -> super::Sync {
        let reports = self.job.iter().map(|phase| report(1, phase.clone(), 0));
        super::Sync {
            jobs: reports.collect(),
            seen_revision: self.seen_revision,
            ..truth()
        }
    }
}

#[derive(Clone)]
struct Moment {
    engine: Engine,
    now: Millis,
    kept: Option<JobRecord>,
    peers: [Peer; 2],
    held: Option<super::Sync>,
}

fn name(side: Side) -> &'static str {
    match side {
        Side::Active => "bank-a",
        Side::Passive => "bank-b",
    }
}

impl Moment {
    fn first() -> Self {
        let World { engine, now } = World::new();
        Self {
            engine,
            now,
            kept: None,
            peers: Default::default(),
            held: None,
        }
    }

    fn is_ended(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.state.is_ended())
    }

    /// The moment after; nothing if it cannot happen now.
    fn after(&self, happening: Happening) -> Option<Self> {
        // After the end what is under way still arrives, and no more is begun.
        let arrives = matches!(happening, Cancel | Sync(_) | Arrive | RestartCoordinator);
        if self.is_ended() && !arrives {
            return None;
        }
        let mut next = self.clone();
        match happening {
            Submit if self.kept.is_none() => next.handle(Event::Submit {
                id: id(1),
                task: Box::new(job()),
                by: "user/alice".parse().unwrap(),
                submission: None,
            }),
            Cancel => next.handle(Event::Cancel {
                id: id(1),
                by: "user/alice".parse().unwrap(),
            }),
            Sync(side) => {
                let sync = self.peers[side as usize].truth();
                next.arrive(side, sync);
                let wish = next.engine.wish(&party(name(side)));
                let peer = &mut next.peers[side as usize];
                peer.seen_revision = wish.revision;
                let begins = wish.jobs.first().map(|_| Phase::Running);
                peer.job = begins.map(|begins| peer.job.take().unwrap_or(begins));
            }
            Hold => next.held = Some(self.peers[Side::Active as usize].truth()),
            Arrive => next.arrive(Side::Active, self.held.clone()?),
            Finish(side) => next.end(side, Phase::Finished)?,
            Fail => next.end(Side::Active, failed(1, "disk").phase)?,
            RestartParty => next.peers[Side::Active as usize] = Peer::default(),
            RestartCoordinator => {
                let jobs = next.kept.iter().cloned().collect();
                // On a clock that stood still revisions would begin anew.
                next.now.0 += 100;
                next.engine = Engine::new(SETTINGS, jobs, next.now);
            }
            Pass => {
                next.now.0 += STEP.0;
                next.handle(Event::Tick);
            }
            Submit => return None,
        }
        Some(next)
    }

    fn end(&mut self, side: Side, phase: Phase) -> Option<()> {
        let job = &mut self.peers[side as usize].job;
        (*job == Some(Phase::Running)).then(|| *job = Some(phase))
    }

    fn arrive(&mut self, side: Side, sync: super::Sync) {
        self.handle(Event::Sync {
            party: party(name(side)),
            sync,
        });
    }

    /// Everything that must hold of every step.
    fn handle(&mut self, event: Event) {
        let commands = match self.engine.handle(event, self.now) {
            Ok(commands) => commands,
            Err(EngineError::Unknown(_) | EngineError::Ended { .. }) => return,
            Err(error) => panic!("{error}"),
        };
        for command in commands {
            match command {
                Command::Insert(record) => {
                    assert!(self.kept.is_none());
                    self.kept = Some(*record);
                }
                Command::Write(change) => {
                    let kept = self.kept.as_ref().unwrap();
                    assert_eq!(kept.state, change.expected_state());
                    assert_eq!(kept.version, change.expected_version());
                    if let Some(entered) = change.entered() {
                        assert!(!kept.state.is_ended(), "{} to {entered}", kept.state);
                    }
                    self.kept = Some(change.record().clone());
                }
                Command::Wake(_) | Command::Refuse(_) => {}
            }
        }
        let thought = self.engine.jobs.get(&id(1)).map(|record| record.state);
        assert_eq!(thought, self.kept.as_ref().map(|kept| kept.state));
    }

    /// What the engine, the store and the parties can tell of it.
    fn essence(&self) -> String {
        let ago = |then: Millis| (self.now.since(then).0 / STEP.0).min(2);
        let phase = |phase: &Option<Phase>| match phase {
            None => '-',
            Some(Phase::Finished) => 'f',
            Some(Phase::Failed { .. }) => 'x',
            Some(_) => 'r',
        };
        let record = |record: &JobRecord| {
            let sides: String = record.sides.iter().map(|side| phase(&side.phase)).collect();
            let failures: Vec<_> = record.failures.iter().map(|failure| failure.side).collect();
            format!("{} {sides} {failures:?}", record.state)
        };
        let running = self.engine.live_in(JobState::Running);
        let still: Vec<_> = running
            .map(|record| ago(self.engine.live[&record.id].grown_at))
            .collect();
        let mut essence = format!(
            "{:?} {:?} {:?}",
            self.kept.as_ref().map(record),
            self.engine.jobs.values().map(record).collect::<Vec<_>>(),
            still,
        );
        for side in [Side::Active, Side::Passive] {
            let peer = &self.peers[side as usize];
            let held = self.held.as_ref().filter(|_| side == Side::Active);
            let known = self.engine.parties.get(&party(name(side)));
            let withdrawn = known.and_then(|known| known.withdrawn.values().next());
            let has_seen_it = |seen: u64| withdrawn.is_some_and(|at| *at <= seen);
            essence += &format!("|{} {}", phase(&peer.job), has_seen_it(peer.seen_revision));
            if let Some(held) = held {
                let job = held.jobs.first().map(|job| job.phase.clone());
                essence += &format!(" {} {}", phase(&job), has_seen_it(held.seen_revision));
            }
            essence += &match known {
                Some(known) => format!(
                    " {} {:?} {} {}",
                    ago(known.heard_at).min(1),
                    known.knows.values().next(),
                    known.wished.len(),
                    withdrawn.is_some()
                ),
                None => format!(" {}", ago(self.engine.begun_at).min(1)),
            };
        }
        essence
    }
}

#[test]
fn no_order_leaves_a_job_without_an_end_or_with_two() {
    let mut numbers = HashMap::new();
    let mut before: Vec<Vec<usize>> = vec![Vec::new()];
    let mut ended = Vec::new();
    let mut to_do = VecDeque::from([(0, Moment::first())]);
    numbers.insert(Moment::first().essence(), 0);
    while let Some((number, moment)) = to_do.pop_front() {
        if moment.is_ended() {
            ended.push(number);
        }
        for happening in HAPPENINGS {
            let Some(next) = moment.after(happening) else {
                continue;
            };
            let next_number = *numbers.entry(next.essence()).or_insert_with(|| {
                before.push(Vec::new());
                to_do.push_back((before.len() - 1, next));
                before.len() - 1
            });
            before[next_number].push(number);
        }
    }
    assert!(before.len() > 10_000, "only {} moments", before.len());
    // From the ends back: whatever is not met can come to none.
    let mut leads_to_an_end = vec![false; before.len()];
    while let Some(number) = ended.pop() {
        if !core::mem::replace(&mut leads_to_an_end[number], true) {
            ended.extend(&before[number]);
        }
    }
    let lost = leads_to_an_end.iter().filter(|leads| !**leads).count();
    assert_eq!(lost, 0, "of {} moments", before.len());
}
