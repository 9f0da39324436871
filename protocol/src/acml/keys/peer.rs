//! The keys of the active party, as the passive one knows them.

use std::{collections::VecDeque, sync::Arc};

use entente_he::{Backend, Evaluate, Scheme};
use entente_wire::{Decode, DecodeError, Digest, Encode, Reader};

use super::{
    Announcement, KeyEpoch, KeyFault, Keyed, Witness, announcement::Turns, due::Due, own::signer,
};
use crate::{
    KeyState, ProtocolError,
    acml::keys::Turn,
    checkpoint::{option, put_option},
    job::Job,
    schedule::Schedule,
};

/// Moduli that are remembered, so that none comes back: those of the last so many
/// keys.
const REMEMBERED: usize = 1024;

/// The key in use, from the set-up on, and the one that follows while it is known.
pub(in crate::acml) struct PeerKeys<S: Scheme> {
    now: Option<Keyed<dyn Evaluate<S>>>,
    /// Milliseconds since 1970-01-01 UTC; 0 before the set-up.
    since_ms: u64,
    /// Announced in the exchange that runs, and used from the next one on.
    next: Option<Keyed<dyn Evaluate<S>>>,
    /// Of the keys before, the oldest in front.
    had: VecDeque<Digest>,
    due: Due,
    backend: Arc<dyn Backend<S>>,
    witness: Witness,
    /// As in `party/bank-a`.
    signer: String,
}

/// Keys as a checkpoint has them.
pub(in crate::acml) struct SavedPeerKeys<S: Scheme> {
    now: Option<(KeyEpoch, S::PublicKey)>,
    since_ms: u64,
    had: VecDeque<Digest>,
    due: Due,
}

fn mark(key: &impl Encode) -> Digest {
    Digest::of("entente public key", &[&key.encoded()])
}

impl<S: Scheme> PeerKeys<S> {
    /// None yet.
    pub(in crate::acml) fn none(job: &Job, backend: Arc<dyn Backend<S>>, witness: Witness) -> Self {
        Self {
            now: None,
            since_ms: 0,
            next: None,
            had: VecDeque::new(),
            due: Due::of(job),
            backend,
            signer: signer(job),
            witness,
        }
    }

    /// As they were when they were saved.
    pub(in crate::acml) fn restored(
        saved: SavedPeerKeys<S>,
        job: &Job,
        backend: Arc<dyn Backend<S>>,
        witness: Witness,
    ) -> Result<Self, ProtocolError> {
        let mut keys = Self::none(job, backend, witness);
        if let Some((epoch, key)) = saved.now {
            let end = keys.backend.evaluator(key, job.bounds())?;
            keys.now = Some(Keyed { epoch, end });
        }
        (keys.since_ms, keys.had, keys.due) = (saved.since_ms, saved.had, saved.due);
        Ok(keys)
    }

    /// The one in use; `None` before the set-up.
    pub(in crate::acml) fn now(&self) -> Option<&Keyed<dyn Evaluate<S>>> {
        self.now.as_ref()
    }

    /// As a report says it.
    pub(in crate::acml) fn state(&self) -> Option<KeyState> {
        self.now.as_ref().map(|now| KeyState {
            epoch: now.epoch.number(),
            since_ms: self.since_ms,
            rotating: self.next.is_some(),
        })
    }

    /// Takes in the key of the set-up.
    pub(in crate::acml) fn meet(
        &mut self,
        announcement: Announcement<S>,
        job: &Job,
    ) -> Result<(), ProtocolError> {
        self.now = Some(self.take(announcement, KeyEpoch::FIRST, 0, job)?);
        self.since_ms = self.witness.notary.now_ms();
        Ok(())
    }

    /// Takes in the key that is announced in exchange `index`.
    pub(in crate::acml) fn hear(
        &mut self,
        announcement: Announcement<S>,
        index: u64,
        job: &Job,
    ) -> Result<(), ProtocolError> {
        let last = self.next.as_ref().or(self.now.as_ref());
        let epoch = last.map_or(KeyEpoch::FIRST, |last| last.epoch.next());
        // A second one in an exchange is the one after the next, too early.
        let from = index + 1 + u64::from(self.next.is_some());
        self.next = Some(self.take(announcement, epoch, from, job)?);
        Ok(())
    }

    fn take(
        &self,
        announcement: Announcement<S>,
        epoch: KeyEpoch,
        from: u64,
        job: &Job,
    ) -> Result<Keyed<dyn Evaluate<S>>, ProtocolError> {
        let turns = Turns {
            epoch,
            from,
            signer: &self.signer,
            last: self.now.as_ref().map(|now| now.end.public_key()),
        };
        let key = announcement.certified(&self.witness, &turns, &*self.backend)?;
        if self.had.contains(&mark(&key)) {
            return Err(ProtocolError::KeyRefused {
                epoch: epoch.number(),
                fault: KeyFault::Reused,
            });
        }
        let end = self.backend.evaluator(key, job.bounds())?;
        Ok(Keyed { epoch, end })
    }

    /// Whether the key in use may serve `round`.
    pub(in crate::acml) fn serve(&self, round: u64) -> Result<(), ProtocolError> {
        match (self.due.turn(round), &self.now) {
            (Turn::Overdue, Some(now)) => Err(ProtocolError::KeyRefused {
                epoch: now.epoch.number(),
                fault: KeyFault::Overdue {
                    round,
                    due: self.due.last(),
                },
            }),
            _ => Ok(()),
        }
    }

    /// At rest before exchange `index`: the next key takes its place.
    pub(in crate::acml) fn rest(&mut self, index: u64, schedule: &Schedule) {
        if let Some(next) = self.next.take()
            && let Some(last) = self.now.replace(next)
        {
            if self.had.len() >= REMEMBERED {
                self.had.pop_front();
            }
            self.had.push_back(mark(last.end.public_key()));
            self.since_ms = self.witness.notary.now_ms();
            self.due.changed(schedule.rounds_before(index));
        }
    }

    /// Bytes that [`PeerKeys::encode`] writes at most.
    pub(in crate::acml) fn room(&self) -> usize {
        let key = self.now.as_ref().map(|now| now.end.public_key().encoded());
        32 * self.had.len() + key.map_or(0, |key| key.len()) + 64
    }
}

impl<S: Scheme> Encode for PeerKeys<S> {
    fn encode(&self, out: &mut Vec<u8>) {
        put_option(self.now.as_ref(), out, |now, out| {
            now.epoch.encode(out);
            now.end.public_key().encode(out);
        });
        self.since_ms.encode(out);
        (self.had.len() as u32).encode(out);
        self.had.iter().for_each(|mark| mark.encode(out));
        self.due.encode(out);
    }
}

impl<S: Scheme> SavedPeerKeys<S> {
    /// Of a role of this job.
    pub(in crate::acml) fn read(job: &Job, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            now: option("public key", input, |input| {
                let epoch = KeyEpoch::decode(&(), input)?;
                Ok((epoch, S::PublicKey::decode(&job.key_bits(), input)?))
            })?,
            since_ms: input.u64("moment of a key")?,
            had: {
                let count = input.count("keys before", REMEMBERED)?;
                let marks = (0..count).map(|_| Digest::decode(&(), input));
                marks.collect::<Result<_, _>>()?
            },
            due: {
                let mut due = Due::of(job);
                due.resume(input)?;
                due
            },
        })
    }
}
