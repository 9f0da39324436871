//! Time, as a value that is handed in.

use core::fmt;
use std::time::Instant;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A moment: milliseconds since 1970-01-01 UTC.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// How long ago `earlier` was; nothing if it was not earlier.
    pub fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl From<Millis> for OffsetDateTime {
    fn from(moment: Millis) -> Self {
        // A calendar ends somewhere; a moment beyond it is no moment of a job.
        Self::from_unix_timestamp_nanos(i128::from(moment.0) * 1_000_000)
            .unwrap_or(Self::UNIX_EPOCH)
    }
}

/// A length of time: milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub u64);

impl Span {
    /// Of whole seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }
}

/// For a person: `41 s`, `4 min 12 s`, `2 h 5 min`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1000;
        let (minutes, hours) = (seconds / 60, seconds / 3600);
        let (large, unit, small, small_unit) = match seconds {
            0..60 => return write!(f, "{seconds} s"),
            60..3600 => (minutes, "min", seconds % 60, "s"),
            _ => (hours, "h", minutes % 60, "min"),
        };
        write!(f, "{large} {unit}")?;
        if small > 0 {
            write!(f, " {small} {small_unit}")?;
        }
        Ok(())
    }
}

/// Tells the time as it was when the process began, plus what has passed
/// since: a wall clock that is set forward while jobs run must not make every
/// party look away and every job look stalled.
#[derive(Debug)]
pub(crate) struct Clock {
    begun_at: Millis,
    begun: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let nanoseconds = OffsetDateTime::now_utc().unix_timestamp_nanos();
        Self {
            begun_at: Millis(u64::try_from(nanoseconds / 1_000_000).unwrap_or(0)),
            begun: Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> Millis {
        let passed = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Millis(self.begun_at.0.saturating_add(passed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_well() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (252, "4 min 12 s"),
            (1800, "30 min"),
            (3600, "1 h"),
            (7501, "2 h 5 min"),
        ] {
            assert_eq!(Span::seconds(seconds).to_string(), text);
        }
    }

    #[test]
    fn no_time_has_passed_since_what_comes_later() {
        assert_eq!(Millis(5).since(Millis(9)), Span(0));
        assert_eq!(Millis(9).since(Millis(5)), Span(4));
    }

    #[test]
    fn a_moment_far_away_is_no_panic() {
        let moment = OffsetDateTime::from(Millis(u64::MAX));
        assert_eq!(moment, OffsetDateTime::UNIX_EPOCH);
        assert_eq!(OffsetDateTime::from(Millis(1500)).unix_timestamp(), 1);
    }
}
