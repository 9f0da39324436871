//! What a refused request is answered with (RFC 9457).

mod kind;

use std::borrow::Cow;

use actix_web::{
    HttpRequest, HttpResponse, Responder, ResponseError,
    body::BoxBody,
    http::{StatusCode, header::RETRY_AFTER},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub(crate) use kind::Kind;
use kind::STANDBY;

use crate::{
    engine::{EngineError, Order},
    job::JobState,
    runtime::RuntimeError,
    store::StoreError,
};

/// The media type of a problem.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// What a refused request is answered with (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Error, JsonSchema)]
#[error("{title}: {detail}")]
pub struct Problem {
    /// The kind of problem, for programs: `urn:entente:problem:...`.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// The kind of problem, for people.
    pub title: Box<str>,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time, and what to do.
    pub detail: Box<str>,
    /// The field of the specification that is not valid, as a path.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<Box<str>>,
    /// Where the coordinator is that leads, if this one does not and knows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub leader: Option<Box<str>>,
    /// What the coordinator's log calls the request.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_id: Option<Box<str>>,
}

/// When to ask again somebody who cannot answer now: about as often as who
/// stands by asks for the lease.
const RETRY_AFTER_S: &str = "1";

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let (status, kind, title) = kind.parts();
        Self {
            kind: kind.into(),
            title: title.into(),
            status: status.as_u16(),
            detail: detail.into().into_boxed_str(),
            field: None,
            leader: None,
            request_id: None,
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

    /// The body.
    pub(super) fn text(&self) -> String {
        // A struct of strings and numbers can be written as JSON.
        serde_json::to_string(self).unwrap_or_default()
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
                    (_, Order::RotateKey) => format!(
                        "job {id} is {state}, and one can {order} only what runs: GET \
                         /v1/jobs/{id}/why says what it waits for; ask again when it runs"
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
        let later = [
            StatusCode::SERVICE_UNAVAILABLE,
            StatusCode::TOO_MANY_REQUESTS,
        ];
        if later.contains(&status) {
            response.insert_header((RETRY_AFTER, RETRY_AFTER_S));
        }
        let mut response = response.content_type(MEDIA_TYPE).body(self.text());
        // For whoever knows what the request is called.
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl Responder for Problem {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.error_response()
    }
}
