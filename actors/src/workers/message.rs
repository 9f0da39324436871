//! What a party and its workers tell each other.
//!
//! On the stream a message is a frame of the [transport](crate::transport): a u32
//! length and so many bytes, of which the **last** says what the others are. So what
//! is handed on for a peer is handed on as it lies in memory, whatever its size.
//!
//! Orders and reports are level-triggered, as between party and coordinator: each
//! has all that there is to know, and a lost connection loses nothing.

use entente_protocol::{
    control::{Assignment, JobReport},
    job::JobId,
};
use entente_wire::MAX_FRAME_BYTES;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Parcel, WorkerId, counted};
use crate::transport::LinkError;

/// Of these messages. Party and worker are of one version of the software, except
/// while it is being replaced; then the worker is replaced too.
pub(super) const VERSION: u32 = 2;
/// The largest message: a peer's frame, and the byte behind it.
pub(super) const MAX_BYTES: usize = MAX_FRAME_BYTES + 1;
/// The largest order, report or greeting.
const MAX_WORDS_BYTES: usize = 1 << 20;
/// The largest part of a file, without its label.
pub(super) const MAX_PART_BYTES: usize = 1 << 20;
/// The largest label of a part.
const MAX_LABEL_BYTES: usize = 256;

/// The first thing that a worker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    /// [`VERSION`]. Of another one nothing else is read.
    pub(super) version: u32,
    /// Of whom it is the worker.
    pub(super) job: JobId,
    /// See [`WorkerId`].
    pub(super) attempt: u32,
    /// Drawn when the process began: another one is another process.
    pub(super) process: u64,
}

impl Hello {
    pub(super) fn worker(&self) -> WorkerId {
        WorkerId {
            job: self.job,
            attempt: self.attempt,
        }
    }
}

/// What a worker has to know of the party's link to the peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Linked {
    /// Its number.
    pub(super) number: u64,
    /// The versions of the wire format that the peer speaks, newest first.
    pub(super) peer_speaks: Vec<u16>,
}

/// All that a worker is to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// The job, as the coordinator wishes it now.
    pub(super) assignment: Assignment,
    /// The party's link to the peer, while there is one.
    pub(super) linked: Option<Linked>,
    /// What is said of the peer's certificate, if the peer is trusted no more.
    pub(super) revoked: Option<String>,
}

/// What stands on a part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Label {
    pub(super) parcel: Parcel,
    pub(super) first: bool,
    pub(super) last: bool,
}

/// A message, in either direction.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Message {
    /// Worker to party, first.
    Hello(Hello),
    /// Party to worker: all that is wished.
    Order(Box<Order>),
    /// Worker to party: all that is true.
    Report(Box<JobReport>),
    /// Worker to party: what it has counted, unopened.
    Counted(Vec<u8>),
    /// A peer's frame, or one for it; unopened.
    Frame(Vec<u8>),
    /// A part of a file that the other side is to keep.
    Part(Label, Vec<u8>),
    /// A file of the other side is kept.
    Kept,
    /// That one is there.
    Beat,
    /// Party to worker: this worker is not wanted.
    Leave,
}

const FRAME: u8 = 1;
const HELLO: u8 = 2;
const ORDER: u8 = 3;
const REPORT: u8 = 4;
const PART: u8 = 5;
const KEPT: u8 = 6;
const BEAT: u8 = 7;
const LEAVE: u8 = 8;
const COUNTED: u8 = 9;

impl Message {
    /// Its bytes, and the byte that stands behind them.
    pub(super) fn packed(self) -> (Vec<u8>, u8) {
        // What is derived here cannot fail to be written: no map, no float key.
        fn words(value: &impl Serialize) -> Vec<u8> {
            serde_json::to_vec(value).unwrap_or_default()
        }
        match self {
            Self::Hello(hello) => (words(&hello), HELLO),
            Self::Order(order) => (words(&order), ORDER),
            Self::Report(report) => (words(&report), REPORT),
            Self::Counted(counted) => (counted, COUNTED),
            Self::Frame(frame) => (frame, FRAME),
            Self::Part(label, mut bytes) => {
                let label = words(&label);
                bytes.extend_from_slice(&label);
                bytes.extend_from_slice(&(label.len() as u16).to_be_bytes());
                (bytes, PART)
            }
            Self::Kept => (Vec::new(), KEPT),
            Self::Beat => (Vec::new(), BEAT),
            Self::Leave => (Vec::new(), LEAVE),
        }
    }

    /// From what came: bytes, and the byte behind them.
    ///
    /// # Errors
    /// [`LinkError::Unexpected`], [`LinkError::Oversized`].
    pub(super) fn unpacked(mut bytes: Vec<u8>) -> Result<Self, LinkError> {
        let empty = |bytes: &[u8], message| match bytes {
            [] => Ok(message),
            _ => Err(LinkError::Unexpected("message with something in it")),
        };
        match bytes.pop() {
            Some(FRAME) => Ok(Self::Frame(bytes)),
            Some(HELLO) => read(&bytes).map(Self::Hello),
            Some(ORDER) => read(&bytes).map(Self::Order),
            Some(REPORT) => read(&bytes).map(Self::Report),
            Some(COUNTED) => {
                within(bytes.len(), counted::MAX_BYTES)?;
                Ok(Self::Counted(bytes))
            }
            Some(PART) => part(bytes),
            Some(KEPT) => empty(&bytes, Self::Kept),
            Some(BEAT) => empty(&bytes, Self::Beat),
            Some(LEAVE) => empty(&bytes, Self::Leave),
            _ => Err(LinkError::Unexpected("message of an unknown kind")),
        }
    }

    /// A closed set of names, for logs.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Hello(_) => "greeting",
            Self::Order(_) => "order",
            Self::Report(_) => "report",
            Self::Counted(_) => "what was counted",
            Self::Frame(_) => "frame",
            Self::Part(..) => "part of a file",
            Self::Kept => "word that a file is kept",
            Self::Beat => "beat",
            Self::Leave => "dismissal",
        }
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, LinkError> {
    within(bytes.len(), MAX_WORDS_BYTES)?;
    serde_json::from_slice(bytes).map_err(|error| {
        tracing::debug!(%error, "a message between party and worker");
        LinkError::Unexpected("message that cannot be read")
    })
}

fn part(mut bytes: Vec<u8>) -> Result<Message, LinkError> {
    let unreadable = LinkError::Unexpected("part without a label");
    within(bytes.len(), MAX_PART_BYTES + MAX_LABEL_BYTES)?;
    let Some((rest, length)) = bytes.split_last_chunk::<2>() else {
        return Err(unreadable);
    };
    let length = usize::from(u16::from_be_bytes(*length));
    let Some(content) = rest.len().checked_sub(length) else {
        return Err(unreadable);
    };
    let label = read(&rest[content..])?;
    bytes.truncate(content);
    Ok(Message::Part(label, bytes))
}

fn within(got: usize, limit: usize) -> Result<(), LinkError> {
    match got <= limit {
        true => Ok(()),
        false => Err(LinkError::Oversized { got, limit }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testbed::assignment;

    fn joined(message: Message) -> Vec<u8> {
        let (mut bytes, kind) = message.packed();
        bytes.push(kind);
        bytes
    }

    fn every_kind() -> Vec<Message> {
        let assignment = assignment(1, "bank-a", "bank-b");
        let job = assignment.job;
        let report = serde_json::json!({
            "job": job, "attempt": 1, "phase": { "phase": "running" },
            "progress": {
                "exchanges_done": 1, "exchanges": 2, "rounds_done": 1, "rounds": 2,
                "epoch": 1, "samples": 30, "loss": 0.1
            }
        });
        vec![
            Message::Hello(Hello {
                version: VERSION,
                job,
                attempt: 1,
                process: u64::MAX,
            }),
            Message::Order(Box::new(Order {
                assignment,
                linked: Some(Linked {
                    number: 3,
                    peer_speaks: vec![2, 1],
                }),
                revoked: Some("why".to_owned()),
            })),
            Message::Report(serde_json::from_value(report).unwrap()),
            Message::Counted(vec![1, 7, 7]),
            Message::Frame(vec![2, 7, 7]),
            Message::Part(
                Label {
                    parcel: Parcel::Half(job),
                    first: true,
                    last: false,
                },
                vec![1; MAX_PART_BYTES],
            ),
            Message::Kept,
            Message::Beat,
            Message::Leave,
        ]
    }

    #[test]
    fn messages_come_back_as_they_were() {
        for message in every_kind() {
            assert_eq!(Message::unpacked(joined(message.clone())).unwrap(), message);
        }
    }

    #[test]
    fn what_is_cut_short_or_too_long_is_refused() {
        for message in every_kind() {
            if matches!(message, Message::Frame(_) | Message::Counted(_)) {
                continue;
            }
            let (bytes, kind) = message.packed();
            for length in [0, 1, bytes.len() / 2, bytes.len().saturating_sub(1)] {
                if length < bytes.len() {
                    let mut cut = bytes[..length].to_vec();
                    cut.push(kind);
                    assert!(Message::unpacked(cut).is_err(), "{kind} of {length}");
                }
            }
        }
        assert!(Message::unpacked(Vec::new()).is_err());
        assert!(Message::unpacked(vec![99]).is_err());
        assert!(Message::unpacked(vec![0, BEAT]).is_err());
        for (limit, kind) in [(MAX_WORDS_BYTES, REPORT), (counted::MAX_BYTES, COUNTED)] {
            let mut long = vec![b' '; limit + 1];
            long.push(kind);
            let error = Message::unpacked(long).unwrap_err();
            assert!(matches!(error, LinkError::Oversized { .. }));
        }
    }
}
