//! Nothing new begins: before an upgrade, or before a machine is taken away.
//!
//! | who is drained | by whom | where it is kept |
//! |---|---|---|
//! | a party | its own people, beside it (`entente party drain`) | with the party, which says so in every sync |
//! | the coordinator | an operator (`entente coordinator drain`) | in the store, for whoever leads |
//!
//! An attempt that has not begun stays in the queue, in its place. One that has
//! is brought to its end: one that was parked or resumed gets its places back,
//! so a drain comes to an end. What is paused stays so; its checkpoints outlast
//! any machine's restart.
//!
//! A party is drained by its own people: whether a bank's machine takes work is
//! the bank's decision. Refused: to put the jobs to rest at once. Processes may
//! be stopped at any moment as it is (SIGTERM), and their jobs go on afterwards;
//! who drains wants them *done*.

use entente_tls::Identity;

use super::{Command, Engine};
use crate::{
    audit::{Deed, What},
    clock::Millis,
    job::{DrainView, JobState},
};

/// That nothing new begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draining {
    /// Since when.
    pub since: Millis,
    /// Who said so.
    pub by: Identity,
}

impl Engine {
    /// As a store has it.
    #[must_use]
    pub fn with_draining(mut self, draining: Option<Draining>) -> Self {
        self.draining = draining;
        self
    }

    /// The same again changes nothing.
    pub(super) fn drain(
        &mut self,
        drain: bool,
        by: Identity,
        now: Millis,
        commands: &mut Vec<Command>,
    ) {
        if drain == self.draining.is_some() {
            return;
        }
        let what = match drain {
            true => What::Drained,
            false => What::Undrained,
        };
        let deed = Deed::at_large(what, by.clone(), now);
        self.draining = drain.then_some(Draining { since: now, by });
        for party in self.parties.keys() {
            self.queue.shake(party);
        }
        commands.push(Command::Drain(self.draining.clone(), deed));
    }

    /// Whether nothing new begins, and how far that has got.
    pub fn drained(&self) -> DrainView {
        let live = self.live.keys().filter_map(|id| self.jobs.get(id));
        let (mut begun, mut paused, mut waiting) = (0, 0, 0);
        for record in live {
            match record.state {
                JobState::Paused => paused += 1,
                _ if record.has_begun() => begun += 1,
                _ => waiting += 1,
            }
        }
        DrainView {
            draining: self.draining.is_some(),
            since: self.draining.as_ref().map(|of| of.since.into()),
            by: self.draining.as_ref().map(|of| of.by.clone()),
            begun,
            paused,
            waiting,
        }
    }
}
