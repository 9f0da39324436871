//! Who asks: read from the certificate when the connection was made, and
//! asked for by the handlers as the type of an argument.

use std::{
    any::Any,
    future::{Ready, ready},
};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::{
    FromRequest, HttpRequest,
    dev::{Extensions, Payload},
    rt::net::TcpStream,
};
use entente_protocol::job::PartyName;
use entente_tls::{Identity, IdentityKind, peer_identity};

use super::problem::{Kind, Problem};

/// The identity of the peer of a connection.
struct Peer(Identity);

/// Keeps the identity of a new connection's peer. TLS has verified it, or
/// there would be no connection.
pub(crate) fn remember_peer(connection: &dyn Any, extensions: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<TlsStream<TcpStream>>() else {
        return;
    };
    match peer_identity(stream.get_ref().1.peer_certificates()) {
        Ok(identity) => {
            extensions.insert(Peer(identity));
        }
        Err(error) => tracing::warn!(%error, "a connection without identity"),
    }
}

/// Who asks, if the certificate names somebody.
pub(super) fn identity_of(request: &HttpRequest) -> Option<&Identity> {
    request.conn_data::<Peer>().map(|Peer(identity)| identity)
}

fn identity(request: &HttpRequest) -> Result<&Identity, Problem> {
    match identity_of(request) {
        Some(identity) => Ok(identity),
        None => Err(Problem::new(
            Kind::Forbidden,
            "your certificate names nobody: have it reissued with `entente cert issue`",
        )),
    }
}

fn party_name(identity: &Identity) -> Result<PartyName, Problem> {
    // Both kinds of name have the same grammar.
    identity
        .name
        .to_string()
        .try_into()
        .map_err(|error: entente_protocol::job::JobError| {
            Problem::new(Kind::Forbidden, error.to_string())
        })
}

fn forbidden(identity: &Identity, needed: &str) -> Problem {
    Problem::new(
        Kind::Forbidden,
        format!("you are {identity}, and this is for {needed}: use such a certificate"),
    )
}

/// Somebody who may say what is to be computed. Whose jobs it may order about, the
/// engine knows.
pub(super) struct User(pub(super) Identity);

/// Somebody who answers for the coordinator.
pub(super) struct Operator(pub(super) Identity);

/// Somebody who takes part.
pub(super) struct Party(pub(super) PartyName);

/// Somebody who may look at jobs.
pub(super) enum Reader {
    /// At all of them, and at parties.
    Everything,
    /// At its own.
    Party(PartyName),
}

/// Somebody who may look at more than its own.
pub(super) struct Overseer;

impl TryFrom<&Identity> for User {
    type Error = Problem;
    fn try_from(identity: &Identity) -> Result<Self, Problem> {
        match identity.kind {
            IdentityKind::User | IdentityKind::Operator => Ok(Self(identity.clone())),
            IdentityKind::Party | IdentityKind::Coordinator | IdentityKind::Reader => {
                Err(forbidden(identity, "users and operators"))
            }
        }
    }
}

impl TryFrom<&Identity> for Operator {
    type Error = Problem;
    fn try_from(identity: &Identity) -> Result<Self, Problem> {
        match identity.kind {
            IdentityKind::Operator => Ok(Self(identity.clone())),
            IdentityKind::User
            | IdentityKind::Reader
            | IdentityKind::Party
            | IdentityKind::Coordinator => Err(forbidden(identity, "operators")),
        }
    }
}

impl TryFrom<&Identity> for Party {
    type Error = Problem;
    fn try_from(identity: &Identity) -> Result<Self, Problem> {
        match identity.kind {
            IdentityKind::Party => Ok(Self(party_name(identity)?)),
            IdentityKind::User
            | IdentityKind::Operator
            | IdentityKind::Reader
            | IdentityKind::Coordinator => Err(forbidden(identity, "parties")),
        }
    }
}

impl TryFrom<&Identity> for Reader {
    type Error = Problem;
    fn try_from(identity: &Identity) -> Result<Self, Problem> {
        match identity.kind {
            IdentityKind::User | IdentityKind::Operator | IdentityKind::Reader => {
                Ok(Self::Everything)
            }
            IdentityKind::Party => Ok(Self::Party(party_name(identity)?)),
            IdentityKind::Coordinator => {
                Err(forbidden(identity, "users, operators, readers and parties"))
            }
        }
    }
}

impl TryFrom<&Identity> for Overseer {
    type Error = Problem;
    fn try_from(identity: &Identity) -> Result<Self, Problem> {
        match Reader::try_from(identity) {
            Ok(Reader::Everything) => Ok(Self),
            _ => Err(forbidden(identity, "users, operators and readers")),
        }
    }
}

macro_rules! from_request {
    ($($caller:ident),*) => {$(
        impl FromRequest for $caller {
            type Error = Problem;
            type Future = Ready<Result<Self, Problem>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                ready(identity(request).and_then(Self::try_from))
            }
        }
    )*};
}

from_request!(User, Operator, Party, Reader, Overseer);
