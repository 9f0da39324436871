//! The API, as a program asks it.

use entente_protocol::job::{JobId, TaskSpec};
use entente_tls::{Credentials, Identity, TlsError};
use serde::de::DeserializeOwned;
use thiserror::Error;
use url::Url;

use awc::{ClientRequest, Connector, SendClientRequest, http::StatusCode};

use crate::{
    api::{JobList, PartyList},
    job::{JobState, JobView, PartyView},
};

pub use crate::api::problem::Problem;

/// Some thousands of jobs.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// The API of one coordinator, for a user. Neither sent nor shared between
/// threads: it belongs to the actix system that made it.
pub struct Client {
    http: awc::Client,
    base: Url,
}

/// Why there is no answer, or not the one that was hoped for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address cannot be used.
    #[error("{0} is no address of a coordinator: write https://host:port")]
    Address(Url),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// No answer came.
    #[error("the coordinator at {base} cannot be reached: {reason}")]
    Unreachable {
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

impl Client {
    /// For the coordinator `expected` at `https://host:port`; nothing is sent
    /// yet.
    ///
    /// # Errors
    /// [`ClientError::Address`] for an address of another form,
    /// [`ClientError::Tls`] for a defect of ours.
    pub fn new(
        credentials: &Credentials,
        base: Url,
        expected: &Identity,
    ) -> Result<Self, ClientError> {
        let plain = base.scheme() == "https"
            && base.has_host()
            && base.path() == "/"
            && base.query().is_none()
            && base.username().is_empty();
        if !plain {
            return Err(ClientError::Address(base));
        }
        let tls = credentials.client_config(expected)?;
        let http = awc::Client::builder()
            .connector(Connector::new().rustls_0_23(tls))
            .disable_redirects()
            .finish();
        Ok(Self { http, base })
    }

    /// Submits a job.
    ///
    /// # Errors
    /// [`ClientError`]; an invalid specification is a [`ClientError::Refused`]
    /// that names the field.
    pub async fn submit(&self, spec: &TaskSpec) -> Result<JobView, ClientError> {
        let request = self.http.post(self.url("/v1/jobs", None));
        self.answer(request.send_json(spec)).await
    }

    /// The jobs, newest first: all, or those in a state.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn list(&self, state: Option<JobState>) -> Result<Vec<JobView>, ClientError> {
        let request = self.http.get(self.url("/v1/jobs", state));
        let list: JobList = self.send(request).await?;
        Ok(list.jobs)
    }

    /// One job.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn show(&self, id: JobId) -> Result<JobView, ClientError> {
        let path = format!("/v1/jobs/{id}");
        self.send(self.http.get(self.url(&path, None))).await
    }

    /// Cancels a job.
    ///
    /// # Errors
    /// [`ClientError`]; a job that has ended is a [`ClientError::Refused`].
    pub async fn cancel(&self, id: JobId) -> Result<JobView, ClientError> {
        let path = format!("/v1/jobs/{id}");
        self.send(self.http.delete(self.url(&path, None))).await
    }

    /// The parties.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn parties(&self) -> Result<Vec<PartyView>, ClientError> {
        let request = self.http.get(self.url("/v1/parties", None));
        let list: PartyList = self.send(request).await?;
        Ok(list.parties)
    }

    fn url(&self, path: &str, state: Option<JobState>) -> String {
        let mut url = self.base.clone();
        url.set_path(path);
        if let Some(state) = state {
            url.query_pairs_mut().append_pair("state", state.label());
        }
        url.into()
    }

    async fn send<T: DeserializeOwned>(&self, request: ClientRequest) -> Result<T, ClientError> {
        self.answer(request.send()).await
    }

    async fn answer<T: DeserializeOwned>(
        &self,
        request: SendClientRequest,
    ) -> Result<T, ClientError> {
        let unreachable = |reason: String| ClientError::Unreachable {
            base: self.base.clone(),
            reason,
        };
        let mut response = request
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        let status = response.status();
        let body = response.body().limit(MAX_ANSWER_BYTES).await;
        let body = body.map_err(|error| unreachable(error.to_string()))?;
        let senseless = |error: serde_json::Error| ClientError::Senseless {
            base: self.base.clone(),
            status,
            reason: error.to_string(),
        };
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(senseless);
        }
        Err(ClientError::Refused(
            serde_json::from_slice(&body).map_err(senseless)?,
        ))
    }
}
