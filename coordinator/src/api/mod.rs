//! The HTTP API, over mutual TLS alone.
//!
//! | route | who | what |
//! |---|---|---|
//! | `POST /v1/jobs` | users, operators | submits a job specification, JSON or TOML; with an `Idempotency-Key`, once |
//! | `GET /v1/jobs` | users, operators, readers; parties their own | lists jobs, newest first, in pages; `?state=&party=&submitted_by=&limit=&before=` |
//! | `GET /v1/jobs/{id}` | users, operators, readers; parties their own | shows a job |
//! | `GET /v1/jobs/{id}/why` | the same | says what a job waits for |
//! | `GET /v1/jobs/{id}/contract` | the same | what both parties have signed |
//! | `DELETE /v1/jobs/{id}` | users their own, operators any | cancels a job |
//! | `POST /v1/jobs/{id}/pause` | the same | has a job rest; its places go to others |
//! | `POST /v1/jobs/{id}/resume` | the same | has it go on from where it rested |
//! | `POST /v1/jobs/{id}/retry` | the same | does what failed or was cancelled again, as another job |
//! | `GET /v1/parties` | users, operators, readers | lists parties |
//! | `GET /v1/audit` | operators | the audit log, oldest first, in pages; `?after=&limit=` |
//! | `POST /v1/sync` | parties | [`Sync`](entente_protocol::control::Sync) to [`Wish`](entente_protocol::control::Wish), held back until there is news |
//! | `GET /healthz` | anybody with a certificate | the process answers |
//! | `GET /readyz` | anybody with a certificate | engine and store answer, and it is not ending; who stands by is not ready |
//! | `GET /metrics` | anybody with a certificate | Prometheus text |
//!
//! A coordinator that stands by answers all of `/v1` with 503 and where the one is
//! that leads. Every error is a [`Problem`] (RFC 9457) that says what to
//! do. Who asks stands in the certificate; a handler says by the type of its
//! argument whom it serves ([`caller`]), so no route can forget to ask.

mod answers;
mod audit;
mod body;
mod caller;
mod jobs;
mod observe;
mod operations;
mod orders;
mod parties;
pub(crate) mod problem;
mod sync;

use std::{future::ready, time::Duration};

use actix_web::{
    HttpRequest, Resource, ResponseError,
    http::header::{ALLOW, HeaderValue},
    web,
};
use entente_metrics::Registry;
use entente_tls::Authorities;
use tokio::sync::watch;

use self::problem::{Kind, Problem};
use crate::runtime::Handle;

pub(crate) use audit::{AuditLog, put_refusals_on_record};
pub(crate) use caller::remember_peer;
pub(crate) use jobs::{IDEMPOTENCY_KEY, JobList, LARGEST_PAGE};
pub(crate) use observe::{Meters, observe};
pub(crate) use parties::PartyList;

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) coordinator: Handle,
    pub(crate) registry: Registry,
    pub(crate) meters: Meters,
    /// Those who are trusted to name parties.
    pub(crate) authorities: Authorities,
    /// The longest that a wish is held back.
    pub(crate) longest_wait: Duration,
    /// True from when the coordinator is ending.
    pub(crate) ending: watch::Receiver<bool>,
}

/// The routes, on an app that has [`Api`] as data.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            resource("/v1/jobs", "GET, POST")
                .get(jobs::list)
                .post(jobs::submit),
        )
        .service(
            resource("/v1/jobs/{id}", "GET, DELETE")
                .get(jobs::show)
                .delete(orders::cancel),
        )
        .service(resource("/v1/jobs/{id}/pause", "POST").post(orders::pause))
        .service(resource("/v1/jobs/{id}/resume", "POST").post(orders::resume))
        .service(resource("/v1/jobs/{id}/rotate-key", "POST").post(orders::rotate_key))
        .service(resource("/v1/jobs/{id}/retry", "POST").post(orders::retry))
        .service(resource("/v1/jobs/{id}/why", "GET").get(jobs::why))
        .service(resource("/v1/jobs/{id}/contract", "GET").get(jobs::contract))
        .service(resource("/v1/parties", "GET").get(parties::list))
        .service(resource("/v1/audit", "GET").get(audit::list))
        .service(resource("/v1/sync", "POST").post(sync::sync))
        .service(resource("/healthz", "GET").get(operations::health))
        .service(resource("/readyz", "GET").get(operations::ready))
        .service(resource("/metrics", "GET").get(operations::metrics))
        .default_service(web::to(no_route));
}

/// A path, and the methods that it has: for those that it has not.
fn resource(path: &'static str, allowed: &'static str) -> Resource {
    web::resource(path).default_service(web::to(move |request: HttpRequest| {
        let method = request.method();
        let problem = Problem::new(
            Kind::OtherMethod,
            format!("{method} cannot be done to {path}, only {allowed}"),
        );
        let mut response = problem.error_response();
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static(allowed));
        ready(response)
    }))
}

async fn no_route(request: HttpRequest) -> Problem {
    let path = request.path();
    Problem::new(
        Kind::NoRoute,
        format!("nothing is at {path}: jobs are at /v1/jobs, parties at /v1/parties"),
    )
}
