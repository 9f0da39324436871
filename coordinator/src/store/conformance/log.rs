//! What a store must do with the audit log.

use super::{Violation, change, record, suite};
use crate::{
    audit::{Deed, verify},
    clock::Millis,
    job::{Change, Happened, JobState},
    store::Store,
};

pub(super) async fn the_log_tells_of_what_was_written_and_of_nothing_else(
    store: &impl Store,
) -> Result<(), Violation> {
    let (kept, alice) = (record(1, "kept")?, record(1, "kept")?.submitted_by);
    let cancel = || -> Result<Change, Violation> {
        Ok(change(&kept, JobState::Cancelled)?.done_by(Some(alice.clone()), Millis(7)))
    };
    let no_write = Deed::refused(alice.clone(), "DELETE /v1".into(), None, Millis(8));
    store.insert(&kept).await?;
    // Refused, and not told.
    let _ = store.insert(&kept).await;
    store.write(&cancel()?).await?;
    let _ = store.write(&cancel()?).await;
    store.append(&no_write).await?;

    let log = store.audit(0, 10).await?;
    let told: Vec<&Deed> = log.iter().map(|entry| &entry.deed).collect();
    let cancelled = cancel()?.deed().cloned();
    let expected = [
        &Deed::submitted(&kept),
        cancelled.as_ref().unwrap_or(&no_write),
        &no_write,
    ];
    if told != expected {
        let text = format!("the log must tell {expected:#?}, it tells {told:#?}");
        return Err(Violation::Wrong(text));
    }
    verify(&log, None).map_err(suite)?;
    let page = store.audit(1, 1).await?;
    if page.first() != log.get(1) || page.len() != 1 {
        let text = format!("one entry behind the first, got {page:#?}");
        return Err(Violation::Wrong(text));
    }
    Ok(())
}

pub(super) async fn a_jobs_log_tells_of_that_job_and_of_what_was_written(
    store: &impl Store,
) -> Result<(), Violation> {
    let (kept, bystander) = (record(1, "kept")?, record(2, "bystander")?);
    store.insert(&kept).await?;
    store.insert(&bystander).await?;
    let cancel = change(&kept, JobState::Cancelled)?;
    store.write(&cancel).await?;
    // Refused, and not told.
    let _ = store.insert(&kept).await;
    let _ = store.write(&cancel).await;

    let log = store.log(kept.id, 0, 10).await?;
    let told: Vec<(u64, bool)> = log
        .iter()
        .map(|entry| {
            let submitted = matches!(entry.happening.what, Happened::Submitted { .. });
            (entry.number, submitted)
        })
        .collect();
    let second = log.get(1).map(|entry| &entry.happening);
    if told != [(1, true), (2, false)] || second != cancel.happenings().first() {
        let text = format!("the job's log must tell of its submission and end, it tells {log:#?}");
        return Err(Violation::Wrong(text));
    }
    let page = store.log(kept.id, 1, 1).await?;
    if page.first() != log.get(1) || page.len() != 1 {
        let text = format!("one entry behind the first, got {page:#?}");
        return Err(Violation::Wrong(text));
    }
    let other = store.log(bystander.id, 0, 10).await?;
    if other.len() != 1 {
        let text = format!("the other job's log must tell of it alone, it tells {other:#?}");
        return Err(Violation::Wrong(text));
    }
    Ok(())
}
