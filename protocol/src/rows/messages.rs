//! The messages of the chart, in its order. Every field is `Wire`.

use entente_wire::{Body, Decode, DecodeError, Kind, Message, Public, Reader};

use super::blinded::{Blinded, BlindedSet};

/// More rows than any table has; a number above it is no count.
const MAX_ROWS: u64 = 1 << 40;

/// How many rows there are, and the list under one scalar.
pub(super) struct RowList {
    pub(super) rows: Public<u64>,
    pub(super) list: Blinded,
}

/// How many rows there are on the other side, the list that came under both
/// scalars, and its own under one.
pub(super) struct RowListAnswer {
    pub(super) rows: Public<u64>,
    pub(super) twice: Blinded,
    pub(super) list: Blinded,
}

/// The answering side's list under both scalars.
pub(super) struct RowListProof(pub(super) Blinded);

/// The asking side's ids under one scalar.
pub(super) struct BlindedIds(pub(super) BlindedSet);

/// Those under both, and the answering side's ids under one.
pub(super) struct BlindedBoth {
    pub(super) twice: BlindedSet,
    pub(super) ids: BlindedSet,
}

/// The answering side's ids under both.
pub(super) struct BlindedBack(pub(super) BlindedSet);

/// The answering side knows the difference too.
pub(super) struct RowsCompared;

pub(super) const KINDS: [(u16, &str); 7] = [
    (101, "row_list"),
    (102, "row_list_answer"),
    (103, "row_list_proof"),
    (104, "blinded_ids"),
    (105, "blinded_both"),
    (106, "blinded_back"),
    (107, "rows_compared"),
];

/// The name of a kind of this exchange.
pub(crate) fn name_of(kind: Kind) -> Option<&'static str> {
    KINDS
        .iter()
        .find(|(number, _)| *number == kind.0)
        .map(|(_, name)| *name)
}

/// A message with its number and name from the table, and its fields in order.
macro_rules! message {
    ($index:literal: $type:ty; |$self:ident, $body:ident| $write:expr) => {
        impl Message for $type {
            const KIND: Kind = Kind(KINDS[$index].0);
            const NAME: &'static str = KINDS[$index].1;
            fn write(&$self, $body: &mut Body) {
                $write
            }
        }
    };
}

message!(0: RowList; |self, body| {
    body.field(&self.rows);
    body.field(&self.list);
});
message!(1: RowListAnswer; |self, body| {
    body.field(&self.rows);
    body.field(&self.twice);
    body.field(&self.list);
});
message!(2: RowListProof; |self, body| body.field(&self.0));
message!(3: BlindedIds; |self, body| body.field(&self.0));
message!(4: BlindedBoth; |self, body| {
    body.field(&self.twice);
    body.field(&self.ids);
});
message!(5: BlindedBack; |self, body| body.field(&self.0));
message!(6: RowsCompared; |self, _body| ());

fn rows(input: &mut Reader<'_>) -> Result<Public<u64>, DecodeError> {
    let rows: Public<u64> = Public::decode(&(), input)?;
    if *rows.get() > MAX_ROWS {
        return Err(DecodeError::OverLimit {
            what: "rows",
            limit: MAX_ROWS,
            got: *rows.get(),
        });
    }
    Ok(rows)
}

impl Decode for RowList {
    fn decode((): &(), input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            rows: rows(input)?,
            list: Blinded::decode(&(), input)?,
        })
    }
}

impl Decode for RowListAnswer {
    fn decode((): &(), input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            rows: rows(input)?,
            twice: Blinded::decode(&(), input)?,
            list: Blinded::decode(&(), input)?,
        })
    }
}

impl Decode for RowListProof {
    fn decode((): &(), input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Blinded::decode(&(), input).map(Self)
    }
}

/// The receiver knows how many ids the asking side has.
impl Decode<u64> for BlindedIds {
    fn decode(theirs: &u64, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        BlindedSet::decode(theirs, input).map(Self)
    }
}

/// The receiver knows how many ids each side has: its own, then theirs.
impl Decode<(u64, u64)> for BlindedBoth {
    fn decode((own, theirs): &(u64, u64), input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            twice: BlindedSet::decode(own, input)?,
            ids: BlindedSet::decode(theirs, input)?,
        })
    }
}

/// The receiver knows how many ids it has itself.
impl Decode<u64> for BlindedBack {
    fn decode(own: &u64, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        BlindedSet::decode(own, input).map(Self)
    }
}

impl Decode for RowsCompared {
    fn decode((): &(), _: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self)
    }
}
