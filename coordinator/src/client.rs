//! The API, as a program asks it.

use std::time::Duration;

use entente_protocol::job::{JobId, TaskSpec};
use entente_tls::{Credentials, Identity, TlsError};
use serde::de::DeserializeOwned;
use thiserror::Error;
use url::Url;

use awc::{ClientRequest, Connector, SendClientRequest, error::SendRequestError, http::StatusCode};
use tokio::time::sleep;

use crate::{
    api::{AuditLog, IDEMPOTENCY_KEY, JobList, LARGEST_PAGE, PartyList},
    audit::Entry,
    job::{IdempotencyKey, JobState, JobView, PartyView, Why},
};

pub use crate::api::problem::Problem;

/// Some thousands of jobs.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// Before asking again for an answer that was lost: long enough for a coordinator
/// that is started anew.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1600),
    Duration::from_millis(3200),
];

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

    /// Submits a job, under a key of its own.
    ///
    /// # Errors
    /// As [`submit_as`](Self::submit_as).
    pub async fn submit(&self, spec: &TaskSpec) -> Result<JobView, ClientError> {
        self.submit_as(spec, &IdempotencyKey::fresh()).await
    }

    /// Submits a job. When the answer is lost it asks again, which under the
    /// same key makes no second job.
    ///
    /// # Errors
    /// [`ClientError`]; an invalid specification is a [`ClientError::Refused`]
    /// that names the field. After [`ClientError::AnswerLost`] nobody knows
    /// whether there is a job: ask again, under the same key.
    pub async fn submit_as(
        &self,
        spec: &TaskSpec,
        key: &IdempotencyKey,
    ) -> Result<JobView, ClientError> {
        let ask = || async {
            let request = self.http.post(self.url("/v1/jobs"));
            let request = request.insert_header((IDEMPOTENCY_KEY, key.to_string()));
            self.answer(request.send_json(spec)).await
        };
        let mut outcome = ask().await;
        // Whatever goes wrong afterwards, a lost answer stays lost.
        if let Err(ClientError::AnswerLost { .. }) = &outcome {
            for pause in PAUSES {
                sleep(pause).await;
                match ask().await {
                    Err(ClientError::AnswerLost { .. } | ClientError::Unreachable { .. }) => {}
                    answered => {
                        outcome = answered;
                        break;
                    }
                }
            }
        }
        outcome
    }

    /// The jobs, newest first: all, or those in a state.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn list(&self, state: Option<JobState>) -> Result<Vec<JobView>, ClientError> {
        self.newest(state, usize::MAX).await
    }

    /// The newest jobs, so many at most: of all, or of those in a state.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn newest(
        &self,
        state: Option<JobState>,
        count: usize,
    ) -> Result<Vec<JobView>, ClientError> {
        let mut jobs = Vec::new();
        let mut before = None;
        while jobs.len() < count {
            let url = self.page(state, (count - jobs.len()).min(LARGEST_PAGE), before);
            let page: JobList = self.send(self.http.get(url)).await?;
            jobs.extend(page.jobs);
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        Ok(jobs)
    }

    /// One job.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn show(&self, id: JobId) -> Result<JobView, ClientError> {
        let path = format!("/v1/jobs/{id}");
        self.send(self.http.get(self.url(&path))).await
    }

    /// Why a job stands where it does.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn why(&self, id: JobId) -> Result<Why, ClientError> {
        let path = format!("/v1/jobs/{id}/why");
        self.send(self.http.get(self.url(&path))).await
    }

    /// Cancels a job.
    ///
    /// # Errors
    /// [`ClientError`]; a job that has ended is a [`ClientError::Refused`].
    pub async fn cancel(&self, id: JobId) -> Result<JobView, ClientError> {
        let path = format!("/v1/jobs/{id}");
        self.send(self.http.delete(self.url(&path))).await
    }

    /// The whole audit log, oldest first; for operators.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn audit(&self) -> Result<Vec<Entry>, ClientError> {
        let mut entries = Vec::new();
        let mut after = Some(0_u64);
        while let Some(number) = after {
            let mut url = self.at("/v1/audit");
            url.query_pairs_mut()
                .append_pair("limit", &LARGEST_PAGE.to_string())
                .append_pair("after", &number.to_string());
            let page: AuditLog = self.send(self.http.get(String::from(url))).await?;
            entries.extend(page.entries);
            after = page.next;
        }
        Ok(entries)
    }

    /// The parties.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn parties(&self) -> Result<Vec<PartyView>, ClientError> {
        let request = self.http.get(self.url("/v1/parties"));
        let list: PartyList = self.send(request).await?;
        Ok(list.parties)
    }

    fn url(&self, path: &str) -> String {
        self.at(path).into()
    }

    fn at(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(path);
        url
    }

    fn page(&self, state: Option<JobState>, limit: usize, before: Option<JobId>) -> String {
        let mut url = self.at("/v1/jobs");
        let mut query = url.query_pairs_mut();
        query.append_pair("limit", &limit.to_string());
        if let Some(state) = state {
            query.append_pair("state", state.label());
        }
        if let Some(before) = before {
            query.append_pair("before", &before.to_string());
        }
        drop(query);
        url.into()
    }

    async fn send<T: DeserializeOwned>(&self, request: ClientRequest) -> Result<T, ClientError> {
        self.answer(request.send()).await
    }

    async fn answer<T: DeserializeOwned>(
        &self,
        request: SendClientRequest,
    ) -> Result<T, ClientError> {
        let lost = |reason: String| ClientError::AnswerLost {
            base: self.base.clone(),
            reason,
        };
        let mut response = request.await.map_err(|error| match error {
            SendRequestError::Url(_) | SendRequestError::Connect(_) => ClientError::Unreachable {
                base: self.base.clone(),
                reason: error.to_string(),
            },
            error => lost(error.to_string()),
        })?;
        let status = response.status();
        let body = response.body().limit(MAX_ANSWER_BYTES).await;
        let body = body.map_err(|error| lost(error.to_string()))?;
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
