//! The side that asks. Mirrors [`super::answering`].

use entente_he::Rng;
use entente_wire::{Digest, Message};

use super::{
    Common, RowIds, RowsDiffer,
    blinded::Blinded,
    messages::{
        BlindedBack, BlindedBoth, BlindedIds, RowList, RowListAnswer, RowListProof, RowsCompared,
    },
    own::Own,
};
use crate::{Machine, Next, Outbox, ProtocolError, error::unreadable};

/// The comparison of rows, as the side that asks goes through it.
pub enum Asking {
    /// The own list is sent.
    List(ExpectRowListAnswer),
    /// The lists differ; the own ids are sent.
    Ids(ExpectBlindedBoth),
    /// The difference is known here, and the other side is told.
    Known(ExpectRowsCompared),
}

type Outcome = Result<Next<Asking>, ProtocolError>;

impl Asking {
    /// Begins with the own list; `job` is the job's digest.
    pub fn new(job: Digest, ids: RowIds, rng: &mut Rng, out: &mut Outbox) -> Self {
        let own = Own::new(job, ids, rng);
        let list = own.list();
        out.send(&RowList {
            rows: own.public_count(),
            list,
        });
        Self::List(ExpectRowListAnswer { own })
    }
}

impl Machine for Asking {
    type Output = ();

    fn state(&self) -> &'static str {
        match self {
            Self::List(_) => ExpectRowListAnswer::NAME,
            Self::Ids(_) => ExpectBlindedBoth::NAME,
            Self::Known(_) => ExpectRowsCompared::NAME,
        }
    }

    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome {
        match self {
            Self::List(state) => state.handle(input, out),
            Self::Ids(state) => state.handle(input, out),
            Self::Known(state) => state.handle(input),
        }
    }

    fn certain_end(&self) -> Option<ProtocolError> {
        match self {
            Self::Known(state) => Some(state.differ.into()),
            _ => None,
        }
    }
}

/// After the own list.
pub struct ExpectRowListAnswer {
    own: Own,
}

impl ExpectRowListAnswer {
    const NAME: &'static str = "expect_row_list_answer";

    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome {
        let Self { own } = self;
        let answer = RowListAnswer::read(&(), input).map_err(unreadable(Self::NAME))?;
        let there = *answer.rows.get();
        let proof: Blinded = own.list_again(&answer.list);
        let equal = proof == answer.twice;
        out.send(&RowListProof(proof));
        if equal {
            return Ok(Next::Done(()));
        }
        Ok(Next::Continue(match own.difference_uncounted(there) {
            Some(differ) => Asking::Known(ExpectRowsCompared { differ }),
            None => {
                out.send(&BlindedIds(own.blinded_ids()));
                Asking::Ids(ExpectBlindedBoth { own, there })
            }
        }))
    }
}

/// After the own ids.
pub struct ExpectBlindedBoth {
    own: Own,
    there: u64,
}

impl ExpectBlindedBoth {
    const NAME: &'static str = "expect_blinded_both";

    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome {
        let Self { own, there } = self;
        let both =
            BlindedBoth::read(&(own.count(), there), input).map_err(unreadable(Self::NAME))?;
        let theirs = own.ids_again(&both.ids);
        let common = Common::Counted(theirs.in_common(&both.twice));
        out.send(&BlindedBack(theirs));
        let differ = own.difference(there, common);
        Ok(Next::Continue(Asking::Known(ExpectRowsCompared { differ })))
    }
}

/// Until the other side knows the difference too. A side that ended before
/// would take the reason from the other.
pub struct ExpectRowsCompared {
    differ: RowsDiffer,
}

impl ExpectRowsCompared {
    const NAME: &'static str = "expect_rows_compared";

    fn handle(self, input: &[u8]) -> Outcome {
        RowsCompared::read(&(), input).map_err(unreadable(Self::NAME))?;
        Err(self.differ.into())
    }
}
