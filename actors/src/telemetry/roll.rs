//! The jobs that run here, by name.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use entente_metrics::{Family, Gauge, PARTY_JOB_INFO, Registry};
use entente_protocol::{job::JobId, session::Correlation};

type Labels = [String; 4];

/// The jobs that run here. Each has a series for as long as it does, and no longer.
#[derive(Debug, Clone)]
pub(crate) struct Roll {
    info: Family<Gauge, 4>,
    /// How often each is there: a job that is let go and begins again may be twice for
    /// a moment.
    jobs: Arc<Mutex<BTreeMap<Labels, usize>>>,
}

/// A job that runs, until this is dropped.
#[derive(Debug)]
pub(crate) struct Called {
    roll: Roll,
    labels: Labels,
}

impl Roll {
    pub(super) fn new(registry: &Registry) -> Self {
        let info = registry.family(&PARTY_JOB_INFO);
        let jobs = Arc::default();
        Self { info, jobs }
    }

    /// A job begins to run.
    pub(crate) fn call(
        &self,
        job: JobId,
        protocol: &str,
        role: &str,
        correlation: Correlation,
    ) -> Called {
        let labels = [
            job.to_string(),
            protocol.to_owned(),
            role.to_owned(),
            correlation.to_string(),
        ];
        let mut jobs = self.jobs();
        *jobs.entry(labels.clone()).or_default() += 1;
        self.info.with(labels.each_ref().map(String::as_str)).set(1);
        drop(jobs);
        let roll = self.clone();
        Called { roll, labels }
    }

    /// Whole whenever the lock is free.
    fn jobs(&self) -> MutexGuard<'_, BTreeMap<Labels, usize>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Called {
    fn drop(&mut self) {
        let mut jobs = self.roll.jobs();
        let Some(count) = jobs.get_mut(&self.labels) else {
            return;
        };
        *count -= 1;
        if *count == 0 {
            jobs.remove(&self.labels);
            let labels = self.labels.each_ref().map(String::as_str);
            self.roll.info.remove(labels);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use entente_metrics::Sight;

    use super::*;

    #[test]
    fn a_job_is_there_while_it_runs_and_not_twice() {
        let registry = Registry::new().unwrap();
        let roll = Roll::new(&registry);
        let listed = || {
            let text = registry.render(Sight::Everything).unwrap();
            let lines = text
                .lines()
                .filter(|line| line.starts_with("entente_party_job_info{"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let call = |correlation: &str| {
            let job = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
            roll.call(job, "acml", "active", correlation.parse().unwrap())
        };
        let first = call("0123456789ab");
        let again = call("0123456789ab");
        let next = call("ba9876543210");
        assert_eq!(
            listed()[0],
            "entente_party_job_info{correlation=\"0123456789ab\",\
             job_id=\"01890a5d-ac96-774b-bcce-b302099a8057\",\
             protocol=\"acml\",role=\"active\"} 1"
        );
        drop(first);
        assert_eq!(listed().len(), 2);
        drop(again);
        assert_eq!(listed().len(), 1);
        drop(next);
        assert!(listed().is_empty());
    }
}
