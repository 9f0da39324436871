//! What can be asked for: one list, of which all else is made.
//!
//! ```text
//!             ┌──▶ what the server answers, and `Allow` where it does not
//!   TABLE ────┼──▶ the OpenAPI document
//!             └──▶ the tables of the API's docs and of the README (tests hold them to it)
//! ```
//!
//! Were routes registered by hand and described elsewhere, the description would be
//! of the day on which it was written. What a handler does beyond this list (that it
//! asks for a certificate of the kind that stands here, that it answers with no other
//! problem) the compiler cannot see: `tests/document.rs` calls every route for it.

mod table;
#[cfg(test)]
mod tests;

use std::future::ready;

use actix_web::{
    Error, HttpRequest, HttpResponse, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{ALLOW, HeaderValue},
    middleware::Next,
    web,
};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::problem::{Kind, Problem};

pub(crate) use table::TABLE;

/// Something that can be asked for.
pub(crate) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// What programs call it.
    pub(super) operation: &'static str,
    pub(super) who: Callers,
    /// What it does, in one line.
    pub(super) summary: &'static str,
    /// What stands behind `?`.
    pub(super) query: Option<Inline>,
    pub(super) headers: &'static [Header],
    pub(super) body: Option<Body>,
    pub(super) answers: &'static [Answer],
    /// How it may be refused, beyond what [`Route::refusals`] adds.
    pub(super) problems: &'static [Kind],
    handler: fn() -> actix_web::Route,
}

/// A reference to a type's schema.
pub(super) type Shape = fn(&mut SchemaGenerator) -> Schema;
/// A type's schema itself.
pub(super) type Inline = fn(&mut SchemaGenerator) -> Schema;

/// Methods that some path has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Delete,
}

/// For whom a route is, as certificates say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Callers {
    /// Those who may say what is to be computed.
    Users,
    /// Those who may look at jobs; parties at their own.
    Readers,
    /// Those who may look at more than their own.
    Overseers,
    /// Those who submitted the job, and operators.
    Owners,
    /// Those who answer for the coordinator.
    Operators,
    /// Those who take part.
    Parties,
    /// Anybody with a certificate.
    Anybody,
}

/// A header that a route looks at.
pub(super) struct Header {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
}

/// What a request brings.
pub(super) struct Body {
    pub(super) media: &'static [&'static str],
    pub(super) shape: Shape,
}

/// How a request may be answered.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) what: &'static str,
    pub(super) media: &'static str,
    /// Of the answer, or, of a stream, of each event in it; text has none.
    pub(super) shape: Option<Shape>,
}

impl Method {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

impl Callers {
    /// For people.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Users => "users, operators",
            Self::Readers => "users, operators, readers; parties their own",
            Self::Overseers => "users, operators, readers",
            Self::Owners => "users their own, operators any",
            Self::Operators => "operators",
            Self::Parties => "parties",
            Self::Anybody => "anybody with a certificate",
        }
    }

    /// The kinds of certificate.
    pub(super) fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::Users | Self::Owners => &["user", "operator"],
            Self::Readers => &["user", "operator", "reader", "party"],
            Self::Overseers => &["user", "operator", "reader"],
            Self::Operators => &["operator"],
            Self::Parties => &["party"],
            Self::Anybody => &["user", "operator", "reader", "party", "coordinator"],
        }
    }
}

impl Body {
    const fn of<T: JsonSchema>(media: &'static [&'static str]) -> Self {
        Self {
            media,
            shape: SchemaGenerator::subschema_for::<T>,
        }
    }
}

impl Answer {
    const fn json<T: JsonSchema>(status: u16, what: &'static str) -> Self {
        Self::shaped::<T>(status, "application/json", what)
    }

    const fn shaped<T: JsonSchema>(status: u16, media: &'static str, what: &'static str) -> Self {
        Self {
            status,
            what,
            media,
            shape: Some(SchemaGenerator::subschema_for::<T>),
        }
    }

    const fn text(what: &'static str) -> Self {
        Self {
            status: 200,
            what,
            media: "text/plain",
            shape: None,
        }
    }
}

impl Route {
    /// Every way in which it may be refused, once its path and method are right.
    pub(super) fn refusals(&self) -> impl Iterator<Item = Kind> {
        let everybody = self.who == Callers::Anybody;
        let by_kind =
            (!everybody && !self.problems.contains(&Kind::Forbidden)).then_some(Kind::Forbidden);
        let by_query = (self.refuses_queries() && !self.problems.contains(&Kind::Unreadable))
            .then_some(Kind::Unreadable);
        let of_engine = [Kind::Internal, Kind::Unavailable, Kind::Standby];
        let of_engine = of_engine.into_iter().filter(move |_| !everybody);
        let own = self.problems.iter().copied();
        own.chain(by_kind).chain(by_query).chain(of_engine)
    }

    /// Probes may add what they like to theirs.
    fn refuses_queries(&self) -> bool {
        self.query.is_none() && self.path.starts_with("/v1/")
    }
}

/// The routes, on an app that has [`Api`](super::Api) as data.
pub(crate) fn register(config: &mut web::ServiceConfig) {
    let mut seen = Vec::new();
    for Route { path, .. } in TABLE {
        if seen.contains(path) {
            continue;
        }
        seen.push(path);
        let resource = of(path).fold(web::resource(*path), |resource, route| {
            resource.route((route.handler)())
        });
        let other = move |request: HttpRequest| ready(other_method(path, &request));
        config.service(resource.default_service(web::to(other)));
    }
    config.default_service(web::to(no_route));
}

/// The routes at a path.
fn of(path: &str) -> impl Iterator<Item = &'static Route> {
    TABLE.iter().filter(move |route| route.path == path)
}

fn other_method(path: &str, request: &HttpRequest) -> HttpResponse {
    let allowed: Vec<&str> = of(path).map(|route| route.method.label()).collect();
    let allowed = allowed.join(", ");
    let method = request.method();
    let problem = Problem::new(
        Kind::OtherMethod,
        format!("{method} cannot be done to {path}, only {allowed}"),
    );
    let mut response = problem.error_response();
    if let Ok(allowed) = HeaderValue::from_str(&allowed) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

async fn no_route(request: HttpRequest) -> Problem {
    let path = request.path();
    Problem::new(
        Kind::NoRoute,
        format!(
            "nothing is at {path}: jobs are at /v1/jobs, parties at /v1/parties, and \
             /v1/openapi.json lists everything"
        ),
    )
}

/// Wraps every route: one that takes no query says so, rather than pass over a word
/// that its caller believes in.
pub(crate) async fn refuse_unknown_queries(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let pattern = request.match_pattern();
    let method = request.method().as_str();
    let route = TABLE
        .iter()
        .find(|route| route.method.label() == method && Some(route.path) == pattern.as_deref());
    match route {
        Some(route) if route.refuses_queries() && !request.query_string().is_empty() => {
            let path = route.path;
            let detail = format!("{method} {path} takes no query: leave out what is behind the ?");
            let problem = Problem::new(Kind::Unreadable, detail);
            Ok(request.into_response(problem.error_response()))
        }
        _ => Ok(next.call(request).await?.map_into_boxed_body()),
    }
}
