//! The series of a party.

use std::time::Duration;

use entente_metrics::{
    BUILD_INFO, CHECKPOINT_BYTES, CHECKPOINTS, COORDINATOR_SYNC, CertificateMeters, DRAINING,
    EXCHANGES, HE_ENDS, HE_ITEMS, HE_OPERATION_NAMES, HE_OPERATIONS, HE_POOL_VALUES, HE_SECONDS,
    JOURNAL_COMMITS, JOURNAL_SECONDS, KEPT, KEY_EPOCH, KEY_REFUSED, KEY_ROTATED, KEY_ROTATIONS,
    KEY_SINCE, LABEL_LEAK_AUC, LINK_CONNECT, LINKS_UP, MESSAGE_BYTES, MESSAGE_RESEND, MESSAGES,
    MESSAGES_REFUSED, PARTY_JOBS, PROTOCOL_ERRORS, RESTORE_OUTCOMES, RESTORES, RETRIES, ROUNDS,
    Registry, SAMPLES, STEP_SECONDS, UNKEPT, WORKER_STATES, WORKERS,
};
use entente_protocol::{acml::KeyFault, control::Progress, job::PartyName};
use entente_tls::Look;

use super::depth::Depth;
use crate::driver::Standing;

/// Measures into one registry. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Meters {
    registry: Registry,
    certificates: CertificateMeters,
}

impl Meters {
    pub(crate) fn new(registry: Registry) -> Self {
        let certificates = CertificateMeters::new(registry.clone(), Look::LABELS.into_iter());
        Self {
            registry,
            certificates,
        }
    }

    /// What is measured of certificates.
    pub(crate) fn certificates(&self) -> &CertificateMeters {
        &self.certificates
    }

    /// Makes what is known at the start appear.
    pub(crate) fn seed<'a>(&self, peers: impl Iterator<Item = &'a PartyName>) {
        let registry = &self.registry;
        registry
            .family(&LINKS_UP)
            .seed(peers.map(|peer| [peer.as_str()]));
        registry
            .family(&PARTY_JOBS)
            .seed(Standing::LABELS.map(|label| [label]));
        let retries = [LINK_CONNECT, MESSAGE_RESEND, COORDINATOR_SYNC];
        registry.family(&RETRIES).seed(retries.map(|what| [what]));
        for operation in HE_OPERATION_NAMES {
            registry.family(&HE_OPERATIONS).seed([[*operation]]);
            registry.family(&HE_ITEMS).seed([[*operation]]);
            registry.family(&HE_SECONDS).seed([[*operation]]);
        }
        registry
            .family(&HE_POOL_VALUES)
            .seed(HE_ENDS.map(|end| [end]));
        registry
            .family(&KEY_ROTATIONS)
            .seed([KEY_ROTATED, KEY_REFUSED].map(|outcome| [outcome]));
        registry
            .family(&JOURNAL_COMMITS)
            .seed([KEPT, UNKEPT].map(|outcome| [outcome]));
        registry
            .family(&RESTORES)
            .seed(RESTORE_OUTCOMES.map(|outcome| [outcome]));
        self.workers([0; WORKER_STATES.len()]);
        let version = [env!("CARGO_PKG_VERSION")];
        registry.family(&BUILD_INFO).with(version).set(1);
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

    /// A step of a protocol was computed.
    pub(crate) fn step(&self, protocol: &str, role: &str, state: &str, took: Duration) {
        let steps = self.registry.family(&STEP_SECONDS);
        steps.with([protocol, role, state]).observe(took);
    }

    /// An operation of the encryption scheme produced `items` entries.
    pub(super) fn operation(&self, operation: &str, items: usize, took: Duration) {
        let registry = &self.registry;
        registry
            .family(&HE_OPERATIONS)
            .with([operation])
            .increment();
        registry
            .family(&HE_ITEMS)
            .with([operation])
            .add(items as u64);
        registry.family(&HE_SECONDS).with([operation]).add(took);
    }

    /// Where a new end of the encryption scheme, of this kind, tells what lies
    /// ready.
    pub(super) fn depth(&self, end: &str) -> Depth {
        Depth::new(self.registry.family(&HE_POOL_VALUES).with([end]))
    }

    /// A message crossed the wire.
    pub(crate) fn message(&self, kind: &str, direction: &str, bytes: usize) {
        let registry = &self.registry;
        registry
            .family(&MESSAGES)
            .with([kind, direction])
            .increment();
        let total = registry.family(&MESSAGE_BYTES).with([kind, direction]);
        total.add(bytes as u64);
    }

    /// A message or a connection was refused.
    pub(crate) fn refused(&self, reason: &str) {
        self.registry
            .family(&MESSAGES_REFUSED)
            .with([reason])
            .increment();
    }

    /// The link to a peer came up or went down.
    pub(crate) fn link(&self, peer: &PartyName, up: bool) {
        let link = self.registry.family(&LINKS_UP).with([peer.as_str()]);
        link.set(up.into());
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
            attacks.with(["norm"]).set(leak.norm_auc);
            attacks.with(["cosine"]).set(leak.cosine_auc);
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

    /// Where the jobs of this party stand now.
    pub(crate) fn jobs<'a>(&self, standings: impl Iterator<Item = &'a Standing> + Clone) {
        let jobs = self.registry.family(&PARTY_JOBS);
        for label in Standing::LABELS {
            let count = standings.clone().filter(|one| one.label() == label).count();
            jobs.with([label]).set(count as i64);
        }
    }

    /// A link was dialled in vain.
    pub(crate) fn dialled_again(&self) {
        self.retried(LINK_CONNECT);
    }

    /// A message was sent again.
    pub(crate) fn sent_again(&self) {
        self.retried(MESSAGE_RESEND);
    }

    /// The coordinator was asked in vain.
    pub(crate) fn asked_again(&self) {
        self.retried(COORDINATOR_SYNC);
    }

    fn retried(&self, what: &str) {
        self.registry.family(&RETRIES).with([what]).increment();
    }
}
