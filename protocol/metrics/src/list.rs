//! Every metric of the system, once.
//!
//! Names follow Prometheus: prefix, unit as suffix in base units, `_total` for
//! what only grows. Gauges that count things have the things as their name.
//!
//! What stands behind `=>` is what a party makes of what its workers say of a metric
//! ([`OfWorkers`]). Without it the party speaks for itself alone, for one of two
//! reasons: it is about the party (its links, its certificate), or the party counts it
//! by its workers' reports already, and would count twice (rounds, keys, errors).
//!
//! Three kinds of series come and go with what they speak of: those of a job, which
//! has the label `job_id` (`job` is Prometheus's own); those of a party at the
//! coordinator; those of a link. How many there are of each is bounded, and the
//! label says by what.

use crate::{
    Metric,
    buckets::{API_BUCKETS, STEP_BUCKETS},
    definition::{Definition, OfWorkers, Service},
    kind::{Counter, Gauge, Histogram, Kind, Level, SecondsCounter},
};

list! {
Party {
    /// Label `state` is the machine's own name for what it waited for.
    STEP_SECONDS: Histogram = "entente_step_seconds",
        "Time to compute one step of a protocol: from a message taken in to the answers written.",
        ["protocol", "role", "state"], STEP_BUCKETS => Summed;

    HE_OPERATIONS: Counter = "entente_he_operations_total",
        "Operations of the encryption scheme, each over a whole matrix.", ["operation"] => Summed;
    HE_ITEMS: Counter = "entente_he_items_total",
        "Entries of the matrices that operations of the encryption scheme produced.",
        ["operation"] => Summed;
    HE_SECONDS: SecondsCounter = "entente_he_seconds_total",
        "Time spent in operations of the encryption scheme, by the clock on the wall.",
        ["operation"] => Summed;
    HE_CIPHERTEXTS: Counter = "entente_he_ciphertexts_total",
        "Ciphertexts that an operation produced; of a decryption, those that it took in.",
        ["operation"] => Summed;
    HE_BYTES: Counter = "entente_he_bytes_total",
        "Bytes of these ciphertexts as they are sent, without envelope and frame.",
        ["operation"] => Summed;
    HE_PACKING_FILL: Level = "entente_he_packing_fill_ratio",
        "Values in the ciphertexts that an operation last produced or took in, per value that there was room for.",
        ["operation"] => Largest;
    HE_PRIMITIVES: Counter = "entente_he_primitives_total",
        "What operations of the encryption scheme consist of: ciphertexts encrypted, decrypted, added to, re-randomised or made randomness for ahead, products with a scalar, values packed or unpacked.",
        ["primitive"] => Summed;
    HE_PRIMITIVE_SECONDS: SecondsCounter = "entente_he_primitive_seconds_total",
        "Time that they took, all threads that worked at it together counted once, by the clock on the wall.",
        ["primitive"] => Summed;
    HE_POOL_VALUES: Gauge = "entente_he_pool_values",
        "Random values that lie ready for ciphertexts to come, in all running jobs together.",
        ["end"] => Summed;
    HE_POOL_CAPACITY: Gauge = "entente_he_pool_capacity_values",
        "Random values that there is room for, in all running jobs together.", ["end"] => Summed;

    COMPUTE_THREADS: Gauge = "entente_compute_threads",
        "Threads of the pool in which steps are computed, whatever the number of jobs; each worker has its own.", [] => Summed;
    COMPUTE_QUEUE: Gauge = "entente_compute_queue_tasks",
        "Steps and preparations that wait for a thread of that pool.", [] => Summed;
    COMPUTE_RUNNING: Gauge = "entente_compute_running_tasks",
        "Steps and preparations that are being computed, each spread over the threads that are free.", [] => Summed;

    KEY_EPOCH: Gauge = "entente_key_epoch",
        "Number of the encryption key of the job that went on last here; 1 is the one of the set-up.", [];
    KEY_SINCE: Gauge = "entente_key_since_timestamp_seconds",
        "Since when that key is in use, in seconds since 1970.", [];
    KEY_ROTATIONS: Counter = "entente_key_rotations_total",
        "Encryption keys that gave way to the next one, and keys that a party refused.",
        ["outcome"];

    MESSAGES: Counter = "entente_messages_total",
        "Messages between parties, each counted as often as it crossed the wire.",
        ["kind", "direction"] => Summed;
    MESSAGE_BYTES: Counter = "entente_message_bytes_total",
        "Bytes of messages between parties, with envelope and frame, without TLS.",
        ["kind", "direction"] => Summed;
    MESSAGES_REFUSED: Counter = "entente_messages_refused_total",
        "Messages and connections of peers that were refused.", ["reason"] => Summed;
    LINKS_UP: Gauge = "entente_links_up",
        "1 while the link to a peer is up, 0 while it is down.", ["peer"];
    LINK_QUEUE: Gauge = "entente_link_queue_frames",
        "Frames that wait to be written to the link to a peer.", ["peer"];
    LINK_ROUND_TRIP: Level = "entente_link_round_trip_seconds",
        "Time from the last ping to its answer, with the wait behind what was being sent; not there while the link is down.",
        ["peer"];
    OUTBOX: Gauge = "entente_outbox_messages",
        "Messages that are kept until the peer has acknowledged them, of all running jobs.", [] => Summed;

    WORKERS: Gauge = "entente_workers",
        "Workers that jobs of this party run in now, by how far they are; 0 where jobs run in the party.",
        ["state"];
    WORKER_CPU_SECONDS: SecondsCounter = "entente_worker_cpu_seconds_total",
        "Processor time that workers of this party have used, user and system; the party's own is process_cpu_seconds_total.",
        [] => Summed;
    WORKER_RESIDENT: Gauge = "entente_worker_resident_memory_bytes",
        "Resident memory of the workers that are connected, all together.", [] => Summed;

    ROUNDS: Counter = "entente_rounds_total", "Training rounds done: mini-batches.", [];
    EXCHANGES: Counter = "entente_exchanges_total",
        "Exchanges done: set-ups, training rounds and batches of inference.", [];
    SAMPLES: Counter = "entente_samples_total", "Training samples gone through.", [];
    PARTY_JOBS: Gauge = "entente_party_jobs", "Jobs at this party now.", ["phase"];
    PARTY_JOB_INFO: Gauge = "entente_party_job_info",
        "1 for each job that runs at this party; the correlation is what its lines in the logs have.",
        ["job_id", "protocol", "role", "correlation"] => Largest;
    WAITING_SECONDS: SecondsCounter = "entente_waiting_seconds_total",
        "Time that jobs spent waiting at this party, each for itself, by what for.", ["for"] => Summed;
    PROTOCOL_ERRORS: Counter = "entente_protocol_errors_total",
        "Exchanges that ended with an error.", ["error"];
    RETRIES: Counter = "entente_retries_total", "Things that were tried again.", ["what"] => Summed;

    CHECKPOINTS: Counter = "entente_checkpoints_total",
        "Checkpoints of jobs that this party has written to its disk.", [] => Summed;
    CHECKPOINT_BYTES: Counter = "entente_checkpoint_bytes_total",
        "Bytes of the checkpoints that this party has written to its disk.", [] => Summed;
    JOURNAL_COMMITS: Counter = "entente_journal_commits_total",
        "Times that records of a job were brought to this party's disk, or could not be.",
        ["outcome"] => Summed;
    JOURNAL_SECONDS: SecondsCounter = "entente_journal_seconds_total",
        "Time spent in bringing records of jobs to this party's disk, by the clock on the wall.", [] => Summed;
    RESTORES: Counter = "entente_restores_total",
        "Jobs that were taken up again from this party's disk, or could not be.", ["outcome"] => Summed;
    LABEL_LEAK_AUC: Level = "entente_label_leak_auc_ratio",
        "Area under the curve of an attack on the gradients of the epoch that ended last here: 0.5 is guessing, 1 is certainty.",
        ["attack"];
}

Coordinator {
    JOBS: Gauge = "entente_jobs", "Jobs of the coordinator now.", ["state"];
    JOB_ATTEMPTS: Counter = "entente_job_attempts_total",
        "Attempts at jobs that were given their places and have ended so.", ["outcome"];
    JOB_RETRIES: Counter = "entente_job_retries_total",
        "Attempts that followed failed ones by themselves, by who would have to act.", ["class"];
    JOB_FAILURES: Counter = "entente_job_failures_total",
        "Attempts that failed, whether or not another followed, by who would have to act.",
        ["class"];
    JOB_TRANSITIONS: Counter = "entente_job_transitions_total",
        "Jobs that came into a state.", ["to"];
    JOB_TRANSITIONS_REFUSED: Counter = "entente_job_transitions_refused_total",
        "Changes of a job's state that were refused: not in the table, or the job had moved on.",
        ["reason"];
    JOBS_BLOCKED: Gauge = "entente_jobs_blocked",
        "Queued jobs, by the first thing that each waits for.", ["by"];
    QUEUE_OLDEST: Gauge = "entente_queue_oldest_timestamp_seconds",
        "Since when the job waits that has been queued for longest, in seconds since 1970; 0 without one.", [];
    QUEUE_STARTS: Counter = "entente_queue_starts_total",
        "Times that a job was given its places at both parties, first or again.", [];
    PARKED_SECONDS: SecondsCounter = "entente_parked_seconds_total",
        "Time that jobs spent parked while this coordinator led, each for itself.", [];

    /// Like all that has the label `job_id`, of jobs that have their places or have lent
    /// them (reserved, running, parked).
    JOB_INFO: Gauge = "entente_job_info",
        "1 for each running job; the correlation is what the lines of this attempt have in all logs.",
        ["job_id", "name", "kind", "active", "passive", "correlation"];
    JOB_ROUNDS: Gauge = "entente_job_rounds",
        "Training rounds of a running job that both parties have done.", ["job_id"];
    JOB_PLANNED_ROUNDS: Gauge = "entente_job_planned_rounds",
        "All training rounds of a running job; 0 while unknown, and where nothing is learnt.",
        ["job_id"];
    JOB_SAMPLES: Gauge = "entente_job_samples",
        "Training samples of a running job that both parties have gone through.", ["job_id"];
    JOB_EPOCH: Gauge = "entente_job_epoch",
        "Epoch that a running job is in, from 1; 0 before the first round.", ["job_id"];
    JOB_LOSS: Level = "entente_job_loss",
        "Mean loss of a running job over its running epoch.", ["job_id"];
    JOB_VALIDATION_LOSS: Level = "entente_job_validation_loss",
        "Mean loss of a running job on the validation rows after the last epoch.", ["job_id"];
    JOB_VALIDATION_ACCURACY: Level = "entente_job_validation_accuracy_ratio",
        "Part of the validation rows that a running job classified rightly after the last epoch.",
        ["job_id"];
    JOB_ETA: Level = "entente_job_eta_seconds",
        "Time until a running job has done its exchanges, at the pace since this coordinator first saw it go on; not there before, nor while it is parked.",
        ["job_id"];
    JOB_STARTED: Gauge = "entente_job_started_timestamp_seconds",
        "When a job first ran, in seconds since 1970.", ["job_id"];
    JOB_PROGRESS: Gauge = "entente_job_progress_timestamp_seconds",
        "When an exchange of a running job was last heard to be finished, or when this coordinator began to watch it, in seconds since 1970.",
        ["job_id"];
    JOB_STILL: Level = "entente_job_still_seconds",
        "For how long no exchange of a running job was finished, as far as it counts; at its stall budget the attempt fails.",
        ["job_id"];
    JOB_STALL_BUDGET: Gauge = "entente_job_stall_budget_seconds",
        "For how long no exchange of a running job may be finished.", ["job_id"];
    JOB_WAITING_SECONDS: Level = "entente_job_waiting_seconds",
        "Time that a running job has been parked in this attempt, as far as this coordinator has seen.",
        ["job_id"];
    JOB_WAITING: Gauge = "entente_job_waiting",
        "1 for each thing that a running job waits for.", ["job_id", "for"];
    JOB_LABEL_LEAK_AUC: Level = "entente_job_label_leak_auc_ratio",
        "Area under the curve of an attack on the gradients of the last full epoch of a running job: 0.5 is guessing, 1 is certainty.",
        ["job_id", "attack"];
    JOB_LEAK_BOUND: Level = "entente_job_leak_bound_ratio",
        "The area at which a running job ends, of those that have such a bound.", ["job_id"];
    JOB_KEY_EPOCH: Gauge = "entente_job_key_epoch",
        "Number of the encryption key of a running job whose key may change; 1 is the one of the set-up.",
        ["job_id"];
    JOB_KEY_SINCE: Gauge = "entente_job_key_since_timestamp_seconds",
        "Since when that key is in use, in seconds since 1970.", ["job_id"];
    JOBS_UNLISTED: Gauge = "entente_jobs_unlisted",
        "Running jobs without series of their own: there are more than 200, and the newest have none.", [];

    LEADER: Gauge = "entente_leader",
        "1 while this coordinator leads, 0 while it stands by.", [];
    LEASE_TAKINGS: Counter = "entente_lease_takings_total",
        "Times that this coordinator began to lead.", [];
    LEASE_RENEWALS: Counter = "entente_lease_renewals_total",
        "Attempts of the coordinator that leads to go on leading.", ["outcome"];
    LEASE_EXPIRY: Gauge = "entente_lease_expiry_timestamp_seconds",
        "When this coordinator stops to lead unless it renews its lease before, in seconds since 1970; 0 while it stands by, or without a lease that ends.", [];
    STALE_WRITES: Counter = "entente_stale_writes_total",
        "Writes of this coordinator that the store refused because another one led by then.", [];
    PARTIES_CONNECTED: Gauge = "entente_parties_connected",
        "Parties that the coordinator has heard of lately.", [];
    PARTY_UP: Gauge = "entente_party_up",
        "1 while the coordinator hears of a party, 0 once it is away; not there if it was never heard of.",
        ["party"];
    PARTY_HEARD: Gauge = "entente_party_heard_timestamp_seconds",
        "When the coordinator last heard of a party, in seconds since 1970.", ["party"];
    PARTY_PLACES: Gauge = "entente_party_places",
        "Jobs that a party runs at once.", ["party"];
    PARTY_PLACES_TAKEN: Gauge = "entente_party_places_taken",
        "Jobs that a party has places taken for.", ["party"];
    PARTIES_UNLISTED: Gauge = "entente_parties_unlisted",
        "Parties without series of their own: there are more than 200, and the last by name have none.", [];
    SYNCS: Counter = "entente_syncs_total",
        "Times that a party told the coordinator where it stands.", [];
    API_REQUESTS: Counter = "entente_api_requests_total",
        "Requests to the coordinator's API. Class is the first digit of the status: 2xx, 4xx.",
        ["route", "method", "class"];
    API_SECONDS: Histogram = "entente_api_seconds",
        "Time to answer a request to the coordinator's API, with the time that it was held back.",
        ["route"], API_BUCKETS;
}

Both {
    DRAINING: Gauge = "entente_draining",
        "1 while the coordinator or the party is being drained: nothing new begins.", [];
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
    BUILD_INFO: Gauge = "entente_build_info",
        "Always 1; the labels say what runs, and the newest version of the protocol between parties that it speaks.",
        ["version", "wire"];
}
}

/// What a worker says of its own process, and how a party calls it: among those of its
/// own the worker's would be wrong.
pub(crate) const OF_A_WORKER: [(&str, &Metric); 2] = [
    ("process_cpu_seconds_total", WORKER_CPU_SECONDS.metric()),
    ("process_resident_memory_bytes", WORKER_RESIDENT.metric()),
];

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
