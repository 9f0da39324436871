//! From when to when a certificate speaks.

use time::{Duration, OffsetDateTime};

use crate::error::TlsError;

/// How far a certificate is dated back: machines' clocks differ, and a member
/// that starts within a second of being issued must not be "not yet valid".
const BACKDATED: Duration = Duration::minutes(5);

/// From when to when a certificate speaks; never empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Validity {
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
}

impl Validity {
    /// Exactly these moments, whole seconds; they may lie in the past.
    ///
    /// # Errors
    /// [`TlsError::Validity`] when the end is not after the beginning, or the
    /// beginning is before 1950, which X.509 cannot express (RFC 5280 section
    /// 4.1.2.5).
    pub fn new(not_before: OffsetDateTime, not_after: OffsetDateTime) -> Result<Self, TlsError> {
        if not_before.year() >= 1950 && not_before < not_after {
            Ok(Self {
                not_before,
                not_after,
            })
        } else {
            Err(TlsError::Validity)
        }
    }

    /// From five minutes ago until `days` days from now.
    #[must_use]
    pub fn days(days: u16) -> Self {
        let now = OffsetDateTime::now_utc();
        Self {
            not_before: now.saturating_sub(BACKDATED),
            not_after: now.saturating_add(Duration::days(days.into())),
        }
    }

    /// The first moment.
    #[must_use]
    pub fn not_before(&self) -> OffsetDateTime {
        self.not_before
    }

    /// The last moment.
    #[must_use]
    pub fn not_after(&self) -> OffsetDateTime {
        self.not_after
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn days_cover_now_and_last_as_long_as_they_say() {
        let now = OffsetDateTime::now_utc();
        let validity = Validity::days(30);
        assert!(validity.not_before() < now);
        assert!(validity.not_after() >= now + Duration::days(30));
        assert!(validity.not_after() < now + Duration::days(31));
    }

    #[test]
    fn an_empty_or_prehistoric_validity_is_refused() {
        let now = OffsetDateTime::now_utc();
        assert!(Validity::new(now, now + Duration::SECOND).is_ok());
        assert!(Validity::new(now, now).is_err());
        assert!(Validity::new(now, now - Duration::DAY).is_err());
        let old = now.replace_year(1949).unwrap();
        assert!(Validity::new(old, now).is_err());
    }
}
