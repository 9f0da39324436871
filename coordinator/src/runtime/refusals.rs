//! How many refusals are put on record.

use crate::clock::{Millis, Span};

/// Refusals that were put on record within this hour: whoever may do nothing
/// else must not be able to fill the store with them.
#[derive(Default)]
pub(super) struct Refusals {
    since: Option<Millis>,
    count: u32,
}

impl Refusals {
    pub(super) const PERIOD: Span = Span::seconds(3600);
    pub(super) const MOST: u32 = 600;

    /// Whether one more may be put on record now; it is counted as such.
    pub(super) fn has_room(&mut self, now: Millis) -> bool {
        if self
            .since
            .is_none_or(|since| now.since(since) >= Self::PERIOD)
        {
            *self = Self {
                since: Some(now),
                count: 0,
            };
        }
        self.count = self.count.saturating_add(1);
        if self.count == Self::MOST + 1 {
            tracing::warn!("no more refusals are put on record within this hour");
        }
        self.count <= Self::MOST
    }
}
