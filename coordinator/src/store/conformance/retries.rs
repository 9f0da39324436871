//! What a store must do with jobs that do the same again as others.

use super::{Violation, expect, record, wrong};
use crate::{
    job::JobRecord,
    store::{Store, StoreError},
};

pub(super) async fn a_job_is_retried_once(store: &impl Store) -> Result<(), Violation> {
    let (first, other) = (record(1, "first")?, record(2, "other")?);
    let retry = |number, of: &JobRecord| -> Result<_, Violation> {
        Ok(JobRecord {
            retry_of: Some(of.id),
            ..record(number, "again")?
        })
    };
    let (again, other_again) = (retry(3, &first)?, retry(4, &other)?);
    for record in [&first, &other, &again, &other_again] {
        store.insert(record).await?;
    }
    let twice = retry(5, &first)?;
    let outcome = store.insert(&twice).await;
    if !matches!(outcome, Err(StoreError::Exists(id)) if id == twice.id) {
        return Err(wrong("a second retry of one job", &outcome));
    }
    expect(
        "one retry of each",
        &store.load().await?,
        &vec![first, other, again, other_again],
    )
}
