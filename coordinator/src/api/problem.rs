//! What a refused request is answered with (RFC 9457).

use std::borrow::Cow;

use actix_web::{
    HttpRequest, HttpResponse, Responder, ResponseError,
    body::BoxBody,
    http::{StatusCode, header::RETRY_AFTER},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{engine::EngineError, job::JobState, runtime::RuntimeError, store::StoreError};

/// The media type of a problem.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// What a refused request is answered with (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Error)]
#[error("{title}: {detail}")]
pub struct Problem {
    /// The kind of problem, for programs: `urn:entente:problem:...`.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// The kind of problem, for people.
    pub title: Cow<'static, str>,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time, and what to do.
    pub detail: String,
    /// The field of the specification that is not valid, as a path.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<Box<str>>,
    /// Where the coordinator is that leads, if this one does not and knows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub leader: Option<Box<str>>,
}

/// The kind of problem of a coordinator that does not lead.
pub(crate) const STANDBY: &str = "urn:entente:problem:standby";
/// When to ask again somebody who cannot answer now: about as often as who
/// stands by asks for the lease.
const RETRY_AFTER_S: &str = "1";

/// The kinds of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The body or query cannot be read.
    Unreadable,
    /// The caller's certificate does not allow this.
    Forbidden,
    /// There is no such job.
    NoJob,
    /// The job was not signed by both parties.
    NoContract,
    /// There is no such path.
    NoRoute,
    /// The path does not have this method.
    OtherMethod,
    /// The job has ended.
    JobEnded,
    /// The job's state does not allow this.
    NotNow,
    /// The job was retried.
    JobRetried,
    /// The idempotency key stands for another specification.
    KeyReused,
    /// The body is too long.
    TooLarge,
    /// The body is neither JSON nor TOML.
    MediaType,
    /// The specification can be read and is not valid.
    InvalidJob,
    /// A defect.
    Internal,
    /// The store does not answer, or the coordinator is ending.
    Unavailable,
    /// Another coordinator leads.
    Standby,
}

impl Kind {
    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Unreadable => (
                StatusCode::BAD_REQUEST,
                "urn:entente:problem:unreadable",
                "The request cannot be read",
            ),
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                "urn:entente:problem:forbidden",
                "Your certificate does not allow this",
            ),
            Self::NoJob => (
                StatusCode::NOT_FOUND,
                "urn:entente:problem:no-job",
                "There is no such job",
            ),
            Self::NoContract => (
                StatusCode::CONFLICT,
                "urn:entente:problem:no-contract",
                "The job was not signed by both parties",
            ),
            Self::NoRoute => (
                StatusCode::NOT_FOUND,
                "urn:entente:problem:no-route",
                "There is no such path",
            ),
            Self::OtherMethod => (
                StatusCode::METHOD_NOT_ALLOWED,
                "urn:entente:problem:other-method",
                "The path does not have this method",
            ),
            Self::JobEnded => (
                StatusCode::CONFLICT,
                "urn:entente:problem:job-ended",
                "The job has ended",
            ),
            Self::NotNow => (
                StatusCode::CONFLICT,
                "urn:entente:problem:not-now",
                "The job's state does not allow this",
            ),
            Self::JobRetried => (
                StatusCode::CONFLICT,
                "urn:entente:problem:job-retried",
                "The job was retried already",
            ),
            Self::KeyReused => (
                StatusCode::CONFLICT,
                "urn:entente:problem:key-reused",
                "The idempotency key was used for something else",
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "urn:entente:problem:too-large",
                "The request is too large",
            ),
            Self::MediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "urn:entente:problem:media-type",
                "The request's media type is not taken here",
            ),
            Self::InvalidJob => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "urn:entente:problem:invalid-job",
                "The job specification is not valid",
            ),
            Self::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "urn:entente:problem:internal",
                "The coordinator has a defect",
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "urn:entente:problem:unavailable",
                "The coordinator cannot do this now",
            ),
            Self::Standby => (
                StatusCode::SERVICE_UNAVAILABLE,
                STANDBY,
                "This coordinator stands by",
            ),
        }
    }
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let (status, kind, title) = kind.parts();
        Self {
            kind: kind.into(),
            title: title.into(),
            status: status.as_u16(),
            detail: detail.into(),
            field: None,
            leader: None,
        }
    }

    fn standby(leader: Option<String>) -> Self {
        let detail = match &leader {
            Some(leader) => format!("{leader} leads: ask there"),
            None => "who leads is not known here: ask another coordinator, or again".into(),
        };
        Self {
            leader: leader.map(String::into_boxed_str),
            ..Self::new(Kind::Standby, detail)
        }
    }

    /// Whether another coordinator is to be asked.
    pub fn is_standby(&self) -> bool {
        self.kind == STANDBY
    }

    pub(crate) fn with_field(self, field: impl Into<String>) -> Self {
        Self {
            field: Some(field.into().into_boxed_str()),
            ..self
        }
    }
}

impl From<RuntimeError> for Problem {
    /// What went wrong inside is told in the log, not to the caller.
    fn from(error: RuntimeError) -> Self {
        match error {
            RuntimeError::Engine(EngineError::Unknown(id)) => Self::new(
                Kind::NoJob,
                format!("there is no job {id}: list the jobs with GET /v1/jobs"),
            ),
            RuntimeError::Engine(EngineError::NotTheirs { id, owner, order }) => Self::new(
                Kind::Forbidden,
                format!(
                    "job {id} is {owner}'s: ask them to {order} it, or use the certificate \
                     of an operator (entente cert issue operator NAME)"
                ),
            ),
            RuntimeError::Engine(EngineError::TooUrgent { by, priority }) => Self::new(
                Kind::Forbidden,
                format!(
                    "{by} may not ask for the priority {priority}: leave it out, or use the \
                     certificate of an operator (entente cert issue operator NAME)"
                ),
            ),
            RuntimeError::Engine(EngineError::Ended { id, state }) => Self::new(
                Kind::JobEnded,
                match state {
                    JobState::Failed | JobState::Cancelled | JobState::Rejected => format!(
                        "job {id} is {state} and stays so: POST /v1/jobs/{id}/retry does the \
                         same again"
                    ),
                    _ => format!(
                        "job {id} is {state} and stays so: submit its specification again for \
                         another run"
                    ),
                },
            ),
            RuntimeError::Engine(EngineError::NotNow { id, state, order }) => {
                let detail = match (state, order) {
                    (JobState::Failing, _) => format!(
                        "job {id} is failing, and one cannot {order} it now: ask again in some \
                         seconds, when it is queued again or has failed"
                    ),
                    (JobState::AwaitingApproval, _) => format!(
                        "job {id} waits for its parties' approval, and one cannot {order} it now: \
                         GET /v1/jobs/{id}/why says for whose; wait for its end, or cancel it"
                    ),
                    (JobState::Cancelling, _) => format!(
                        "job {id} is cancelling, and one cannot {order} it now: when it is \
                         cancelled, POST /v1/jobs/{id}/retry does the same again"
                    ),
                    _ => format!(
                        "job {id} is {state}, and one can {order} only what has failed or was \
                         cancelled: wait for its end, or cancel it"
                    ),
                };
                Self::new(Kind::NotNow, detail)
            }
            RuntimeError::Engine(EngineError::OneKey { id }) => Self::new(
                Kind::NotNow,
                format!("job {id} asks a model: it has one encryption key, for itself alone"),
            ),
            RuntimeError::Engine(EngineError::Retried {
                id,
                successor,
                state,
            }) => Self::new(
                Kind::JobRetried,
                format!("job {id} was retried as {successor}, which is {state}: retry that one"),
            ),
            RuntimeError::Engine(EngineError::KeyReused { id }) => Self::new(
                Kind::KeyReused,
                format!(
                    "job {id} was submitted under this Idempotency-Key with another \
                     specification: take a new key"
                ),
            ),
            RuntimeError::Engine(EngineError::Model(error)) => {
                Self::new(Kind::InvalidJob, error.to_string()).with_field("model")
            }
            RuntimeError::Engine(EngineError::Transition(error)) => {
                tracing::error!(%error, "a request met a defect");
                Self::new(
                    Kind::Internal,
                    "nothing was changed; the log has the details",
                )
            }
            RuntimeError::Standby { leader } => Self::standby(leader),
            RuntimeError::Store(StoreError::Deposed(_)) => Self::standby(None),
            RuntimeError::Store(error) => {
                tracing::error!(%error, "a request met a failing store");
                Self::new(
                    Kind::Unavailable,
                    "the store of jobs failed and nothing was changed: try again",
                )
            }
            RuntimeError::Unavailable => Self::new(
                Kind::Unavailable,
                "the coordinator is ending or cannot read its store: try again",
            ),
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let mut response = HttpResponse::build(status);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((RETRY_AFTER, RETRY_AFTER_S));
        }
        response
            .content_type(MEDIA_TYPE)
            // A struct of strings and numbers can be written as JSON.
            .body(serde_json::to_string(self).unwrap_or_default())
    }
}

impl Responder for Problem {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.error_response()
    }
}
