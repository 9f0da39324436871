//! The identity of one attempt at one job, and what logs call it.

use core::fmt;
use std::str::FromStr;

use entente_wire::{Digest, Session, WireVersion};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::job::JobId;

/// The session of an attempt: the digest over the job's identity, what the
/// job says (its own digest), which attempt it is, and the version of the wire
/// format (unless it is the first). Messages of one session mean nothing in
/// another, whoever replays them.
pub fn session(id: JobId, job: Digest, attempt: u32, version: WireVersion) -> Session {
    Session::new(attempt_digest(id, job, attempt), version)
}

/// What an attempt is, whichever version its messages are written in.
fn attempt_digest(id: JobId, job: Digest, attempt: u32) -> Digest {
    Digest::of(
        "entente session",
        &[id.as_bytes(), job.as_bytes(), &attempt.to_be_bytes()],
    )
}

/// What one attempt at one job is called in logs and records, at both parties
/// and the coordinator: the start of its digest, which each derives for
/// itself. Nothing is sent, and a party that logs another one works on another
/// specification. It is told from the submission on, and the version of the wire
/// format is not known before both parties are: so it is no part of it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct Correlation([u8; Self::BYTES]);

impl Correlation {
    const BYTES: usize = 6;

    /// Of an attempt.
    pub fn of(id: JobId, job: Digest, attempt: u32) -> Self {
        let [a, b, c, d, e, f, ..] = *attempt_digest(id, job, attempt).as_bytes();
        Self([a, b, c, d, e, f])
    }
}

/// Twelve hexadecimal digits.
impl fmt::Display for Correlation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Not a correlation id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a correlation id has twelve hexadecimal digits")]
pub struct NoCorrelation;

impl FromStr for Correlation {
    type Err = NoCorrelation;

    fn from_str(text: &str) -> Result<Self, NoCorrelation> {
        let mut bytes = [0; Self::BYTES];
        let digits = text.as_bytes();
        let (pairs, rest) = digits.as_chunks::<2>();
        if pairs.len() != Self::BYTES || !rest.is_empty() {
            return Err(NoCorrelation);
        }
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            let pair = str::from_utf8(pair).map_err(|_| NoCorrelation)?;
            if !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(NoCorrelation);
            }
            *byte = u8::from_str_radix(pair, 16).map_err(|_| NoCorrelation)?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Correlation {
    type Error = NoCorrelation;

    fn try_from(text: String) -> Result<Self, NoCorrelation> {
        text.parse()
    }
}

impl From<Correlation> for String {
    fn from(correlation: Correlation) -> Self {
        correlation.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_attempt_has_a_correlation_of_its_own_and_it_reads_back() {
        let id: JobId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let job = Digest::of("a job", &[]);
        let (first, second) = (Correlation::of(id, job, 1), Correlation::of(id, job, 2));
        assert_ne!(first, second);
        let text = first.to_string();
        let of_version_1 = session(id, job, 1, WireVersion::V1);
        assert!(of_version_1.to_string().starts_with(&text));
        assert_eq!((text.len(), text.parse()), (12, Ok(first)));
        let json = serde_json::to_string(&first).unwrap();
        assert_eq!(serde_json::from_str::<Correlation>(&json).unwrap(), first);
    }

    /// What was committed to before there was another version stays what it was.
    #[test]
    fn a_session_of_the_first_version_is_called_as_it_always_was() {
        let id: JobId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let job = Digest::of("a job", &[]);
        let named = |version| session(id, job, 3, version).to_string();
        assert_eq!(
            named(WireVersion::V1),
            "2247027e2db203b7cce2d7b6ff6fd835b00f393d6264f7dabd597ba7c07f8232"
        );
        assert_eq!(
            named(WireVersion::V2),
            "76f11b54f4d4ae7f6ce3428d2c893abc09e5c992ace927ff4b64a67a55e82057"
        );
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "",
            "0123456789a",
            "0123456789abc",
            "0123456789ag",
            "+1+1+1+1+1+1",
            "λλλλλλ",
        ] {
            assert_eq!(text.parse::<Correlation>(), Err(NoCorrelation), "{text}");
        }
    }
}
