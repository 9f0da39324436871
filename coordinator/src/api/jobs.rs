//! Jobs: submit, list, show, say why.

use actix_web::{HttpRequest, HttpResponse, http::header::LOCATION, web};
use entente_protocol::contract::Contract;
use entente_protocol::job::{JobId, PartyName, Task};
use entente_tls::Identity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Api, body,
    caller::{Reader, User},
    problem::{Kind, Problem},
};
use crate::{
    engine::{EngineError, Event, Listing, Page},
    job::{IdempotencyKey, JobState, JobView, KeyError, Priority, Submission, Why},
    runtime::{Handle, RuntimeError},
    schema::Who,
};

/// The answer to `GET /v1/jobs`. An object, so that it can grow.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct JobList {
    /// Newest first.
    pub(crate) jobs: Vec<JobView>,
    /// `?before=` of the next page; nothing if this is the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) next: Option<JobId>,
}

/// What makes asking again harmless.
pub(crate) const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// Jobs on a page when nothing is said.
const USUAL_PAGE: usize = 100;
/// The most that a page has.
pub(crate) const LARGEST_PAGE: usize = 1000;

/// `POST /v1/jobs`
pub(super) async fn submit(
    User(by): User,
    api: web::Data<Api>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let spec = body::specification(&request, payload).await?;
    let task = Task::try_from(spec).map_err(|error| {
        Problem::new(Kind::InvalidJob, error.to_string()).with_field(error.field)
    })?;
    let Submitting { priority } = submitting(&request)?;
    let new = JobId::new(Uuid::now_v7());
    // As it was asked for: which version is the newest may be another one when
    // somebody asks again.
    let submission = key(&request)?.map(|key| Submission {
        key,
        digest: task.digest().to_string(),
    });
    let event = Event::Submit {
        id: new,
        task: Box::new(task),
        by: by.clone(),
        submission: submission.clone(),
        priority,
    };
    api.coordinator.change(event).await?;
    let id = match submission {
        Some(submission) => api
            .coordinator
            .read(move |engine, _| engine.submitted_as(&by, &submission.key))
            .await?
            .unwrap_or(new),
        None => new,
    };
    let mut response = match id == new {
        true => HttpResponse::Created(),
        false => HttpResponse::Ok(),
    };
    Ok(response
        .insert_header((LOCATION, format!("/v1/jobs/{id}")))
        .json(view(&api.coordinator, id).await?))
}

/// The query of `POST /v1/jobs`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Submitting {
    /// How much of a hurry it is in; `high` is for operators.
    #[serde(default)]
    priority: Priority,
}

fn submitting(request: &HttpRequest) -> Result<Submitting, Problem> {
    let query = web::Query::from_query(request.query_string());
    query.map(web::Query::into_inner).map_err(|error| {
        let detail = format!(
            "the query is not understood: {error}; use priority (low, normal or high), as in \
             ?priority=low"
        );
        Problem::new(Kind::Unreadable, detail)
    })
}

fn key(request: &HttpRequest) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(value) = request.headers().get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let key = value.to_str().ok().map(str::parse);
    match key.unwrap_or(Err(KeyError)) {
        Ok(key) => Ok(Some(key)),
        Err(error) => Err(Problem::new(
            Kind::Unreadable,
            format!("the header {IDEMPOTENCY_KEY} cannot be taken: {error}"),
        )),
    }
}

/// The query of `GET /v1/jobs`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    /// Jobs in this state.
    state: Option<JobState>,
    /// Those that it takes part in.
    party: Option<PartyName>,
    /// Those that they submitted.
    #[schemars(with = "Option<Who>")]
    submitted_by: Option<Identity>,
    /// Those that were submitted before this one: `next` of the page before.
    before: Option<JobId>,
    /// So many at most, 1 to 1000. Left out: 100.
    limit: Option<usize>,
}

/// `GET /v1/jobs`
pub(super) async fn list(
    reader: Reader,
    api: web::Data<Api>,
    request: HttpRequest,
) -> Result<web::Json<JobList>, Problem> {
    let unreadable = |error: &dyn core::fmt::Display| {
        let detail = format!(
            "the query is not understood: {error}; use state, party, submitted_by, before (a \
             job's identity) and limit (1 to {LARGEST_PAGE}), as in ?state=running&limit=20"
        );
        Problem::new(Kind::Unreadable, detail)
    };
    let filter = web::Query::<Filter>::from_query(request.query_string())
        .map_err(|error| unreadable(&error))?
        .into_inner();
    let limit = filter.limit.unwrap_or(USUAL_PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(unreadable(&format!("limit is {limit}")));
    }
    let listing = Listing {
        state: filter.state,
        parties: filter.party.into_iter().chain(reader.only()).collect(),
        submitted_by: filter.submitted_by,
        before: filter.before,
        limit: Some(limit),
    };
    let read = api
        .coordinator
        .read(move |engine, now| engine.list(&listing, now));
    let Page { jobs, next } = read.await?;
    Ok(web::Json(JobList { jobs, next }))
}

/// `GET /v1/jobs/{id}`
pub(super) async fn show(
    reader: Reader,
    api: web::Data<Api>,
    path: web::Path<String>,
) -> Result<web::Json<JobView>, Problem> {
    visible(&reader, &api.coordinator, &path)
        .await
        .map(web::Json)
}

/// `GET /v1/jobs/{id}/why`
pub(super) async fn why(
    reader: Reader,
    api: web::Data<Api>,
    path: web::Path<String>,
) -> Result<web::Json<Why>, Problem> {
    let id = visible(&reader, &api.coordinator, &path).await?.id;
    let sight = reader.only();
    let read = api
        .coordinator
        .read(move |engine, now| engine.why(id, sight.as_ref(), now));
    let why = read.await?.ok_or(EngineError::Unknown(id));
    Ok(web::Json(why.map_err(RuntimeError::from)?))
}

/// `GET /v1/jobs/{id}/contract`
pub(super) async fn contract(
    reader: Reader,
    api: web::Data<Api>,
    path: web::Path<String>,
) -> Result<web::Json<Contract>, Problem> {
    let view = visible(&reader, &api.coordinator, &path).await?;
    let id = view.id;
    let read = api.coordinator.read(move |engine, _| engine.contract(id));
    let contract = read.await?.map_err(RuntimeError::from)?;
    contract.map(web::Json).map_err(|party| {
        let state = view.state;
        let detail = format!(
            "job {id} is {state}, and {party} has not signed it: GET /v1/jobs/{id}/why says what \
             it waits for"
        );
        Problem::new(Kind::NoContract, detail)
    })
}

/// The job that a path names, if `reader` may see it. That there is another is not
/// told.
pub(super) async fn visible(
    reader: &Reader,
    coordinator: &Handle,
    path: &str,
) -> Result<JobView, Problem> {
    let view = view(coordinator, id(path)?).await?;
    match reader.may_see(&view) {
        true => Ok(view),
        false => Err(RuntimeError::from(EngineError::Unknown(view.id)).into()),
    }
}

pub(super) fn id(text: &str) -> Result<JobId, Problem> {
    text.parse().map_err(|_| {
        let start: String = text.chars().take(40).collect();
        let detail = format!("{start:?} is no job's identity: GET /v1/jobs lists them");
        Problem::new(Kind::NoJob, detail)
    })
}

pub(super) async fn view(coordinator: &Handle, id: JobId) -> Result<JobView, RuntimeError> {
    let view = coordinator.read(move |engine, now| engine.job(id, now));
    view.await?.ok_or(EngineError::Unknown(id).into())
}

impl Reader {
    /// The party whose jobs alone it may see.
    fn only(self) -> Option<PartyName> {
        match self {
            Self::Everything => None,
            Self::Party(name) => Some(name),
        }
    }

    fn may_see(&self, job: &JobView) -> bool {
        match self {
            Self::Everything => true,
            Self::Party(name) => job.sides.iter().any(|side| side.party == *name),
        }
    }
}
