//! Posts, and what is asked of all of them together.

use std::{collections::BTreeMap, time::Instant};

use actix::Addr;
use entente_protocol::job::JobId;

use super::super::{Parcel, Wanted, WorkerId, accounts::Accounts, job::RemoteJob};
use crate::{backoff::Backoff, telemetry::Meters};

/// The posts, what is wished, and what workers have told.
pub(super) struct Table {
    pub(super) posts: BTreeMap<WorkerId, Post>,
    /// What the coordinator wished last; nothing before it was heard.
    pub(super) wished: Option<BTreeMap<JobId, u32>>,
    connections: u64,
    pub(super) accounts: Accounts,
}

/// A worker that there shall be, and whoever waits for it.
pub(super) struct Post {
    pub(super) wanted: Wanted,
    pub(super) job: Addr<RemoteJob>,
    pub(super) needs: Vec<Parcel>,
    pub(super) makes: [Parcel; 2],
    pub(super) state: State,
    pub(super) meters: Meters,
    pub(super) backoff: Backoff,
    /// Not made again before.
    pub(super) not_before: Option<Instant>,
}

/// How far a worker is, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::workers) enum State {
    Waiting,
    Starting,
    Connected,
}

/// Who calls, and what becomes of the call.
pub(in crate::workers) enum Caller {
    /// Its job runs here.
    Wanted {
        job: Addr<RemoteJob>,
        needs: Vec<Parcel>,
        makes: [Parcel; 2],
    },
    /// It is not known yet what is wished.
    TooEarly,
    /// Nobody waits for it.
    Unwanted,
}

/// What is to become of a worker that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::workers) enum Lot {
    /// Somebody waits for it, or the coordinator has not been heard yet.
    Stays,
    /// Its process ends, and what it goes on from stays.
    Rests,
    /// All of it goes.
    Forgotten,
}

impl Table {
    /// Without any.
    pub(super) fn new(accounts: Accounts) -> Self {
        Self {
            posts: BTreeMap::new(),
            wished: None,
            connections: 0,
            accounts,
        }
    }

    /// Who calls.
    pub(super) fn caller(&mut self, id: WorkerId) -> (u64, Caller) {
        self.connections += 1;
        let caller = match (self.posts.get(&id), &self.wished) {
            (Some(post), _) => Caller::Wanted {
                job: post.job.clone(),
                needs: post.needs.clone(),
                makes: post.makes,
            },
            (None, None) => Caller::TooEarly,
            (None, Some(_)) => Caller::Unwanted,
        };
        (self.connections, caller)
    }

    /// What is to become of a worker that is there: if nobody waits for it, it is at
    /// rest if the coordinator wishes its attempt, and else forgotten.
    pub(super) fn lot(&self, id: WorkerId) -> Lot {
        match &self.wished {
            // Asked last, not when the look began: that takes its time, and meanwhile a
            // party that has just come back is told what its workers are there for.
            _ if self.posts.contains_key(&id) => Lot::Stays,
            None => Lot::Stays,
            Some(wished) if wished.get(&id.job) == Some(&id.attempt) => Lot::Rests,
            Some(_) => Lot::Forgotten,
        }
    }

    /// Says how many workers are how far.
    pub(super) fn count(&self) {
        let states = [State::Waiting, State::Starting, State::Connected];
        let counts = states.map(|state| {
            let posts = self.posts.values();
            posts.filter(|post| post.state == state).count() as i64
        });
        if let Some(post) = self.posts.values().next() {
            post.meters.workers(counts);
        }
    }
}
