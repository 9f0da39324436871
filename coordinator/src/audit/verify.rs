//! Whether a log is as it was written.

use core::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::Entry;

/// The last entry of a log: what to keep elsewhere, as `41:0ab3...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its number; 0 of an empty log.
    pub number: u64,
    /// Its hash, in hexadecimal.
    pub hash: String,
}

/// Not a head.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no head of an audit log: write NUMBER:HASH as verify printed it")]
pub struct HeadError(String);

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number, self.hash)
    }
}

impl FromStr for Head {
    type Err = HeadError;

    fn from_str(text: &str) -> Result<Self, HeadError> {
        let parse = || {
            let (number, hash) = text.split_once(':')?;
            let mut bytes = [0; 32];
            hex::decode_to_slice(hash, &mut bytes).ok()?;
            let number = number.parse().ok()?;
            let hash = hex::encode(bytes);
            Some(Self { number, hash })
        };
        parse().ok_or_else(|| HeadError(text.to_owned()))
    }
}

/// What shows that a log is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Tampered {
    /// An entry does not have the hash of what it says.
    #[error("entry {0} was altered: its hash is another than that of what it says")]
    Altered(u64),
    /// An entry does not follow the one before it.
    #[error("entry {0} does not follow the one before it, which was made anew")]
    Unlinked(u64),
    /// An entry is missing, or was put in.
    #[error("entry {expected} is missing: {found} stands in its place")]
    Missing {
        /// The number that should come.
        expected: u64,
        /// The number that comes.
        found: u64,
    },
    /// The log ends before an entry that it once had.
    #[error("the log ends at entry {end}, and had {known} entries once")]
    CutShort {
        /// Its last entry.
        end: u64,
        /// The last entry that was known.
        known: u64,
    },
    /// An entry has another hash than it once had.
    #[error("entry {0} has another hash than it once had: the log was made anew")]
    MadeAnew(u64),
}

/// Checks a log from its first entry to its last, and that it still has the
/// entry that was once its last; gives the last entry now.
///
/// # Errors
/// The first [`Tampered`].
pub fn verify(entries: &[Entry], known: Option<&Head>) -> Result<Head, Tampered> {
    let mut head = Head {
        number: 0,
        hash: Entry::origin(),
    };
    for entry in entries {
        let expected = head.number.saturating_add(1);
        if entry.number != expected {
            let found = entry.number;
            return Err(Tampered::Missing { expected, found });
        }
        if entry.hash != entry.expected_hash() {
            return Err(Tampered::Altered(entry.number));
        }
        if entry.previous != head.hash {
            return Err(Tampered::Unlinked(entry.number));
        }
        head = Head {
            number: entry.number,
            hash: entry.hash.clone(),
        };
        if known.is_some_and(|known| known.number == head.number && known.hash != head.hash) {
            return Err(Tampered::MadeAnew(head.number));
        }
    }
    match known {
        Some(known) if known.number > head.number => Err(Tampered::CutShort {
            end: head.number,
            known: known.number,
        }),
        _ => Ok(head),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{audit::Deed, clock::Millis, testbed::record};

    fn log(entries: u64) -> Vec<Entry> {
        let mut log: Vec<Entry> = Vec::new();
        for number in 1..=entries {
            let mut deed = Deed::submitted(&record(number.into()));
            deed.at_ms = Millis(number);
            let last = log.last().map(|entry| (entry.number, entry.hash.clone()));
            log.push(Entry::after(last, deed));
        }
        log
    }

    #[test]
    fn a_log_as_it_was_written_is_good() {
        assert_eq!(verify(&[], None).unwrap().number, 0);
        let log = log(5);
        let early = verify(&log[..3], None).unwrap();
        let head = verify(&log, Some(&early)).unwrap();
        assert_eq!((head.number, &head.hash), (5, &log[4].hash));
        assert_eq!(head.to_string().parse(), Ok(head));
        let json = serde_json::to_string(&log).unwrap();
        let read: Vec<Entry> = serde_json::from_str(&json).unwrap();
        assert_eq!(read, log);
        assert!("5".parse::<Head>().is_err());
        assert!("5:ab".parse::<Head>().is_err());
    }

    #[test]
    fn hashes_are_the_same_for_ever() {
        let who = "user/bob".parse().unwrap();
        let job = Some(crate::testbed::id(1));
        let deed = Deed::refused(who, "DELETE /v1/jobs/{id}".into(), job, Millis(7));
        assert_eq!(
            Entry::after(None, deed).hash,
            "405ad6a59a3c035f9c4594715a6881447273a0332e2e1db3a64b2e1aeecf9c43"
        );
    }

    #[test]
    fn every_field_that_is_altered_shows() {
        let good = log(3);
        let alterations: [fn(&mut Entry); 8] = [
            |entry| entry.deed.at_ms.0 += 1,
            |entry| entry.deed.who = None,
            |entry| entry.deed.who = Some("user/mallory".parse().unwrap()),
            |entry| entry.deed.what = crate::audit::What::Cancelled,
            |entry| entry.deed.job = None,
            |entry| entry.deed.spec_digest = Some("00".into()),
            |entry| entry.deed.call = Some("DELETE".into()),
            |entry| entry.hash = Entry::origin(),
        ];
        for alter in alterations {
            let mut log = good.clone();
            alter(&mut log[1]);
            assert_eq!(verify(&log, None), Err(Tampered::Altered(2)));
        }
    }

    #[test]
    fn what_is_missing_put_in_swapped_or_made_anew_shows() {
        let good = log(4);
        let head = verify(&good, None).unwrap();
        let missing = |expected, found| Err(Tampered::Missing { expected, found });
        let mut log = good.clone();
        log.remove(0);
        assert_eq!(verify(&log, None), missing(1, 2));
        let mut log = good.clone();
        log.remove(2);
        assert_eq!(verify(&log, None), missing(3, 4));
        let mut log = good.clone();
        log.swap(1, 2);
        assert_eq!(verify(&log, None), missing(2, 3));
        let mut log = good.clone();
        log.insert(1, good[1].clone());
        assert_eq!(verify(&log, None), missing(3, 2));
        // One entry with a hash that is right again: the next does not follow.
        let mut log = good.clone();
        log[1].deed.who = None;
        log[1].hash = log[1].expected_hash();
        assert_eq!(verify(&log, None), Err(Tampered::Unlinked(3)));
        // Cut short, or all made anew: it takes the head to see.
        let cut = Tampered::CutShort { end: 3, known: 4 };
        assert_eq!(verify(&good[..3], Some(&head)), Err(cut));
        log[2].previous = log[1].hash.clone();
        log[2].hash = log[2].expected_hash();
        log[3].previous = log[2].hash.clone();
        log[3].hash = log[3].expected_hash();
        assert!(verify(&log, None).is_ok());
        assert_eq!(verify(&log, Some(&head)), Err(Tampered::MadeAnew(4)));
    }
}
