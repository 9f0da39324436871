//! A key as it is announced.
//!
//! ```text
//!   number │ from which exchange │ when │ signature │ public key │ proof
//! ```
//!
//! What is signed is a text that a person can read, as of a contract
//! ([`crate::contract`]): one line for each fact, and no value can contain a line
//! feed. The first line says what it is, so that no signature of one is one of the
//! other.

use entente_he::{Backend, HeError, KeyBits, KeyOwner, Scheme};
use entente_wire::{Body, Decode, DecodeError, Digest, Encode, Public, Reader};

use super::{KeyEpoch, KeyFault, Witness};
use crate::ProtocolError;

/// The longest signature with its certificates, in writing.
const MAX_SIGNATURE_BYTES: usize = 64 << 10;
/// How far the clocks of two machines may differ.
const MAX_AHEAD_MS: u64 = 5 * 60 * 1000;

/// Who announces a key, when and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Vow {
    epoch: KeyEpoch,
    /// The first exchange under it.
    from: u64,
    /// Milliseconds since 1970-01-01 UTC, by its owner's clock.
    at_ms: u64,
    signature: String,
}

/// A public key with all that its owner says of it.
pub(in crate::acml) struct Announcement<S: Scheme> {
    vow: Public<Vow>,
    key: S::PublicKey,
    proof: S::KeyProof,
}

/// What could be announced.
pub(super) struct Turns<'a, S: Scheme> {
    pub(super) epoch: KeyEpoch,
    pub(super) from: u64,
    /// As in `party/bank-a`.
    pub(super) signer: &'a str,
    pub(super) last: Option<&'a S::PublicKey>,
}

impl<S: Scheme> Announcement<S> {
    /// Of the first key of a session, in its set-up.
    pub(in crate::acml) fn introducing(
        witness: &Witness,
        signer: &str,
        owner: &dyn KeyOwner<S>,
    ) -> Result<Self, ProtocolError> {
        Self::make(witness, signer, (KeyEpoch::FIRST, 0), owner)
    }

    /// The first key of a session, if it can be one.
    pub(in crate::acml) fn introduced(
        self,
        witness: &Witness,
        signer: &str,
        backend: &dyn Backend<S>,
    ) -> Result<S::PublicKey, ProtocolError> {
        let turns = Turns {
            epoch: KeyEpoch::FIRST,
            from: 0,
            signer,
            last: None,
        };
        self.certified(witness, &turns, backend)
    }

    /// Of the owner `signer`.
    pub(super) fn make(
        witness: &Witness,
        signer: &str,
        (epoch, from): (KeyEpoch, u64),
        owner: &dyn KeyOwner<S>,
    ) -> Result<Self, ProtocolError> {
        let key = owner.public_key().clone();
        let proof = owner.prove(context(witness, epoch, from))?;
        let at_ms = witness.notary.now_ms();
        let text = text::<S>(witness, signer, (epoch, from), &key, at_ms);
        let signature = witness.notary.sign(&text);
        let signature = signature.map_err(|error| ProtocolError::NotSigned { why: error.0 })?;
        let vow = Vow {
            epoch,
            from,
            at_ms,
            signature,
        };
        let why = "who announces a key, from when on, with a signature for whoever asks";
        Ok(Self {
            vow: Public::declassify(vow, why),
            key,
            proof,
        })
    }

    /// The key, if it is one that could be announced now.
    pub(super) fn certified(
        self,
        witness: &Witness,
        turns: &Turns<'_, S>,
        backend: &dyn Backend<S>,
    ) -> Result<S::PublicKey, ProtocolError> {
        let (vow, epoch, from) = (self.vow.into_inner(), turns.epoch, turns.from);
        let refused = |fault| ProtocolError::KeyRefused {
            epoch: epoch.number(),
            fault,
        };
        if (vow.epoch, vow.from) != (epoch, from) {
            return Err(refused(KeyFault::OutOfTurn {
                expected: epoch.number(),
                expected_from: from,
                got: vow.epoch.number(),
                from: vow.from,
            }));
        }
        if vow.at_ms.saturating_sub(witness.notary.now_ms()) > MAX_AHEAD_MS {
            let why = "the moment that it names has not come; compare the clocks of the machines";
            return Err(refused(KeyFault::Signature(why.to_owned())));
        }
        let text = text::<S>(witness, turns.signer, (epoch, from), &self.key, vow.at_ms);
        let at_s = vow.at_ms / 1000;
        witness
            .notary
            .verify(turns.signer, &text, &vow.signature, at_s)
            .map_err(|error| refused(KeyFault::Signature(error.0)))?;
        let context = context(witness, epoch, from);
        backend
            .certify(&self.key, &self.proof, context, turns.last)
            .map_err(|error| match error {
                HeError::BadKey { why } => refused(KeyFault::Modulus(why)),
                error => error.into(),
            })?;
        Ok(self.key)
    }

    /// The key, whoever it is from.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(in crate::acml) fn key(&self) -> &S::PublicKey {
        &self.key
    }

    /// Its fields, at the end of a message's.
    pub(in crate::acml) fn write(&self, body: &mut Body) {
        body.field(&self.vow);
        body.field(&self.key);
        body.field(&self.proof);
    }
}

impl<S: Scheme> Decode<KeyBits> for Announcement<S> {
    fn decode(bits: &KeyBits, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            vow: Public::decode(&(), input)?,
            key: S::PublicKey::decode(bits, input)?,
            proof: S::KeyProof::decode(bits, input)?,
        })
    }
}

/// What a proof is good for.
fn context(witness: &Witness, epoch: KeyEpoch, from: u64) -> Digest {
    let parts: [&[u8]; 3] = [
        witness.session.0.as_bytes(),
        &epoch.encoded(),
        &from.to_be_bytes(),
    ];
    Digest::of("entente announced key", &parts)
}

fn text<S: Scheme>(
    witness: &Witness,
    signer: &str,
    (epoch, from): (KeyEpoch, u64),
    key: &S::PublicKey,
    at_ms: u64,
) -> String {
    let session = witness.session;
    let modulus = Digest::of("entente public key", &[&key.encoded()]);
    format!(
        "entente key, version 1\n\
         session: {session}\n\
         key: {epoch}\n\
         from exchange: {from}\n\
         public key: {modulus}\n\
         announced by: {signer}\n\
         announced at: {at_ms} ms since 1970-01-01 UTC\n"
    )
}

impl Encode for Vow {
    fn encode(&self, out: &mut Vec<u8>) {
        self.epoch.encode(out);
        self.from.encode(out);
        self.at_ms.encode(out);
        (self.signature.len() as u32).encode(out);
        out.extend_from_slice(self.signature.as_bytes());
    }
}

impl Decode for Vow {
    fn decode((): &(), input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            epoch: KeyEpoch::decode(&(), input)?,
            from: input.u64("exchange of a key")?,
            at_ms: input.u64("moment of a key")?,
            signature: {
                let bytes = input.bytes("signature of a key", MAX_SIGNATURE_BYTES)?;
                let text = core::str::from_utf8(bytes);
                text.map_err(|_| DecodeError::Invalid {
                    what: "signature of a key",
                    why: "it is no text",
                })?
                .to_owned()
            },
        })
    }
}
