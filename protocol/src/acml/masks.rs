//! Masks that come out the same when a step is gone through again.
//!
//! A party that comes back from a crash begins the running exchange once more,
//! from its checkpoint, and is handed the messages that it had been handed
//! before. What it has sent stands in its journal and is not sent anew. So what
//! it keeps to itself has to fit what is on its way:
//!
//! ```text
//!   before the crash    z + S1  comes back for  Enc(a W~' + S1)
//!   after it            z = . - S1              S1 must be that S1
//! ```
//!
//! Keeping each mask in the journal was refused: it is as large as the message
//! that it hides, has to be on the disk before that message leaves, and lies
//! there longer than it is of use. Here S1, S2, e_w and the scalars that rows
//! are compared under are drawn from a generator of their own for each use:
//!
//! ```text
//!   ChaCha20( H(seed, what for, which exchange, all that was heard in it) )
//! ```
//!
//! The seed is in the checkpoint. E0 is there itself, as the share. At the end of
//! an exchange the seed gives way to a hash of it: who comes by a checkpoint, and
//! by all that was ever sent, finds no mask of an exchange that was over by then.
//!
//! # Why what was heard is in it
//!
//! One mask must not hide two values. Of `x + S` and `x' + S` the peer takes the
//! difference and has `x - x'`, without any mask: of two forward products
//! `(a - a') W~'`, which a few times over is W~ itself, and with E (which the
//! active party has) W2; of two `U` with one e_w, the difference of two weight
//! gradients. With nothing but the exchange's number in the hash that happens
//! where a disk is put back to an older copy, or a folder is started twice: the
//! seed is old, and the messages of the peer, whose encryption is fresh, are
//! others. Since they go into the hash, other messages have other masks; and the
//! same messages have the same value under the mask, because all else that it
//! depends on is in the checkpoint too, or is this party's data. What is shown twice then is one value
//! under one mask, which says nothing new.
//!
//! All of the exchange's messages, and not only the last: a peer that sends other
//! activations and then the `z + S1` of before would else be answered under the
//! S2 of before, for another gradient.
//!
//! # What is not drawn from here
//!
//! Keys, and the randomness of every ciphertext: fresh from the operating system
//! at each start. A ciphertext that is made again has other bytes, and those that
//! were recorded are sent; and for the same masked value a second ciphertext
//! tells no more than the first.

use entente_he::Rng;
use entente_wire::{Decode, DecodeError, Digest, Encode, Reader, Secret};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

/// Where a role's masks come from.
pub(super) struct Masks(Secret<[u8; 32]>);

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drawn {
    /// What hides the forward product.
    S1,
    /// What hides the weight gradient.
    S2,
    /// What hides the update, and moves `E`.
    Ew,
    /// The scalars under which rows are compared.
    RowScalars,
}

impl Masks {
    /// Of a role that begins.
    pub(super) fn new(rng: &mut Rng) -> Self {
        let mut seed = Secret::new([0; 32]);
        rng.fill_bytes(seed.expose_mut());
        Self(seed)
    }

    /// For the next exchange: those of the last cannot be had from it.
    pub(super) fn advance(&mut self) {
        let next = Digest::of("entente next masks", &[self.0.expose()]);
        self.0 = Secret::new(*next.as_bytes());
    }

    /// A generator for one draw, after all that was heard in its exchange.
    pub(super) fn generator(&self, drawn: Drawn, heard: Heard) -> ChaCha20Rng {
        let drawn: &[u8] = match drawn {
            Drawn::S1 => b"s1",
            Drawn::S2 => b"s2",
            Drawn::Ew => b"e_w",
            Drawn::RowScalars => b"row scalars",
        };
        let parts = [self.0.expose().as_slice(), drawn, heard.0.as_bytes()];
        ChaCha20Rng::from_seed(*Digest::of("entente mask", &parts).as_bytes())
    }
}

impl Encode for Masks {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.expose());
    }
}

impl Decode for Masks {
    fn decode((): &(), input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.array("seed of masks").map(Secret::new).map(Self)
    }
}

/// Which exchange it is, and what the peer has said in it so far, byte for byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heard(Digest);

impl Heard {
    /// Nothing yet, in exchange `index`.
    pub(super) fn nothing_in(index: u64) -> Self {
        Self(Digest::of("entente exchange", &[&index.to_be_bytes()]))
    }

    /// And then this payload.
    #[must_use]
    pub(super) fn and(self, payload: &[u8]) -> Self {
        Self(Digest::of("entente heard", &[self.0.as_bytes(), payload]))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use entente_wire::decode_exactly;
    use proptest::prelude::*;
    use rand::Rng as Generator;

    use super::*;

    fn heard(exchange: u64, messages: &[Vec<u8>]) -> Heard {
        let nothing = Heard::nothing_in(exchange);
        messages
            .iter()
            .fold(nothing, |heard, message| heard.and(message))
    }

    fn first(masks: &Masks, drawn: Drawn, heard: Heard) -> [u64; 4] {
        let mut rng = masks.generator(drawn, heard);
        [(); 4].map(|()| Generator::next_u64(&mut rng))
    }

    proptest! {
        #[test]
        fn the_same_only_for_the_same_use(
            seed: [u8; 32], exchange: u64,
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 1..4),
            flipped: prop::sample::Index,
        ) {
            let masks = Masks(Secret::new(seed));
            let said = heard(exchange, &messages);
            let drawn = first(&masks, Drawn::S1, said);
            let restored: Masks = decode_exactly(&(), &masks.encoded()).unwrap();
            prop_assert_eq!(first(&restored, Drawn::S1, said), drawn);

            for other in [Drawn::S2, Drawn::Ew, Drawn::RowScalars] {
                prop_assert_ne!(first(&masks, other, said), drawn);
            }
            let next = heard(exchange.wrapping_add(1), &messages);
            prop_assert_ne!(first(&masks, Drawn::S1, next), drawn);
            let shorter = heard(exchange, &messages[1..]);
            prop_assert_ne!(first(&masks, Drawn::S1, shorter), drawn);
            let mut other = messages.clone();
            let at = flipped.index(other.len());
            other[at].push(0);
            prop_assert_ne!(first(&masks, Drawn::S1, heard(exchange, &other)), drawn);
            if messages.len() > 1 {
                let joined = heard(exchange, &[messages.concat()]);
                prop_assert_ne!(first(&masks, Drawn::S1, joined), drawn);
            }
            let mut other = seed;
            other[flipped.index(32)] ^= 1;
            prop_assert_ne!(first(&Masks(Secret::new(other)), Drawn::S1, said), drawn);
            let mut later = masks;
            later.advance();
            prop_assert_ne!(first(&later, Drawn::S1, said), drawn);
            prop_assert_ne!(later.0.expose(), &seed);
        }
    }
}
