//! Jobs in memory, for tests alone: clones share the jobs, so that a test can
//! go behind a coordinator's back, and it fails when it is told to.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use entente_protocol::job::JobId;

use super::{Store, StoreError};
use crate::{
    audit::{Deed, Entry},
    job::{Change, JobRecord},
};

#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryStore {
    jobs: Arc<Mutex<BTreeMap<JobId, JobRecord>>>,
    log: Arc<Mutex<Vec<Entry>>>,
    broken: Arc<AtomicBool>,
}

impl MemoryStore {
    pub(crate) fn break_down(&self, broken: bool) {
        self.broken.store(broken, Ordering::SeqCst);
    }

    fn answer(&self) -> Result<(), StoreError> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable {
                action: "answer",
                source: "the test said so".into(),
            });
        }
        Ok(())
    }

    fn log(&self, deed: Deed) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let last = log.last().map(|entry| (entry.number, entry.hash.clone()));
        log.push(Entry::after(last, deed));
    }

    fn jobs(&self) -> std::sync::MutexGuard<'_, BTreeMap<JobId, JobRecord>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn insert(&self, record: &JobRecord) -> Result<(), StoreError> {
        self.answer()?;
        let mut jobs = self.jobs();
        let key = |record: &JobRecord| {
            let key = record.submission.as_ref()?.key.clone();
            Some((record.submitted_by.clone(), key))
        };
        let same_key = |kept: &JobRecord| key(record).is_some() && key(kept) == key(record);
        if jobs.contains_key(&record.id) || jobs.values().any(same_key) {
            return Err(StoreError::Exists(record.id));
        }
        jobs.insert(record.id, record.clone());
        self.log(Deed::submitted(record));
        Ok(())
    }

    async fn write(&self, change: &Change) -> Result<(), StoreError> {
        self.answer()?;
        let record = change.record();
        match self.jobs().get_mut(&record.id) {
            Some(kept)
                if kept.state == change.expected_state()
                    && kept.version == change.expected_version() =>
            {
                *kept = record.clone();
                if let Some(deed) = change.deed() {
                    self.log(deed.clone());
                }
                Ok(())
            }
            _ => Err(StoreError::Conflict(record.id)),
        }
    }

    async fn append(&self, deed: &Deed) -> Result<(), StoreError> {
        self.answer()?;
        self.log(deed.clone());
        Ok(())
    }

    async fn audit(&self, after: u64, limit: u32) -> Result<Vec<Entry>, StoreError> {
        self.answer()?;
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = log.iter().filter(|entry| entry.number > after);
        Ok(behind.take(limit as usize).cloned().collect())
    }

    async fn load(&self) -> Result<Vec<JobRecord>, StoreError> {
        self.answer()?;
        Ok(self.jobs().values().cloned().collect())
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.answer()
    }

    async fn close(&self) {}
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    #[actix_rt::test]
    async fn conforms() {
        crate::store::conformance::check(async || super::MemoryStore::default())
            .await
            .unwrap();
    }
}
