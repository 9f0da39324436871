//! What may become of a question.

use awc::http::StatusCode;
use entente_tls::TlsError;
use thiserror::Error;
use url::Url;

use super::Problem;

/// Why there is no answer, or not the one that was hoped for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address cannot be used.
    #[error("{0} is no address of a coordinator: write https://host:port")]
    Address(Url),
    /// There is no address.
    #[error("no coordinator has an address: write https://host:port")]
    Nowhere,
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// No connection came about: nothing was asked.
    #[error("the coordinator at {base} cannot be reached: {reason}")]
    Unreachable {
        /// Its address.
        base: Url,
        /// What happened.
        reason: String,
    },
    /// It was asked, perhaps, and no answer came.
    #[error("the answer of the coordinator at {base} was lost: {reason}")]
    AnswerLost {
        /// Its address.
        base: Url,
        /// What happened.
        reason: String,
    },
    /// The coordinator refused.
    #[error("{0}")]
    Refused(Problem),
    /// The answer makes no sense.
    #[error(
        "{base} answers with {status} and something else than a coordinator's answer: {reason}"
    )]
    Senseless {
        /// Its address.
        base: Url,
        /// The status.
        status: StatusCode,
        /// What is wrong with the answer.
        reason: String,
    },
}
