//! What a request brings, within bounds.

use actix_web::{HttpMessage, HttpRequest, web};
use entente_protocol::{control::Sync, job::TaskSpec};
use serde::de::DeserializeOwned;

use super::problem::{Kind, Problem};

/// A job of a thousand layers or a sync of a thousand jobs, with room to spare.
const MAX_BYTES: usize = 1 << 20;

/// Reads the whole body.
async fn read(payload: web::Payload) -> Result<web::Bytes, Problem> {
    match payload.to_bytes_limited(MAX_BYTES).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(Problem::new(
            Kind::Unreadable,
            format!("the body did not arrive whole: {error}; send it again"),
        )),
        Err(_) => Err(Problem::new(
            Kind::TooLarge,
            format!("a body may have {MAX_BYTES} bytes: send a smaller one"),
        )),
    }
}

/// A job specification, in whichever of the two languages.
pub(super) async fn specification(
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<TaskSpec, Problem> {
    match request.content_type() {
        "application/json" => json(payload, "a job specification").await,
        "application/toml" => {
            let bytes = read(payload).await?;
            let text = str::from_utf8(&bytes)
                .map_err(|error| unreadable("a job specification in TOML", &error))?;
            TaskSpec::from_toml(text)
                .map_err(|error| unreadable("a job specification in TOML", &error))
        }
        other => Err(Problem::new(
            Kind::MediaType,
            format!("{other:?} is not taken: send application/json or application/toml"),
        )),
    }
}

/// What a party says. It need not say that it does so in JSON, and may say nothing
/// else.
pub(super) async fn sync(request: &HttpRequest, payload: web::Payload) -> Result<Sync, Problem> {
    match request.content_type() {
        "" | "application/json" => json(payload, "a sync").await,
        other => Err(Problem::new(
            Kind::MediaType,
            format!("{other:?} is not taken: send application/json"),
        )),
    }
}

/// Something in JSON.
async fn json<T: DeserializeOwned>(payload: web::Payload, what: &str) -> Result<T, Problem> {
    let bytes = read(payload).await?;
    serde_json::from_slice(&bytes).map_err(|error| unreadable(&format!("{what} in JSON"), &error))
}

fn unreadable(what: &str, error: &dyn std::error::Error) -> Problem {
    let reason = error.to_string();
    let detail = format!(
        "the body is not {what}: {}; mend it and send it again",
        reason.trim_end()
    );
    Problem::new(Kind::Unreadable, detail)
}
