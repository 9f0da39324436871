//! Jobs: submit, list, show, cancel.

use actix_web::{HttpRequest, HttpResponse, http::header::LOCATION, web};
use entente_protocol::job::{Job, JobId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Api, body,
    caller::{Reader, User},
    problem::{Kind, Problem},
};
use crate::{
    engine::{EngineError, Event},
    job::{JobState, JobView},
    runtime::{Handle, RuntimeError},
};

/// The answer to `GET /v1/jobs`. An object, so that it can grow.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct JobList {
    /// Newest first.
    pub(crate) jobs: Vec<JobView>,
}

/// `POST /v1/jobs`
pub(super) async fn submit(
    User(by): User,
    api: web::Data<Api>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let spec = body::specification(&request, payload).await?;
    let job = Job::try_from(spec).map_err(|error| {
        Problem::new(Kind::InvalidJob, error.to_string()).with_field(error.field)
    })?;
    let id = JobId::new(Uuid::now_v7());
    let job = Box::new(job);
    api.coordinator
        .change(Event::Submit { id, job, by })
        .await?;
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, format!("/v1/jobs/{id}")))
        .json(view(&api.coordinator, id).await?))
}

/// The query of `GET /v1/jobs`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    state: Option<JobState>,
}

/// `GET /v1/jobs`
pub(super) async fn list(
    reader: Reader,
    api: web::Data<Api>,
    request: HttpRequest,
) -> Result<web::Json<JobList>, Problem> {
    let filter = web::Query::<Filter>::from_query(request.query_string()).map_err(|error| {
        let detail =
            format!("the query is not understood: {error}; use ?state=running or the like");
        Problem::new(Kind::Unreadable, detail)
    })?;
    let state = filter.state;
    let read = api
        .coordinator
        .read(move |engine, now| engine.jobs(state, now));
    let mut jobs = read.await?;
    jobs.retain(|job| reader.may_see(job));
    Ok(web::Json(JobList { jobs }))
}

/// `GET /v1/jobs/{id}`
pub(super) async fn show(
    reader: Reader,
    api: web::Data<Api>,
    path: web::Path<String>,
) -> Result<web::Json<JobView>, Problem> {
    let view = view(&api.coordinator, id(&path)?).await?;
    if reader.may_see(&view) {
        return Ok(web::Json(view));
    }
    // That there is one is not told either.
    Err(RuntimeError::from(EngineError::Unknown(view.id)).into())
}

/// `DELETE /v1/jobs/{id}`
pub(super) async fn cancel(
    User(by): User,
    api: web::Data<Api>,
    path: web::Path<String>,
) -> Result<web::Json<JobView>, Problem> {
    let id = id(&path)?;
    tracing::info!(job = %id, %by, "asked to cancel");
    api.coordinator.change(Event::Cancel { id, by }).await?;
    Ok(web::Json(view(&api.coordinator, id).await?))
}

fn id(text: &str) -> Result<JobId, Problem> {
    text.parse().map_err(|_| {
        let start: String = text.chars().take(40).collect();
        let detail = format!("{start:?} is no job's identity: GET /v1/jobs lists them");
        Problem::new(Kind::NoJob, detail)
    })
}

async fn view(coordinator: &Handle, id: JobId) -> Result<JobView, RuntimeError> {
    let view = coordinator.read(move |engine, now| engine.job(id, now));
    view.await?.ok_or(EngineError::Unknown(id).into())
}

impl Reader {
    fn may_see(&self, job: &JobView) -> bool {
        match self {
            Self::Everything => true,
            Self::Party(name) => job.sides.iter().any(|side| side.party == *name),
        }
    }
}
