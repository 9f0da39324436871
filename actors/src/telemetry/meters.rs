//! The series of a party.

use std::time::Duration;

use entente_metrics::{
    CHECKPOINT_BYTES, CHECKPOINTS, COMPUTE_QUEUE, COMPUTE_RUNNING, COMPUTE_THREADS, COSINE_ATTACK,
    CertificateMeters, DRAINING, EXCHANGES, Gauge, JOURNAL_COMMITS, JOURNAL_SECONDS, KEPT,
    KEY_EPOCH, KEY_REFUSED, KEY_ROTATED, KEY_ROTATIONS, KEY_SINCE, LABEL_LEAK_AUC, NORM_ATTACK,
    PARTY_JOBS, PROTOCOL_ERRORS, RESTORE_OUTCOMES, RESTORES, ROUNDS, Registry, SAMPLES,
    STEP_SECONDS, UNKEPT, WAITED_FOR, WAITING_SECONDS, WORKER_STATES, WORKERS,
};
use entente_protocol::{acml::KeyFault, control::Progress, job::PartyName};
use entente_tls::Look;
use entente_wire::WireVersion;

use super::roll::Roll;
use crate::driver::Standing;

/// Measures into one registry. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Meters {
    registry: Registry,
    certificates: CertificateMeters,
    roll: Roll,
}

impl Meters {
    pub(crate) fn new(registry: Registry) -> Self {
        let certificates = CertificateMeters::new(registry.clone(), Look::LABELS.into_iter());
        Self {
            roll: Roll::new(&registry),
            registry,
            certificates,
        }
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The jobs that run.
    pub(crate) fn roll(&self) -> &Roll {
        &self.roll
    }

    /// What is measured of certificates.
    pub(crate) fn certificates(&self) -> &CertificateMeters {
        &self.certificates
    }

    /// Makes what is known at the start appear.
    pub(crate) fn seed<'a>(&self, peers: impl Iterator<Item = &'a PartyName>) {
        self.seed_traffic(peers);
        self.seed_scheme();
        let registry = &self.registry;
        registry
            .family(&PARTY_JOBS)
            .seed(Standing::LABELS.map(|label| [label]));
        registry
            .family(&WAITING_SECONDS)
            .seed(WAITED_FOR.map(|what| [what]));
        registry
            .family(&KEY_ROTATIONS)
            .seed([KEY_ROTATED, KEY_REFUSED].map(|outcome| [outcome]));
        registry
            .family(&JOURNAL_COMMITS)
            .seed([KEPT, UNKEPT].map(|outcome| [outcome]));
        registry
            .family(&RESTORES)
            .seed(RESTORE_OUTCOMES.map(|outcome| [outcome]));
        registry.runs(env!("CARGO_PKG_VERSION"), WireVersion::NEWEST.number());
        self.workers([0; WORKER_STATES.len()]);
    }

    /// How many workers are in each of [`WORKER_STATES`].
    pub(crate) fn workers(&self, counts: [i64; WORKER_STATES.len()]) {
        let workers = self.registry.family(&WORKERS);
        for (state, count) in WORKER_STATES.into_iter().zip(counts) {
            workers.with([state]).set(count);
        }
    }

    /// Whether nothing new begins here.
    pub(crate) fn draining(&self, draining: bool) {
        let gauge = self.registry.family(&DRAINING).with([]);
        gauge.set(draining.into());
    }

    /// What computes has so many threads; where it tells what waits for them and what
    /// they are at.
    pub(crate) fn compute(&self, threads: usize) -> [Gauge; 2] {
        let threads = i64::try_from(threads).unwrap_or(i64::MAX);
        let registry = &self.registry;
        registry.family(&COMPUTE_THREADS).with([]).set(threads);
        [&COMPUTE_QUEUE, &COMPUTE_RUNNING].map(|definition| registry.family(definition).with([]))
    }

    /// A step of a protocol was computed.
    pub(crate) fn step(&self, protocol: &str, role: &str, state: &str, took: Duration) {
        let steps = self.registry.family(&STEP_SECONDS);
        steps.with([protocol, role, state]).observe(took);
    }

    /// A job has come from `before` to `after`.
    pub(crate) fn progress(&self, before: &Progress, after: &Progress) {
        for (definition, before, after) in [
            (&EXCHANGES, before.exchanges_done, after.exchanges_done),
            (&ROUNDS, before.rounds_done, after.rounds_done),
            (&SAMPLES, before.samples, after.samples),
        ] {
            let total = self.registry.family(definition).with([]);
            total.add(after.saturating_sub(before));
        }
        if let Some(key) = after.key {
            let registry = &self.registry;
            registry.family(&KEY_EPOCH).with([]).set(key.epoch.into());
            let since_s = i64::try_from(key.since_ms / 1000).unwrap_or(i64::MAX);
            registry.family(&KEY_SINCE).with([]).set(since_s);
            let rotated = before
                .key
                .map_or(0, |before| key.epoch.saturating_sub(before.epoch));
            let rotations = registry.family(&KEY_ROTATIONS).with([KEY_ROTATED]);
            rotations.add(rotated.into());
        }
        if let Some(leak) = after.leak {
            let attacks = self.registry.family(&LABEL_LEAK_AUC);
            attacks.with([NORM_ATTACK]).set(leak.norm_auc);
            attacks.with([COSINE_ATTACK]).set(leak.cosine_auc);
        }
    }

    /// Records of a job were brought to the disk, or could not be.
    pub(crate) fn committed(&self, kept: bool, took: Duration) {
        let registry = &self.registry;
        let outcome = if kept { KEPT } else { UNKEPT };
        registry
            .family(&JOURNAL_COMMITS)
            .with([outcome])
            .increment();
        registry.family(&JOURNAL_SECONDS).with([]).add(took);
    }

    /// A checkpoint of so many bytes was among them.
    pub(crate) fn checkpoint(&self, bytes: usize) {
        let registry = &self.registry;
        registry.family(&CHECKPOINTS).with([]).increment();
        let total = registry.family(&CHECKPOINT_BYTES).with([]);
        total.add(bytes as u64);
    }

    /// A job was to be taken up again from the disk.
    pub(crate) fn restored(&self, outcome: &str) {
        let outcomes = self.registry.family(&RESTORES);
        outcomes.with([outcome]).increment();
    }

    /// A job ended with an error.
    pub(crate) fn failed(&self, label: &str) {
        if KeyFault::LABELS.contains(&label) {
            let refused = self.registry.family(&KEY_ROTATIONS).with([KEY_REFUSED]);
            refused.increment();
        }
        self.registry
            .family(&PROTOCOL_ERRORS)
            .with([label])
            .increment();
    }

    /// A job waited for `what`, one of [`WAITED_FOR`], for so long.
    pub(crate) fn waited(&self, what: &str, time: Duration) {
        self.registry
            .family(&WAITING_SECONDS)
            .with([what])
            .add(time);
    }

    /// Where the jobs of this party stand now.
    pub(crate) fn jobs<'a>(&self, standings: impl Iterator<Item = &'a Standing> + Clone) {
        let jobs = self.registry.family(&PARTY_JOBS);
        for label in Standing::LABELS {
            let count = standings.clone().filter(|one| one.label() == label).count();
            jobs.with([label]).set(count as i64);
        }
    }
}
