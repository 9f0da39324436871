//! Where a job stands that a worker runs: as the worker says, or for want of one.

use std::time::{Duration, Instant};

use actix::{ActorContext, AsyncContext, Context};
use entente_protocol::control::{Failure, FailureClass, JobReport, Phase, Progress};

use super::RemoteJob;
use crate::{
    driver::{Awaited, Standing, Status},
    party::JobTold,
};

/// A worker that has died so often without bringing its job further is not made
/// again: the next one would die too.
const DEATHS: u32 = 6;

impl RemoteJob {
    pub(super) fn is_over(&self) -> bool {
        self.told.standing.is_over()
    }

    pub(super) fn tell(&mut self, standing: Standing, progress: Progress) {
        let status = Status {
            standing,
            progress,
            granted: self.order.assignment.granted,
        };
        if status == self.told {
            return;
        }
        if let Standing::Failed(failure) = &status.standing
            && !self.is_over()
        {
            self.meters.failed(&failure.label);
            let (label, message) = (&failure.label, &failure.message);
            tracing::error!(label, exchange = failure.exchange, "failed: {message}");
        }
        if status.standing == Standing::Finished && !self.is_over() {
            tracing::info!("finished");
        }
        self.told = status.clone();
        self.party.do_send(JobTold {
            job: self.id.job,
            attempt: self.id.attempt,
            status,
        });
    }

    /// There is no worker: says so, and how long that may go on.
    pub(super) fn misses(&mut self, ctx: &mut Context<Self>) {
        if self.line.is_some() || self.is_over() {
            return;
        }
        let since = match &self.away {
            Some((since, _)) => *since,
            None => {
                let since = Instant::now();
                self.waited = self.told.standing.is_waiting();
                let budget = self.budget;
                let end = ctx.run_later(budget, |job, ctx| job.gives_up(ctx));
                self.away = Some((since, end));
                since
            }
        };
        let what = Awaited::Worker(self.lack.as_ref().map(|lack| lack.kind.label()));
        self.tell(Standing::Waiting { what, since }, self.told.progress);
    }

    pub(super) fn gives_up(&mut self, ctx: &mut Context<Self>) {
        let _inside = self.span.clone().entered();
        self.away = None;
        if self.order.assignment.hold {
            // It waits for a person, and not for the worker.
            return self.misses(ctx);
        }
        let why = self
            .lack
            .as_ref()
            .map_or("it did not connect", |lack| lack.kind.label());
        let message = format!(
            "there was no worker for {} s: {why}. See this party's log, and whether its launcher \
             can make workers",
            self.budget.as_secs()
        );
        self.fails("no_worker", message, ctx);
    }

    pub(super) fn fails(&mut self, label: &str, message: String, ctx: &mut Context<Self>) {
        let progress = self.told.progress;
        let failure = Failure {
            class: FailureClass::Operator,
            label: label.to_owned(),
            message,
            state: None,
            exchange: progress.exchanges_done,
        };
        self.tell(Standing::Failed(failure), progress);
        // Nobody makes another one for it.
        self.workers.dismiss(self.id, &ctx.address());
    }

    /// A process of it has ended that was not told to.
    pub(super) fn died(&mut self, ctx: &mut Context<Self>) {
        let done = self.told.progress.exchanges_done;
        if done > self.died_at {
            (self.died_at, self.deaths) = (done, 0);
        }
        // One that only waited was evicted, and has not failed at anything.
        let waited = match self.away {
            Some(_) => self.waited,
            None => self.told.standing.is_waiting(),
        };
        if !waited {
            self.deaths += 1;
        }
        if self.deaths >= DEATHS && !self.is_over() {
            let message = format!(
                "{DEATHS} workers have ended, one after the other, without bringing the job \
                 further: out of memory (resources.memory_bytes), or see this party's log"
            );
            self.fails("worker_dies", message, ctx);
        }
    }

    pub(super) fn reported(&mut self, report: JobReport, ctx: &mut Context<Self>) {
        let is_this = (report.job, report.attempt) == (self.id.job, self.id.attempt);
        if !is_this || self.is_over() {
            return;
        }
        let progress = report.progress;
        let done = &mut self.order.assignment.exchanges_done;
        // One that has not restored yet, or does again what its predecessor had done, has
        // nothing that was not counted.
        if progress.exchanges_done >= *done {
            if let Some(before) = self.metered {
                self.meters.progress(&before, &progress);
            }
            self.metered = Some(progress);
        }
        if progress.exchanges_done > *done {
            *done = progress.exchanges_done;
            self.workers.goes_on(self.id);
        }
        let standing = match report.phase {
            Phase::Preparing => Standing::Preparing,
            Phase::Running => Standing::Running,
            Phase::Waiting { what, for_ms } => Standing::Waiting {
                what: Awaited::AtWorker(what),
                since: since(for_ms, &self.told.standing),
            },
            // It may go on again by now.
            Phase::Held if !self.order.assignment.hold => return,
            Phase::Held => Standing::Held,
            Phase::Finished => Standing::Finished,
            Phase::Failed { failure } => Standing::Failed(failure),
        };
        let held = standing == Standing::Held;
        self.tell(standing, progress);
        if held {
            tracing::info!("is paused");
            // Its worker ends, and what it goes on from stays.
            self.dismisses();
            ctx.stop();
        }
    }
}

/// Since when something is waited for: not another moment with each report.
fn since(for_ms: u64, told: &Standing) -> Instant {
    let now = Instant::now();
    let said = now.checked_sub(Duration::from_millis(for_ms));
    let said = said.unwrap_or(now);
    match told {
        Standing::Waiting { since, .. } if apart(*since, said) < SLACK => *since,
        _ => said,
    }
}

fn apart(one: Instant, other: Instant) -> Duration {
    one.max(other).duration_since(one.min(other))
}

/// How far two sayings of one moment may lie apart.
const SLACK: Duration = Duration::from_secs(2);
