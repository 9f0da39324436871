//! When a key has had its rounds.

use entente_wire::{DecodeError, Encode, Reader};

use super::Turn;
use crate::job::Job;

/// The round from which on another key should be in use, as the job says.
///
/// ```text
///   round      0          N          2N                   every N rounds
///   key        1 ........ │ 2 ...... │ 3 ......           in time
///   key        1 .............│ 2 .. │ 3 ......           late, and in time again
///   key        1 ... │ 2 ........ │ 3 ........            on demand in between
/// ```
///
/// A key that is late does not put off the next one, and one that came early
/// counts from there. Nothing but the job and the rounds at which keys have
/// changed goes into it: both sides have it from the same messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    /// N; `None` without such a rule.
    every: Option<u32>,
    /// The round.
    at: u64,
}

impl Due {
    /// At the beginning of a job.
    pub(super) fn of(job: &Job) -> Self {
        let every = job.spec().keys.rotate_every_rounds;
        Self {
            every,
            at: every.map_or(u64::MAX, u64::from),
        }
    }

    /// How urgent it is that `round` has another key than the one in use.
    pub(super) fn turn(&self, round: u64) -> Turn {
        match round {
            _ if round >= self.last() => Turn::Overdue,
            _ if round >= self.at => Turn::Due,
            _ => Turn::Early,
        }
    }

    /// The round that must have another key than the one in use.
    pub(super) fn last(&self) -> u64 {
        self.at
            .saturating_add(self.every.unwrap_or_default().into())
    }

    /// Another key is in use from `round` on.
    pub(super) fn changed(&mut self, round: u64) {
        if let Some(every) = self.every {
            self.at = self.at.min(round).saturating_add(every.into());
        }
    }

    /// From where a role had come, as it was encoded.
    pub(super) fn resume(&mut self, input: &mut Reader<'_>) -> Result<(), DecodeError> {
        let at = input.u64("round of the next key")?;
        if self.every.is_none() && at != self.at {
            return Err(DecodeError::Invalid {
                what: "round of the next key",
                why: "this job has none",
            });
        }
        self.at = at;
        Ok(())
    }
}

impl Encode for Due {
    fn encode(&self, out: &mut Vec<u8>) {
        self.at.encode(out);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn late_keys_do_not_put_off_the_next() {
        let mut due = Due {
            every: Some(10),
            at: 10,
        };
        assert_eq!(
            [9, 10, 19, 20].map(|round| due.turn(round)),
            [Turn::Early, Turn::Due, Turn::Due, Turn::Overdue]
        );
        due.changed(13);
        assert_eq!(due.at, 20);
        due.changed(15);
        assert_eq!(due.at, 25);
    }

    #[test]
    fn without_a_rule_no_key_is_ever_due() {
        let mut due = Due {
            every: None,
            at: u64::MAX,
        };
        due.changed(3);
        assert_eq!(due.turn(u64::MAX - 1), Turn::Early);
    }

    proptest! {
        /// Whoever changes keys when they are due, or earlier, has no key in use
        /// for longer than the job gives it; whoever is late by less than that, not
        /// for twice as long.
        #[test]
        fn no_key_outlives_its_rounds(
            every in 2_u32..50, steps in prop::collection::vec(1_u64..120, 1..40),
        ) {
            let mut due = Due { every: Some(every), at: every.into() };
            let mut round = 0;
            for step in steps {
                let next = (round + step).min(due.last());
                prop_assert!(next - round <= 2 * u64::from(every));
                prop_assert!(due.at - round <= u64::from(every));
                due.changed(next);
                prop_assert!(due.turn(next) != Turn::Overdue);
                round = next;
            }
        }
    }
}
