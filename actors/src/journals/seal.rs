//! The seal of each row.
//!
//! ```text
//!   keys:  number of the opening  ──▶  its data key, wrapped
//!   row:   number of the opening (4) | counter (8) | value, sealed | tag (16)
//! ```
//!
//! AES-256-GCM forgives no nonce that is used twice. So a data key lives for one
//! opening of the file by one process, and its nonces are counted: what is
//! written is never under a key of an earlier process, whatever that process
//! did, wherever a copy of the file came from, and no counter needs to outlast
//! anything. A commit that fails costs its numbers.
//!
//! The tag covers the job's session and the row's place too: a row that was
//! altered, or moved within the file or from another job's, does not open. So
//! there is no digest beside it. It does not show that the *whole* file was put
//! back to an earlier state.

use std::{collections::BTreeMap, sync::Arc};

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};
use entente_wire::{Position, Secret, SessionId};

use crate::{
    delivery::JournalError,
    entropy,
    sealing::{WrapError, WrapKeys, cipher},
};

const HEADER_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// Which row it is.
#[derive(Clone, Copy)]
pub(super) enum Row {
    Checkpoint(u64),
    Accepted(Position),
    Heard(Position),
    Sent(Position),
    Written(u64),
    Ended,
}

impl Row {
    /// What no other row says, of this session or another.
    fn place(self, session: SessionId) -> [u8; 68] {
        let (table, exchange, step) = match self {
            Self::Checkpoint(done) => (0, done, 0),
            Self::Accepted(at) => (1, at.exchange, at.step),
            Self::Heard(at) => (2, at.exchange, at.step),
            Self::Sent(at) => (3, at.exchange, at.step),
            Self::Written(exchange) => (4, exchange, 0),
            Self::Ended => (5, 0, 0),
        };
        let mut place = [0; 68];
        place[..26].copy_from_slice(b"entente row of a journal 2");
        place[26..58].copy_from_slice(session.0.as_bytes());
        place[58] = table;
        place[59..67].copy_from_slice(&exchange.to_be_bytes());
        place[67] = step;
        place
    }
}

/// What a wrapped data key is bound to.
fn bound_to(session: SessionId, opening: u32) -> Vec<u8> {
    let parts = [session.0.as_bytes().as_slice(), &opening.to_be_bytes()];
    parts.concat()
}

fn header(opening: u32, counter: u64) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..4].copy_from_slice(&opening.to_be_bytes());
    header[4..].copy_from_slice(&counter.to_be_bytes());
    header
}

/// Seals what one opening of a journal writes.
pub(super) struct Sealer {
    session: SessionId,
    opening: u32,
    key: LessSafeKey,
    wrapped: Vec<u8>,
    counter: u64,
}

impl Sealer {
    /// With a key of its own.
    ///
    /// # Errors
    /// [`JournalError::Locked`]: whoever has the sealing key does not wrap it.
    pub(super) fn new(
        session: SessionId,
        opening: u32,
        keys: &dyn WrapKeys,
    ) -> Result<Self, JournalError> {
        let key = entropy::seed().map_err(|error| JournalError::Locked(error.to_string()))?;
        let wrapped = keys.wrap(&key, &bound_to(session, opening));
        let wrapped = wrapped.map_err(|error| refused(&error))?;
        let key = cipher(&key).ok_or_else(no_cipher)?;
        Ok(Self {
            session,
            opening,
            key,
            wrapped,
            counter: 0,
        })
    }

    /// Which opening it is, and its key, wrapped.
    pub(super) fn key(&self) -> (u32, &[u8]) {
        (self.opening, &self.wrapped)
    }

    /// The value, for this row alone.
    pub(super) fn seal(&mut self, row: Row, value: &[u8]) -> Result<Vec<u8>, JournalError> {
        let header = header(self.opening, self.counter);
        self.counter += 1;
        // Wiped unless it is sealed.
        let room = HEADER_BYTES + value.len() + TAG_BYTES;
        let mut sealed = Secret::new(Vec::with_capacity(room));
        let out = sealed.expose_mut();
        out.extend_from_slice(&header);
        out.extend_from_slice(value);
        let tag = self.key.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(header),
            Aad::from(row.place(self.session)),
            &mut out[HEADER_BYTES..],
        );
        out.extend_from_slice(tag.map_err(|_| no_cipher())?.as_ref());
        Ok(std::mem::take(out))
    }
}

/// Opens what all openings of a journal have written.
pub(super) struct Opener<'a> {
    session: SessionId,
    keys: &'a dyn WrapKeys,
    wrapped: BTreeMap<u32, Vec<u8>>,
    used: BTreeMap<u32, Option<LessSafeKey>>,
}

impl<'a> Opener<'a> {
    /// With the wrapped keys of all openings.
    pub(super) fn new(
        session: SessionId,
        keys: &'a Arc<dyn WrapKeys>,
        wrapped: BTreeMap<u32, Vec<u8>>,
    ) -> Self {
        Self {
            session,
            keys: &**keys,
            wrapped,
            used: BTreeMap::new(),
        }
    }

    /// The value of a row; nothing for what was not sealed for this row.
    ///
    /// # Errors
    /// [`JournalError::Locked`]: whoever has the sealing key does not unwrap.
    pub(super) fn open(
        &mut self,
        row: Row,
        sealed: &[u8],
    ) -> Result<Option<Secret<Vec<u8>>>, JournalError> {
        let Some((header, sealed)) = sealed.split_first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let [a, b, c, d, ..] = *header;
        let place = row.place(self.session);
        let Some(key) = self.key(u32::from_be_bytes([a, b, c, d]))? else {
            return Ok(None);
        };
        let mut value = Secret::new(sealed.to_vec());
        let opened = key.open_in_place(
            Nonce::assume_unique_for_key(*header),
            Aad::from(place),
            value.expose_mut(),
        );
        let Ok(bytes) = opened.map(|opened| opened.len()) else {
            return Ok(None);
        };
        value.expose_mut().truncate(bytes);
        Ok(Some(value))
    }

    fn key(&mut self, opening: u32) -> Result<Option<&LessSafeKey>, JournalError> {
        if !self.used.contains_key(&opening) {
            let key = match self.wrapped.get(&opening) {
                None => None,
                Some(wrapped) => {
                    match self.keys.unwrap(wrapped, &bound_to(self.session, opening)) {
                        Ok(key) => Some(cipher(&key).ok_or_else(no_cipher)?),
                        // One row's damage, like any other.
                        Err(WrapError::Damaged) => None,
                        Err(error) => return Err(refused(&error)),
                    }
                }
            };
            self.used.insert(opening, key);
        }
        Ok(self.used.get(&opening).and_then(Option::as_ref))
    }

    /// Who seals from now on, and the openings of which no row is left.
    pub(super) fn next(self) -> Result<(Sealer, Vec<u32>), JournalError> {
        let last = self.wrapped.keys().chain(self.used.keys()).max();
        let next = last.map_or(Some(0), |last| last.checked_add(1));
        let next = next.ok_or_else(|| JournalError::Damaged("their count is over".to_owned()))?;
        let sealer = Sealer::new(self.session, next, self.keys)?;
        let unused = self.wrapped.into_keys();
        let unused = unused.filter(|opening| !self.used.contains_key(opening));
        Ok((sealer, unused.collect()))
    }
}

fn refused(error: &WrapError) -> JournalError {
    JournalError::Locked(error.to_string())
}

fn no_cipher() -> JournalError {
    JournalError::Locked("the cipher cannot be used".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use entente_wire::Digest;

    use super::*;
    use crate::sealing::testing::keys;

    #[test]
    fn no_two_rows_say_the_same_place() {
        let sessions = [b"a", b"b"].map(|name| SessionId(Digest::of("test", &[name])));
        let at = [(0, 0), (0, 1), (1, 0)].map(|(exchange, step)| Position { exchange, step });
        let mut rows = vec![Row::Ended];
        rows.extend((0..3).flat_map(|n| [Row::Checkpoint(n), Row::Written(n)]));
        rows.extend(
            at.into_iter()
                .flat_map(|at| [Row::Accepted(at), Row::Heard(at), Row::Sent(at)]),
        );
        let places = sessions
            .iter()
            .flat_map(|of| rows.iter().map(|row| row.place(*of)));
        let places: BTreeSet<_> = places.collect();
        assert_eq!(places.len(), 2 * rows.len());
    }

    #[test]
    fn a_row_opens_where_it_was_sealed_and_no_two_are_alike() {
        let session = SessionId(Digest::of("test", &[]));
        let keys = keys(b"a");
        let mut sealer = Sealer::new(session, 0, &*keys).unwrap();
        let here = Row::Checkpoint(3);
        let mut sealed = [here, here].map(|row| sealer.seal(row, b"value").unwrap());
        assert_ne!(sealed[0][HEADER_BYTES..], sealed[1][HEADER_BYTES..]);
        assert!(!sealed[0].windows(5).any(|window| window == b"value"));
        let wrapped = BTreeMap::from([(0, sealer.key().1.to_vec())]);
        let mut opener = Opener::new(session, &keys, wrapped);
        let mut open = |row, sealed: &[u8]| {
            let opened = opener.open(row, sealed).unwrap();
            opened.map(|value| value.expose().clone())
        };
        assert_eq!(open(here, &sealed[0]).unwrap(), b"value");
        assert_eq!(open(here, &sealed[1]).unwrap(), b"value");
        assert_eq!(open(Row::Checkpoint(4), &sealed[0]), None);
        assert_eq!(open(Row::Written(3), &sealed[0]), None);
        for place in [0, 5, HEADER_BYTES, sealed[0].len() - 1] {
            sealed[0][place] ^= 1;
            assert_eq!(open(here, &sealed[0]), None, "byte {place}");
            sealed[0][place] ^= 1;
        }
        assert_eq!(open(here, &sealed[0][..HEADER_BYTES + 3]), None);
        assert_eq!(open(here, b""), None);
    }

    #[test]
    fn an_opening_has_a_key_of_its_own_and_old_ones_go() {
        let session = SessionId(Digest::of("test", &[]));
        let keys = keys(b"a");
        let mut wrapped = BTreeMap::new();
        let mut rows = Vec::new();
        for opening in 0..3 {
            let mut sealer = Sealer::new(session, opening, &*keys).unwrap();
            rows.push(sealer.seal(Row::Ended, b"value").unwrap());
            wrapped.insert(opening, sealer.key().1.to_vec());
        }
        let bodies: BTreeSet<_> = rows
            .iter()
            .map(|row| row[HEADER_BYTES..].to_vec())
            .collect();
        assert_eq!(bodies.len(), 3);
        let mut opener = Opener::new(session, &keys, wrapped);
        assert!(opener.open(Row::Ended, &rows[1]).unwrap().is_some());
        let (sealer, unused) = opener.next().unwrap();
        assert_eq!((sealer.key().0, unused), (3, vec![0, 2]));
    }
}
