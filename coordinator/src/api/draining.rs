//! Draining: whether, drain, and have things begin again.

use actix_web::web;

use super::{
    Api,
    caller::{Operator, Overseer},
    problem::Problem,
};
use crate::{engine::Event, job::DrainView};

/// `GET /v1/drain`
pub(super) async fn show(
    _: Overseer,
    api: web::Data<Api>,
) -> Result<web::Json<DrainView>, Problem> {
    view(&api).await
}

/// `POST /v1/drain`: nothing new begins.
pub(super) async fn drain(
    Operator(by): Operator,
    api: web::Data<Api>,
) -> Result<web::Json<DrainView>, Problem> {
    let drain = true;
    api.coordinator.change(Event::Drain { drain, by }).await?;
    view(&api).await
}

/// `DELETE /v1/drain`: it begins again.
pub(super) async fn undrain(
    Operator(by): Operator,
    api: web::Data<Api>,
) -> Result<web::Json<DrainView>, Problem> {
    let drain = false;
    api.coordinator.change(Event::Drain { drain, by }).await?;
    view(&api).await
}

async fn view(api: &Api) -> Result<web::Json<DrainView>, Problem> {
    let view = api.coordinator.read(|engine, _| engine.drained());
    Ok(web::Json(view.await?))
}
