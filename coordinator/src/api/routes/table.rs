//! The list.

use actix_web::web;
use entente_protocol::{
    contract::Contract,
    control::{Sync, Wish},
    job::TaskSpec,
};
use schemars::JsonSchema;

use super::{Answer, Body, Callers, Header, Method, Route};
use crate::{
    api::{
        AuditLog, IDEMPOTENCY_KEY, JobList, PartyList, audit,
        document::{self, Document},
        draining, events, history, jobs, operations, orders,
        page::Page,
        parties,
        problem::Kind,
        sync,
    },
    job::{DrainView, JobView, Why},
};

const JSON: &[&str] = &["application/json"];
const LANGUAGES: &[&str] = &["application/json", "application/toml"];
/// Of a job that must be there.
const OF_A_JOB: &[Kind] = &[Kind::NoJob];
/// Of an order, which a state may not allow.
const OF_AN_ORDER: &[Kind] = &[Kind::NoJob, Kind::NotNow, Kind::JobEnded];

/// Everything that can be asked for.
pub(crate) static TABLE: &[Route] = &[
    Route {
        who: Callers::Readers,
        query: Some(jobs::Filter::json_schema),
        answers: &[Answer::json::<JobList>(200, "A page of jobs.")],
        problems: &[Kind::Unreadable],
        ..get(
            "/v1/jobs",
            "listJobs",
            "lists jobs, newest first, in pages",
            || web::get().to(jobs::list),
        )
    },
    Route {
        who: Callers::Users,
        query: Some(jobs::Submitting::json_schema),
        headers: &[Header {
            name: IDEMPOTENCY_KEY,
            what: "The caller's own name for the submission: the same specification under the \
                   same key is one job, however often it is sent. 1 to 128 printable ASCII \
                   characters without quotes and spaces.",
        }],
        body: Some(Body::of::<TaskSpec>(LANGUAGES)),
        answers: &[
            Answer::json::<JobView>(201, "The new job; `Location` is its path."),
            Answer::json::<JobView>(200, "The job that was submitted under this key before."),
        ],
        problems: &[
            Kind::Unreadable,
            Kind::KeyReused,
            Kind::TooLarge,
            Kind::MediaType,
            Kind::InvalidJob,
        ],
        ..post(
            "/v1/jobs",
            "submitJob",
            "submits a job specification, JSON or TOML; with an `Idempotency-Key`, once",
            || web::post().to(jobs::submit),
        )
    },
    Route {
        who: Callers::Readers,
        answers: &[Answer::json::<JobView>(200, "The job.")],
        problems: OF_A_JOB,
        ..get("/v1/jobs/{id}", "showJob", "shows a job", || {
            web::get().to(jobs::show)
        })
    },
    Route {
        method: Method::Delete,
        who: Callers::Owners,
        answers: &[Answer::json::<JobView>(
            200,
            "The job, which is to end or has.",
        )],
        problems: &[Kind::NoJob, Kind::JobEnded],
        ..get("/v1/jobs/{id}", "cancelJob", "cancels a job", || {
            web::delete().to(orders::cancel)
        })
    },
    Route {
        who: Callers::Owners,
        answers: &[Answer::json::<JobView>(200, "The job, which rests.")],
        problems: OF_AN_ORDER,
        ..post(
            "/v1/jobs/{id}/pause",
            "pauseJob",
            "has a job rest; its places go to others",
            || web::post().to(orders::pause),
        )
    },
    Route {
        who: Callers::Owners,
        answers: &[Answer::json::<JobView>(200, "The job, which goes on.")],
        problems: OF_AN_ORDER,
        ..post(
            "/v1/jobs/{id}/resume",
            "resumeJob",
            "has it go on from where it rested",
            || web::post().to(orders::resume),
        )
    },
    Route {
        who: Callers::Owners,
        answers: &[Answer::json::<JobView>(
            200,
            "The job, which is to come to another key.",
        )],
        problems: OF_AN_ORDER,
        ..post(
            "/v1/jobs/{id}/rotate-key",
            "rotateKey",
            "has a running job go on under another encryption key",
            || web::post().to(orders::rotate_key),
        )
    },
    Route {
        who: Callers::Owners,
        answers: &[
            Answer::json::<JobView>(201, "The new job; `Location` is its path."),
            Answer::json::<JobView>(200, "The job that does the same again already."),
        ],
        problems: &[Kind::NoJob, Kind::NotNow, Kind::JobEnded, Kind::JobRetried],
        ..post(
            "/v1/jobs/{id}/retry",
            "retryJob",
            "does what failed or was cancelled again, as another job",
            || web::post().to(orders::retry),
        )
    },
    Route {
        who: Callers::Readers,
        answers: &[Answer::json::<Why>(200, "What it waits for.")],
        problems: OF_A_JOB,
        ..get(
            "/v1/jobs/{id}/why",
            "explainJob",
            "says what a job waits for",
            || web::get().to(jobs::why),
        )
    },
    Route {
        who: Callers::Readers,
        headers: &[Header {
            name: events::LAST_EVENT_ID,
            what: "The `id` of the last event that arrived: what it told is not told again.",
        }],
        answers: &[Answer::shaped::<JobView>(
            200,
            events::MEDIA_TYPE,
            "Server-sent events: the job, now and whenever it changes, each under an `id`; the \
             stream ends behind its end.",
        )],
        problems: &[Kind::NoJob, Kind::TooManyStreams],
        ..get(
            "/v1/jobs/{id}/events",
            "watchJob",
            "tells how a job goes on, as server-sent events, to its end",
            || web::get().to(events::watch),
        )
    },
    Route {
        who: Callers::Readers,
        query: Some(Page::json_schema),
        answers: &[Answer::json::<history::JobLog>(200, "A page of its log.")],
        problems: &[Kind::Unreadable, Kind::NoJob],
        ..get(
            "/v1/jobs/{id}/log",
            "readJobLog",
            "tells what happened to a job, oldest first, in pages",
            || web::get().to(history::log),
        )
    },
    Route {
        who: Callers::Readers,
        answers: &[Answer::json::<Contract>(200, "The contract; verify it.")],
        problems: &[Kind::NoJob, Kind::NoContract],
        ..get(
            "/v1/jobs/{id}/contract",
            "showContract",
            "shows what both parties have signed",
            || web::get().to(jobs::contract),
        )
    },
    Route {
        who: Callers::Overseers,
        answers: &[Answer::json::<PartyList>(200, "The parties.")],
        ..get("/v1/parties", "listParties", "lists parties", || {
            web::get().to(parties::list)
        })
    },
    Route {
        who: Callers::Overseers,
        answers: &[Answer::json::<DrainView>(200, "How it stands.")],
        ..get(
            "/v1/drain",
            "showDrain",
            "says whether anything new begins, and how many jobs have begun",
            || web::get().to(draining::show),
        )
    },
    Route {
        who: Callers::Operators,
        answers: &[Answer::json::<DrainView>(200, "How it stands.")],
        ..post(
            "/v1/drain",
            "drain",
            "has nothing new begin; what has begun goes on to its end",
            || web::post().to(draining::drain),
        )
    },
    Route {
        method: Method::Delete,
        who: Callers::Operators,
        answers: &[Answer::json::<DrainView>(200, "How it stands.")],
        ..get("/v1/drain", "undrain", "has jobs begin again", || {
            web::delete().to(draining::undrain)
        })
    },
    Route {
        who: Callers::Operators,
        query: Some(Page::json_schema),
        answers: &[Answer::json::<AuditLog>(200, "A page of the log.")],
        problems: &[Kind::Unreadable],
        ..get(
            "/v1/audit",
            "readAuditLog",
            "the audit log, oldest first, in pages",
            || web::get().to(audit::list),
        )
    },
    Route {
        who: Callers::Parties,
        body: Some(Body::of::<Sync>(JSON)),
        answers: &[Answer::json::<Wish>(200, "What the party shall do.")],
        problems: &[Kind::Unreadable, Kind::TooLarge, Kind::MediaType],
        ..post(
            "/v1/sync",
            "sync",
            "takes a party's truth and gives the wish for it, held back until there is news",
            || web::post().to(sync::sync),
        )
    },
    Route {
        answers: &[Answer::json::<Document>(200, "This document.")],
        ..get(
            "/v1/openapi.json",
            "describeApi",
            "describes all of this (OpenAPI 3.1)",
            || web::get().to(document::show),
        )
    },
    Route {
        answers: &[Answer::text("`alive`.")],
        ..get("/healthz", "isAlive", "the process answers", || {
            web::get().to(operations::health)
        })
    },
    Route {
        answers: &[Answer::text("`ready`.")],
        problems: &[Kind::Unavailable, Kind::Standby],
        ..get(
            "/readyz",
            "isReady",
            "engine and store answer, and it is not ending; who stands by is not ready",
            || web::get().to(operations::ready),
        )
    },
    Route {
        answers: &[Answer::text("Metrics.")],
        problems: &[Kind::Internal, Kind::Unavailable],
        ..get("/metrics", "readMetrics", "Prometheus text", || {
            web::get().to(operations::metrics)
        })
    },
];

/// One that anybody may ask for, and that is refused to nobody.
const fn get(
    path: &'static str,
    operation: &'static str,
    summary: &'static str,
    handler: fn() -> actix_web::Route,
) -> Route {
    Route {
        method: Method::Get,
        path,
        operation,
        who: Callers::Anybody,
        summary,
        query: None,
        headers: &[],
        body: None,
        answers: &[],
        problems: &[],
        handler,
    }
}

const fn post(
    path: &'static str,
    operation: &'static str,
    summary: &'static str,
    handler: fn() -> actix_web::Route,
) -> Route {
    Route {
        method: Method::Post,
        ..get(path, operation, summary, handler)
    }
}
