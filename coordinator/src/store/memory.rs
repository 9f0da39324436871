//! Jobs in memory, for tests alone: clones share the jobs, so that a test can
//! go behind a coordinator's back, and it fails when it is told to.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use entente_protocol::job::JobId;

use super::{Lead, Leases, Store, StoreError, Taking, Token};
use crate::{
    audit::{Deed, Entry},
    engine::Draining,
    job::{Change, Happening, JobRecord, LogEntry},
};

#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryStore {
    jobs: Arc<Mutex<BTreeMap<JobId, JobRecord>>>,
    log: Arc<Mutex<Vec<Entry>>>,
    draining: Arc<Mutex<Option<Draining>>>,
    happenings: Arc<Mutex<BTreeMap<JobId, Vec<Happening>>>>,
    broken: Arc<AtomicBool>,
    lease: Arc<Mutex<(u64, Option<String>)>>,
    /// How long a lease is; it ends only when the test says so.
    life: Option<Duration>,
    /// Of who leads; none of a test, which may do everything.
    token: Option<Token>,
}

impl MemoryStore {
    pub(crate) fn with_leases_of(life: Duration) -> Self {
        Self {
            life: Some(life),
            ..Self::default()
        }
    }

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

    /// Another leads from now on, or nobody.
    pub(crate) fn leads(&self, address: Option<&str>) {
        let mut lease = self.lease();
        *lease = (lease.0 + 1, address.map(str::to_owned));
    }

    fn lease(&self) -> std::sync::MutexGuard<'_, (u64, Option<String>)> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn may_write(&self) -> Result<(), StoreError> {
        self.answer()?;
        match self.token {
            Some(token) if token.0 != self.lease().0 => Err(StoreError::Deposed(token)),
            _ => Ok(()),
        }
    }

    fn audited(&self, deed: Deed) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let last = log.last().map(|entry| (entry.number, entry.hash.clone()));
        log.push(Entry::after(last, deed));
    }

    fn happenings(&self) -> std::sync::MutexGuard<'_, BTreeMap<JobId, Vec<Happening>>> {
        self.happenings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn jobs(&self) -> std::sync::MutexGuard<'_, BTreeMap<JobId, JobRecord>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn insert(&self, record: &JobRecord) -> Result<(), StoreError> {
        self.may_write()?;
        let mut jobs = self.jobs();
        let key = |record: &JobRecord| {
            let key = record.submission.as_ref()?.key.clone();
            Some((record.submitted_by.clone(), key))
        };
        let same_key = |kept: &JobRecord| key(record).is_some() && key(kept) == key(record);
        let same_retry =
            |kept: &JobRecord| kept.retry_of.is_some() && kept.retry_of == record.retry_of;
        if jobs.contains_key(&record.id)
            || jobs.values().any(same_key)
            || jobs.values().any(same_retry)
        {
            return Err(StoreError::Exists(record.id));
        }
        jobs.insert(record.id, record.clone());
        self.audited(Deed::submitted(record));
        let first = Happening::submitted(record);
        self.happenings().entry(record.id).or_default().push(first);
        Ok(())
    }

    async fn write(&self, change: &Change) -> Result<(), StoreError> {
        self.may_write()?;
        let record = change.record();
        match self.jobs().get_mut(&record.id) {
            Some(kept)
                if kept.state == change.expected_state()
                    && kept.version == change.expected_version() =>
            {
                *kept = record.clone();
                let mut logs = self.happenings();
                let log = logs.entry(record.id).or_default();
                log.extend_from_slice(change.happenings());
                if let Some(deed) = change.deed() {
                    self.audited(deed.clone());
                }
                Ok(())
            }
            _ => Err(StoreError::Conflict(record.id)),
        }
    }

    async fn drain(&self, draining: Option<&Draining>, deed: &Deed) -> Result<(), StoreError> {
        self.may_write()?;
        let mut kept = self.draining.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = draining.cloned();
        self.audited(deed.clone());
        Ok(())
    }

    async fn draining(&self) -> Result<Option<Draining>, StoreError> {
        self.answer()?;
        let kept = self.draining.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(kept.clone())
    }

    async fn append(&self, deed: &Deed) -> Result<(), StoreError> {
        self.may_write()?;
        self.audited(deed.clone());
        Ok(())
    }

    async fn audit(&self, after: u64, limit: u32) -> Result<Vec<Entry>, StoreError> {
        self.answer()?;
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = log.iter().filter(|entry| entry.number > after);
        Ok(behind.take(limit as usize).cloned().collect())
    }

    async fn log(&self, job: JobId, after: u64, limit: u32) -> Result<Vec<LogEntry>, StoreError> {
        self.answer()?;
        let log = self.happenings().get(&job).cloned().unwrap_or_default();
        let entries = (1..)
            .zip(log)
            .map(|(number, happening)| LogEntry { number, happening });
        let behind = entries.filter(|entry| entry.number > after);
        Ok(behind.take(limit as usize).collect())
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

#[async_trait]
impl Leases for MemoryStore {
    type Lead = Self;

    async fn take(&self, address: &str) -> Result<Taking<Self>, StoreError> {
        self.answer()?;
        if let Some(other) = &self.lease().1 {
            let by = Some(other.clone());
            return Ok(Taking::Held { by });
        }
        self.leads(Some(address));
        let token = Some(Token(self.lease().0));
        let store = Self {
            token,
            ..self.clone()
        };
        let life = self.life;
        Ok(Taking::Taken { store, life })
    }

    async fn close(&self) {}
}

#[async_trait]
impl Lead for MemoryStore {
    fn token(&self) -> Token {
        self.token.unwrap_or(Token(0))
    }

    async fn renew(&self) -> Result<(), StoreError> {
        self.may_write()
    }

    async fn release(&self) -> Result<(), StoreError> {
        if self.may_write().is_ok() {
            self.leads(None);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::MemoryStore;
    use crate::store::conformance::{check, check_leases};

    #[actix_rt::test]
    async fn conforms() {
        check(async || MemoryStore::default()).await.unwrap();
        check_leases(async || MemoryStore::default()).await.unwrap();
    }
}
