//! For those who run it: health, readiness, metrics.

use actix_web::{HttpRequest, HttpResponse, web};
use entente_metrics::Sight;

use super::{
    Api,
    caller::{Reader, identity_of},
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

/// `GET /metrics`: for everybody with a certificate. Who may not look at all jobs and at
/// parties is shown those series alone that name none.
pub(super) async fn metrics(
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let sight = match identity_of(&request).map(Reader::try_from) {
        Some(Ok(Reader::Everything)) => Sight::Everything,
        _ => Sight::Totals,
    };
    match api.coordinator.measure().await {
        // Who stands by has no engine, and is watched all the same.
        Ok(()) | Err(RuntimeError::Standby { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let text = api.registry.render(sight).map_err(|error| {
        tracing::error!(%error, "metrics");
        Problem::new(Kind::Internal, "the log has the details")
    })?;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(text))
}
