//! Every label once: what it says, and what keeps its values few.

/// A label of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// What it says, for a person.
    pub help: &'static str,
    /// What bounds the number of its values.
    pub bound: &'static str,
}

const fn label(name: &'static str, help: &'static str, bound: &'static str) -> Label {
    Label { name, help, bound }
}

/// All labels, by name.
pub const LABELS: &[Label] = &[
    label(
        "active",
        "The party of a job that has the features and the key.",
        "one for each running job",
    ),
    label("attack", "Which attack on the gradients.", "norm, cosine"),
    label(
        "by",
        "What a queued job waits for.",
        "not_due, not_connected, no_dataset, no_wire_version, draining, no_room, kept, nothing",
    ),
    label(
        "class",
        "Who has to act; of a request, the first digit of its status.",
        "retry, abort, operator, bug; 1xx to 5xx",
    ),
    label(
        "correlation",
        "What one attempt at a job is called in all logs.",
        "one for each running job",
    ),
    label("direction", "Which way a message went.", "sent, received"),
    label(
        "end",
        "The end of the encryption scheme that it is for.",
        "key_owner, evaluator",
    ),
    label(
        "error",
        "The label of an error, as job show and the logs have it.",
        "the errors of the software",
    ),
    label(
        "for",
        "What is waited for: at a party coordinator, peer, message, disk, resumption, worker; of a job at the coordinator the reason that job why has.",
        "the reasons that there are",
    ),
    label("job_id", "The id of a job.", "200 running jobs"),
    label(
        "kind",
        "The kind of a message; of a job, train, evaluate or predict.",
        "the messages of the protocols; three",
    ),
    label(
        "method",
        "The method of a request.",
        "GET, POST, DELETE, other",
    ),
    label(
        "name",
        "What the submitter called the job.",
        "one for each running job",
    ),
    label(
        "operation",
        "What was done to a whole matrix.",
        "twelve operations",
    ),
    label("outcome", "What came of it.", "a few words for each metric"),
    label(
        "party",
        "A party that the coordinator has heard of.",
        "200 parties",
    ),
    label(
        "passive",
        "The party of a job that has the labels.",
        "one for each running job",
    ),
    label(
        "peer",
        "A party to which this one may link.",
        "the configuration",
    ),
    label(
        "phase",
        "Where a job stands at this party.",
        "preparing, running, waiting, held, finished, failed",
    ),
    label(
        "primitive",
        "What was done to single ciphertexts.",
        "encrypt, decrypt, add, multiply, rerandomise, pack, ahead",
    ),
    label(
        "protocol",
        "The protocol that a job runs.",
        "the protocols of the software",
    ),
    label(
        "reason",
        "Why something was refused.",
        "the refusals of the software",
    ),
    label(
        "role",
        "The side that the party takes in it.",
        "two of each protocol",
    ),
    label(
        "route",
        "The pattern of the path that was asked for.",
        "the routes of the API, and (none)",
    ),
    label(
        "state",
        "Of a job or a worker, where it stands; of a step, the machine's name for what it waited for.",
        "twelve; waiting, starting, connected; the states of the machines",
    ),
    label("to", "The state that a job came into.", "twelve"),
    label("version", "The version of the software.", "one"),
    label(
        "what",
        "What was tried again; of a revoked peer, what was refused.",
        "three of each",
    ),
    label(
        "wire",
        "The version of the protocol between parties.",
        "one",
    ),
];
