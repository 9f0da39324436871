//! Every metric of the system, once.
//!
//! Names follow Prometheus: prefix, unit as suffix in base units, `_total` for
//! what only grows. Gauges that count things have the things as their name.

use crate::{
    Metric,
    definition::Definition,
    kind::{Counter, Gauge, Histogram, Kind, Level, SecondsCounter},
};

/// From a line of the list: the constant, its place in [`ALL`], and the field
/// of every registry. Three uses of one line cannot drift apart.
macro_rules! list {
    ($(
        $(#[$doc:meta])*
        $name:ident: $kind:ident = $text:literal, $help:literal, [$($label:literal),*] $(, $buckets:expr)?;
    )*) => {
        $(
            $(#[$doc])*
            #[doc = ""]
            #[doc = concat!("`", $text, "`: ", $help)]
            pub const $name: Definition<$kind, { <[&str]>::len(&[$($label),*]) }> = Definition::new(
                $text,
                $help,
                &[$($label),*],
                first!($($buckets,)? &[]),
                |families| &families.$name,
            );
        )*

        /// The whole list.
        pub const ALL: &[&Metric] = &[$($name.metric()),*];

        /// One family for each name.
        #[allow(non_snake_case)]
        pub(crate) struct Families {
            $($name: <$kind as Kind>::Family,)*
        }

        impl Families {
            /// All of them, registered. What has no labels appears at once.
            pub(crate) fn register(
                registry: &prometheus::Registry,
            ) -> Result<Self, prometheus::Error> {
                Ok(Self {
                    $($name: {
                        let metric = $name.metric();
                        let family = <$kind>::create(metric)?;
                        if metric.labels.is_empty() {
                            <$kind>::series(&family, &[])?;
                        }
                        registry.register(Box::new(family.clone()))?;
                        family
                    },)*
                })
            }
        }
    };
}

macro_rules! first {
    ($first:expr, $($rest:expr),*) => {
        $first
    };
    ($first:expr) => {
        $first
    };
}

/// Edges for a step of a protocol. From 1 ms (a small cut at 2048 bits, or a
/// step without cryptography) to 4 minutes (a wide one at 4096 bits, unpacked).
/// Each edge is twice the last: a doubled key costs about eight times as much,
/// so it moves a step by three buckets and not off the scale, and a quantile
/// read from them is at most a factor of 2 off.
const STEP_BUCKETS: &[f64] = &[
    0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096,
    8.192, 16.384, 32.768, 65.536, 131.072, 262.144,
];

/// Edges for an API request. An answer from memory takes under 1 ms, one that
/// waits for the disk 5 to 50 ms. An answer that is held back takes up to
/// 30 s by design: with an edge at 35 s, what lies above it was not designed.
const API_BUCKETS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 35.0,
];

list! {
    /// Label `state` is the machine's own name for what it waited for.
    STEP_SECONDS: Histogram = "entente_step_seconds",
        "Time to compute one step of a protocol: from a message taken in to the answers written.",
        ["protocol", "role", "state"], STEP_BUCKETS;

    HE_OPERATIONS: Counter = "entente_he_operations_total",
        "Operations of the encryption scheme, each over a whole matrix.",
        ["operation"];
    HE_ITEMS: Counter = "entente_he_items_total",
        "Entries of the matrices that operations of the encryption scheme produced.",
        ["operation"];
    HE_SECONDS: SecondsCounter = "entente_he_seconds_total",
        "Time spent in operations of the encryption scheme, by the clock on the wall.",
        ["operation"];
    HE_POOL_VALUES: Gauge = "entente_he_pool_values",
        "Random values that lie ready for ciphertexts to come, in all running jobs together.",
        ["end"];

    KEY_EPOCH: Gauge = "entente_key_epoch",
        "Number of the encryption key of the job that went on last here; 1 is the one of the set-up.", [];
    KEY_SINCE: Gauge = "entente_key_since_timestamp_seconds",
        "Since when that key is in use, in seconds since 1970.", [];
    KEY_ROTATIONS: Counter = "entente_key_rotations_total",
        "Encryption keys that gave way to the next one, and keys that a party refused.",
        ["outcome"];

    MESSAGES: Counter = "entente_messages_total",
        "Messages between parties, each counted as often as it crossed the wire.",
        ["kind", "direction"];
    MESSAGE_BYTES: Counter = "entente_message_bytes_total",
        "Bytes of messages between parties, with envelope and frame, without TLS.",
        ["kind", "direction"];
    MESSAGES_REFUSED: Counter = "entente_messages_refused_total",
        "Messages and connections of peers that were refused.",
        ["reason"];
    LINKS_UP: Gauge = "entente_links_up",
        "1 while the link to a peer is up, 0 while it is down.",
        ["peer"];

    WORKERS: Gauge = "entente_workers",
        "Workers that jobs of this party run in now, by how far they are; 0 where jobs run in the party.",
        ["state"];

    ROUNDS: Counter = "entente_rounds_total", "Training rounds done: mini-batches.", [];
    EXCHANGES: Counter = "entente_exchanges_total",
        "Exchanges done: set-ups, training rounds and batches of inference.", [];
    SAMPLES: Counter = "entente_samples_total", "Training samples gone through.", [];
    PARTY_JOBS: Gauge = "entente_party_jobs", "Jobs at this party now.", ["phase"];
    PROTOCOL_ERRORS: Counter = "entente_protocol_errors_total",
        "Exchanges that ended with an error.", ["error"];
    RETRIES: Counter = "entente_retries_total", "Things that were tried again.", ["what"];

    CHECKPOINTS: Counter = "entente_checkpoints_total",
        "Checkpoints of jobs that this party has written to its disk.", [];
    CHECKPOINT_BYTES: Counter = "entente_checkpoint_bytes_total",
        "Bytes of the checkpoints that this party has written to its disk.", [];
    JOURNAL_COMMITS: Counter = "entente_journal_commits_total",
        "Times that records of a job were brought to this party's disk, or could not be.",
        ["outcome"];
    JOURNAL_SECONDS: SecondsCounter = "entente_journal_seconds_total",
        "Time spent in bringing records of jobs to this party's disk, by the clock on the wall.", [];
    RESTORES: Counter = "entente_restores_total",
        "Jobs that were taken up again from this party's disk, or could not be.", ["outcome"];

    JOBS: Gauge = "entente_jobs", "Jobs of the coordinator now.", ["state"];
    JOB_ATTEMPTS: Counter = "entente_job_attempts_total",
        "Attempts at jobs that were given their places and have ended so.", ["outcome"];
    JOB_RETRIES: Counter = "entente_job_retries_total",
        "Attempts that followed failed ones by themselves, by who would have to act.", ["class"];
    JOB_TRANSITIONS: Counter = "entente_job_transitions_total",
        "Jobs that came into a state.", ["to"];
    JOB_TRANSITIONS_REFUSED: Counter = "entente_job_transitions_refused_total",
        "Changes of a job's state that were refused: not in the table, or the job had moved on.",
        ["reason"];
    LEADER: Gauge = "entente_leader",
        "1 while this coordinator leads, 0 while it stands by.", [];
    DRAINING: Gauge = "entente_draining",
        "1 while the coordinator or the party is being drained: nothing new begins.", [];
    LEASE_TAKINGS: Counter = "entente_lease_takings_total",
        "Times that this coordinator began to lead.", [];
    LEASE_RENEWALS: Counter = "entente_lease_renewals_total",
        "Attempts of the coordinator that leads to go on leading.", ["outcome"];
    STALE_WRITES: Counter = "entente_stale_writes_total",
        "Writes of this coordinator that the store refused because another one led by then.", [];
    PARTIES_CONNECTED: Gauge = "entente_parties_connected",
        "Parties that the coordinator has heard of lately.", [];
    SYNCS: Counter = "entente_syncs_total",
        "Times that a party told the coordinator where it stands.", [];
    API_REQUESTS: Counter = "entente_api_requests_total",
        "Requests to the coordinator's API. Class is the first digit of the status: 2xx, 4xx.",
        ["route", "method", "class"];
    API_SECONDS: Histogram = "entente_api_seconds",
        "Time to answer a request to the coordinator's API, with the time that it was held back.",
        ["route"], API_BUCKETS;

    LABEL_LEAK_AUC: Level = "entente_label_leak_auc_ratio",
        "Area under the curve of an attack on the gradients of the epoch that ended last here: 0.5 is guessing, 1 is certainty.",
        ["attack"];
    CERTIFICATE_EXPIRY: Gauge = "entente_certificate_expiry_timestamp_seconds",
        "When the process's own certificate ends, in seconds since 1970.", [];
    REVOCATION_LIST_EXPIRY: Gauge = "entente_revocation_list_expiry_timestamp_seconds",
        "When the first of the revocation lists ends, in seconds since 1970; 0 without one.", [];
    CERTIFICATE_RELOADS: Counter = "entente_certificate_reloads_total",
        "Times that something else lay in the files of certificates, and was put in force or not.",
        ["outcome"];
    REVOKED_PEERS: Counter = "entente_revoked_peers_total",
        "Connections that were cut, handshakes and requests that were refused, since the peer's certificate was revoked.",
        ["what"];
    BUILD_INFO: Gauge = "entente_build_info", "Always 1; the label says what runs.", ["version"];
}

/// What the process collector adds on Linux.
pub const PROCESS: &[&str] = &[
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_max_fds",
    "process_virtual_memory_bytes",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_threads",
];

/// Values of the label `operation`.
pub const HE_OPERATION_NAMES: &[&str] = &[
    "generate_key",
    "prove_key",
    "certify_key",
    "encrypt_activations",
    "encrypt_for_inference",
    "encrypt_share",
    "forward",
    "weight_gradient",
    "input_gradient",
    "decrypt_forward",
    "decrypt_weight_gradient",
    "decrypt_input_gradient",
];

/// Values of the label `end`: what the active party encrypts with.
pub const KEY_OWNER: &str = "key_owner";
/// Values of the label `end`: what the passive party re-randomises with.
pub const EVALUATOR: &str = "evaluator";
/// Values of the label `end`.
pub const HE_ENDS: [&str; 2] = [KEY_OWNER, EVALUATOR];

/// Values of the label `state` of [`WORKERS`]: nobody can start it yet; it was started;
/// it is there.
pub const WORKER_STATES: [&str; 3] = ["waiting", "starting", "connected"];

/// Values of the label `outcome` of [`KEY_ROTATIONS`]: the next one is in use.
pub const KEY_ROTATED: &str = "rotated";
/// Values of the label `outcome` of [`KEY_ROTATIONS`]: it was not taken, or served
/// for too long.
pub const KEY_REFUSED: &str = "refused";

/// Values of the label `outcome` of [`JOURNAL_COMMITS`]: they are there.
pub const KEPT: &str = "kept";
/// Values of the label `outcome` of [`JOURNAL_COMMITS`]: they wait.
pub const UNKEPT: &str = "unkept";

/// Values of the label `outcome` of [`RESTORES`]: from the newest checkpoint.
pub const FROM_NEWEST: &str = "newest";
/// Values of the label `outcome` of [`RESTORES`]: from the one before it, since
/// the newest could not be read.
pub const FROM_OLDER: &str = "older";
/// Values of the label `outcome` of [`RESTORES`]: it had ended before.
pub const HAD_ENDED: &str = "ended";
/// Values of the label `outcome` of [`RESTORES`]: there is no journal of it.
pub const STATE_LOST: &str = "state_lost";
/// Values of the label `outcome` of [`RESTORES`]: its journal cannot be read.
pub const UNREADABLE: &str = "unreadable";
/// Values of the label `outcome` of [`RESTORES`].
pub const RESTORE_OUTCOMES: [&str; 5] =
    [FROM_NEWEST, FROM_OLDER, HAD_ENDED, STATE_LOST, UNREADABLE];

/// Values of the label `outcome`: it leads on.
pub const LEASE_RENEWED: &str = "renewed";
/// Values of the label `outcome`: the store failed; it is tried again.
pub const LEASE_FAILED: &str = "failed";
/// Values of the label `outcome`: another one leads.
pub const LEASE_LOST: &str = "lost";

/// Values of the label `direction`: sent.
pub const SENT: &str = "sent";
/// Values of the label `direction`: received.
pub const RECEIVED: &str = "received";

/// Values of the label `what` of [`REVOKED_PEERS`]: a connection that stood.
pub const REVOKED_CONNECTION: &str = "connection";
/// Values of the label `what` of [`REVOKED_PEERS`]: peers whose handshakes were
/// refused, each once between two looks at the files.
pub const REVOKED_HANDSHAKE: &str = "handshake";
/// Values of the label `what` of [`REVOKED_PEERS`]: a request on a connection that
/// stood.
pub const REVOKED_REQUEST: &str = "request";

/// Values of the label `what` of [`RETRIES`]: a link to a peer.
pub const LINK_CONNECT: &str = "link_connect";
/// Values of the label `what` of [`RETRIES`]: a message to a peer.
pub const MESSAGE_RESEND: &str = "message_resend";
/// Values of the label `what` of [`RETRIES`]: a sync with the coordinator.
pub const COORDINATOR_SYNC: &str = "coordinator_sync";
