//! Whose message is it.

use std::collections::HashMap;

use entente_protocol::job::PartyName;
use entente_wire::{Refusal, SessionId};

/// The sessions of a party, each with its one peer and whoever runs it.
#[derive(Debug)]
pub struct Sessions<T> {
    open: HashMap<SessionId, (PartyName, T)>,
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
    pub fn open(&mut self, session: SessionId, peer: PartyName, runner: T) {
        self.open.insert(session, (peer, runner));
    }

    /// Closes a session.
    pub fn close(&mut self, session: SessionId) {
        self.open.remove(&session);
    }

    /// Who runs `session`, if `from`, as its certificate says, belongs to it.
    ///
    /// # Errors
    /// The refusal to answer with. To a stranger an open session looks like
    /// any session that is not its own; an unknown one may be about to open.
    pub fn route(&self, from: &PartyName, session: SessionId) -> Result<&T, Refusal> {
        match self.open.get(&session) {
            None => Err(Refusal::UnknownSession),
            Some((peer, _)) if peer != from => Err(Refusal::NotYours),
            Some((_, runner)) => Ok(runner),
        }
    }

    /// Who runs the sessions with `peer`.
    pub fn with_peer<'a>(&'a self, peer: &'a PartyName) -> impl Iterator<Item = &'a T> {
        let theirs = self.open.values().filter(move |(name, _)| name == peer);
        theirs.map(|(_, runner)| runner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use entente_wire::Digest;

    use super::*;

    #[test]
    fn a_session_answers_to_its_peer_alone() {
        let [bank_a, bank_b]: [PartyName; 2] =
            ["bank-a", "bank-b"].map(|name| name.parse().unwrap());
        let [first, second] = [b"1", b"2"].map(|text| SessionId(Digest::of("test", &[text])));
        let mut sessions = Sessions::default();
        sessions.open(first, bank_a.clone(), "job 1");
        assert_eq!(sessions.route(&bank_a, first), Ok(&"job 1"));
        assert_eq!(sessions.route(&bank_b, first), Err(Refusal::NotYours));
        assert_eq!(
            sessions.route(&bank_a, second),
            Err(Refusal::UnknownSession)
        );
        assert_eq!(sessions.with_peer(&bank_a).count(), 1);
        assert_eq!(sessions.with_peer(&bank_b).count(), 0);
        sessions.close(first);
        assert_eq!(sessions.route(&bank_a, first), Err(Refusal::UnknownSession));
    }
}
