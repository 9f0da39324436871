//! Whose messages belong together, and in which version they are written.

use core::fmt;

use crate::{Digest, WireVersion};

/// Names one attempt at one job between its parties: the digest over the job's
/// identity, its specification, the attempt, and from the second version on
/// the version of the wire format. Two parties that disagree about any of these
/// do not understand each other's messages at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub Digest);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A session: its name, and the version that its messages are written in.
///
/// The two are one value, since they are made of each other. Whoever writes a
/// message has a session and nothing else to choose by: there is no way to write
/// one of version 2 into a session of version 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Session {
    id: SessionId,
    version: WireVersion,
}

impl Session {
    /// Of an attempt at a job, by the digest of what it is.
    ///
    /// In the first version this digest is the session's name, as it was before
    /// there was another.
    pub fn new(attempt: Digest, version: WireVersion) -> Self {
        let id = match version {
            WireVersion::V1 => attempt,
            WireVersion::V2 => {
                let number = version.number().to_be_bytes();
                let parts: [&[u8]; 2] = [attempt.as_bytes(), &number];
                Digest::of("entente session of a wire version", &parts)
            }
        };
        Self {
            id: SessionId(id),
            version,
        }
    }

    /// As a message says of itself: whether there is such a session is to be
    /// looked up.
    pub(crate) fn claimed(id: SessionId, version: WireVersion) -> Self {
        Self { id, version }
    }

    /// Its name.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The version that its messages are written in.
    pub fn version(&self) -> WireVersion {
        self.version
    }
}

/// Its name.
impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_of_an_attempt_is_another_session() {
        let attempt = Digest::of("an attempt", &[]);
        let sessions = WireVersion::ALL.map(|version| Session::new(attempt, version));
        for session in sessions {
            let same = sessions.iter().filter(|one| one.id() == session.id());
            assert_eq!(same.count(), 1, "{session:?}");
        }
        let first = Session::new(attempt, WireVersion::FIRST);
        assert_eq!(first.id(), SessionId(attempt));
    }
}
