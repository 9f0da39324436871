//! The phases, one after the other, with all parties.

use entente_protocol::{
    contract::Signed,
    control::Phase,
    job::{JobId, Side, Task},
};
use entente_tls::Identity;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;
use uuid::Uuid;

use super::{BEGUN_MS, BenchError, Coordinator, Figure, Scale, figure::Watch, peer::Peer};
use crate::{
    engine::{Answer, Event},
    job::Priority,
};

const RENEWALS: usize = 10;
/// Letters of a signature with its certificates.
const SIGNATURE_LETTERS: usize = 2000;
const SUBMITTERS: u32 = 10;

/// All parties, and the one coordinator that they speak to.
pub(super) struct Field {
    scale: Scale,
    through: &'static str,
    peers: Vec<Peer>,
    random: ChaCha20Rng,
}

impl Field {
    pub(super) fn new(scale: Scale, through: &'static str) -> Result<Self, BenchError> {
        let peer = |number: u32| {
            let name = format!("bank-{number}");
            let name = name.parse().map_err(|_| BenchError::Name(name))?;
            Ok(Peer::new(name))
        };
        let peers = (0..scale.parties.max(2)).map(peer);
        Ok(Self {
            scale,
            through,
            peers: peers.collect::<Result<_, BenchError>>()?,
            random: ChaCha20Rng::seed_from_u64(2),
        })
    }

    /// What each phase takes.
    pub(super) async fn measure(
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
            peer.follow(coordinator.wish(peer.name().clone()).await?);
        }
        let mut renew = Watch::default();
        for _ in 0..RENEWALS {
            for peer in &self.peers {
                let mut sync = peer.sync();
                for report in &mut sync.jobs {
                    report.phase = Phase::Preparing;
                }
                let party = peer.name().clone();
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
            if finished == before && self.peers.iter().all(Peer::is_idle) {
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
        let (party, sync) = (peer.name().clone(), peer.sync());
        watch
            .time(coordinator.take(Event::Sync { party, sync }))
            .await?;
        let left = peer.follow(coordinator.wish(peer.name().clone()).await?);
        Ok(u32::try_from(left).unwrap_or(u32::MAX))
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
