//! The kinds of problem: a closed set, each with its status, type and title.

use actix_web::http::StatusCode;

/// The kind of problem of a coordinator that does not lead.
pub(crate) const STANDBY: &str = "urn:entente:problem:standby";
/// The kinds of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The body or query cannot be read.
    Unreadable,
    /// The caller's certificate does not allow this.
    Forbidden,
    /// There is no such job.
    NoJob,
    /// The job was not signed by both parties.
    NoContract,
    /// There is no such path.
    NoRoute,
    /// The path does not have this method.
    OtherMethod,
    /// The job has ended.
    JobEnded,
    /// The job's state does not allow this.
    NotNow,
    /// The job was retried.
    JobRetried,
    /// The idempotency key stands for another specification.
    KeyReused,
    /// The body is too long.
    TooLarge,
    /// The body is neither JSON nor TOML.
    MediaType,
    /// The specification can be read and is not valid.
    InvalidJob,
    /// The caller follows as many jobs as it may.
    TooManyStreams,
    /// A defect.
    Internal,
    /// The store does not answer, or the coordinator is ending.
    Unavailable,
    /// Another coordinator leads.
    Standby,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 17] = [
        Self::Unreadable,
        Self::Forbidden,
        Self::NoJob,
        Self::NoContract,
        Self::NoRoute,
        Self::OtherMethod,
        Self::JobEnded,
        Self::NotNow,
        Self::JobRetried,
        Self::KeyReused,
        Self::TooLarge,
        Self::MediaType,
        Self::InvalidJob,
        Self::TooManyStreams,
        Self::Internal,
        Self::Unavailable,
        Self::Standby,
    ];

    pub(crate) fn status(self) -> StatusCode {
        self.parts().0
    }

    /// For programs.
    pub(crate) fn urn(self) -> &'static str {
        self.parts().1
    }

    /// For people.
    pub(crate) fn title(self) -> &'static str {
        self.parts().2
    }

    /// Status, type and title.
    pub(super) fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Unreadable => (
                StatusCode::BAD_REQUEST,
                "urn:entente:problem:unreadable",
                "The request cannot be read",
            ),
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                "urn:entente:problem:forbidden",
                "Your certificate does not allow this",
            ),
            Self::NoJob => (
                StatusCode::NOT_FOUND,
                "urn:entente:problem:no-job",
                "There is no such job",
            ),
            Self::NoContract => (
                StatusCode::CONFLICT,
                "urn:entente:problem:no-contract",
                "The job was not signed by both parties",
            ),
            Self::NoRoute => (
                StatusCode::NOT_FOUND,
                "urn:entente:problem:no-route",
                "There is no such path",
            ),
            Self::OtherMethod => (
                StatusCode::METHOD_NOT_ALLOWED,
                "urn:entente:problem:other-method",
                "The path does not have this method",
            ),
            Self::JobEnded => (
                StatusCode::CONFLICT,
                "urn:entente:problem:job-ended",
                "The job has ended",
            ),
            Self::NotNow => (
                StatusCode::CONFLICT,
                "urn:entente:problem:not-now",
                "The job's state does not allow this",
            ),
            Self::JobRetried => (
                StatusCode::CONFLICT,
                "urn:entente:problem:job-retried",
                "The job was retried already",
            ),
            Self::KeyReused => (
                StatusCode::CONFLICT,
                "urn:entente:problem:key-reused",
                "The idempotency key was used for something else",
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "urn:entente:problem:too-large",
                "The request is too large",
            ),
            Self::MediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "urn:entente:problem:media-type",
                "The request's media type is not taken here",
            ),
            Self::InvalidJob => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "urn:entente:problem:invalid-job",
                "The job specification is not valid",
            ),
            Self::TooManyStreams => (
                StatusCode::TOO_MANY_REQUESTS,
                "urn:entente:problem:too-many-streams",
                "You follow too many jobs at once",
            ),
            Self::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "urn:entente:problem:internal",
                "The coordinator has a defect",
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "urn:entente:problem:unavailable",
                "The coordinator cannot do this now",
            ),
            Self::Standby => (
                StatusCode::SERVICE_UNAVAILABLE,
                STANDBY,
                "This coordinator stands by",
            ),
        }
    }
}
