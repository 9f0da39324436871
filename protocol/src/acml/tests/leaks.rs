//! The gauge in its place: before B3 leaves.

use std::sync::Arc;

use entente_he::{Transparent, TransparentBackend};

use super::Case;
use crate::{
    ProtocolError, Report, Role, acml::algebra::Corrected, job::Job, loopback::exchange,
    privacy::Privacy,
};

/// Runs epochs until the end, or the first error; the labels' side's reports.
fn run(max_leak_auc: f64) -> (Vec<Report>, Option<ProtocolError>) {
    let case = Case {
        rows: 20,
        classes: 2,
        batch: 8,
        validation: 0.2,
        ..Case::small()
    };
    let mut spec = case.job().spec().clone();
    spec.privacy = Privacy {
        max_leak_auc: Some(max_leak_auc),
        ..Privacy::default()
    };
    let job = Job::try_from(spec).unwrap();
    let backend = Arc::new(TransparentBackend);
    let mut active = case.active::<Transparent, Corrected>(&job, backend.clone(), case.bottom(), 1);
    let mut passive = case.passive::<Transparent, Corrected>(&job, backend, 1);
    let (mut reports, exchanges) = (Vec::new(), active.schedule().exchanges());
    for index in 0..exchanges {
        match exchange(index, active, passive, &mut |_, _, _| {}) {
            Ok((one, other)) => {
                reports.push(other.report);
                (active, passive) = (one.role, other.role);
            }
            Err(error) => return (reports, Some(error)),
        }
    }
    (reports, None)
}

#[test]
fn the_last_round_of_each_epoch_tells_what_all_of_it_leaked() {
    let (reports, error) = run(1.0);
    assert_eq!(error, None);
    // Set-up, then two epochs of two batches and a look at the validation rows,
    // then the test rows.
    let told: Vec<bool> = reports.iter().map(|report| report.leak.is_some()).collect();
    assert_eq!(told, [false, false, true, false, false, true, false, false]);
    // Two classes on one line: the sign says it all.
    let leaks = reports.iter().filter_map(|report| report.leak);
    assert!(leaks.clone().all(|leak| leak.cosine_auc == 1.0));
    assert!(
        leaks
            .into_iter()
            .all(|leak| (0.5..=1.0).contains(&leak.norm_auc))
    );
}

#[test]
fn a_job_ends_before_it_leaks_more_than_was_agreed() {
    let (reports, error) = run(0.9);
    assert_eq!(reports.len(), 2, "the first epoch has no last round");
    let Some(ProtocolError::LeakBound { epoch, auc, bound }) = error else {
        panic!("{error:?}")
    };
    assert_eq!((epoch, auc, bound), (0, 1.0, 0.9));
}
