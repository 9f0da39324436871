//! Counts and times every request.

use std::time::Instant;

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, StatusCode},
    middleware::Next,
    web,
};
use entente_metrics::{API_REQUESTS, API_SECONDS, Counter, Family, Histogram, Registry, SYNCS};

use super::{Api, routes::TABLE};

/// What is counted of the API.
#[derive(Clone)]
pub(crate) struct Meters {
    requests: Family<Counter, 3>,
    seconds: Family<Histogram, 1>,
    syncs: Counter,
}

impl Meters {
    pub(crate) fn new(registry: &Registry) -> Self {
        let meters = Self {
            requests: registry.family(&API_REQUESTS),
            seconds: registry.family(&API_SECONDS),
            syncs: registry.family(&SYNCS).with([]),
        };
        for route in TABLE {
            let (path, method) = (route.path, route.method.label());
            meters.requests.seed([[path, method, "2xx"]]);
            meters.seconds.seed([[path]]);
        }
        meters
    }

    pub(super) fn synced(&self) {
        self.syncs.increment();
    }
}

/// Wraps every route. Labels come from closed sets: the pattern and not the
/// path, known methods and not whatever a caller sends.
pub(crate) async fn observe(
    api: web::Data<Api>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let begun = Instant::now();
    let method = match *request.method() {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        _ => "other",
    };
    let route = request.match_pattern();
    let route = route.as_deref().unwrap_or("(none)");
    let outcome = next.call(request).await;
    let status = match &outcome {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    let class = class(status);
    api.meters.requests.with([route, method, class]).increment();
    api.meters.seconds.with([route]).observe(begun.elapsed());
    outcome
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}
