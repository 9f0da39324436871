//! The messages of ACML, in the order of the chart. Every field is `Wire`.

use entente_he::{Evaluate, Expect, KeyBits, KeyOwner, Scheme};
use entente_wire::{
    Body, Decode, DecodeError, Digest, GivenMask, Kind, Masked, Message, Public, Reader, Shape,
    Share,
};

use super::keys::{Announcement, KeyEpoch, Keyed};
use crate::{rows, verdict::Verdict};

/// What the receiver of ciphertexts knows: the key's number, key, bounds and
/// shape.
pub(super) struct Ciphertexts<'a, S: Scheme> {
    epoch: KeyEpoch,
    of: Expect<'a, S>,
}

impl<'a, S: Scheme> Ciphertexts<'a, S> {
    /// Under the key of this number.
    pub(super) fn new(epoch: KeyEpoch, of: Expect<'a, S>) -> Self {
        Self { epoch, of }
    }
}

/// What the receiver of a masked matrix knows: the number of the key that is in
/// use, and its shape.
pub(super) struct Plain {
    pub(super) epoch: KeyEpoch,
    pub(super) shape: Shape,
}

/// What the passive party expects of a set-up.
pub(super) struct SetUpContext {
    pub(super) key_bits: KeyBits,
    /// `c x h`.
    pub(super) cut: Shape,
}

/// Set-up: `w_A + E0` and the public key. Behind it the rows are compared.
pub(super) struct KeyAndShare<S: Scheme> {
    pub(super) share: Share,
    pub(super) key: Announcement<S>,
}

/// Before F1, when another key is to follow: it is in use from the next exchange
/// on.
pub(super) struct NextKey<S: Scheme>(pub(super) Announcement<S>);

/// F1 of training: Enc(a), `B x h`.
pub(super) struct EncryptedActivations<S: Scheme>(pub(super) KeyEpoch, pub(super) S::Activations);

/// F1 of inference: Enc(a), `B x h`, in the one layout that this needs.
pub(super) struct ActivationsForInference<S: Scheme>(
    pub(super) KeyEpoch,
    pub(super) S::ForwardActivations,
);

/// F2: Enc(a W~' + S1), `B x c`.
pub(super) struct MaskedProduct<S: Scheme>(pub(super) KeyEpoch, pub(super) S::Forward);

/// F3: z + S1, `B x c`.
pub(super) struct MaskedLogits(pub(super) KeyEpoch, pub(super) Masked);

/// B1: Enc((eta Delta)' a + S2), `c x h`.
pub(super) struct EncryptedWeightGradient<S: Scheme>(
    pub(super) KeyEpoch,
    pub(super) S::WeightGradient,
);

/// B2: U and Enc(E) of before the update, both `c x h`.
pub(super) struct UpdateAndShare<S: Scheme> {
    pub(super) epoch: KeyEpoch,
    pub(super) update: Masked,
    pub(super) share: S::EncryptedShare,
}

/// B3: Enc(dA), `B x h`.
pub(super) struct EncryptedInputGradient<S: Scheme>(
    pub(super) KeyEpoch,
    pub(super) S::InputGradient,
);

/// After the last validation rows of an epoch: whether it is the best so far.
pub(super) struct EpochVerdict(pub(super) Public<Verdict>);

/// What the active party knows of a verdict before it comes: whether it is the
/// job's first, which can only be that the epoch is the best.
pub(super) struct VerdictContext {
    pub(super) first: bool,
}

/// Set-up of an inference: how many rows the sender has, of which training its
/// half is, and the public key.
pub(super) struct KeyAndModel<S: Scheme> {
    pub(super) rows: Public<u64>,
    pub(super) pairing: Public<Digest>,
    pub(super) key: Announcement<S>,
}

/// Of which training the sender's half is.
pub(super) struct ModelAnswer {
    pub(super) pairing: Public<Digest>,
}

/// F2 where the features' side is answered: Enc(a W~' + S1), and S1 - b2, both
/// `B x c`.
pub(super) struct ProductAndMask<S: Scheme> {
    pub(super) epoch: KeyEpoch,
    pub(super) product: S::Forward,
    pub(super) mask: GivenMask,
}

pub(super) const KINDS: [(u16, &str); 13] = [
    (1, "key_and_share"),
    (2, "encrypted_activations"),
    (3, "masked_product"),
    (4, "masked_logits"),
    (5, "encrypted_weight_gradient"),
    (6, "update_and_share"),
    (7, "encrypted_input_gradient"),
    (8, "activations_for_inference"),
    (9, "key_and_model"),
    (10, "model_answer"),
    (11, "product_and_mask"),
    (12, "epoch_verdict"),
    (13, "next_key"),
];

/// The name of a kind of this protocol, and of the comparison of rows in it.
pub(super) fn name_of(kind: Kind) -> Option<&'static str> {
    KINDS
        .iter()
        .find(|(number, _)| *number == kind.0)
        .map(|(_, name)| *name)
        .or_else(|| rows::name_of(kind))
}

/// A message with its number and name from the table, and its fields in order.
macro_rules! message {
    ($index:literal: $type:ty $(, $scheme:ident)?; |$self:ident, $body:ident| $write:expr) => {
        impl$(<$scheme: Scheme>)? Message for $type {
            const KIND: Kind = Kind(KINDS[$index].0);
            const NAME: &'static str = KINDS[$index].1;
            fn write(&$self, $body: &mut Body) {
                $write
            }
        }
    };
}

message!(0: KeyAndShare<S>, S; |self, body| {
    body.field(&self.share);
    self.key.write(body);
});
message!(1: EncryptedActivations<S>, S; |self, body| {
    body.field(&self.0.shown());
    body.field(&self.1);
});
message!(2: MaskedProduct<S>, S; |self, body| {
    body.field(&self.0.shown());
    body.field(&self.1);
});
message!(3: MaskedLogits; |self, body| {
    body.field(&self.0.shown());
    body.field(&self.1);
});
message!(4: EncryptedWeightGradient<S>, S; |self, body| {
    body.field(&self.0.shown());
    body.field(&self.1);
});
message!(5: UpdateAndShare<S>, S; |self, body| {
    body.field(&self.epoch.shown());
    body.field(&self.update);
    body.field(&self.share);
});
message!(6: EncryptedInputGradient<S>, S; |self, body| {
    body.field(&self.0.shown());
    body.field(&self.1);
});
message!(7: ActivationsForInference<S>, S; |self, body| {
    body.field(&self.0.shown());
    body.field(&self.1);
});
message!(11: EpochVerdict; |self, body| body.field(&self.0));

message!(12: NextKey<S>, S; |self, body| self.0.write(body));

message!(8: KeyAndModel<S>, S; |self, body| {
    body.field(&self.rows);
    body.field(&self.pairing);
    self.key.write(body);
});
message!(9: ModelAnswer; |self, body| body.field(&self.pairing));
message!(10: ProductAndMask<S>, S; |self, body| {
    body.field(&self.epoch.shown());
    body.field(&self.product);
    body.field(&self.mask);
});

impl<S: Scheme> Decode<KeyBits> for KeyAndModel<S> {
    fn decode(key_bits: &KeyBits, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            rows: rows_asked_about(input)?,
            pairing: Public::decode(&(), input)?,
            key: Announcement::decode(key_bits, input)?,
        })
    }
}

/// More rows than are asked about at once: a side without rows of its own makes
/// a list of as many as it is told.
const MAX_ROWS_ASKED_ABOUT: u64 = 1 << 24;

pub(super) fn rows_asked_about(input: &mut Reader<'_>) -> Result<Public<u64>, DecodeError> {
    let rows: Public<u64> = Public::decode(&(), input)?;
    if *rows.get() > MAX_ROWS_ASKED_ABOUT {
        return Err(DecodeError::OverLimit {
            what: "rows asked about",
            limit: MAX_ROWS_ASKED_ABOUT,
            got: *rows.get(),
        });
    }
    Ok(rows)
}

impl Decode for ModelAnswer {
    fn decode((): &(), input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            pairing: Public::decode(&(), input)?,
        })
    }
}

impl<S: Scheme> Decode<Ciphertexts<'_, S>> for ProductAndMask<S> {
    fn decode(context: &Ciphertexts<'_, S>, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            epoch: context.epoch.expect(input)?,
            product: S::Forward::decode(&context.of, input)?,
            mask: GivenMask::decode(&context.of.shape, input)?,
        })
    }
}

impl<S: Scheme> Decode<SetUpContext> for KeyAndShare<S> {
    fn decode(context: &SetUpContext, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            share: Share::decode(&context.cut, input)?,
            key: Announcement::decode(&context.key_bits, input)?,
        })
    }
}

impl<S: Scheme> Decode<KeyBits> for NextKey<S> {
    fn decode(key_bits: &KeyBits, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Announcement::decode(key_bits, input).map(Self)
    }
}

impl Decode<Plain> for MaskedLogits {
    fn decode(context: &Plain, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let epoch = context.epoch.expect(input)?;
        Ok(Self(epoch, Masked::decode(&context.shape, input)?))
    }
}

impl Decode<VerdictContext> for EpochVerdict {
    fn decode(context: &VerdictContext, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let verdict = Public::<Verdict>::decode(&(), input)?;
        if context.first && *verdict.get() == Verdict::NotBest {
            return Err(DecodeError::Invalid {
                what: "verdict",
                why: "there is no epoch before the first that could be better",
            });
        }
        Ok(Self(verdict))
    }
}

impl<S: Scheme> Decode<Ciphertexts<'_, S>> for UpdateAndShare<S> {
    fn decode(context: &Ciphertexts<'_, S>, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            epoch: context.epoch.expect(input)?,
            update: Masked::decode(&context.of.shape, input)?,
            share: S::EncryptedShare::decode(&context.of, input)?,
        })
    }
}

/// Messages that are one matrix of ciphertexts.
macro_rules! one_matrix {
    ($($message:ident),*) => {$(
        impl<S: Scheme> Decode<Ciphertexts<'_, S>> for $message<S> {
            fn decode(
                context: &Ciphertexts<'_, S>,
                input: &mut Reader<'_>,
            ) -> Result<Self, DecodeError> {
                let epoch = context.epoch.expect(input)?;
                Ok(Self(epoch, Decode::decode(&context.of, input)?))
            }
        }
    )*};
}
one_matrix!(
    ActivationsForInference,
    EncryptedActivations,
    MaskedProduct,
    EncryptedWeightGradient,
    EncryptedInputGradient
);

impl<S: Scheme> Keyed<dyn KeyOwner<S>> {
    /// The context of a matrix of ciphertexts.
    pub(super) fn expect(&self, shape: Shape) -> Ciphertexts<'_, S> {
        let (key, bounds) = (self.end.public_key(), self.end.bounds());
        Ciphertexts::new(self.epoch, Expect { key, bounds, shape })
    }
}

impl<S: Scheme> Keyed<dyn Evaluate<S>> {
    /// The context of a matrix of ciphertexts.
    pub(super) fn expect(&self, shape: Shape) -> Ciphertexts<'_, S> {
        let (key, bounds) = (self.end.public_key(), self.end.bounds());
        Ciphertexts::new(self.epoch, Expect { key, bounds, shape })
    }
}
