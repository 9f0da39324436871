//! Which jobs a list shows, a page at a time.
//!
//! Newest first, and a page begins behind a job and not at a number: jobs that
//! are submitted while somebody turns the pages come before the first one, so
//! no page shows a job twice or leaves one out.

use std::ops::Bound;

use entente_protocol::job::{JobId, PartyName};
use entente_tls::Identity;

use super::Engine;
use crate::{
    clock::Millis,
    job::{JobRecord, JobState, JobView},
};

/// Which jobs.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Those in this state.
    pub state: Option<JobState>,
    /// Those that all of these take part in.
    pub parties: Vec<PartyName>,
    /// Those that this one submitted.
    pub submitted_by: Option<Identity>,
    /// Those that were submitted before this one.
    pub before: Option<JobId>,
    /// So many at most; nothing for all.
    pub limit: Option<usize>,
}

/// Some of the jobs.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Newest first.
    pub jobs: Vec<JobView>,
    /// What the next page is before; nothing if this is the last.
    pub next: Option<JobId>,
}

impl Listing {
    fn shows(&self, record: &JobRecord) -> bool {
        let by = self.submitted_by.as_ref();
        self.state.is_none_or(|state| record.state == state)
            && by.is_none_or(|by| record.submitted_by == *by)
            && self
                .parties
                .iter()
                .all(|party| record.task.side_of(party).is_some())
    }
}

impl Engine {
    /// The jobs of a list, newest first.
    pub fn list(&self, listing: &Listing, now: Millis) -> Page {
        let limit = listing.limit.unwrap_or(usize::MAX);
        let mut shown = self
            .newest_first(listing)
            .filter(|record| listing.shows(record))
            .peekable();
        let mut jobs: Vec<JobView> = Vec::new();
        while jobs.len() < limit
            && let Some(record) = shown.next()
        {
            jobs.push(self.view(record, now));
        }
        let more = shown.peek().is_some();
        Page {
            next: jobs.last().map(|job| job.id).filter(|_| more),
            jobs,
        }
    }

    /// Of those in one state alone if no others are asked for: most jobs have
    /// ended long ago.
    fn newest_first(&self, listing: &Listing) -> impl Iterator<Item = &JobRecord> {
        let before = match listing.before {
            Some(before) => Bound::Excluded(before),
            None => Bound::Unbounded,
        };
        let of_state = listing.state.map(|state| {
            let ids = self.board.in_state(state, before).rev();
            ids.filter_map(|id| self.jobs.get(&id))
        });
        let of_all = listing.state.is_none().then(|| {
            let jobs = self.jobs.range((Bound::Unbounded, before)).rev();
            jobs.map(|(_, record)| record)
        });
        let (of_state, of_all) = (of_state.into_iter(), of_all.into_iter());
        of_state.flatten().chain(of_all.flatten())
    }
}
