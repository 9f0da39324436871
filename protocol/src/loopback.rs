//! Two roles in one place, without a network: for tests and benchmarks.

use std::sync::Arc;

use entente_wire::{Digest, SessionId};

use crate::{
    Machine, Next, Outbox, ProtocolError, Report, Rest, Role,
    acml::{Notary, NotaryError, Witness},
    schedule::Place,
    score::Score,
};

/// Which of the two says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The first of them.
    Left,
    /// The other.
    Right,
}

/// A session of two roles in one place, where nobody has to be convinced of
/// anything: whoever computes the text of an announcement has its signature.
pub fn witness() -> Witness {
    Witness {
        session: SessionId(Digest::of("entente loopback", &[])),
        notary: Arc::new(Nobody),
    }
}

struct Nobody;

impl Notary for Nobody {
    fn now_ms(&self) -> u64 {
        0
    }

    fn sign(&self, text: &str) -> Result<String, NotaryError> {
        Ok(Digest::of("entente loopback", &[text.as_bytes()]).to_string())
    }

    fn verify(&self, _: &str, text: &str, signature: &str, _: u64) -> Result<(), NotaryError> {
        match self.sign(text)? == signature {
            true => Ok(()),
            false => Err(NotaryError("it is over another text".to_owned())),
        }
    }
}

/// Runs exchange `index` between two roles at rest. `seen` is shown every
/// payload, in the order in which they are sent: who sends it, the name of the
/// message, its bytes, which it may change.
///
/// # Errors
/// [`ProtocolError`] of whichever side fails, and
/// [`ProtocolError::OutOfOrder`] when one side ends before the other.
pub fn exchange<L: Role, R: Role>(
    index: u64,
    left: L,
    right: R,
    seen: &mut dyn FnMut(Speaker, &'static str, &mut Vec<u8>),
) -> Result<(Rest<L>, Rest<R>), ProtocolError> {
    let (mut to_right, mut to_left) = (Outbox::new(), Outbox::new());
    let mut left = left.begin(index, &mut to_right)?;
    let mut right = right.begin(index, &mut to_left)?;
    loop {
        let (forth, back) = (to_right.drain(), to_left.drain());
        if forth.is_empty() && back.is_empty() {
            break;
        }
        for mut sent in forth {
            seen(Speaker::Left, sent.name, &mut sent.payload);
            right = hand(index, right, &sent.payload, &mut to_left)?;
        }
        for mut sent in back {
            seen(Speaker::Right, sent.name, &mut sent.payload);
            left = hand(index, left, &sent.payload, &mut to_right)?;
        }
    }
    match (left, right) {
        (Next::Done(left), Next::Done(right)) => Ok((left, right)),
        _ => Err(ProtocolError::OutOfOrder { index }),
    }
}

fn hand<M: Machine>(
    index: u64,
    next: Next<M>,
    payload: &[u8],
    out: &mut Outbox,
) -> Result<Next<M>, ProtocolError> {
    match next {
        Next::Continue(machine) => machine.handle(payload, out),
        Next::Done(_) => Err(ProtocolError::OutOfOrder { index }),
    }
}

/// What came of a whole job.
#[derive(Debug)]
pub struct Trained<L, R> {
    /// One side, after the last exchange.
    pub left: L,
    /// The other.
    pub right: R,
    /// The reports of the side that holds the labels, by exchange.
    pub reports: Vec<Report>,
}

impl<L: Role, R> Trained<L, R> {
    /// The share of test rows classified rightly; `None` when there were none.
    pub fn test_accuracy(&self) -> Option<f64> {
        let mut tested = Score::default();
        for (index, report) in (0..).zip(&self.reports) {
            if let Some(Place::Evaluate { .. }) = self.left.schedule().place(index) {
                tested.add(report);
            }
        }
        tested.accuracy()
    }
}

/// Runs all exchanges of a job; `right` is the side that holds the labels.
///
/// # Errors
/// As [`exchange`].
pub fn train<L: Role, R: Role>(mut left: L, mut right: R) -> Result<Trained<L, R>, ProtocolError> {
    let mut reports = Vec::new();
    // Training that stops early leaves exchanges out on the way.
    while (reports.len() as u64) < left.schedule().exchanges() {
        let (one, other) = exchange(reports.len() as u64, left, right, &mut |_, _, _| {})?;
        reports.push(other.report);
        (left, right) = (one.role, other.role);
    }
    Ok(Trained {
        left,
        right,
        reports,
    })
}
