//! The audit log: read by operators, and told of whoever is refused.

use actix_web::{
    Error, HttpRequest,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::StatusCode,
    middleware::Next,
    web,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Api, LARGEST_PAGE,
    caller::{Operator, identity_of},
    problem::{Kind, Problem},
};
use crate::audit::Entry;

/// The answer to `GET /v1/audit`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct AuditLog {
    /// Oldest first.
    pub(crate) entries: Vec<Entry>,
    /// `?after=` of the next page; nothing if this is the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) next: Option<u64>,
}

/// The query of `GET /v1/audit`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(default)]
    after: u32,
    limit: Option<usize>,
}

/// `GET /v1/audit`
pub(super) async fn list(
    _: Operator,
    api: web::Data<Api>,
    request: HttpRequest,
) -> Result<web::Json<AuditLog>, Problem> {
    let unreadable = |error: &dyn core::fmt::Display| {
        let detail = format!(
            "the query is not understood: {error}; use after (an entry's number) and limit (1 \
             to {LARGEST_PAGE}), as in ?after=40&limit=20"
        );
        Problem::new(Kind::Unreadable, detail)
    };
    let page = web::Query::<Page>::from_query(request.query_string())
        .map_err(|error| unreadable(&error))?;
    let limit = page.limit.unwrap_or(LARGEST_PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(unreadable(&format!("limit is {limit}")));
    }
    // One more tells whether there is a page behind.
    let one_more = u32::try_from(limit + 1).unwrap_or(u32::MAX);
    let mut entries = api.coordinator.audit(page.after.into(), one_more).await?;
    let more = entries.len() > limit;
    entries.truncate(limit);
    let next = entries.last().map(|entry| entry.number);
    Ok(web::Json(AuditLog {
        next: next.filter(|_| more),
        entries,
    }))
}

/// Wraps every route: whoever is refused for their certificate is put on record,
/// whichever handler refuses, so no handler can forget to.
pub(crate) async fn put_refusals_on_record(
    api: web::Data<Api>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let response = next.call(request).await?;
    if response.status() == StatusCode::FORBIDDEN {
        let request = response.request();
        if let Some(who) = identity_of(request) {
            let route = request.match_pattern();
            let call = format!("{} {}", request.method(), route.as_deref().unwrap_or("?"));
            let job = request.match_info().get("id").map(str::parse);
            let job = job.and_then(Result::ok);
            api.coordinator.refused(who.clone(), call, job).await;
        }
    }
    Ok(response)
}
