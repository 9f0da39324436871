//! What a store must do with keys of submissions.

use super::{Violation, expect, record, suite, wrong};
use crate::{
    job::{JobRecord, Submission},
    store::{Store, StoreError},
};

pub(super) async fn a_submitters_key_is_kept_once(store: &impl Store) -> Result<(), Violation> {
    let submission = || -> Result<_, Violation> {
        Ok(Some(Submission {
            key: "7".parse().map_err(suite)?,
            digest: "ab".into(),
        }))
    };
    let alices = JobRecord {
        submission: submission()?,
        ..record(1, "alice's")?
    };
    let bobs = JobRecord {
        submitted_by: "user/bob".parse().map_err(suite)?,
        submission: submission()?,
        ..record(2, "bob's")?
    };
    let keyless = [record(3, "without")?, record(4, "without too")?];
    for record in [&alices, &bobs].into_iter().chain(&keyless) {
        store.insert(record).await?;
    }
    let again = JobRecord {
        submission: submission()?,
        ..record(5, "alice's again")?
    };
    let twice = store.insert(&again).await;
    if !matches!(twice, Err(StoreError::Exists(id)) if id == again.id) {
        return Err(wrong("a second job of one submitter's key", &twice));
    }
    let [third, fourth] = keyless;
    expect(
        "one job for each key, and those without",
        &store.load().await?,
        &vec![alices, bobs, third, fourth],
    )
}
