//! What the cluster refuses, by name.

use kube::Error;

use super::super::{Lack, LackKind};

/// It is there already. Not every 409 says so: what a quota could not count, because
/// somebody else counted at the same time, is refused with 409 too and is not there.
pub(super) fn is_there(error: &Error) -> bool {
    matches!(error, Error::Api(status) if status.code == 409 && status.reason == "AlreadyExists")
}

/// It is not there.
pub(super) fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Api(status) if status.code == 404)
}

/// Why `verb` on `resource` has failed.
pub(super) fn lack(verb: &str, resource: &str, error: Error) -> Lack {
    let status = match error {
        Error::Api(status) => status,
        other => return LackKind::Unreachable.with(other),
    };
    let message = &status.message;
    match status.code {
        // Three things come as 403. Admission refuses objects; whoever decides on verbs
        // says whose verb it is.
        403 if is_used_up(message) => LackKind::Quota.with(message),
        401 => forbidden(verb, resource, message),
        403 if verb != "create" || message.contains("cannot create resource") => {
            forbidden(verb, resource, message)
        }
        400 | 403 | 422 => LackKind::Template.with(format!(
            "the cluster refuses what [launcher] and its template make of it ({message})"
        )),
        _ => LackKind::Unreachable.with(format!("{verb} {resource}: {} {message}", status.code)),
    }
}

fn forbidden(verb: &str, resource: &str, message: &str) -> Lack {
    LackKind::Forbidden.with(format!(
        "the party's service account may not {verb} {resource}: add that verb to its Role \
         ({message})"
    ))
}

/// Used up, or not counted yet. One that wants what the object does not say (`failed
/// quota`) is neither.
fn is_used_up(message: &str) -> bool {
    message.contains("exceeded quota") || message.contains("status unknown for quota")
}

/// Why a Job's controller makes no pods, as its event says it. The controller may make
/// any pod: what it is refused is this pod, and no permission of the party's.
pub(super) fn of_pods(message: &str) -> Lack {
    let kind = match is_used_up(message) {
        true => LackKind::Quota,
        false => LackKind::Template,
    };
    kind.with(message)
}
