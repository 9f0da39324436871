//! For those who run it: health, readiness, metrics.

use actix_web::{HttpResponse, web};

use super::{
    Api,
    problem::{Kind, Problem},
};
use crate::runtime::RuntimeError;

/// `GET /healthz`: the process answers. Says nothing of the store: a restart
/// does not repair a disk.
pub(super) async fn health() -> &'static str {
    "alive\n"
}

/// `GET /readyz`: requests can be served. Who stands by cannot, and says so. One that
/// is drained is asked all the same, since what has begun goes on through it.
pub(super) async fn ready(api: web::Data<Api>) -> Result<&'static str, Problem> {
    if *api.ending.borrow() {
        return Err(Problem::new(
            Kind::Unavailable,
            "the coordinator is ending: ask another, or again in a moment",
        ));
    }
    api.coordinator.check().await?;
    let drained = api.coordinator.read(|engine, _| engine.drained().draining);
    match drained.await? {
        false => Ok("ready\n"),
        true => Ok("ready, drained: nothing new begins\n"),
    }
}

/// `GET /metrics`
pub(super) async fn metrics(api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    // Any look at the engine brings the gauges up to date.
    match api.coordinator.read(|_, _| ()).await {
        // Who stands by has no engine, and is watched all the same.
        Ok(()) | Err(RuntimeError::Standby { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let text = api.registry.render().map_err(|error| {
        tracing::error!(%error, "metrics");
        Problem::new(Kind::Internal, "the log has the details")
    })?;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(text))
}
