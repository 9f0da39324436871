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
    Api,
    caller::{Operator, identity_of},
    page::Page,
    problem::Problem,
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

/// `GET /v1/audit`
pub(super) async fn list(
    _: Operator,
    api: web::Data<Api>,
    request: HttpRequest,
) -> Result<web::Json<AuditLog>, Problem> {
    let page = Page::of(&request)?;
    let fetched = api.coordinator.audit(page.after(), page.one_more());
    let mut entries = fetched.await?;
    let next = page.cut(&mut entries, |entry| entry.number);
    Ok(web::Json(AuditLog { entries, next }))
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
