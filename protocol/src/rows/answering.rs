//! The side that answers. Mirrors [`super::asking`].

use entente_he::Rng;
use entente_wire::{Digest, Message};

use super::{
    Common, RowIds, RowsDiffer,
    blinded::{Blinded, BlindedSet},
    messages::{
        BlindedBack, BlindedBoth, BlindedIds, RowList, RowListAnswer, RowListProof, RowsCompared,
    },
    own::Own,
};
use crate::{Machine, Next, Outbox, ProtocolError, error::unreadable};

/// The comparison of rows, as the side that answers goes through it.
pub enum Answering {
    /// Nothing has come yet.
    Start(ExpectRowList),
    /// The own list is sent.
    List(ExpectRowListProof),
    /// The lists differ.
    Differ(ExpectBlindedIds),
    /// The own ids are sent.
    Ids(ExpectBlindedBack),
    /// The difference is known on both sides.
    Known(ExpectEnd),
}

type Outcome = Result<Next<Answering>, ProtocolError>;

impl Answering {
    /// Waits for the other side's list; `job` is the job's digest.
    pub fn new(job: Digest, ids: RowIds, rng: &mut Rng) -> Self {
        let own = Own::new(job, ids, rng);
        Self::Start(ExpectRowList { own })
    }
}

impl Machine for Answering {
    type Output = ();

    fn state(&self) -> &'static str {
        match self {
            Self::Start(_) => ExpectRowList::NAME,
            Self::List(_) => ExpectRowListProof::NAME,
            Self::Differ(_) => ExpectBlindedIds::NAME,
            Self::Ids(_) => ExpectBlindedBack::NAME,
            Self::Known(_) => ExpectEnd::NAME,
        }
    }

    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome {
        match self {
            Self::Start(state) => state.handle(input, out),
            Self::List(state) => state.handle(input, out),
            Self::Differ(state) => state.handle(input, out),
            Self::Ids(state) => state.handle(input, out),
            Self::Known(state) => Err(state.differ.into()),
        }
    }

    fn certain_end(&self) -> Option<ProtocolError> {
        match self {
            Self::Known(state) => Some(state.differ.into()),
            _ => None,
        }
    }
}

/// Before anything.
pub struct ExpectRowList {
    own: Own,
}

impl ExpectRowList {
    const NAME: &'static str = "expect_row_list";

    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome {
        let Self { own } = self;
        let asked = RowList::read(&(), input).map_err(unreadable(Self::NAME))?;
        let twice = own.list_again(&asked.list);
        out.send(&RowListAnswer {
            rows: own.public_count(),
            twice: twice.clone(),
            list: own.list(),
        });
        Ok(Next::Continue(Answering::List(ExpectRowListProof {
            own,
            there: *asked.rows.get(),
            twice,
        })))
    }
}

/// After the own list.
pub struct ExpectRowListProof {
    own: Own,
    there: u64,
    /// The asking side's list under both scalars.
    twice: Blinded,
}

impl ExpectRowListProof {
    const NAME: &'static str = "expect_row_list_proof";

    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome {
        let Self { own, there, twice } = self;
        let RowListProof(proof) = RowListProof::read(&(), input).map_err(unreadable(Self::NAME))?;
        if proof == twice {
            return Ok(Next::Done(()));
        }
        Ok(Next::Continue(match own.difference_uncounted(there) {
            Some(differ) => {
                out.send(&RowsCompared);
                Answering::Known(ExpectEnd { differ })
            }
            None => Answering::Differ(ExpectBlindedIds { own, there }),
        }))
    }
}

/// When the lists differ.
pub struct ExpectBlindedIds {
    own: Own,
    there: u64,
}

impl ExpectBlindedIds {
    const NAME: &'static str = "expect_blinded_ids";

    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome {
        let Self { own, there } = self;
        let BlindedIds(theirs) = BlindedIds::read(&there, input).map_err(unreadable(Self::NAME))?;
        let twice = own.ids_again(&theirs);
        out.send(&BlindedBoth {
            twice: twice.clone(),
            ids: own.blinded_ids(),
        });
        Ok(Next::Continue(Answering::Ids(ExpectBlindedBack {
            own,
            there,
            twice,
        })))
    }
}

/// After the own ids.
pub struct ExpectBlindedBack {
    own: Own,
    there: u64,
    /// The asking side's ids under both scalars.
    twice: BlindedSet,
}

impl ExpectBlindedBack {
    const NAME: &'static str = "expect_blinded_back";

    fn handle(self, input: &[u8], out: &mut Outbox) -> Outcome {
        let Self { own, there, twice } = self;
        let BlindedBack(back) =
            BlindedBack::read(&own.count(), input).map_err(unreadable(Self::NAME))?;
        let differ = own.difference(there, Common::Counted(back.in_common(&twice)));
        out.send(&RowsCompared);
        Ok(Next::Continue(Answering::Known(ExpectEnd { differ })))
    }
}

/// Until the other side ends the job, as this one will.
pub struct ExpectEnd {
    differ: RowsDiffer,
}

impl ExpectEnd {
    const NAME: &'static str = "expect_end";
}
