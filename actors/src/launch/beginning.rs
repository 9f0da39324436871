//! How an attempt begins at this party: for the first time, or from its
//! journal.
//!
//! ```text
//!   journal on disk      reported as done     hold        no hold
//!   none                 0                    held        prepared, journal made
//!   none                 some                 state_lost  state_lost
//!   at rest                                   held        restored
//!   ended                                     answers     answers
//!   cannot be unsealed                        waits       waits
//!   cannot be read                            damaged     damaged
//! ```
//!
//! A party never begins an attempt for the first time that it has begun before:
//! its peer remembers another one, and a second set of keys and masks under one
//! session would tell more than either alone.

use std::time::Instant;

use entente_metrics::{FROM_NEWEST, FROM_OLDER, HAD_ENDED, STATE_LOST, UNREADABLE};
use entente_protocol::control::{Assignment, Progress};

use super::{Launch, LaunchError, Plan, Ready};
use crate::{
    config::PartyConfig,
    delivery::{Ended, Journal, Left, Messages, Restored},
    driver::Driver,
    journals::{Found, Journals},
    keeping::{Keeper, Keeps},
    party::{JobHandle, Seat, seat},
    rotation::KeyWish,
    telemetry::Meters,
};

/// An attempt that has begun.
pub(crate) enum Begun {
    /// It can go on.
    Ready(Beginning),
    /// It is paused, so far.
    Held(Progress),
}

/// What goes on, and the journal that it goes on with.
pub(crate) struct Beginning {
    pub(crate) ready: Box<dyn Ready>,
    pub(crate) journal: Box<dyn Journal>,
    pub(crate) restored: Option<Restored>,
}

/// Begins an attempt, or takes it up again. Long; runs in the compute pool.
pub(crate) fn begin(
    launch: &dyn Launch,
    journals: &Journals,
    config: &PartyConfig,
    plan: &Plan,
    assignment: &Assignment,
    meters: &Meters,
) -> Result<Begun, LaunchError> {
    let found = journals
        .find(plan.id, plan.attempt, plan.session)
        .inspect_err(|_| meters.restored(UNREADABLE))?;
    let (journal, left, outcome) = match found {
        None => (None, Left::Nothing, FROM_NEWEST),
        Some(Found {
            journal,
            kept,
            fell_back,
        }) => {
            let outcome = if fell_back { FROM_OLDER } else { FROM_NEWEST };
            (Some(journal), kept.left(), outcome)
        }
    };
    let (hold, exchanges_done) = (assignment.hold, assignment.exchanges_done);
    let (ready, restored): (Box<dyn Ready>, _) = match left {
        Left::Nothing if exchanges_done > 0 => {
            meters.restored(STATE_LOST);
            return Err(LaunchError::StateLost { exchanges_done });
        }
        Left::Nothing if hold => return Ok(Begun::Held(Progress::default())),
        Left::Nothing => (launch.prepare(plan, None)?, None),
        Left::Ended(ended, messages) => {
            meters.restored(HAD_ENDED);
            let keeper = Keeper {
                state_dir: config.party.state_dir.clone(),
                job: plan.id,
                of: Keeps::Nothing,
            };
            let answers = Answers {
                ended: *ended,
                messages,
                keeper,
            };
            (Box::new(answers), None)
        }
        Left::AtRest(restored) if hold => {
            return Ok(Begun::Held(restored.checkpoint.counts.progress));
        }
        Left::AtRest(restored) => {
            let ready = launch.prepare(plan, Some(&restored.checkpoint.role))?;
            let exchanges_done = restored.checkpoint.exchanges_done;
            tracing::info!(exchanges_done, outcome, "goes on from its journal");
            meters.restored(outcome);
            (ready, Some(restored))
        }
    };
    let journal = match journal {
        Some(journal) => journal,
        None => journals.create(plan.id, plan.attempt, plan.session)?,
    };
    Ok(Begun::Ready(Beginning {
        ready,
        journal: Box::new(journal),
        restored,
    }))
}

/// A session that has ended in an earlier process.
struct Answers {
    ended: Ended,
    messages: Messages,
    keeper: Keeper,
}

impl Ready for Answers {
    fn start(self: Box<Self>, at: Seat) -> JobHandle {
        let (now, setting) = (Instant::now(), at.setting());
        let driver = Driver::ended(now, setting, self.ended, self.messages);
        seat(driver, self.keeper, KeyWish::default(), at)
    }
}
