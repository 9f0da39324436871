//! What a job takes of a party, and what a party has of it.
//!
//! Three kinds, and a job takes all of them or none: a party with a place for
//! one more job and no memory for it has no room. A party that has not said
//! how much there is of a kind does not have it counted.

use entente_protocol::job::Resources;

use crate::job::{Lack, RoomKind};

/// What a job takes at each of its parties; or several jobs together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(in crate::engine) struct Need {
    jobs: u64,
    threads: u64,
    memory_bytes: u64,
}

impl Need {
    /// Of one job.
    pub(in crate::engine) fn of(resources: &Resources) -> Self {
        Self {
            jobs: 1,
            threads: resources.threads.into(),
            memory_bytes: resources.memory_bytes,
        }
    }

    /// Of a job that is known by its name alone.
    pub(in crate::engine) fn unknown() -> Self {
        Self::of(&Resources::default())
    }

    /// Both.
    pub(in crate::engine) fn and(self, other: Self) -> Self {
        Self {
            jobs: self.jobs.saturating_add(other.jobs),
            threads: self.threads.saturating_add(other.threads),
            memory_bytes: self.memory_bytes.saturating_add(other.memory_bytes),
        }
    }

    /// How heavily a job's time counts: by the threads that it takes.
    pub(in crate::engine) fn weight(self) -> u64 {
        self.threads.max(1)
    }

    fn of_kind(self, kind: RoomKind) -> u64 {
        match kind {
            RoomKind::Jobs => self.jobs,
            RoomKind::Threads => self.threads,
            RoomKind::Memory => self.memory_bytes,
        }
    }
}

impl core::iter::Sum for Need {
    fn sum<I: Iterator<Item = Self>>(needs: I) -> Self {
        needs.fold(Self::default(), Self::and)
    }
}

/// What a party has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::engine) struct Room {
    pub(in crate::engine) jobs: u32,
    /// Not counted if nothing.
    pub(in crate::engine) threads: Option<u32>,
    /// Not counted if nothing.
    pub(in crate::engine) memory_bytes: Option<u64>,
}

impl Room {
    /// The first kind of which too little is left for `need`.
    pub(in crate::engine) fn lacks(&self, taken: Need, need: Need) -> Option<Lack> {
        RoomKind::ALL.into_iter().find_map(|kind| {
            let lack = Lack {
                kind,
                most: self.of_kind(kind)?,
                taken: taken.of_kind(kind),
                needs: need.of_kind(kind),
            };
            (lack.taken.saturating_add(lack.needs) > lack.most).then_some(lack)
        })
    }

    /// Whether there would be enough if nothing else were there.
    pub(in crate::engine) fn could_hold(&self, need: Need) -> bool {
        self.lacks(Need::default(), need).is_none()
    }

    fn of_kind(&self, kind: RoomKind) -> Option<u64> {
        match kind {
            RoomKind::Jobs => Some(self.jobs.into()),
            RoomKind::Threads => self.threads.map(u64::from),
            RoomKind::Memory => self.memory_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(threads: u32, memory_bytes: u64) -> Need {
        Need::of(&Resources {
            threads,
            memory_bytes,
        })
    }

    #[test]
    fn the_first_kind_that_is_short_is_told() {
        let room = Room {
            jobs: 2,
            threads: Some(8),
            memory_bytes: Some(1 << 30),
        };
        let taken = need(6, 512 << 20);
        assert_eq!(room.lacks(taken, need(2, 512 << 20)), None);
        let lack = |taken, need| room.lacks(taken, need).map(|lack| lack.to_string());
        assert_eq!(
            lack(taken, need(3, 1 << 30)).as_deref(),
            Some("has 8 threads, 6 of them taken, of 3 that are needed")
        );
        assert_eq!(
            lack(taken, need(1, 513 << 20)).as_deref(),
            Some("has 1024 MiB of memory, 512 of them taken, of 513 that are needed")
        );
        assert_eq!(
            lack(taken.and(need(0, 0)), need(9, 0)).as_deref(),
            Some("runs 2 jobs at most")
        );
        assert_eq!(
            lack(Need::default(), need(9, 0)).as_deref(),
            Some(
                "has 8 threads, 0 of them taken, of 9 that are needed: never enough, see \
                 [resources] of the job"
            )
        );
        assert!(!room.could_hold(need(9, 0)) && room.could_hold(need(8, 1 << 30)));
    }

    #[test]
    fn what_a_party_does_not_say_is_not_counted() {
        let room = Room {
            jobs: 2,
            ..Room::default()
        };
        let heavy = need(u32::MAX, u64::MAX);
        assert_eq!(room.lacks(heavy, heavy), None);
        let two = heavy.and(heavy);
        assert_eq!(
            room.lacks(two, heavy).map(|lack| lack.kind),
            Some(RoomKind::Jobs)
        );
    }
}
