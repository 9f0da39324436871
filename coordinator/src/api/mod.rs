//! The HTTP API, over mutual TLS alone.
//!
//! | route | who | what |
//! |---|---|---|
//! | `GET /v1/jobs` | users, operators, readers; parties their own | lists jobs, newest first, in pages |
//! | `POST /v1/jobs` | users, operators | submits a job specification, JSON or TOML; with an `Idempotency-Key`, once |
//! | `GET /v1/jobs/{id}` | users, operators, readers; parties their own | shows a job |
//! | `DELETE /v1/jobs/{id}` | users their own, operators any | cancels a job |
//! | `POST /v1/jobs/{id}/pause` | users their own, operators any | has a job rest; its places go to others |
//! | `POST /v1/jobs/{id}/resume` | users their own, operators any | has it go on from where it rested |
//! | `POST /v1/jobs/{id}/rotate-key` | users their own, operators any | has a running job go on under another encryption key |
//! | `POST /v1/jobs/{id}/retry` | users their own, operators any | does what failed or was cancelled again, as another job |
//! | `GET /v1/jobs/{id}/why` | users, operators, readers; parties their own | says what a job waits for |
//! | `GET /v1/jobs/{id}/events` | users, operators, readers; parties their own | tells how a job goes on, as server-sent events, to its end |
//! | `GET /v1/jobs/{id}/log` | users, operators, readers; parties their own | tells what happened to a job, oldest first, in pages |
//! | `GET /v1/jobs/{id}/contract` | users, operators, readers; parties their own | shows what both parties have signed |
//! | `GET /v1/parties` | users, operators, readers | lists parties |
//! | `GET /v1/drain` | users, operators, readers | says whether anything new begins, and how many jobs have begun |
//! | `POST /v1/drain` | operators | has nothing new begin; what has begun goes on to its end |
//! | `DELETE /v1/drain` | operators | has jobs begin again |
//! | `GET /v1/audit` | operators | the audit log, oldest first, in pages |
//! | `POST /v1/sync` | parties | takes a party's truth and gives the wish for it, held back until there is news |
//! | `GET /v1/openapi.json` | anybody with a certificate | describes all of this (OpenAPI 3.1) |
//! | `GET /healthz` | anybody with a certificate | the process answers |
//! | `GET /readyz` | anybody with a certificate | engine and store answer, and it is not ending; who stands by is not ready |
//! | `GET /metrics` | anybody with a certificate | Prometheus text |
//!
//! All of it is made of one list ([`routes`]). A coordinator that stands by answers all
//! of `/v1` but the description with 503 and where the one is that leads. Every error
//! is a [`Problem`](problem::Problem) (RFC 9457) that says what to
//! do. Who asks stands in the certificate; a handler says by the type of its
//! argument whom it serves ([`caller`]), so no route can forget to ask.

mod answers;
mod audit;
mod body;
mod caller;
mod document;
mod draining;
mod events;
mod history;
mod jobs;
mod observe;
mod operations;
mod orders;
mod page;
mod parties;
pub(crate) mod problem;
mod request_id;
mod routes;
mod sync;

use std::{sync::Arc, time::Duration};

use entente_metrics::{CertificateMeters, Registry};
use entente_tls::{Authorities, Credentials};
use tokio::sync::watch;

use self::events::Streams;
use crate::runtime::Handle;

pub(crate) use audit::{AuditLog, put_refusals_on_record};
pub(crate) use caller::{remember_peer, turn_away_the_revoked};
pub use document::document;
pub(crate) use events::{LAST_EVENT_ID, MEDIA_TYPE as EVENT_STREAM};
pub(crate) use history::JobLog;
pub(crate) use jobs::{IDEMPOTENCY_KEY, JobList, LARGEST_PAGE};
pub(crate) use observe::{Meters, observe};
pub(crate) use parties::PartyList;
pub(crate) use request_id::name_requests;
pub(crate) use routes::{refuse_unknown_queries, register};

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) coordinator: Handle,
    pub(crate) registry: Registry,
    pub(crate) meters: Meters,
    /// Those who are trusted to name parties.
    pub(crate) authorities: Authorities,
    /// Who follows jobs.
    pub(crate) streams: Streams,
    /// Who is trusted to call.
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) certificates: CertificateMeters,
    /// The longest that a wish is held back.
    pub(crate) longest_wait: Duration,
    /// True from when the coordinator is ending.
    pub(crate) ending: watch::Receiver<bool>,
}
