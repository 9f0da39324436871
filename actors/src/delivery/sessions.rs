//! Whose message is it.

use std::collections::HashMap;

use entente_protocol::job::PartyName;
use entente_wire::{Refusal, Session, SessionId};

/// The sessions of a party, each with its one peer and whoever runs it.
#[derive(Debug)]
pub struct Sessions<T> {
    open: HashMap<SessionId, (Session, PartyName, T)>,
}

impl<T> Default for Sessions<T> {
    fn default() -> Self {
        Self {
            open: HashMap::new(),
        }
    }
}

impl<T> Sessions<T> {
    /// Opens a session with `peer`.
    pub fn open(&mut self, session: Session, peer: PartyName, runner: T) {
        self.open.insert(session.id(), (session, peer, runner));
    }

    /// Closes a session.
    pub fn close(&mut self, session: Session) {
        self.open.remove(&session.id());
    }

    /// Who runs `session`, if `from`, as its certificate says, belongs to it.
    ///
    /// # Errors
    /// The refusal to answer with. To a stranger an open session looks like
    /// any session that is not its own; an unknown one may be about to open.
    pub fn route(&self, from: &PartyName, session: SessionId) -> Result<&T, Refusal> {
        match self.open.get(&session) {
            None => Err(Refusal::UnknownSession),
            Some((_, peer, _)) if peer != from => Err(Refusal::NotYours),
            Some((_, _, runner)) => Ok(runner),
        }
    }

    /// The same for a message, which says what version it is in: in another there
    /// is no session of this name.
    ///
    /// # Errors
    /// The refusal to answer with.
    pub fn route_message(&self, from: &PartyName, session: Session) -> Result<&T, Refusal> {
        let runner = self.route(from, session.id())?;
        let open = self.open.get(&session.id());
        match open.is_some_and(|(open, _, _)| *open == session) {
            true => Ok(runner),
            false => Err(Refusal::UnknownSession),
        }
    }

    /// Who runs the sessions with `peer`.
    pub fn with_peer<'a>(&'a self, peer: &'a PartyName) -> impl Iterator<Item = &'a T> {
        let theirs = self.open.values().filter(move |(_, name, _)| name == peer);
        theirs.map(|(_, _, runner)| runner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use entente_wire::{Digest, Encode, Envelope, Frame, Position, WireVersion, decode_exactly};

    use super::*;

    #[test]
    fn a_session_answers_to_its_peer_alone() {
        let [bank_a, bank_b]: [PartyName; 2] =
            ["bank-a", "bank-b"].map(|name| name.parse().unwrap());
        let [first, second] = [b"1", b"2"].map(|text| {
            let attempt = Digest::of("test", &[text]);
            Session::new(attempt, WireVersion::NEWEST)
        });
        let mut sessions = Sessions::default();
        sessions.open(first, bank_a.clone(), "job 1");
        assert_eq!(sessions.route(&bank_a, first.id()), Ok(&"job 1"));
        assert_eq!(sessions.route_message(&bank_a, first), Ok(&"job 1"));
        assert_eq!(sessions.route(&bank_b, first.id()), Err(Refusal::NotYours));
        assert_eq!(
            sessions.route_message(&bank_a, second),
            Err(Refusal::UnknownSession)
        );
        assert_eq!(sessions.with_peer(&bank_a).count(), 1);
        assert_eq!(sessions.with_peer(&bank_b).count(), 0);
        sessions.close(first);
        assert_eq!(
            sessions.route(&bank_a, first.id()),
            Err(Refusal::UnknownSession)
        );
    }

    /// Somebody has struck "2" out of what one of the two was told: they are in two
    /// sessions, and neither understands the other.
    #[test]
    fn the_same_attempt_in_another_version_is_not_understood() {
        let bank_a: PartyName = "bank-a".parse().unwrap();
        let attempt = Digest::of("test", &[]);
        for (ours, theirs) in [
            (WireVersion::V1, WireVersion::V2),
            (WireVersion::V2, WireVersion::V1),
        ] {
            let mut sessions = Sessions::default();
            sessions.open(Session::new(attempt, ours), bank_a.clone(), "job");
            let told_otherwise = Session::new(attempt, theirs);
            let unknown = Err(Refusal::UnknownSession);
            assert_eq!(sessions.route_message(&bank_a, told_otherwise), unknown);
            assert_eq!(sessions.route(&bank_a, told_otherwise.id()), unknown);
        }
    }

    /// A message under the name of a session of version 2, in the form of version
    /// 1: without the digest that it would be held against.
    #[test]
    fn a_message_in_the_form_of_another_version_is_not_understood() {
        let bank_a: PartyName = "bank-a".parse().unwrap();
        let session = Session::new(Digest::of("test", &[]), WireVersion::V2);
        let position = Position {
            exchange: 0,
            step: 0,
        };
        // As a session of version 1 would be called if it were called so.
        let disguised = Session::new(session.id().0, WireVersion::V1);
        let frame = Frame::Data(Envelope::new(disguised, position, vec![0, 1]));
        let Ok(Frame::Data(got)) = decode_exactly::<(), Frame>(&(), &frame.encoded()) else {
            unreachable!("it was just written")
        };
        assert_eq!(got.session().id(), session.id());
        let mut sessions = Sessions::default();
        sessions.open(session, bank_a.clone(), "job");
        assert_eq!(
            sessions.route_message(&bank_a, got.session()),
            Err(Refusal::UnknownSession)
        );
    }
}
