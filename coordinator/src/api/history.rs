//! What happened to a job.

use actix_web::{HttpRequest, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Api, caller::Reader, jobs, page::Page, problem::Problem};
use crate::job::LogEntry;

/// The answer to `GET /v1/jobs/{id}/log`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct JobLog {
    /// Oldest first.
    pub(crate) entries: Vec<LogEntry>,
    /// `?after=` of the next page; nothing if this is the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) next: Option<u64>,
}

/// `GET /v1/jobs/{id}/log`
pub(super) async fn log(
    reader: Reader,
    api: web::Data<Api>,
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<web::Json<JobLog>, Problem> {
    let page = Page::of(&request)?;
    let job = jobs::visible(&reader, &api.coordinator, &path).await?.id;
    let fetched = api.coordinator.log(job, page.after(), page.one_more());
    let mut entries = fetched.await?;
    let next = page.cut(&mut entries, |entry| entry.number);
    Ok(web::Json(JobLog { entries, next }))
}
