//! One party's half of a job, at rest between two exchanges.

use entente_wire::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Machine, Next, Outbox, ProtocolError, privacy::Leak, product::Product, schedule::Schedule,
    verdict::Verdict,
};

/// What a job's driver drives, whatever the protocol.
///
/// A role at rest is what a checkpoint holds: the state between exchange `k`
/// and `k + 1`. Begin an exchange, feed its machine, get the role back.
pub trait Role: Sized + Send + 'static {
    /// The machine of one exchange.
    type Machine: Machine<Output = Rest<Self>> + 'static;

    /// The protocol's name, for metrics.
    const PROTOCOL: &'static str;
    /// The role's name in it, for metrics.
    const ROLE: &'static str;

    /// Which exchanges there are. Becomes shorter when training stops early.
    fn schedule(&self) -> &Schedule;

    /// Begins exchange `index`. The side that speaks first writes its message
    /// into `out`.
    ///
    /// # Errors
    /// [`ProtocolError`] when the own computation fails.
    fn begin(self, index: u64, out: &mut Outbox) -> Result<Next<Self::Machine>, ProtocolError>;

    /// The name of a message kind of this protocol, for metrics: of sent and
    /// of received ones. `None` for a kind that it does not have.
    fn message_name(kind: entente_wire::Kind) -> Option<&'static str>;

    /// Everything that the next exchange depends on and that cannot be had from
    /// the job and this party's data: a role that resumes from it goes on as
    /// this one would. Handed the messages of an exchange once more, it comes to
    /// the same state; what it writes then may have other bytes, where it is
    /// encrypted, and has to be dropped in favour of what was sent.
    fn checkpoint(&self) -> Secret<Vec<u8>>;

    /// What the job leaves at this party, once all of its exchanges are done.
    fn product(self) -> Product;
}

/// A role that has come to rest after an exchange.
#[derive(Debug)]
pub struct Rest<R> {
    /// The role, one exchange older.
    pub role: R,
    /// What may be told about the exchange.
    pub report: Report,
}

/// What a party tells its coordinator of an exchange: counts and loss. Never a
/// ciphertext, key, weight, feature or label.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Samples of the batch; 0 for a set-up.
    pub samples: u64,
    /// Mean loss over the batch, at the party that holds the labels.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub loss: Option<f64>,
    /// Correctly classified samples, at the party that holds the labels.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub correct: Option<u64>,
    /// At the end of an epoch, how well attacks on its released gradients
    /// found the labels, at the party that holds them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub leak: Option<Leak>,
    /// The key in use after it, in a job whose key may change.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<KeyState>,
    /// After the last validation rows of an epoch, whether it is the best so
    /// far, in jobs that ask for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub verdict: Option<Verdict>,
}

/// Which encryption key a job is at. No key, and nothing of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyState {
    /// Its number: 1 is the one of the set-up.
    pub epoch: u32,
    /// Since when it is in use: milliseconds since 1970-01-01 UTC, by the clock of
    /// whoever says so.
    pub since_ms: u64,
    /// Whether the next one is on its way.
    pub rotating: bool,
}
