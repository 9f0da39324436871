//! Where a job stands, as it is told, and how long it may stand there.

use std::time::Instant;

use entente_protocol::Role;

use super::{Awaited, Command, Driver, Effects, Place, Standing, Status};
use crate::delivery::JournalError;

impl<R: Role> Driver<R> {
    /// Tells where it stands, if that is news.
    pub(super) fn tell(&mut self, effects: &mut Effects<R>) {
        let status = Status {
            standing: self.standing(),
            progress: self.progress(),
            granted: self.granted,
        };
        if self.told.as_ref() != Some(&status) {
            self.told = Some(status.clone());
            effects.then(Command::Tell(Box::new(status)));
        }
    }

    pub(super) fn standing(&self) -> Standing {
        let waiting = |what| Standing::Waiting {
            what,
            since: self.since,
        };
        if let Some(what) = self.unkept.as_ref().and_then(JournalError::waits_for) {
            return waiting(Awaited::Disk(what));
        }
        match &self.place {
            Place::Resting(_) | Place::Waiting(_) if self.hold => Standing::Held,
            Place::Resting(_) => waiting(Awaited::Grant),
            Place::Waiting(_) if !self.outbound.is_linked() => waiting(self.link_wanted()),
            Place::Waiting(_) | Place::Computing | Place::Saving => Standing::Running,
            Place::Finished => Standing::Finished,
            Place::Failed(failure) => Standing::Failed(failure.clone()),
        }
    }

    /// What is waited for where there is no link of any use.
    fn link_wanted(&self) -> Awaited {
        let peer = self.peer.clone();
        match &self.other_versions {
            None => Awaited::Link(peer),
            Some(spoken) => Awaited::Version {
                peer,
                wanted: self.session.version(),
                spoken: spoken.clone(),
            },
        }
    }

    /// When the job ends if it waits for its peer or its disk until then. A grant, or
    /// a person who lets it go on, is waited for without end.
    pub(super) fn stall_deadline(&self) -> Option<Instant> {
        let for_peer = matches!(self.place, Place::Waiting(_)) && !self.hold;
        let waits = for_peer || self.unkept.is_some();
        waits.then(|| self.since.checked_add(self.stall_budget))?
    }
}
