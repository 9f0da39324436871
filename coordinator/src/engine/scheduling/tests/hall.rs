//! Parties and jobs without an engine round them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use entente_protocol::job::{JobId, PartyName, Resources, Side};
use entente_tls::Identity;

use super::super::{
    Class, Entry, Floor, Need, Obstacle, Pass, Patience, Queue, Room, Share, Spot, Standing,
};
use crate::{
    clock::{Millis, Span},
    job::{Priority, Sides, Tenure},
    testbed::{id, party},
};

pub(super) const PATIENCE: Span = Span::seconds(3600);

/// What a job is, while it waits and while it runs.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) between: (usize, usize),
    pub(super) by: usize,
    pub(super) priority: Priority,
    pub(super) threads: u32,
    pub(super) dataset: usize,
}

impl Default for Job {
    fn default() -> Self {
        Self {
            between: (0, 1),
            by: 0,
            priority: Priority::Normal,
            threads: 1,
            dataset: 0,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Running {
    pub(super) entry: Entry,
    tenure: Tenure,
}

#[derive(Debug, Clone)]
struct There {
    room: Room,
    datasets: BTreeSet<String>,
    wire: BTreeSet<u16>,
    draining: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct World {
    parties: BTreeMap<PartyName, There>,
    pub(super) running: BTreeMap<JobId, Running>,
    /// Jobs that a party may still be at, though they have no places.
    lingering: BTreeMap<(PartyName, JobId), Need>,
}

impl Floor for World {
    fn spot(&self, party: &PartyName) -> Option<Spot<'_>> {
        let there = self.parties.get(party)?;
        Some(Spot {
            room: there.room,
            datasets: &there.datasets,
            wire: &there.wire,
            draining: there.draining,
        })
    }

    fn taken(&self, party: &PartyName, beside: JobId) -> Need {
        let there = |running: &&Running| running.entry.class.parties.iter().any(|p| p == party);
        let taken = self.running.values().filter(there);
        let taken = taken.map(|running| (running.entry.id, running.entry.class.need));
        let lingering = self.lingering.iter().filter(|((at, _), _)| at == party);
        let lingering = lingering.map(|((_, id), need)| (*id, *need));
        let all: BTreeMap<JobId, Need> = taken.chain(lingering).collect();
        let others = all.into_iter().filter(|(id, _)| *id != beside);
        others.map(|(_, need)| need).sum()
    }
}

/// A queue, and the world that it looks at.
#[derive(Debug, Clone)]
pub(super) struct Hall {
    pub(super) now: Millis,
    pub(super) queue: Queue,
    pub(super) share: Share,
    pub(super) world: World,
    submitted: u128,
}

pub(super) fn name(index: usize) -> PartyName {
    party(&format!("bank-{index}"))
}

pub(super) fn user(index: usize) -> Identity {
    format!("user/u{index}").parse().unwrap()
}

impl Hall {
    pub(super) fn new() -> Self {
        Self {
            now: Millis(1_000_000_000),
            queue: Queue::default(),
            share: Share::default(),
            world: World::default(),
            submitted: 0,
        }
    }

    pub(super) fn come(&mut self, index: usize, jobs: u32, threads: Option<u32>, datasets: usize) {
        let there = There {
            room: Room {
                jobs,
                threads,
                memory_bytes: None,
            },
            datasets: (0..datasets).map(|index| format!("d{index}")).collect(),
            wire: BTreeSet::from([1]),
            draining: false,
        };
        self.world.parties.insert(name(index), there);
        self.queue.shake(&name(index));
    }

    /// Nothing new begins at a party, or it does again.
    pub(super) fn drain(&mut self, index: usize, draining: bool) {
        if let Some(there) = self.world.parties.get_mut(&name(index)) {
            there.draining = draining;
            self.queue.shake(&name(index));
        }
    }

    pub(super) fn go(&mut self, index: usize) {
        self.world.parties.remove(&name(index));
        self.queue.shake(&name(index));
    }

    pub(super) fn submit(&mut self, job: Job) -> JobId {
        self.submitted += 1;
        let dataset = Some(format!("d{}", job.dataset));
        let class = Class {
            parties: Sides {
                active: name(job.between.0),
                passive: name(job.between.1),
            },
            datasets: Sides::from_fn(|_| dataset.clone()),
            need: Need::of(&Resources {
                threads: job.threads,
                ..Resources::default()
            }),
            wire: None,
            alone: None,
        };
        let id = id(self.submitted);
        self.queue.insert(Entry {
            id,
            class: Arc::new(class),
            by: user(job.by),
            priority: job.priority,
            since: self.now,
            begun: false,
            overdue_at: Patience(PATIENCE).ends(job.priority, self.now),
        });
        id
    }

    /// A job that runs gives its places away, and wants them back; it may still
    /// be at one of its parties.
    pub(super) fn park(&mut self, id: JobId, lingers: bool) {
        if let Some(running) = self.end(id) {
            let class = Class {
                alone: Some(id),
                ..Class::clone(&running.entry.class)
            };
            if lingers {
                let at = class.parties.active.clone();
                self.world.lingering.insert((at, id), class.need);
            }
            self.queue.insert(Entry {
                class: Arc::new(class),
                since: self.now,
                begun: true,
                ..running.entry
            });
        }
    }

    /// It is not any more.
    pub(super) fn let_go(&mut self, index: usize) {
        if let Some((party, id)) = self.world.lingering.keys().nth(index).cloned() {
            self.world.lingering.remove(&(party.clone(), id));
            self.queue.stir(&party);
        }
    }

    pub(super) fn end(&mut self, id: JobId) -> Option<Running> {
        let running = self.world.running.remove(&id)?;
        let mut over = running.tenure.clone();
        over.give(self.now);
        let (by, need) = (&running.entry.by, running.entry.class.need);
        self.share.count(by, id, need, &running.tenure, &over);
        for party in running.entry.class.parties.iter() {
            self.queue.stir(party);
        }
        Some(running)
    }

    /// What starts, as the queue says.
    pub(super) fn settle(&mut self) -> Vec<JobId> {
        let mut pass = Pass::default();
        let mut started = Vec::new();
        while let Some(id) = pass.next(&mut self.queue, &self.world, &self.share, self.now) {
            self.start(id);
            started.push(id);
        }
        started
    }

    fn start(&mut self, id: JobId) {
        let entry = self.queue.remove(id).unwrap();
        let mut tenure = Tenure::default();
        tenure.take(self.now);
        let (by, need) = (&entry.by, entry.class.need);
        self.share.count(by, id, need, &Tenure::default(), &tenure);
        for party in entry.class.parties.iter() {
            let spot = self.world.spot(party).unwrap();
            let taken = self.world.taken(party, id);
            assert_eq!(spot.room.lacks(taken, need), None, "at {party}");
        }
        self.world.running.insert(id, Running { entry, tenure });
    }

    /// What starts, by the rules alone and over everything.
    pub(super) fn settle_naively(&mut self) -> Vec<JobId> {
        let mut started = Vec::new();
        while let Some(id) = self.first_that_may() {
            self.start(id);
            started.push(id);
        }
        started
    }

    fn first_that_may(&self) -> Option<JobId> {
        let now = self.now;
        let standing = |entry: &Entry| entry.standing(self.share.usage(&entry.by, now), now);
        let mut order: Vec<(Standing, &Entry)> = self
            .queue
            .entries()
            .map(|entry| (standing(entry), entry))
            .collect();
        order.sort_by_key(|(standing, _)| *standing);
        let first_at = |party: &PartyName| {
            let mut pressing = order.iter().filter(|(standing, entry)| {
                !matches!(standing, Standing::Usual { .. })
                    && entry.class.parties.iter().any(|there| there == party)
                    && self.world.is_open(&entry.class, entry.begun)
            });
            pressing.next().map(|(_, entry)| *entry)
        };
        let claim = |party: &PartyName| {
            let first = first_at(party)?;
            let everywhere = first.class.parties.iter().all(|there| {
                let other = first_at(there);
                other.is_some_and(|other| other.id == first.id)
            });
            everywhere.then_some(first)
        };
        let may = |entry: &Entry| {
            self.world.is_open(&entry.class, entry.begun)
                && entry.class.parties.iter().all(|party| {
                    let spot = self.world.spot(party).unwrap();
                    let kept = claim(party).filter(|claim| claim.id != entry.id);
                    let kept = kept.map_or(Need::default(), |claim| claim.class.need);
                    let taken = self.world.taken(party, entry.id).and(kept);
                    spot.room.lacks(taken, entry.class.need).is_none()
                })
        };
        let first = order.iter().find(|(_, entry)| may(entry));
        first.map(|(_, entry)| entry.id)
    }

    pub(super) fn obstacle(&self, id: JobId, side: Side) -> Option<Obstacle> {
        let entry = self.queue.entry(id).unwrap();
        self.world.obstacle(&self.queue, entry, side)
    }
}
