//! How a job begins: here or in a worker, at once or when there is room.
//!
//! ```text
//!                no journal here, ┌─▶ worker takes it on ──────────────▶ seated
//!                and workers      │
//!   assignment ─▶ checked ────────┤
//!                                 │
//!                otherwise        └─▶ compute pool ─▶ Prepared ─┬─▶ seated
//!                                          ▲                    ├─▶ rests
//!                                          └──── after a while ─┼── no room
//!                                                               └─▶ failed
//! ```
//!
//! Between the first step and the last the mailbox hears of other things, and the
//! job may be forgotten, or begun again. So what comes back names the beginning
//! that it is of, and counts for nothing once that is not the one that counts.

use std::time::{Duration, Instant};

use actix::{AsyncContext, Context, Handler};
use entente_protocol::{control::Assignment, job::JobId};

use super::{PartyActor, unix_ms};
use crate::{
    backoff::Waits,
    delivery::JournalError,
    launch::{self, Beginning, Begun, LaunchError, Plan},
    party::{
        JobHandle, Seat,
        messages::{JobEvent, Prepared},
    },
    spans,
};

impl PartyActor {
    /// Begins an attempt, or goes on with one that has begun: where its journal
    /// lies, and if there is none, in a worker where there are any.
    pub(super) fn begin(&mut self, assignment: Box<Assignment>, ctx: &mut Context<Self>) {
        let job = assignment.job;
        let beginning = self.jobs.begin(assignment.clone());
        let span = spans::assigned(&assignment);
        let _inside = span.enter();
        let plan = match Plan::check(&self.own, &self.config, &assignment) {
            Ok(plan) => plan,
            Err(error) => return self.failed(job, beginning, &error),
        };
        if let Err(error) = self.desk.admit(&assignment, unix_ms()) {
            return self.failed(job, beginning, &error.into());
        }
        // An attempt ends where it has begun: what it goes on from lies here.
        if let Some(workers) = &self.workers
            && !self.journals.has(job, plan.attempt)
        {
            let told = ctx.address().recipient();
            return match workers.take_on(&plan, *assignment, told, &self.meters) {
                Ok(handle) => self.seated(&plan, beginning, handle),
                Err(error) => self.failed(job, beginning, &error),
            };
        }
        tracing::info!(side = plan.side.label(), peer = %plan.peer, "prepares");
        let (launch, journals) = (self.launch.clone(), self.journals.clone());
        let (config, meters) = (self.config.clone(), self.meters.clone());
        let (addr, prepared) = (ctx.address(), plan.clone());
        let span = span.clone();
        self.pool.compute(
            move || {
                let _inside = span.enter();
                launch::begin(
                    &*launch,
                    &journals,
                    &config,
                    &prepared,
                    &assignment,
                    &meters,
                )
            },
            move |outcome| {
                let outcome = outcome.map_err(LaunchError::Panicked).flatten();
                addr.do_send(Prepared {
                    plan,
                    beginning,
                    outcome,
                });
            },
        );
    }

    /// A job has somebody who runs it: tells it all that it is to know.
    fn seated(&mut self, plan: &Plan, beginning: u64, handle: JobHandle) {
        let Some(entry) = self.jobs.beginning(plan.id, beginning) else {
            return;
        };
        entry.runner = Some((plan.session, handle.clone()));
        if let Some(link) = self.links.get(&plan.peer) {
            handle.say(JobEvent::Linked(link.clone()));
        }
        handle.say(JobEvent::Hold(entry.is_paused()));
        handle.say(JobEvent::KeyWished(entry.key_wished()));
        handle.say(JobEvent::Granted(entry.granted()));
        self.sessions.open(plan.session, plan.peer.clone(), handle);
    }

    fn failed(&mut self, job: JobId, beginning: u64, error: &LaunchError) {
        let Some(entry) = self.jobs.beginning(job, beginning) else {
            return;
        };
        entry.failed(error.failure());
        tracing::error!(label = error.label(), %error, "cannot be started");
        if let LaunchError::Panicked(panicked) = error {
            tracing::error!(%panicked, "a defect");
        }
        self.meters.failed(error.label());
        self.changed();
    }

    /// A job's journal cannot be made or opened: tried again while there is a
    /// chance, as it is for a job that runs.
    fn without_room(
        &mut self,
        plan: &Plan,
        beginning: u64,
        error: JournalError,
        ctx: &mut Context<Self>,
    ) {
        let (job, now) = (plan.id, Instant::now());
        let budget = Duration::from_secs(plan.task.stall_budget_s());
        let entry = self.jobs.beginning(job, beginning);
        let again = entry
            .zip(error.waits_for())
            .and_then(|(entry, what)| entry.waits(now, what, budget));
        let Some(assignment) = again else {
            return self.failed(job, beginning, &LaunchError::Journal(error));
        };
        tracing::error!(label = error.label(), %error, "waits");
        ctx.run_later(Waits::UNKEPT.longest, move |actor, ctx| {
            // Nobody has begun it meanwhile, or taken it away.
            if actor.jobs.beginning(job, beginning).is_some() {
                actor.begin(assignment, ctx);
            }
        });
        self.changed();
    }
}

impl Handler<Prepared> for PartyActor {
    type Result = ();

    fn handle(&mut self, prepared: Prepared, ctx: &mut Context<Self>) {
        let Prepared {
            plan,
            beginning,
            outcome,
        } = prepared;
        let span = plan.span();
        let _inside = span.enter();
        let job = plan.id;
        let Some(entry) = self.jobs.beginning(job, beginning) else {
            // Not wanted any more: the role is dropped, and wiped.
            return;
        };
        let begun = match outcome {
            Ok(Begun::Ready(begun)) => begun,
            Ok(Begun::Held(progress)) => {
                if let Some(assignment) = entry.let_go(progress) {
                    self.begin(assignment, ctx);
                }
                return self.changed();
            }
            Err(LaunchError::Journal(error)) => {
                return self.without_room(&plan, beginning, error, ctx);
            }
            Err(error) => return self.failed(job, beginning, &error),
        };
        entry.has_room();
        let Beginning {
            ready,
            journal,
            restored,
        } = begun;
        let handle = ready.start(Seat {
            plan: plan.clone(),
            pool: self.pool.clone(),
            journal,
            restored,
            told: ctx.address().recipient(),
            meters: self.meters.clone(),
        });
        self.seated(&plan, beginning, handle);
    }
}
