//! A change of a record that the table allows.

use entente_protocol::job::JobId;
use entente_tls::Identity;
use thiserror::Error;

use super::{Happened, Happening, JobRecord, JobState};
use crate::{
    audit::{Deed, What},
    clock::Millis,
};

/// A change of a record, as a store writes it: the record as it shall be, and
/// what it must still be for that. Cannot be made of a transition that the
/// table does not have, so no store can be asked to write one.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    expected_state: JobState,
    expected_version: u64,
    record: JobRecord,
    deed: Option<Deed>,
    happenings: Vec<Happening>,
}

/// A transition that is not in the table. A defect: whoever asked should have
/// known the state.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("job {job} cannot go from {from} to {to}; this is a defect, please report it")]
pub struct IllegalTransition {
    /// The job.
    pub job: JobId,
    /// Its state.
    pub from: JobState,
    /// The state that it should have come into.
    pub to: JobState,
}

impl Change {
    /// From `before` to `after`, which gets the version that follows.
    ///
    /// # Errors
    /// [`IllegalTransition`] when the states differ and the table does not
    /// lead from one to the other.
    pub fn new(before: &JobRecord, after: JobRecord) -> Result<Self, IllegalTransition> {
        if before.state != after.state && !before.state.may_become(after.state) {
            return Err(IllegalTransition {
                job: before.id,
                from: before.state,
                to: after.state,
            });
        }
        let happened = Happened::between(before, &after);
        let happenings = happened.into_iter();
        let happenings = happenings.map(|what| Happening::of(before, what, None, after.since));
        Ok(Self {
            expected_state: before.state,
            expected_version: before.version,
            happenings: happenings.collect(),
            record: JobRecord {
                version: before.version + 1,
                ..after
            },
            deed: None,
        })
    }

    /// With who did it and when, which is kept along with it if it is something
    /// that the audit log tells of.
    #[must_use]
    pub fn done_by(self, who: Option<Identity>, at: Millis) -> Self {
        let deed = self
            .entered()
            .and_then(|_| Deed::entered(self.expected_state, &self.record, who.clone(), at));
        Self { deed, ..self }.happened_by(who, at)
    }

    /// With a deed that is more than the change of the state.
    #[must_use]
    pub fn done_as(self, what: What, who: Option<Identity>, at: Millis) -> Self {
        let deed = Some(Deed::of(&self.record, what, who.clone(), at));
        Self { deed, ..self }.happened_by(who, at)
    }

    fn happened_by(mut self, who: Option<Identity>, at: Millis) -> Self {
        for happening in &mut self.happenings {
            happening.by.clone_from(&who);
            happening.at = at.into();
        }
        self
    }

    /// With what the job waits for in the state that it comes into.
    #[must_use]
    pub fn because(mut self, reason: Option<String>) -> Self {
        for happening in &mut self.happenings {
            if let Happened::Entered { why, .. } = &mut happening.what {
                why.clone_from(&reason);
            }
        }
        self
    }

    /// What the job's log shall tell of it.
    pub fn happenings(&self) -> &[Happening] {
        &self.happenings
    }

    /// What the audit log shall tell of it.
    pub fn deed(&self) -> Option<&Deed> {
        self.deed.as_ref()
    }

    /// The state that the job must still be in.
    pub fn expected_state(&self) -> JobState {
        self.expected_state
    }

    /// The version that the record must still have.
    pub fn expected_version(&self) -> u64 {
        self.expected_version
    }

    /// The record as it shall be.
    pub fn record(&self) -> &JobRecord {
        &self.record
    }

    /// The state that the job comes into; nothing if it stays.
    pub fn entered(&self) -> Option<JobState> {
        (self.record.state != self.expected_state).then_some(self.record.state)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testbed::record;

    #[test]
    fn what_the_table_has_not_is_no_change() {
        for from in JobState::ALL {
            for to in JobState::ALL {
                let before = JobRecord {
                    state: from,
                    version: 7,
                    ..record(1)
                };
                let after = JobRecord {
                    state: to,
                    ..before.clone()
                };
                let change = Change::new(&before, after);
                if from == to || JobState::TRANSITIONS.contains(&(from, to)) {
                    let change = change.unwrap();
                    assert_eq!(
                        (change.expected_state(), change.expected_version()),
                        (from, 7)
                    );
                    assert_eq!((change.record().state, change.record().version), (to, 8));
                    assert_eq!(change.entered(), (from != to).then_some(to));
                } else {
                    let job = before.id;
                    assert_eq!(change, Err(IllegalTransition { job, from, to }));
                }
            }
        }
    }
}
