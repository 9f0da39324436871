//! A moment of the small world, what may happen next, and what must hold then.

use std::collections::BTreeMap;

use entente_protocol::{control, job::Side};

use super::{super::*, peer::Peer};

/// What a party is away after; twice of it is more than the stall budget of
/// the testbed's job, and more than any wait between two attempts.
pub(super) const STEP: Span = Span(SETTINGS.party_timeout.0 + 1);

/// With so many attempts after the first.
fn settings(transient: u32) -> Settings {
    let retries = Retries {
        transient,
        ..SETTINGS.retries
    };
    Settings {
        retries,
        ..SETTINGS
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Happening {
    /// A job that both parties approve of at once.
    Submit(u128),
    /// A job of which nobody has approved yet.
    Propose(u128),
    /// The first job's owner wants the second to do the same again.
    Retry,
    /// A party's approval arrives.
    Approve(u128, Side),
    /// The passive party does not take part.
    Reject(u128),
    Cancel(u128),
    Pause(u128),
    Resume(u128),
    /// A party says its truth and takes in the answer.
    Sync(Side),
    /// The active party sends its truth, and the network holds it.
    Hold,
    /// What the network holds arrives, and may again. Nobody gets the answer.
    Arrive,
    /// A party comes to the end of its work.
    Finish(u128, Side),
    /// The active party fails.
    Fail(u128),
    /// The active party begins anew, and knows nothing.
    RestartParty,
    RestartCoordinator,
    Pass,
}

use Happening::*;

#[derive(Clone)]
pub(super) struct Moment {
    pub(super) engine: Engine,
    pub(super) now: Millis,
    /// How many jobs there will be.
    jobs: usize,
    /// Places at either party: one fewer than could be used, so that two jobs
    /// want one.
    pub(super) capacity: u32,
    pub(super) kept: BTreeMap<JobId, JobRecord>,
    pub(super) peers: [Peer; 2],
    pub(super) held: Option<control::Sync>,
}

pub(super) fn name(side: Side) -> &'static str {
    match side {
        Side::Active => "bank-a",
        Side::Passive => "bank-b",
    }
}

fn alice() -> entente_tls::Identity {
    "user/alice".parse().unwrap()
}

impl Moment {
    pub(super) fn first(jobs: usize, retries: u32) -> Self {
        let now = Millis(1_000_000);
        Self {
            engine: Engine::new(settings(retries), Vec::new(), jitter(), now),
            now,
            jobs,
            capacity: 1,
            kept: BTreeMap::new(),
            peers: Default::default(),
            held: None,
        }
    }

    pub(super) fn is_ended(&self) -> bool {
        self.kept.len() == self.jobs && self.kept.values().all(|kept| kept.state.is_ended())
    }

    /// The moment after; nothing if it cannot happen now.
    pub(super) fn after(&self, happening: Happening) -> Option<Self> {
        // After the end what is under way still arrives, and no more is begun.
        let arrives = matches!(happening, Cancel(_) | Sync(_) | Arrive | RestartCoordinator);
        if self.is_ended() && !arrives || !self.may_be(happening) {
            return None;
        }
        let mut next = self.clone();
        match happening {
            Submit(number) => {
                next.propose(number);
                next.agree(number);
            }
            Propose(number) => next.propose(number),
            Retry => {
                next.order(1, Order::Retry { new: id(2) });
                next.agree(2);
            }
            Approve(job, side) => next.answer(job, side, Answer::Signed(signed())),
            Reject(job) => next.answer(job, Side::Passive, rejection()),
            Cancel(job) => next.order(job, Order::Cancel),
            Pause(job) => next.order(job, Order::Pause),
            Resume(job) => next.order(job, Order::Resume),
            Sync(side) => {
                let sync = self.peers[side as usize].truth(self.capacity);
                next.arrive(side, sync);
                let wish = next.engine.wish(&party(name(side)));
                next.peers[side as usize].follow(wish);
                next.nobody_has_too_much();
            }
            Hold => {
                let truth = self.peers[Side::Active as usize].truth(self.capacity);
                next.held = Some(truth);
            }
            Arrive => next.arrive(Side::Active, self.held.clone()?),
            Finish(job, side) => next.end(job, side, Phase::Finished),
            Fail(job) => {
                let report = failed_by(job, FailureClass::Retry, "state_lost");
                next.end(job, Side::Active, report.phase);
            }
            RestartParty => next.peers[Side::Active as usize] = Peer::default(),
            RestartCoordinator => {
                let jobs = next.kept.values().cloned().collect();
                // On a clock that stood still revisions would begin anew.
                next.now.0 += 100;
                let settings = next.engine.settings;
                next.engine = Engine::new(settings, jobs, jitter(), next.now);
            }
            Pass => {
                next.now.0 += STEP.0;
                next.handle(Event::Tick);
            }
        }
        Some(next)
    }

    /// Whether it would be something; what the engine refuses is tried too.
    fn may_be(&self, happening: Happening) -> bool {
        let is_next = |number| self.kept.len() as u128 + 1 == number;
        let is_at_it = |job, side: Side| {
            let known = self.peers[side as usize].jobs.get(&id(job));
            known.is_some_and(|(_, phase)| *phase == Phase::Running)
        };
        match happening {
            Submit(number) | Propose(number) => is_next(number),
            Retry => is_next(2),
            Arrive => self.held.is_some(),
            Finish(job, side) => is_at_it(job, side),
            Fail(job) => is_at_it(job, Side::Active),
            Approve(..) | Reject(_) | Cancel(_) | Pause(_) | Resume(_) | Sync(_) | Hold
            | RestartParty | RestartCoordinator | Pass => true,
        }
    }

    fn end(&mut self, job: u128, side: Side, end: Phase) {
        let jobs = &mut self.peers[side as usize].jobs;
        if let Some((_, phase)) = jobs.get_mut(&id(job)) {
            *phase = end;
        }
    }

    fn propose(&mut self, number: u128) {
        self.handle(Event::Submit {
            id: id(number),
            task: Box::new(job()),
            by: alice(),
            submission: None,
            priority: Priority::Normal,
        });
    }

    fn agree(&mut self, number: u128) {
        for side in [Side::Active, Side::Passive] {
            self.answer(number, side, Answer::Signed(signed()));
        }
    }

    fn answer(&mut self, job: u128, side: Side, answer: Answer) {
        self.handle(Event::Answer {
            id: id(job),
            party: party(name(side)),
            answer,
        });
    }

    fn order(&mut self, job: u128, order: Order) {
        self.handle(Event::Order {
            id: id(job),
            order,
            by: alice(),
        });
    }

    fn arrive(&mut self, side: Side, sync: control::Sync) {
        self.handle(Event::Sync {
            party: party(name(side)),
            sync,
        });
    }

    /// Everything that must hold of every step.
    fn handle(&mut self, event: Event) {
        let commands = match self.engine.handle(event, self.now) {
            Ok(commands) => commands,
            Err(error @ EngineError::Transition(_)) => panic!("{error}"),
            Err(_) => return,
        };
        for command in commands {
            match command {
                Command::Insert(record) => {
                    assert!(self.kept.insert(record.id, *record).is_none());
                }
                Command::Write(change) => {
                    let kept = self.kept.get_mut(&change.record().id).unwrap();
                    assert_eq!(kept.state, change.expected_state());
                    assert_eq!(kept.version, change.expected_version());
                    if let Some(entered) = change.entered() {
                        assert!(!kept.state.is_ended(), "{} to {entered}", kept.state);
                    }
                    *kept = change.record().clone();
                }
                Command::Drain(..) | Command::Wake(_) | Command::Refuse(_) => {}
            }
        }
        for (id, kept) in &self.kept {
            let signed = kept.approvals.is_agreed();
            assert!(signed || !kept.state.has_places(), "{kept:?}");
            assert_eq!(self.engine.jobs[id].state, kept.state);
        }
        let placed = self.kept.values().filter(|kept| kept.state.has_places());
        assert!(placed.count() <= self.capacity as usize);
    }

    /// No party works at more jobs than it can take, but for what it still has
    /// at hand of parked ones.
    fn nobody_has_too_much(&self) {
        for peer in &self.peers {
            let at_work = peer.jobs.iter().filter(|(id, (_, phase))| {
                let parked = self.kept[*id].state == JobState::Parked;
                *phase == Phase::Running && !parked
            });
            assert!(at_work.count() <= self.capacity as usize);
        }
    }
}
