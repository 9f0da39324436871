//! One exchange as a machine: a struct per state, named for what it waits
//! for, consumed by the transition.

use entente_wire::{Kind, Message};

use crate::ProtocolError;

/// A state of an exchange that waits for one message.
///
/// `handle` consumes the machine, so that a driver can move it into a pool
/// for a long computation while its own mailbox stays awake, and so that a
/// failed machine is gone rather than half changed.
pub trait Machine: Sized + Send {
    /// What the exchange ends with.
    type Output: Send;

    /// What this state waits for, such as `expect_masked_gradient`: the label
    /// in errors, logs and metrics.
    fn state(&self) -> &'static str;

    /// Takes the message that the state waits for (its payload: kind, then
    /// fields), computes, and writes the answers.
    ///
    /// # Errors
    /// [`ProtocolError`]; the exchange is over then.
    fn handle(self, input: &[u8], out: &mut Outbox) -> Result<Next<Self>, ProtocolError>;

    /// What this side knows already to be the reason, should the peer end the
    /// job while this state waits. Where both sides come to one verdict, one of
    /// them must speak last and the other end first; the last would otherwise
    /// say no more than that its peer has ended.
    fn certain_end(&self) -> Option<ProtocolError> {
        None
    }
}

/// Where a transition leads.
#[derive(Debug)]
pub enum Next<M: Machine> {
    /// To the next state, which waits for another message.
    Continue(M),
    /// To the end of the exchange.
    Done(M::Output),
}

/// A message that a machine has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its kind.
    pub kind: Kind,
    /// The kind's name, for logs and metrics.
    pub name: &'static str,
    /// Kind and fields, ready for an envelope.
    pub payload: Vec<u8>,
}

/// Where machines put what they say. It takes [`Message`]s, whose fields are
/// `Wire`, and no bytes.
#[derive(Debug, Default)]
pub struct Outbox {
    sent: Vec<Sent>,
}

impl Outbox {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a message in.
    pub fn send<M: Message>(&mut self, message: &M) {
        self.sent.push(Sent {
            kind: M::KIND,
            name: M::NAME,
            payload: message.to_payload(),
        });
    }

    /// Takes out what was put in, in order.
    pub fn drain(&mut self) -> Vec<Sent> {
        core::mem::take(&mut self.sent)
    }
}
