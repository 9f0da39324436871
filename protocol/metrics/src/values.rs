//! Values of labels, where they are not what a type elsewhere calls itself; and how
//! many of a kind there may be.

#[cfg(doc)]
use crate::{JOURNAL_COMMITS, KEY_ROTATIONS, RESTORES, RETRIES, REVOKED_PEERS, WAITING_SECONDS};

/// Values of the label `operation`: those on keys, and then those on ciphertexts.
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

/// So many of them are on keys.
const ON_KEYS: usize = 3;

/// Values of the label `operation` of those that work on ciphertexts.
pub const CIPHERTEXT_OPERATION_NAMES: &[&str] = HE_OPERATION_NAMES.split_at(ON_KEYS).1;

/// Values of the label `end`: what the active party encrypts with.
pub const KEY_OWNER: &str = "key_owner";
/// Values of the label `end`: what the passive party re-randomises with.
pub const EVALUATOR: &str = "evaluator";
/// Values of the label `end`.
pub const HE_ENDS: [&str; 2] = [KEY_OWNER, EVALUATOR];

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

/// Values of the label `for` of [`WAITING_SECONDS`]: a grant of rounds.
pub const FOR_COORDINATOR: &str = "coordinator";
/// Values of the label `for` of [`WAITING_SECONDS`]: a link to the peer.
pub const FOR_PEER: &str = "peer";
/// Values of the label `for` of [`WAITING_SECONDS`]: a message of a peer that is
/// linked, and computes it.
pub const FOR_MESSAGE: &str = "message";
/// Values of the label `for` of [`WAITING_SECONDS`]: room, rights or the key for
/// the job's records.
pub const FOR_DISK: &str = "disk";
/// Values of the label `for` of [`WAITING_SECONDS`]: somebody to resume it.
pub const FOR_RESUMPTION: &str = "resumption";
/// Values of the label `for` of [`WAITING_SECONDS`]: a worker to run in.
pub const FOR_WORKER: &str = "worker";
/// Values of the label `for` of [`WAITING_SECONDS`].
pub const WAITED_FOR: [&str; 6] = [
    FOR_COORDINATOR,
    FOR_PEER,
    FOR_MESSAGE,
    FOR_DISK,
    FOR_RESUMPTION,
    FOR_WORKER,
];

/// Values of the label `attack`: by the length of gradients.
pub const NORM_ATTACK: &str = "norm";
/// Values of the label `attack`: by the direction of gradients.
pub const COSINE_ATTACK: &str = "cosine";

/// So many running jobs have series of their own: the oldest.
pub const NAMED_JOBS: usize = 200;
/// So many parties have series of their own at the coordinator: the first by name.
pub const NAMED_PARTIES: usize = 200;

/// Values of the label `state` of [`WORKERS`](crate::WORKERS): nobody can start it yet;
/// it was started; it is there.
pub const WORKER_STATES: [&str; 3] = ["waiting", "starting", "connected"];
