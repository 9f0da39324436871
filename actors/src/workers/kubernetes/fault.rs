//! What the cluster refuses, by name.

use kube::Error;

use super::super::{Lack, LackKind};

/// It is there already.
pub(super) fn is_conflict(error: &Error) -> bool {
    matches!(error, Error::Api(status) if status.code == 409)
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
        // Both come as 403: of the two, only one says so.
        403 if message.contains("exceeded quota") => LackKind::Quota.with(message),
        401 | 403 => LackKind::Forbidden.with(format!(
            "the party's service account may not {verb} {resource}: add that verb to its Role \
             ({message})"
        )),
        400 | 422 => LackKind::Template.with(format!(
            "the cluster refuses what [launcher] and its template make of it ({message})"
        )),
        _ => LackKind::Unreachable.with(format!("{verb} {resource}: {} {message}", status.code)),
    }
}

/// Why a Job's controller makes no pods, as its event says it.
pub(super) fn of_pods(message: &str) -> Lack {
    let kind = match message {
        text if text.contains("exceeded quota") => LackKind::Quota,
        text if text.contains("forbidden") => LackKind::Forbidden,
        _ => LackKind::Template,
    };
    kind.with(message)
}
