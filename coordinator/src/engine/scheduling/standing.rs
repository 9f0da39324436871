//! Which of two waiting jobs comes first.
//!
//! | | jobs | among themselves |
//! |---|---|---|
//! | 1 | that have begun and wait for their places back | who waits longest |
//! | 2 | that have waited for longer than their patience | whose patience ended first |
//! | 3 | all others | the higher priority, then whose submitter has had less, then who waits longest |
//!
//! What has begun comes first: its weights and checkpoints lie at two parties,
//! and its stall budget runs.
//!
//! Priority and fair share alone starve: somebody who has had much waits
//! for as long as others who have had less come, and a low priority for as long
//! as there is a higher one. So patience ends, after a time that hangs on the
//! priority (a quarter for `high`, fourfold for `low`), and then neither
//! counts any more. Before a job whose patience has ended come only those whose
//! patience ended earlier: jobs that were submitted before it, or up to the
//! difference of two patiences after it. Nobody who comes later can add to them.
//!
//! Ages that grow by the minute, as batch schedulers have them, would sort the
//! whole queue anew by the minute. This order changes for a job at one
//! moment that is known when it is submitted, and otherwise when somebody's
//! share does.

use core::cmp::Reverse;

use entente_protocol::job::JobId;

use crate::{
    clock::{Millis, Span},
    job::Priority,
};

/// Where a job stands among those that wait: the less comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) enum Standing {
    /// It has begun, and waits for its places back.
    Begun { since: Millis, id: JobId },
    /// Its patience has ended.
    Overdue { since: Millis, id: JobId },
    Usual {
        priority: Reverse<Priority>,
        /// What its submitter has had.
        usage: u64,
        since: Millis,
        id: JobId,
    },
}

impl Standing {
    pub(in crate::engine) fn id(&self) -> JobId {
        match self {
            Self::Begun { id, .. } | Self::Overdue { id, .. } | Self::Usual { id, .. } => *id,
        }
    }
}

/// How long jobs of normal priority wait before they go before others and have
/// places kept for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) struct Patience(pub(in crate::engine) Span);

impl Patience {
    pub(in crate::engine) fn of(self, priority: Priority) -> Span {
        let Span(usual) = self.0;
        Span(match priority {
            Priority::High => usual / 4,
            Priority::Normal => usual,
            Priority::Low => usual.saturating_mul(4),
        })
    }

    /// When the patience of a job ends that waits since then.
    pub(in crate::engine) fn ends(self, priority: Priority, since: Millis) -> Millis {
        Millis(since.0.saturating_add(self.of(priority).0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testbed::id;

    #[test]
    fn the_order_is_that_of_the_table() {
        let usual = |priority, usage, since, number| Standing::Usual {
            priority: Reverse(priority),
            usage,
            since: Millis(since),
            id: id(number),
        };
        let in_order = [
            Standing::Begun {
                since: Millis(900),
                id: id(9),
            },
            Standing::Overdue {
                since: Millis(500),
                id: id(8),
            },
            Standing::Overdue {
                since: Millis(600),
                id: id(1),
            },
            usual(Priority::High, 70, 30, 7),
            usual(Priority::Normal, 10, 40, 6),
            usual(Priority::Normal, 20, 20, 5),
            usual(Priority::Normal, 20, 25, 2),
            usual(Priority::Normal, 20, 25, 3),
            usual(Priority::Low, 0, 10, 4),
        ];
        assert!(in_order.is_sorted());
    }

    #[test]
    fn who_is_in_a_hurry_has_less_patience() {
        let patience = Patience(Span(8000));
        let spans = Priority::ALL.map(|priority| patience.of(priority));
        assert_eq!(spans, [Span(32_000), Span(8000), Span(2000)]);
        assert_eq!(patience.ends(Priority::Normal, Millis(5)), Millis(8005));
        let for_ever = Patience(Span(u64::MAX));
        assert_eq!(for_ever.ends(Priority::Low, Millis(5)), Millis(u64::MAX));
    }
}
