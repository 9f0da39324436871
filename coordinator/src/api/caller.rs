//! Who asks: read from the certificate when the connection was made, and
//! asked for by the handlers as the type of an argument.

use std::{
    any::Any,
    future::{Ready, ready},
    sync::Arc,
};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::{
    Error, FromRequest, HttpRequest, ResponseError,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{Extensions, Payload, ServiceRequest, ServiceResponse},
    middleware::Next,
    rt::net::TcpStream,
    web,
};
use entente_metrics::REVOKED_REQUEST;
use entente_protocol::job::PartyName;
use entente_tls::{Credentials, Identity, IdentityKind, Peer};

use super::{
    Api,
    problem::{Kind, Problem},
};

/// Keeps the identity of a new connection's peer. TLS has verified it, or
/// there would be no connection.
pub(crate) fn remember_peer(
    credentials: Arc<Credentials>,
) -> impl Fn(&dyn Any, &mut Extensions) + Send + Sync + 'static {
    move |connection, extensions| {
        let Some(stream) = connection.downcast_ref::<TlsStream<TcpStream>>() else {
            return;
        };
        match credentials.peer(stream.get_ref().1.peer_certificates()) {
            Ok(peer) => {
                extensions.insert(peer);
            }
            Err(error) => tracing::warn!(%error, "a connection without identity"),
        }
    }
}

/// Who asks, if the certificate names somebody.
pub(super) fn identity_of(request: &HttpRequest) -> Option<&Identity> {
    request.conn_data::<Peer>().map(Peer::identity)
}

/// Wraps every route: whoever was revoked since the connection was made is told so
/// and nothing else, whatever was asked for; also if that comes out while an answer
/// is held back.
pub(crate) async fn turn_away_the_revoked<B: MessageBody>(
    api: web::Data<Api>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    if let Some(problem) = revoked(&api, request.request()) {
        let response = request.into_response(problem.error_response());
        return Ok(response.map_into_right_body());
    }
    let response = next.call(request).await?;
    Ok(match revoked(&api, response.request()) {
        Some(problem) => response
            .into_response(problem.error_response())
            .map_into_right_body(),
        None => response.map_into_left_body(),
    })
}

fn revoked(api: &Api, request: &HttpRequest) -> Option<Problem> {
    let peer = request.conn_data::<Peer>()?;
    let revocation = peer.standing(&api.credentials).err()?;
    tracing::warn!(who = %peer.identity(), "turned away: {revocation}");
    api.certificates.revoked(REVOKED_REQUEST);
    Some(Problem::new(
        Kind::Forbidden,
        format!("you are turned away: {revocation}; have another one issued"),
    ))
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
