//! Messages between machines: a kind, then fields, each of them [`Wire`].

use core::fmt;

use crate::{Decode, DecodeError, Encode, Reader, Wire, codec::decode_exactly};

/// The number of a message kind, two bytes at the front of every payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(pub u16);

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A message of a protocol.
///
/// Reading back is [`Message::read`], by way of the `Decode` that the message
/// has for its receiver's context.
pub trait Message {
    /// Its number.
    const KIND: Kind;
    /// Its name in logs and metrics, such as `masked_logits`.
    const NAME: &'static str;

    /// Writes the fields in order.
    fn write(&self, body: &mut Body);

    /// The payload: kind, then fields.
    fn to_payload(&self) -> Vec<u8> {
        let mut body = Body(Self::KIND.0.to_be_bytes().to_vec());
        self.write(&mut body);
        body.0
    }

    /// Reads a payload of this kind, to its last byte.
    ///
    /// # Errors
    /// [`DecodeError::WrongKind`] for another message, else as the fields say.
    fn read<C: ?Sized>(context: &C, payload: &[u8]) -> Result<Self, DecodeError>
    where
        Self: Decode<C>,
    {
        let (kind, rest) = split_kind(payload)?;
        if kind != Self::KIND {
            return Err(DecodeError::WrongKind {
                expected: Self::KIND.0,
                got: kind.0,
            });
        }
        decode_exactly(context, rest)
    }
}

/// The kind at the front of a payload.
///
/// # Errors
/// [`DecodeError::Truncated`] when there are not even two bytes.
pub fn read_kind(payload: &[u8]) -> Result<Kind, DecodeError> {
    split_kind(payload).map(|(kind, _)| kind)
}

fn split_kind(payload: &[u8]) -> Result<(Kind, &[u8]), DecodeError> {
    let mut reader = Reader::new(payload);
    let kind = Kind(reader.u16("message kind")?);
    Ok((kind, reader.rest()))
}

/// The pen of a message: it writes [`Wire`] values and nothing else.
///
/// ```compile_fail
/// # use entente_wire::{Body, RingMatrix};
/// fn leak(body: &mut Body, gradient: &RingMatrix) {
///     body.field(gradient); // a plaintext gradient is not `Wire`
/// }
/// ```
#[derive(Debug)]
pub struct Body(Vec<u8>);

impl Body {
    /// Appends a field.
    pub fn field(&mut self, value: &impl Wire) {
        Encode::encode(value, &mut self.0);
    }
}
