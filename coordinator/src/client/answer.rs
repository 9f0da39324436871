//! An answer, read.

use awc::{ClientResponse, SendClientRequest, error::SendRequestError, http::StatusCode};
use serde::de::DeserializeOwned;
use url::Url;

use super::ClientError;

/// Some thousands of jobs.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// The whole answer.
pub(super) async fn answer<T: DeserializeOwned>(
    base: &Url,
    request: SendClientRequest,
) -> Result<T, ClientError> {
    let mut response = taken(base, request).await?;
    let body = response.body().limit(MAX_ANSWER_BYTES).await;
    let body = body.map_err(|error| lost(base, &error))?;
    serde_json::from_slice(&body).map_err(|error| senseless(base, response.status(), &error))
}

/// The answer, of which the body is still to come, if it is no refusal.
pub(super) async fn taken(
    base: &Url,
    request: SendClientRequest,
) -> Result<ClientResponse, ClientError> {
    let mut response = request.await.map_err(|error| match error {
        SendRequestError::Url(_) | SendRequestError::Connect(_) => ClientError::Unreachable {
            base: base.clone(),
            reason: error.to_string(),
        },
        error => lost(base, &error),
    })?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body = response.body().limit(MAX_ANSWER_BYTES).await;
    let body = body.map_err(|error| lost(base, &error))?;
    let problem = serde_json::from_slice(&body);
    Err(problem.map_or_else(
        |error| senseless(base, status, &error),
        ClientError::Refused,
    ))
}

pub(super) fn lost(base: &Url, error: &dyn std::error::Error) -> ClientError {
    ClientError::AnswerLost {
        base: base.clone(),
        reason: error.to_string(),
    }
}

pub(super) fn senseless(
    base: &Url,
    status: StatusCode,
    error: &dyn std::error::Error,
) -> ClientError {
    ClientError::Senseless {
        base: base.clone(),
        status,
        reason: error.to_string(),
    }
}
