//! The API, as a program asks it.
//!
//! Of several coordinators one leads. A program knows all of their addresses and
//! asks one after the other, beginning with the one that answered last. While
//! somebody stands by but nobody leads, a takeover is under way, and the round
//! begins again.

mod answer;
mod draining;
mod error;
mod event_stream;
mod happenings;
mod orders;
mod watch;

use std::{cell::Cell, time::Duration};

use entente_protocol::{
    contract::Contract,
    job::{JobId, TaskSpec},
};
use entente_tls::{Credentials, Identity};
use serde::de::DeserializeOwned;
use url::Url;

use awc::{Connector, SendClientRequest};
use tokio::time::sleep;

use self::answer::answer;
use crate::{
    api::{AuditLog, IDEMPOTENCY_KEY, JobList, LARGEST_PAGE, PartyList},
    audit::Entry,
    job::{IdempotencyKey, JobState, JobView, PartyView, Priority, Why},
};

pub use crate::api::problem::Problem;
pub use error::ClientError;
pub use watch::Watch;

/// Before asking again for an answer that was lost: long enough for a coordinator
/// that is started anew.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1600),
    Duration::from_millis(3200),
];

/// Rounds of asking for the one that leads, a second apart: a lease's usual life
/// some times over.
const ROUNDS: u32 = 40;
/// Between two of them.
const BETWEEN_ROUNDS: Duration = Duration::from_secs(1);

/// The API of a coordinator, or of several of which one leads, for a user.
/// Neither sent nor shared between threads: it belongs to the actix system that
/// made it.
pub struct Client {
    http: awc::Client,
    bases: Vec<Url>,
    /// Of the one that answered last.
    answering: Cell<usize>,
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
        Self::of_several(credentials, vec![base], expected)
    }

    /// For the coordinators `expected`, each at its `https://host:port`, of which
    /// one leads; nothing is sent yet.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`ClientError::Nowhere`] without an address.
    pub fn of_several(
        credentials: &Credentials,
        bases: Vec<Url>,
        expected: &Identity,
    ) -> Result<Self, ClientError> {
        if bases.is_empty() {
            return Err(ClientError::Nowhere);
        }
        if let Some(base) = bases.iter().find(|base| !is_plain(base)) {
            return Err(ClientError::Address(base.clone()));
        }
        let tls = credentials.client_config(expected)?;
        let http = awc::Client::builder()
            .connector(Connector::new().rustls_0_23(tls))
            .disable_redirects()
            .finish();
        Ok(Self {
            http,
            bases,
            answering: Cell::new(0),
        })
    }

    /// Submits a job, under a key of its own.
    ///
    /// # Errors
    /// As [`submit_as`](Self::submit_as).
    pub async fn submit(&self, spec: &TaskSpec) -> Result<JobView, ClientError> {
        let key = IdempotencyKey::fresh();
        self.submit_as(spec, &key, Priority::default()).await
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
        priority: Priority,
    ) -> Result<JobView, ClientError> {
        let ask = || {
            self.ask(|base| {
                let mut url = at(base, "/v1/jobs");
                url.query_pairs_mut()
                    .append_pair("priority", priority.label());
                let request = self.http.post(url.as_str());
                let request = request.insert_header((IDEMPOTENCY_KEY, key.to_string()));
                request.send_json(spec)
            })
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
            let limit = (count - jobs.len()).min(LARGEST_PAGE);
            let page: JobList = self
                .ask(|base| self.http.get(page(base, state, limit, before)).send())
                .await?;
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
        self.get(&format!("/v1/jobs/{id}")).await
    }

    /// Why a job stands where it does.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn why(&self, id: JobId) -> Result<Why, ClientError> {
        self.get(&format!("/v1/jobs/{id}/why")).await
    }

    /// What both parties have signed. Whoever relies on it verifies it.
    ///
    /// # Errors
    /// [`ClientError`]; a job that was not signed by both is a
    /// [`ClientError::Refused`].
    pub async fn contract(&self, id: JobId) -> Result<Contract, ClientError> {
        self.get(&format!("/v1/jobs/{id}/contract")).await
    }

    /// The whole audit log, oldest first; for operators.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn audit(&self) -> Result<Vec<Entry>, ClientError> {
        let mut entries = Vec::new();
        let mut after = Some(0_u64);
        while let Some(number) = after {
            let page = |base: &Url| {
                let mut url = at(base, "/v1/audit");
                url.query_pairs_mut()
                    .append_pair("limit", &LARGEST_PAGE.to_string())
                    .append_pair("after", &number.to_string());
                self.http.get(String::from(url)).send()
            };
            let page: AuditLog = self.ask(page).await?;
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
        let list: PartyList = self.get("/v1/parties").await?;
        Ok(list.parties)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let ask = || self.ask(|base| self.http.get(at(base, path).as_str()).send());
        match ask().await {
            // Somebody else may know, and to look does no harm.
            Err(ClientError::AnswerLost { .. }) if self.bases.len() > 1 => ask().await,
            answered => answered,
        }
    }

    /// Asks the one that leads, whichever that is.
    async fn ask<T: DeserializeOwned>(
        &self,
        request: impl Fn(&Url) -> SendClientRequest,
    ) -> Result<T, ClientError> {
        self.of_who_leads(async |base| answer(base, request(base)).await)
            .await
    }

    /// Turns from one to the next until somebody leads. A request is sent to the next
    /// one only if nothing can have come of it at the last: who cannot be
    /// reached was not asked, and who stands by does nothing.
    async fn of_who_leads<T>(
        &self,
        ask: impl AsyncFn(&Url) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        let mut round = 1;
        loop {
            let mut outcome = Err(ClientError::Nowhere);
            let mut somebody_stands_by = false;
            for step in 0..self.bases.len() {
                let next = (self.answering.get() + step) % self.bases.len();
                let Some(base) = self.bases.get(next) else {
                    break;
                };
                match ask(base).await {
                    Err(ClientError::Refused(problem)) if problem.is_standby() => {
                        somebody_stands_by = true;
                        outcome = Err(ClientError::Refused(problem));
                    }
                    Err(error @ ClientError::Unreachable { .. }) => {
                        if !somebody_stands_by {
                            outcome = Err(error);
                        }
                    }
                    answered => {
                        self.answering.set(next);
                        return answered;
                    }
                }
            }
            if !somebody_stands_by || round >= ROUNDS {
                return outcome;
            }
            round += 1;
            sleep(BETWEEN_ROUNDS).await;
        }
    }
}

fn is_plain(base: &Url) -> bool {
    base.scheme() == "https"
        && base.has_host()
        && base.path() == "/"
        && base.query().is_none()
        && base.username().is_empty()
}

fn at(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(path);
    url
}

fn page(base: &Url, state: Option<JobState>, limit: usize, before: Option<JobId>) -> String {
    let mut url = at(base, "/v1/jobs");
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
