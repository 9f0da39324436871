//! The messages of ACML, in the order of the chart. Every field is `Wire`.

use entente_he::{CutBounds, Expect, KeyBits, Scheme};
use entente_wire::{
    Body, Decode, DecodeError, Digest, GivenMask, Kind, Masked, Message, Public, Reader, Shape,
    Share,
};

use crate::{rows, verdict::Verdict};

/// What the receiver of ciphertexts knows: key, bounds and shape.
pub(super) type Ciphertexts<'a, S> = Expect<'a, S>;

/// What the passive party expects of a set-up.
pub(super) struct SetUpContext {
    pub(super) key_bits: KeyBits,
    /// `c x h`.
    pub(super) cut: Shape,
}

/// Set-up: `w_A + E0` and the public key. Behind it the rows are compared.
pub(super) struct KeyAndShare<S: Scheme> {
    pub(super) share: Share,
    pub(super) key: S::PublicKey,
}

/// F1 of training: Enc(a), `B x h`.
pub(super) struct EncryptedActivations<S: Scheme>(pub(super) S::Activations);

/// F1 of inference: Enc(a), `B x h`, in the one layout that this needs.
pub(super) struct ActivationsForInference<S: Scheme>(pub(super) S::ForwardActivations);

/// F2: Enc(a W~' + S1), `B x c`.
pub(super) struct MaskedProduct<S: Scheme>(pub(super) S::Forward);

/// F3: z + S1, `B x c`.
pub(super) struct MaskedLogits(pub(super) Masked);

/// B1: Enc((eta Delta)' a + S2), `c x h`.
pub(super) struct EncryptedWeightGradient<S: Scheme>(pub(super) S::WeightGradient);

/// B2: U and Enc(E) of before the update, both `c x h`.
pub(super) struct UpdateAndShare<S: Scheme> {
    pub(super) update: Masked,
    pub(super) share: S::EncryptedShare,
}

/// B3: Enc(dA), `B x h`.
pub(super) struct EncryptedInputGradient<S: Scheme>(pub(super) S::InputGradient);

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
    pub(super) key: S::PublicKey,
}

/// Of which training the sender's half is.
pub(super) struct ModelAnswer {
    pub(super) pairing: Public<Digest>,
}

/// F2 where the features' side is answered: Enc(a W~' + S1), and S1 - b2, both
/// `B x c`.
pub(super) struct ProductAndMask<S: Scheme> {
    pub(super) product: S::Forward,
    pub(super) mask: GivenMask,
}

const KINDS: [(u16, &str); 12] = [
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
    body.field(&self.key);
});
message!(1: EncryptedActivations<S>, S; |self, body| body.field(&self.0));
message!(2: MaskedProduct<S>, S; |self, body| body.field(&self.0));
message!(3: MaskedLogits; |self, body| body.field(&self.0));
message!(4: EncryptedWeightGradient<S>, S; |self, body| body.field(&self.0));
message!(5: UpdateAndShare<S>, S; |self, body| {
    body.field(&self.update);
    body.field(&self.share);
});
message!(6: EncryptedInputGradient<S>, S; |self, body| body.field(&self.0));
message!(7: ActivationsForInference<S>, S; |self, body| body.field(&self.0));
message!(11: EpochVerdict; |self, body| body.field(&self.0));

message!(8: KeyAndModel<S>, S; |self, body| {
    body.field(&self.rows);
    body.field(&self.pairing);
    body.field(&self.key);
});
message!(9: ModelAnswer; |self, body| body.field(&self.pairing));
message!(10: ProductAndMask<S>, S; |self, body| {
    body.field(&self.product);
    body.field(&self.mask);
});

impl<S: Scheme> Decode<KeyBits> for KeyAndModel<S> {
    fn decode(key_bits: &KeyBits, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            rows: rows_asked_about(input)?,
            pairing: Public::decode(&(), input)?,
            key: S::PublicKey::decode(key_bits, input)?,
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
            product: S::Forward::decode(context, input)?,
            mask: GivenMask::decode(&context.shape, input)?,
        })
    }
}

impl<S: Scheme> Decode<SetUpContext> for KeyAndShare<S> {
    fn decode(context: &SetUpContext, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            share: Share::decode(&context.cut, input)?,
            key: S::PublicKey::decode(&context.key_bits, input)?,
        })
    }
}

impl Decode<Shape> for MaskedLogits {
    fn decode(shape: &Shape, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Masked::decode(shape, input).map(Self)
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
            update: Masked::decode(&context.shape, input)?,
            share: S::EncryptedShare::decode(context, input)?,
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
                Decode::decode(context, input).map(Self)
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

/// The context of a matrix of ciphertexts.
pub(super) fn ciphertexts<'a, S: Scheme>(
    key: &'a S::PublicKey,
    bounds: &'a CutBounds,
    shape: Shape,
) -> Ciphertexts<'a, S> {
    Expect { key, bounds, shape }
}
