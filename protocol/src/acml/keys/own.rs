//! The keys of the active party.

use std::sync::Arc;

use entente_he::{Backend, KeyOwner, Scheme};
use entente_wire::{Decode, DecodeError, Encode, Reader, Secret};

use super::{Announcement, KeyEpoch, Keyed, NextKeys, Wanted, Witness, due::Due};
use crate::{
    KeyState, ProtocolError,
    checkpoint::{bytes, option, put_bytes, put_option},
    job::{Job, Side},
    schedule::{Place, Schedule},
};

/// The key in use, and the one that follows while it is known.
pub(in crate::acml) struct OwnKeys<S: Scheme> {
    now: Dated<S>,
    next: Option<Coming<S>>,
    due: Due,
    makes: Box<dyn NextKeys<S>>,
    witness: Witness,
    /// As in `party/bank-a`.
    signer: String,
}

struct Dated<S: Scheme> {
    key: Keyed<dyn KeyOwner<S>>,
    /// Milliseconds since 1970-01-01 UTC.
    since_ms: u64,
}

struct Coming<S: Scheme> {
    key: Dated<S>,
    /// The first exchange under it; it is announced in the one before.
    from: u64,
}

/// Between the rest at which a key is taken and its first exchange.
const AHEAD: u64 = 2;

/// Keys as a checkpoint has them.
pub(in crate::acml) struct SavedKeys {
    now: SavedKey,
    next: Option<(u64, SavedKey)>,
    due: Due,
}

struct SavedKey {
    epoch: KeyEpoch,
    since_ms: u64,
    secret: Secret<Vec<u8>>,
}

/// As in `party/bank-a`: what the certificate of the active party says.
pub(super) fn signer(job: &Job) -> String {
    format!("party/{}", job.party(Side::Active))
}

impl<S: Scheme> OwnKeys<S> {
    /// With the first one.
    pub(in crate::acml) fn first(
        owner: Arc<dyn KeyOwner<S>>,
        job: &Job,
        makes: Box<dyn NextKeys<S>>,
        witness: Witness,
    ) -> Self {
        let key = Keyed {
            epoch: KeyEpoch::FIRST,
            end: owner,
        };
        Self {
            now: Dated {
                key,
                since_ms: witness.notary.now_ms(),
            },
            next: None,
            due: Due::of(job),
            makes,
            signer: signer(job),
            witness,
        }
    }

    /// As they were when they were saved.
    pub(in crate::acml) fn restored(
        saved: SavedKeys,
        job: &Job,
        backend: &dyn Backend<S>,
        makes: Box<dyn NextKeys<S>>,
        witness: Witness,
    ) -> Result<Self, ProtocolError> {
        let restored = |saved: SavedKey| -> Result<Dated<S>, ProtocolError> {
            let owner = backend.restore(job.key_bits(), &saved.secret, job.bounds())?;
            Ok(Dated {
                key: Keyed {
                    epoch: saved.epoch,
                    end: owner,
                },
                since_ms: saved.since_ms,
            })
        };
        let next = saved.next.map(|(from, next)| {
            Ok::<_, ProtocolError>(Coming {
                key: restored(next)?,
                from,
            })
        });
        Ok(Self {
            now: restored(saved.now)?,
            next: next.transpose()?,
            due: saved.due,
            makes,
            signer: signer(job),
            witness,
        })
    }

    /// The one in use.
    pub(in crate::acml) fn now(&self) -> &Keyed<dyn KeyOwner<S>> {
        &self.now.key
    }

    /// As a report says it.
    pub(in crate::acml) fn state(&self) -> KeyState {
        KeyState {
            epoch: self.now.key.epoch.number(),
            since_ms: self.now.since_ms,
            rotating: self.next.is_some(),
        }
    }

    /// At rest before exchange `index`: the next key takes its place, or is
    /// looked for.
    pub(in crate::acml) fn rest(
        &mut self,
        index: u64,
        schedule: &Schedule,
    ) -> Result<(), ProtocolError> {
        if let Some(Coming { key, .. }) = self.next.take_if(|next| next.from == index) {
            // The last one is wiped here. The checkpoint of the rest before this
            // one has it, for as long as that may be gone back to.
            self.now = key;
            self.due.changed(schedule.rounds_before(index));
        }
        let from = index + AHEAD;
        let round = match schedule.place(from) {
            Some(Place::Train { .. }) if index > 0 && self.next.is_none() => {
                schedule.rounds_before(from)
            }
            _ => return Ok(()),
        };
        let made = self.makes.next(Wanted {
            epoch: self.now.key.epoch.number(),
            since_ms: self.now.since_ms,
            turn: self.due.turn(round),
        })?;
        self.next = made.map(|owner| Coming {
            key: Dated {
                key: Keyed {
                    epoch: self.now.key.epoch.next(),
                    end: owner,
                },
                since_ms: self.witness.notary.now_ms(),
            },
            from,
        });
        Ok(())
    }

    /// The key of the set-up.
    pub(in crate::acml) fn introduce(&self) -> Result<Announcement<S>, ProtocolError> {
        Announcement::introducing(&self.witness, &self.signer, &*self.now.key.end)
    }

    /// The key that follows, in the exchange that it is announced in.
    pub(in crate::acml) fn announce(
        &self,
        index: u64,
    ) -> Result<Option<Announcement<S>>, ProtocolError> {
        let next = self.next.as_ref().filter(|next| next.from == index + 1);
        let announce = |next: &Coming<S>| {
            let Keyed { epoch, end } = &next.key.key;
            Announcement::make(&self.witness, &self.signer, (*epoch, next.from), &**end)
        };
        next.map(announce).transpose()
    }

    /// Bytes that are written at most, but for the secret keys.
    const ROOM: usize = 96;

    /// What goes into a checkpoint, and about how long it is: a vector that grows
    /// leaves secrets behind.
    pub(in crate::acml) fn saved(&self) -> (usize, impl FnOnce(&mut Vec<u8>) + '_) {
        let secret = self.now.key.end.secret_key();
        let next = self.next.as_ref();
        let next = next.map(|next| (next, next.key.key.end.secret_key()));
        let coming = next.as_ref().map_or(0, |(_, secret)| secret.expose().len());
        let room = secret.expose().len() + coming + Self::ROOM;
        let write = move |out: &mut Vec<u8>| {
            put(&self.now, &secret, out);
            put_option(next.as_ref(), out, |(next, secret), out| {
                next.from.encode(out);
                put(&next.key, secret, out);
            });
            self.due.encode(out);
        };
        (room, write)
    }
}

fn put<S: Scheme>(dated: &Dated<S>, secret: &Secret<Vec<u8>>, out: &mut Vec<u8>) {
    dated.key.epoch.encode(out);
    dated.since_ms.encode(out);
    put_bytes(secret, out);
}

impl SavedKeys {
    /// Of a role of this job.
    pub(in crate::acml) fn read(job: &Job, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let key = |input: &mut Reader<'_>| {
            Ok(SavedKey {
                epoch: KeyEpoch::decode(&(), input)?,
                since_ms: input.u64("moment of a key")?,
                secret: bytes("secret key", input)?,
            })
        };
        Ok(Self {
            now: key(input)?,
            next: option("next key", input, |input| {
                Ok((input.u64("exchange of a key")?, key(input)?))
            })?,
            due: {
                let mut due = Due::of(job);
                due.resume(input)?;
                due
            },
        })
    }
}
