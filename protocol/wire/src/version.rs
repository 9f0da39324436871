//! The versions of the wire format, and how they come and go.
//!
//! ```text
//!   release      speaks    a pair takes
//!   0.1            1       1
//!   0.2          2, 1      2 with its like, 1 with 0.1
//!   0.3          3, 2      3 with its like, 2 with 0.2, none with 0.1
//! ```
//!
//! **The rule.** A build speaks two versions, N and N-1 ([`Spoken::ALL`]): two
//! organisations bring in a release one after the other, in whichever order, and
//! never have to agree on an hour. What it speaks no more it can still *read*:
//! the bytes of every version that was ever released stay among the tests
//! (`tests/vectors/`), and each decodes for ever.
//!
//! **Who chooses.** A session has one version, from its first message to its last.
//! Each party tells the coordinator which it speaks, the coordinator names the
//! newest that both do when it gives an attempt its places, and the version is
//! part of the [session](crate::Session)'s digest: two parties that were told
//! different versions do not understand each other at all. Nor is a coordinator
//! believed that names an older version than it might: who speaks what stands in
//! the [greetings](crate::Hello) of the link too, which no coordinator sees, and
//! a session that begins below what they have in common ends by name.
//!
//! Refused: a version per link. A link is made anew at any time, by another
//! release than before; a message that is sent again must be the same bytes, and
//! the journal that keeps it must know which.
//!
//! **To add version N+1:** a variant here, in front of [`WireVersion::ALL`]; what it
//! changes as a `match` on the version where the bytes are made and read, under
//! a number of its own (a frame type, a message kind), so that no reader ever
//! has to guess; vectors of it in `tests/vectors/`, made once and committed.
//! Give the change to the session's own version, and nothing to the link.
//!
//! **To retire version N-1:** raise `Spoken::OLDEST`, and nothing else. Its
//! decoder and its vectors stay. Say so in the notes of the release: attempts
//! that have begun under it cannot be gone on with, and begin again.

use core::fmt;

use thiserror::Error;

/// A version of the wire format that this build knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WireVersion {
    /// The first.
    V1,
    /// A message has the digest of its place and content with it, and is held
    /// against it before anybody takes it.
    V2,
}

impl WireVersion {
    /// The first. What does not say its version has this one.
    pub const FIRST: Self = Self::V1;
    /// The one that two of this build take.
    pub const NEWEST: Self = Self::V2;
    /// All that can be read, newest first.
    pub const ALL: [Self; 2] = [Self::V2, Self::V1];

    /// Its number.
    pub const fn number(self) -> u16 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }

    /// The version of a number, if it is known.
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.number() == number)
    }
}

impl fmt::Display for WireVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

/// The versions that a party speaks: at least one, all up to a newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spoken {
    newest: WireVersion,
}

/// A version that is not spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("wire version {wanted} is not spoken here, which speaks {spoken}")]
pub struct NotSpoken {
    /// Its number.
    pub wanted: u16,
    /// What is spoken.
    pub spoken: Spoken,
}

impl Spoken {
    /// All that this build speaks.
    pub const ALL: Self = Self {
        newest: WireVersion::NEWEST,
    };
    /// The oldest that any party of this build speaks.
    const OLDEST: WireVersion = WireVersion::V1;

    /// Those that this build speaks, without any that is newer than `newest`.
    pub fn up_to(newest: WireVersion) -> Self {
        Self {
            newest: newest.max(Self::OLDEST),
        }
    }

    /// Newest first.
    pub fn iter(self) -> impl Iterator<Item = WireVersion> {
        let all = WireVersion::ALL.into_iter();
        all.filter(move |one| (Self::OLDEST..=self.newest).contains(one))
    }

    /// Their numbers, newest first.
    pub fn numbers(self) -> Vec<u16> {
        self.iter().map(WireVersion::number).collect()
    }

    /// The newest.
    pub fn newest(self) -> WireVersion {
        self.newest
    }

    /// The version of a number.
    ///
    /// # Errors
    /// [`NotSpoken`]
    pub fn version(self, number: u16) -> Result<WireVersion, NotSpoken> {
        let spoken = self.iter().find(|one| one.number() == number);
        spoken.ok_or(NotSpoken {
            wanted: number,
            spoken: self,
        })
    }
}

impl Default for Spoken {
    fn default() -> Self {
        Self::ALL
    }
}

/// `2, 1`.
impl fmt::Display for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&listed(&self.numbers()))
    }
}

/// What both ends of a link speak: at least one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Common {
    newest: WireVersion,
    older: Vec<WireVersion>,
    theirs: Vec<u16>,
}

impl Common {
    /// What is in both lists; nothing if there is none.
    pub fn of(ours: Spoken, theirs: &[u16]) -> Option<Self> {
        let mut both = ours.iter().filter(|one| theirs.contains(&one.number()));
        Some(Self {
            newest: both.next()?,
            older: both.collect(),
            theirs: theirs.to_vec(),
        })
    }

    /// The newest, which a session that begins now has.
    pub fn newest(&self) -> WireVersion {
        self.newest
    }

    /// All that the other end speaks, newest first.
    pub fn theirs(&self) -> &[u16] {
        &self.theirs
    }

    /// Whether a session of this version can go on over the link.
    pub fn has(&self, version: WireVersion) -> bool {
        self.newest == version || self.older.contains(&version)
    }
}

/// Version numbers for a person: `2, 1`, or `none`.
pub fn listed(versions: &[u16]) -> String {
    if versions.is_empty() {
        return "none".to_owned();
    }
    let numbers: Vec<String> = versions.iter().map(u16::to_string).collect();
    numbers.join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_build_speaks_two_versions_and_reads_all() {
        assert_eq!(Spoken::ALL.numbers(), [2, 1]);
        assert_eq!(Spoken::ALL.to_string(), "2, 1");
        let numbers = WireVersion::ALL.map(WireVersion::number);
        assert!(numbers.is_sorted_by(|newer, older| newer > older));
        for number in numbers {
            let version = WireVersion::from_number(number).unwrap();
            assert_eq!(version.number(), number);
        }
        for number in [0, WireVersion::NEWEST.number() + 1, u16::MAX] {
            assert_eq!(WireVersion::from_number(number), None);
        }
    }

    #[test]
    fn a_version_that_is_held_back_is_not_spoken() {
        let first = Spoken::up_to(WireVersion::FIRST);
        assert_eq!(first.numbers(), [1]);
        assert_eq!(first.version(1), Ok(WireVersion::V1));
        let error = first.version(2).unwrap_err();
        assert_eq!(
            error.to_string(),
            "wire version 2 is not spoken here, which speaks 1"
        );
        assert_eq!(Spoken::up_to(WireVersion::NEWEST), Spoken::ALL);
    }

    #[test]
    fn two_have_in_common_what_both_speak() {
        let common = |theirs: &[u16]| Common::of(Spoken::ALL, theirs);
        let both = common(&[1, 2, 9]).unwrap();
        assert_eq!(both.newest(), WireVersion::V2);
        assert!(both.has(WireVersion::V1) && both.has(WireVersion::V2));
        let first = common(&[1]).unwrap();
        assert_eq!(first.newest(), WireVersion::V1);
        assert!(!first.has(WireVersion::V2));
        assert_eq!(common(&[9]), None);
        assert_eq!(common(&[]), None);
        assert_eq!(listed(&[]), "none");
    }
}
