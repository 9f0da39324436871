//! What a party hears of its links: that there is one, that there is none, and
//! what arrives by it for which job.
//!
//! A link is one peer's, and its jobs share it. Who may say something in a session
//! is decided here, by the session's peer; what is said is the job's affair.

use actix::{Context, Handler, StreamHandler};
use entente_protocol::job::PartyName;
use entente_wire::{Encode, Frame, Position, Refusal, SessionId};

use super::PartyActor;
use crate::{
    party::messages::{Distrusted, JobEvent},
    transport::{Arrival, Link, LinkEvent},
};

impl PartyActor {
    fn arrived(&self, from: &PartyName, arrival: Arrival) {
        let (session, position) = match &arrival {
            Arrival::Data(received) => {
                let envelope = &received.envelope;
                (envelope.session().id(), envelope.position())
            }
            Arrival::Ack {
                session, position, ..
            }
            | Arrival::Refused {
                session, position, ..
            } => (*session, *position),
        };
        let job = match &arrival {
            Arrival::Data(received) => {
                let session = received.envelope.session();
                self.sessions.route_message(from, session)
            }
            _ => self.sessions.route(from, session),
        };
        match (job, arrival) {
            (Ok(job), Arrival::Data(received)) => job.say(JobEvent::Arrived(received)),
            (Ok(job), Arrival::Ack { digest, .. }) => {
                job.say(JobEvent::Acknowledged(position, digest));
            }
            (Ok(job), Arrival::Refused { reason, .. }) => {
                job.say(JobEvent::Refused(position, reason));
            }
            (Err(reason), Arrival::Data(_)) => self.refuse(from, session, position, reason),
            // To answer an answer would be the beginning of a long talk.
            (Err(_), _) => {}
        }
    }

    fn refuse(&self, peer: &PartyName, session: SessionId, position: Position, reason: Refusal) {
        tracing::debug!(%peer, %session, %position, reason = reason.label(), "refused");
        self.meters.refused(reason.label());
        if let Some(link) = self.links.get(peer) {
            let refused = Frame::Refused {
                session,
                position,
                reason,
            };
            link.send(refused.encoded().into());
        }
    }
}

impl StreamHandler<LinkEvent> for PartyActor {
    fn handle(&mut self, event: LinkEvent, ctx: &mut Context<Self>) {
        match event {
            // The tasks of two links may be heard in either order; numbers
            // say which link is the newer one.
            LinkEvent::Opened(link) => {
                let current = self.links.get(link.peer()).map(Link::number);
                if current.is_none_or(|current| current < link.number()) {
                    for job in self.sessions.with_peer(link.peer()) {
                        job.say(JobEvent::Linked(link.clone()));
                    }
                    self.meters.link(link.peer(), true);
                    self.links.insert(link.peer().clone(), link);
                }
            }
            LinkEvent::Closed(link) => {
                let current = self.links.get(link.peer()).map(Link::number);
                if current == Some(link.number()) {
                    self.links.remove(link.peer());
                    self.meters.link(link.peer(), false);
                    for job in self.sessions.with_peer(link.peer()) {
                        job.say(JobEvent::Unlinked);
                    }
                }
            }
            LinkEvent::Arrived { from, arrival } => self.arrived(&from, arrival),
            // Its jobs wait for it as for any peer that is not linked: it may have
            // another certificate, or this one may be good again.
            LinkEvent::Revoked { peer, revocation } if revocation.reason.is_harmless() => {
                tracing::info!(%peer, %revocation, "is waited for");
            }
            LinkEvent::Revoked { peer, revocation } => {
                let why = revocation.to_string();
                Handler::handle(self, Distrusted { peer, why }, ctx);
            }
        }
    }

    /// The links end before the party does.
    fn finished(&mut self, _: &mut Context<Self>) {}
}

impl Handler<Distrusted> for PartyActor {
    type Result = ();

    fn handle(&mut self, Distrusted { peer, why }: Distrusted, _: &mut Context<Self>) {
        for job in self.sessions.with_peer(&peer) {
            job.say(JobEvent::PeerRevoked(why.clone()));
        }
    }
}
