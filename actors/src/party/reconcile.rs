//! From what is and what is wished to what is to be done.

use std::collections::BTreeMap;

use entente_protocol::{
    control::{Assignment, Wish},
    job::JobId,
};

/// A step from what is towards what is wished.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// Stop the job if it runs, and forget it.
    Forget(JobId),
    /// Begin this attempt.
    Begin(Box<Assignment>),
    /// Tell the job its grant.
    Grant(JobId, u64),
    /// Tell the job whether it is paused.
    Hold(JobId, bool),
    /// Tell the job which key it shall have come to.
    Key(JobId, u32),
}

/// The steps from the attempts that a party `knows` of to the `wish`, in
/// order. Level-triggered: the same wish again leads to nothing new.
pub(super) fn reconcile(known: &BTreeMap<JobId, u32>, wish: Wish) -> Vec<Step> {
    let wished: BTreeMap<JobId, Assignment> = wish
        .jobs
        .into_iter()
        .map(|assignment| (assignment.job, assignment))
        .collect();
    let outdated = known.iter().filter(|(job, attempt)| {
        let assignment = wished.get(job);
        assignment.is_none_or(|assignment| assignment.attempt != **attempt)
    });
    let mut steps: Vec<Step> = outdated.map(|(job, _)| Step::Forget(*job)).collect();
    for (job, assignment) in wished {
        let (granted, hold) = (assignment.granted, assignment.hold);
        let key_epoch = assignment.key_epoch;
        if known.get(&job) != Some(&assignment.attempt) {
            steps.push(Step::Begin(Box::new(assignment)));
        }
        // A paused job is not to begin anything between the two.
        steps.push(Step::Hold(job, hold));
        steps.push(Step::Grant(job, granted));
        if key_epoch > 0 {
            steps.push(Step::Key(job, key_epoch));
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testbed::assignment;

    fn wish(jobs: &[Assignment]) -> Wish {
        Wish {
            revision: 1,
            jobs: jobs.to_vec(),
            proposals: Vec::new(),
        }
    }

    #[test]
    fn a_wish_is_followed_once() {
        let one = assignment(1, "bank-a", "bank-b");
        let steps = reconcile(&BTreeMap::new(), wish(std::slice::from_ref(&one)));
        assert_eq!(
            steps,
            [
                Step::Begin(Box::new(one.clone())),
                Step::Hold(one.job, false),
                Step::Grant(one.job, one.granted)
            ]
        );
        let known = BTreeMap::from([(one.job, one.attempt)]);
        let steps = reconcile(&known, wish(std::slice::from_ref(&one)));
        assert_eq!(
            steps,
            [
                Step::Hold(one.job, false),
                Step::Grant(one.job, one.granted)
            ]
        );
    }

    #[test]
    fn what_is_not_wished_is_forgotten() {
        let (one, two) = (
            assignment(1, "bank-a", "bank-b"),
            assignment(2, "bank-a", "bank-b"),
        );
        let known = BTreeMap::from([(one.job, 1), (two.job, 1)]);
        let steps = reconcile(&known, wish(std::slice::from_ref(&two)));
        assert_eq!(
            steps,
            [
                Step::Forget(one.job),
                Step::Hold(two.job, false),
                Step::Grant(two.job, two.granted)
            ]
        );
    }

    #[test]
    fn another_attempt_takes_the_place_of_the_last() {
        let mut one = assignment(1, "bank-a", "bank-b");
        let known = BTreeMap::from([(one.job, one.attempt)]);
        one.attempt += 1;
        let steps = reconcile(&known, wish(std::slice::from_ref(&one)));
        assert_eq!(
            steps,
            [
                Step::Forget(one.job),
                Step::Begin(Box::new(one.clone())),
                Step::Hold(one.job, false),
                Step::Grant(one.job, one.granted)
            ]
        );
    }
}
