//! When an attempt has failed: what is gathered of it, and whether another
//! follows. The only place that decides so.
//!
//! ```text
//!   first reason ──▶ failing ── both sides' reasons, or 10 s ──▶ who must act?
//!                                                  │ nobody: it may go better
//!                             queued, not before ◀─┤ (retry, bug: so many times)
//!                                         failed ◀─┘ a person, the peer
//! ```
//!
//! The other side's reason is waited for before it is decided, and not only
//! for the record's sake: the first that is heard is often no more than "my
//! peer has ended", and whether trying again can help stands in the second.
//!
//! Of several reasons the gravest counts. Each class has a budget for the whole
//! job, so that a job that fails for ever ends after a known number of
//! attempts, whatever it fails of. Between two attempts the wait doubles, and
//! a part of it is drawn: jobs that failed together, since one party was lost
//! to all of them, do not come back together.

use entente_protocol::{
    control::{FailureClass, Phase},
    job::{JobId, Side},
};
use rand::{Rng, RngExt};

use super::{Command, Engine, EngineError};
use crate::{
    clock::{Millis, Span},
    job::{FIRST_WIRE_VERSION, FailureRecord, JobRecord, JobState, Sides},
};

/// How long the other side's reason is waited for.
pub(super) const LAST_WORD: Span = Span::seconds(10);

/// How often a job is tried again, and after how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// Attempts that may follow failures that may not happen again: a link, a
    /// stall, a lost state.
    pub transient: u32,
    /// Attempts that may follow defects of the software.
    pub bug: u32,
    /// The wait before the second attempt, at most.
    pub first_wait: Span,
    /// The wait before any attempt, at most.
    pub longest_wait: Span,
}

impl Retries {
    /// Attempts that may follow failures of a class. What a person must mend
    /// fails again until it is mended, and a peer that breaks the protocol must
    /// not be given as many tries as it likes.
    fn budget(&self, class: FailureClass) -> u32 {
        match class {
            FailureClass::Retry => self.transient,
            FailureClass::Bug => self.bug,
            FailureClass::Abort | FailureClass::Operator => 0,
        }
    }

    /// The wait before the next attempt, after one that failed of `class`;
    /// `before` are those of the attempts that failed earlier. Nothing if the
    /// budget is used up.
    fn next_wait(
        &self,
        before: &[FailureClass],
        class: FailureClass,
        jitter: &mut (impl Rng + ?Sized),
    ) -> Option<Span> {
        let used = before.iter().filter(|other| **other == class).count();
        if used >= self.budget(class) as usize {
            return None;
        }
        let doublings = u32::try_from(before.len()).unwrap_or(u32::MAX);
        let factor = 2_u64.checked_pow(doublings).unwrap_or(u64::MAX);
        let ceiling = self.first_wait.0.saturating_mul(factor);
        let ceiling = ceiling.min(self.longest_wait.0);
        // Half of it is certain: what just failed is given time to recover.
        let certain = ceiling / 2;
        Some(Span(jitter.random_range(certain..=ceiling)))
    }
}

/// The gravest of the reasons.
pub(crate) fn blame(failures: &[FailureRecord]) -> FailureClass {
    let gravity = |class: &FailureClass| match class {
        FailureClass::Retry => 0,
        FailureClass::Bug => 1,
        FailureClass::Operator => 2,
        FailureClass::Abort => 3,
    };
    let classes = failures.iter().map(|failure| failure.class);
    classes.max_by_key(gravity).unwrap_or(FailureClass::Retry)
}

impl Engine {
    /// Decides of every attempt that has failed and of which all is known.
    pub(super) fn close_failed_attempts(
        &mut self,
        now: Millis,
        commands: &mut Vec<Command>,
    ) -> Result<(), EngineError> {
        let known: Vec<JobId> = self
            .looked_at(JobState::Failing)
            .filter(|record| self.awaited(record, now).is_none())
            .map(|record| record.id)
            .collect();
        for id in known {
            let wait = self.wait_after(id);
            self.change(id, now, commands, |record| close(record, wait, now))?;
        }
        Ok(())
    }

    fn wait_after(&mut self, id: JobId) -> Option<Span> {
        let record = self.jobs.get(&id)?;
        let before: Vec<FailureClass> = record
            .attempts
            .iter()
            .map(|attempt| blame(&attempt.failures))
            .collect();
        let class = blame(&record.failures);
        let retries = self.settings.retries;
        retries.next_wait(&before, class, &mut self.jitter)
    }

    /// The side whose reason is still waited for.
    pub(super) fn awaited(&self, record: &JobRecord, now: Millis) -> Option<Side> {
        if now.since(record.since) >= LAST_WORD {
            return None;
        }
        [Side::Active, Side::Passive].into_iter().find(|side| {
            let at_rest = matches!(
                record.sides.of(*side).phase,
                Some(Phase::Held | Phase::Finished)
            );
            record.failure_of(*side).is_none()
                && !at_rest
                && self.away_for(record.task.party(*side), now).is_none()
        })
    }
}

/// Notes which side gave no reason, and goes on with another attempt after
/// `wait`, or not.
fn close(record: &mut JobRecord, wait: Option<Span>, now: Millis) {
    for side in [Side::Active, Side::Passive] {
        if record.failure_of(side).is_none() {
            let wordless = FailureRecord::wordless(side, record.sides.of(side), now);
            record.failures.push(wordless);
        }
    }
    let Some(wait) = wait else {
        record.state = JobState::Failed;
        return;
    };
    record.state = JobState::Queued;
    record.attempts.push(record.current_attempt());
    record.attempt = record.attempt.saturating_add(1);
    record.begun_at = None;
    record.wire = FIRST_WIRE_VERSION;
    record.not_before = Some(Millis(now.0.saturating_add(wait.0)));
    record.granted = 0;
    record.key_epoch = 0;
    record.sides = Sides::default();
    record.failures = Vec::new();
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;
    use FailureClass::{Abort, Bug, Operator, Retry};

    const RETRIES: Retries = Retries {
        transient: 3,
        bug: 1,
        first_wait: Span::seconds(4),
        longest_wait: Span::seconds(10),
    };

    fn wait(before: &[FailureClass], class: FailureClass, seed: u64) -> Option<u64> {
        let mut jitter = ChaCha20Rng::seed_from_u64(seed);
        let wait = RETRIES.next_wait(before, class, &mut jitter);
        wait.map(|wait| wait.0)
    }

    #[test]
    fn waits_double_up_to_the_longest_and_half_of_each_is_certain() {
        for (before, ceiling) in [
            (&[][..], 4000),
            (&[Retry], 8000),
            (&[Retry, Retry], 10_000),
            (&[Retry, Bug], 10_000),
        ] {
            let waits: Vec<_> = (0..200).map(|seed| wait(before, Retry, seed)).collect();
            let inside = |wait: &Option<u64>| {
                wait.is_some_and(|wait| (ceiling / 2..=ceiling).contains(&wait))
            };
            assert!(waits.iter().all(inside), "{before:?} {waits:?}");
            let (least, most) = (waits.iter().min(), waits.iter().max());
            assert_ne!(least, most, "{before:?}");
        }
    }

    #[test]
    fn the_same_generator_draws_the_same_wait() {
        assert_eq!(wait(&[], Retry, 7), wait(&[], Retry, 7));
    }

    #[test]
    fn every_class_has_its_own_budget() {
        assert!(wait(&[Retry, Retry], Retry, 1).is_some());
        assert_eq!(wait(&[Retry, Retry, Retry], Retry, 1), None);
        assert!(wait(&[Retry, Retry, Retry], Bug, 1).is_some());
        assert_eq!(wait(&[Retry, Bug], Bug, 1), None);
        assert!(wait(&[Bug, Retry, Retry], Retry, 1).is_some());
        for class in [Abort, Operator] {
            assert_eq!(wait(&[], class, 1), None);
        }
    }

    #[test]
    fn no_number_of_attempts_overflows() {
        let retries = Retries {
            transient: u32::MAX,
            ..RETRIES
        };
        let mut jitter = ChaCha20Rng::seed_from_u64(1);
        let wait = retries.next_wait(&[Retry; 100], Retry, &mut jitter);
        assert!(wait.is_some_and(|wait| wait <= RETRIES.longest_wait));
    }

    #[test]
    fn the_gravest_reason_counts() {
        let failure = |class| FailureRecord {
            class,
            ..FailureRecord::stalled(String::new(), 0, Millis(0))
        };
        for (classes, gravest) in [
            (&[][..], Retry),
            (&[Retry, Operator], Operator),
            (&[Bug, Retry], Bug),
            (&[Operator, Abort, Retry], Abort),
        ] {
            let failures: Vec<_> = classes.iter().copied().map(failure).collect();
            assert_eq!(blame(&failures), gravest, "{classes:?}");
        }
    }
}
