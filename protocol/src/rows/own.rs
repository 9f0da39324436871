//! What either side holds while rows are compared.

use curve25519_dalek::RistrettoPoint;
use entente_he::Rng;
use entente_wire::{Digest, Public};
use rayon::prelude::*;

use super::{
    Common, MAX_COUNTED_IDS, RowIds, RowsDiffer,
    blinded::{Blind, Blinded, BlindedSet, hashed},
};

/// This side's rows, and the scalars of this set-up.
pub(super) struct Own {
    /// The digest of the job: the same rows in another job are other points.
    job: Digest,
    ids: RowIds,
    for_list: Blind,
    for_ids: Blind,
}

impl Own {
    pub(super) fn new(job: Digest, ids: RowIds, rng: &mut Rng) -> Self {
        Self {
            job,
            ids,
            for_list: Blind::draw(rng),
            for_ids: Blind::draw(rng),
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.ids.len() as u64
    }

    pub(super) fn public_count(&self) -> Public<u64> {
        Public::declassify(
            self.count(),
            "both parties must hold as many rows, and compare",
        )
    }

    /// The whole list in its order, as one blinded point.
    pub(super) fn list(&self) -> Blinded {
        let job: &[u8] = self.job.as_bytes();
        let point = match self.ids.named() {
            None => hashed("entente rows numbered", &[job, &self.count().to_be_bytes()]),
            Some(ids) => {
                let bytes: Vec<u8> = ids.iter().flat_map(|id| *id.as_bytes()).collect();
                hashed("entente rows named", &[job, &bytes])
            }
        };
        self.for_list.cover(&point)
    }

    pub(super) fn list_again(&self, theirs: &Blinded) -> Blinded {
        self.for_list.cover_again(theirs)
    }

    /// Every id as a blinded point.
    pub(super) fn blinded_ids(&self) -> BlindedSet {
        let point = |id: &super::RowId| -> RistrettoPoint {
            hashed("entente row", &[self.job.as_bytes(), id.as_bytes()])
        };
        let ids = self.ids.named().unwrap_or_default();
        BlindedSet::cover(&self.for_ids, ids.par_iter().map(point))
    }

    pub(super) fn ids_again(&self, theirs: &BlindedSet) -> BlindedSet {
        theirs.cover_again(&self.for_ids)
    }

    /// What the difference from a side of `there` rows is, if nothing more is
    /// to be counted.
    pub(super) fn difference_uncounted(&self, there: u64) -> Option<RowsDiffer> {
        let common = if self.ids.named().is_none() {
            Common::ByPosition
        } else if self.count().max(there) > MAX_COUNTED_IDS {
            Common::NotCounted
        } else {
            return None;
        };
        Some(self.difference(there, common))
    }

    pub(super) fn difference(&self, there: u64, common: Common) -> RowsDiffer {
        RowsDiffer {
            here: self.count(),
            there,
            common,
        }
    }
}
