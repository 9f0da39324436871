//! What a request is called, by its caller and in the logs.
//!
//! A caller that has a name for it (a gateway, a trace) sends it; a name that would
//! forge a line of the log is not taken, and the request gets one of ours.

use core::fmt;

use actix_web::{
    Error,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
};
use tracing::Instrument;
use uuid::Uuid;

use super::problem::Problem;

/// The header, of requests and answers.
pub(crate) const HEADER: &str = "X-Request-Id";
const NAME: HeaderName = HeaderName::from_static("x-request-id");
/// For the document.
pub(super) const WHAT: &str = "What the caller calls the request: 1 to 64 letters, digits, - _ . \
    and :. It is in the answer, in a problem and in the log; one that is not of this form, or \
    none, is replaced.";

/// What a request is called.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RequestId(String);

impl RequestId {
    const MAX_CHARS: usize = 64;

    fn of(request: &ServiceRequest) -> Self {
        let sent = request.headers().get(NAME).map(HeaderValue::to_str);
        let sent = sent.and_then(Result::ok).and_then(Self::parse);
        sent.unwrap_or_else(|| Self(Uuid::now_v7().to_string()))
    }

    fn parse(text: &str) -> Option<Self> {
        let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        let good = (1..=Self::MAX_CHARS).contains(&text.len()) && text.bytes().all(harmless);
        good.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Wraps every route: names the request, in every line of the log that it leads to,
/// in its answer, and in the problem if it is refused.
pub(crate) async fn name_requests(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = RequestId::of(&request);
    // Of the highest level, so that no filter of the log takes the name from the
    // lines that it lets through.
    let span = tracing::error_span!("request", request_id = %id);
    let response = next.call(request).instrument(span).await?;
    let mut response = response.map_into_boxed_body();
    let problem = response.response_mut().extensions_mut().remove::<Problem>();
    if let Some(problem) = problem {
        let problem = Problem {
            request_id: Some(id.to_string().into_boxed_str()),
            ..problem
        };
        response = response.map_body(|_, _| BoxBody::new(problem.text()));
    }
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(NAME, id);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_forge_a_line_are_not_taken() {
        for good in ["a", "0190a000-0000-7000:x_1.2", &"x".repeat(64)] {
            assert_eq!(RequestId::parse(good), Some(RequestId(good.into())));
        }
        for bad in ["", "a b", "a\n", "a\"", "λ", "x=1", &"x".repeat(65)] {
            assert_eq!(RequestId::parse(bad), None, "{bad:?}");
        }
    }
}
