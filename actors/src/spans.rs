//! What lines of the log are about.
//!
//! Every line about a job stands in a span that has its job, attempt and correlation,
//! by which the coordinator and the peer call it too; so no line says them by itself,
//! and none says them twice: a span that is entered within another stands for it. Spans are of the highest level, so that no filter of the
//! log takes the name from the lines that it lets through.

use entente_protocol::{
    contract::Terms,
    control::Assignment,
    job::{JobId, Task},
    session::Correlation,
};
use entente_wire::Digest;
use tracing::{Span, field::display};

/// Of an attempt at what `specification` says; of one that cannot be understood
/// nobody knows the correlation.
pub(crate) fn attempt(job: JobId, attempt: u32, specification: Option<Digest>) -> Span {
    let correlation = specification.map(|digest| Correlation::of(job, digest, attempt));
    let correlation = correlation.map(display);
    tracing::error_span!(parent: None, "attempt", %job, attempt, correlation)
}

/// Of what the coordinator wishes.
pub(crate) fn assigned(assignment: &Assignment) -> Span {
    let task = Task::try_from(assignment.spec.clone()).ok();
    let specification = task.as_ref().map(Task::digest);
    attempt(assignment.job, assignment.attempt, specification)
}

/// Of what is proposed: all attempts, of which the first is to come.
pub(crate) fn proposed(terms: &Terms) -> Span {
    attempt(terms.job(), 1, Some(terms.specification()))
}
