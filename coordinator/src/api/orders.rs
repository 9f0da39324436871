//! Jobs: cancel, pause, resume, rotate the key, retry.
//!
//! Each may be asked for again when its answer was lost: what is so already is
//! answered as if it had just been done.

use actix_web::{HttpResponse, http::header::LOCATION, web};
use entente_protocol::job::JobId;
use entente_tls::Identity;
use uuid::Uuid;

use super::{
    Api,
    caller::User,
    jobs::{id, view},
    problem::Problem,
};
use crate::{
    engine::{Event, Order},
    job::JobView,
};

/// `DELETE /v1/jobs/{id}`
pub(super) async fn cancel(
    User(by): User,
    api: web::Data<Api>,
    path: web::Path<String>,
) -> Result<web::Json<JobView>, Problem> {
    obeyed(&api, &path, Order::Cancel, by).await
}

/// `POST /v1/jobs/{id}/pause`
pub(super) async fn pause(
    User(by): User,
    api: web::Data<Api>,
    path: web::Path<String>,
) -> Result<web::Json<JobView>, Problem> {
    obeyed(&api, &path, Order::Pause, by).await
}

/// `POST /v1/jobs/{id}/resume`
pub(super) async fn resume(
    User(by): User,
    api: web::Data<Api>,
    path: web::Path<String>,
) -> Result<web::Json<JobView>, Problem> {
    obeyed(&api, &path, Order::Resume, by).await
}

/// `POST /v1/jobs/{id}/rotate-key`
pub(super) async fn rotate_key(
    User(by): User,
    api: web::Data<Api>,
    path: web::Path<String>,
) -> Result<web::Json<JobView>, Problem> {
    obeyed(&api, &path, Order::RotateKey, by).await
}

/// `POST /v1/jobs/{id}/retry`: 201 and the job that does the same again, 200 and
/// that job if there was one already.
pub(super) async fn retry(
    User(by): User,
    api: web::Data<Api>,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = id(&path)?;
    let new = JobId::new(Uuid::now_v7());
    let order = Order::Retry { new };
    api.coordinator
        .change(Event::Order { id, order, by })
        .await?;
    let read = api.coordinator.read(move |engine, _| engine.retried_as(id));
    let successor = read.await?.unwrap_or(new);
    let mut response = match successor == new {
        true => HttpResponse::Created(),
        false => HttpResponse::Ok(),
    };
    Ok(response
        .insert_header((LOCATION, format!("/v1/jobs/{successor}")))
        .json(view(&api.coordinator, successor).await?))
}

async fn obeyed(
    api: &Api,
    path: &str,
    order: Order,
    by: Identity,
) -> Result<web::Json<JobView>, Problem> {
    let id = id(path)?;
    api.coordinator
        .change(Event::Order { id, order, by })
        .await?;
    Ok(web::Json(view(&api.coordinator, id).await?))
}
